"""Cards, problems and sentences -> fenced blocks of Markdown, from which no text breaks out.

All user text is in a fence that is longer than any run of backticks in it, and never at the start of a line,
where diffs have their markers and code hosts their commands. Inside a fence neither GitHub nor GitLab
recognises mentions, references, links, HTML or emoji codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from importer.markup.markdown import fence
from importer.model import Diagnostic
from importer.model.wording import numbered
from importer.renderers import text
from importer.renderers.cards import Card, FieldRow
from importer.renderers.columns import ELLIPSIS, parted, shortened, wrapped
from importer.renderers.hunks import DiffLine, excerpt, truncated

WIDTH = 100
_LONGEST, _LONGEST_LINE = 400, 600
"""Most characters of a text and of a line; nobody reads a megabyte."""
_LONGEST_PROSE = 2000
_MOST_LINES = 60
"""Most lines of one attribute's diff."""


def of_card(card: Card) -> str:
    """Return a card as a diff, each line with its symbol before any user text."""
    return _block("diff", [*_title(card), *_explanation(card), *_rows(card)])


def of_title(card: Card) -> str:
    """Return a card without its rows."""
    return _block("diff", _title(card))


def of_diagnostic(diagnostic: Diagnostic) -> str:
    """Return a problem as a terminal shows it."""
    shorter = replace(
        diagnostic,
        summary=shortened(diagnostic.summary, _LONGEST_PROSE),
        detail=shortened(diagnostic.detail, _LONGEST_PROSE),
        hint=shortened(diagnostic.hint, _LONGEST_PROSE),
    )
    lines = text.diagnostics([shorter], width=WIDTH, colour=False).rstrip("\n").split("\n")
    shown = truncated([DiffLine("", each) for each in lines], _MOST_LINES)
    return _block("text", [each.marker + each.text for each in shown])


def of_summary(diagnostic: Diagnostic) -> str:
    """Return a problem without its places, detail and hint."""
    return of_diagnostic(replace(diagnostic, locations=(), detail="", hint=""))


def of_lines(lines: Iterable[str]) -> str:
    """Return sanitised lines, indented."""
    return _block("text", [f"  {line}" for line in lines])


def _block(language: str, lines: Iterable[str]) -> str:
    body = "\n".join(shortened(line, _LONGEST_LINE).rstrip() for line in lines)
    return "\n".join([*fence(body, language), "", ""])


def _title(card: Card) -> Iterator[str]:
    yield f"# {shortened(card.place, _LONGEST)}"
    yield f"{card.symbol} {shortened(card.title, _LONGEST)}"


def _explanation(card: Card) -> Iterator[str]:
    if card.explanation:
        yield from wrapped(shortened(card.explanation, _LONGEST_PROSE), width=WIDTH, indent="#     ")


def _rows(card: Card) -> Iterator[str]:
    for row in card.rows:
        note = f"  # {row.note}" if row.note else ""
        yield f"{row.symbol}     {shortened(row.label, _LONGEST // 4)} = {_values(row)}{note}"
        yield from map(_line, truncated(row.lines, _MOST_LINES))
    if card.unchanged:
        yield f"#     ({numbered(card.unchanged, 'unchanged field')} hidden)"


def _values(row: FieldRow) -> str:
    room = _LONGEST // 3
    if row.before is None:
        return shortened(row.after, room)
    return " -> ".join(parted(row.before, row.after, room))


def _line(line: DiffLine) -> str:
    """Return a line of a diff; the bar keeps its text from being read as a marker."""
    if line.marker in f"@{ELLIPSIS}":
        return f"          {line.marker}{line.text}"
    return f"{line.marker}         | {excerpt(line, _LONGEST).text}"
