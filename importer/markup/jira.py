"""Jira wiki markup (issues of Jira Server, exports of Jira Cloud) -> GitHub-flavoured Markdown.

The notation: https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from importer.markup import markdown
from importer.markup.jira_inline import line_to_markdown, split_at_bars, split_at_breaks
from importer.markup.jira_macros import Block, Code, Prose, Quotation, parse_macros

_HEADING = re.compile(r"h([1-6])\.(?:\s+|\Z)(.*)", re.DOTALL)
_ITEM = re.compile(r"([*#]+-?|-)\s+(\S.*)", re.DOTALL)
_RULE = re.compile(r"-{4,}\Z")
_QUOTE = "bq."
_DEEPEST = 10
"""Deeper lists continue at this depth: they are not written by people, and each level indents every line."""


@dataclass(slots=True)
class _Level:
    """An open list: its Jira marker, and the indentation of its items."""

    depth: int
    kind: str
    indent: int
    items: int = 0

    @property
    def bullet(self) -> str:
        return "- " if self.kind != "#" else f"{self.items}. "

    @property
    def inside(self) -> int:
        return self.indent + len(self.bullet)


@dataclass(slots=True)
class _MarkdownBuilder:
    """The lines written so far, and the lists that are still open."""

    lines: list[str] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)

    @property
    def indent(self) -> str:
        return " " * self.levels[-1].inside if self.levels else ""


def to_markdown(text: str) -> str:
    """Return the text as Markdown. Unknown markup is kept as text, and lines stay lines.

    Colours, anchors and the options of pictures and macros are dropped; pictures and files attached to the
    issue become notes, because the export does not contain them. Time is linear in the length of the text.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_rendered(parse_macros(plain))).strip("\n")


def _rendered(parts: Sequence[Block]) -> list[str]:
    out = _MarkdownBuilder()
    for part in parts:
        match part:
            case Prose(text=text):
                _add_prose(out, text.removeprefix("\n").removesuffix("\n").split("\n"))
            case Code():
                _add_code(out, part)
            case Quotation(title=title, blocks=inner):
                quoted = _rendered(inner)
                heading = [f"**{markdown.escape(title)}**", ""] if title else []
                _add_apart(out, markdown.quote([*heading, *"\n".join(quoted).strip("\n").split("\n")]))
            case _:
                assert_never(part)
    return out.lines


def _add_prose(out: _MarkdownBuilder, lines: list[str]) -> None:
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        rows, after = _rows(lines, place)
        if not line:
            out.levels.clear()
            _add_blank(out)
        elif rows:
            _add_apart(out, _table(rows))
        elif _RULE.match(line):
            _add_apart(out, ["---"])
        elif found := _HEADING.match(line):
            title = " ".join(line_to_markdown(piece.strip()) for piece in split_at_breaks(found[2]))
            _add_apart(out, [f"{'#' * int(found[1])} {title}".rstrip()])
        elif line.startswith(_QUOTE):
            _add_apart(out, markdown.quote(_paragraph(line[len(_QUOTE) :])))
        elif found := _ITEM.match(line):
            _add_item(out, found[1], found[2])
        else:
            out.lines += [out.indent + each for each in _paragraph(line)]
        place = max(after, place + 1)


def _add_blank(out: _MarkdownBuilder) -> None:
    if out.lines and out.lines[-1]:
        out.lines.append("")


def _add_apart(out: _MarkdownBuilder, lines: list[str]) -> None:
    """Add a block that needs blank lines around it, which ends all lists."""
    out.levels.clear()
    _add_blank(out)
    out.lines += [*lines, ""]


def _add_code(out: _MarkdownBuilder, code: Code) -> None:
    """Add a code block; directly below a list item it belongs to the item, and the numbering continues."""
    title = [f"**{markdown.escape(code.title)}**"] if code.title else []
    lines = [*title, *markdown.fence(code.text, code.language)]
    if out.levels:
        out.lines += [f"{out.indent}{line}" for line in lines]
    else:
        _add_apart(out, lines)


def _add_item(out: _MarkdownBuilder, marker: str, text: str) -> None:
    depth, kind = min(len(marker), _DEEPEST), marker[-1]
    while out.levels and out.levels[-1].depth > depth:
        out.levels.pop()
    if out.levels and out.levels[-1].depth == depth and out.levels[-1].kind != kind:
        out.levels.pop()
    if not out.levels or out.levels[-1].depth < depth:
        out.levels.append(_Level(depth, kind, len(out.indent)))
    level = out.levels[-1]
    level.items += 1
    first, *others = _paragraph(text)
    out.lines.append(f"{' ' * level.indent}{level.bullet}{first}")
    out.lines += [out.indent + other for other in others]


def _paragraph(text: str) -> list[str]:
    """Return a line of text as Markdown lines, several if it contains forced breaks."""
    pieces = [line_to_markdown(piece.strip()) for piece in split_at_breaks(text)]
    shown = [markdown.escape_leading(piece) for piece in pieces if piece] or [""]
    return markdown.BREAK.join(shown).split("\n")


def _rows(lines: list[str], start: int) -> tuple[list[str], int]:
    """Return the rows of the table that begins at a line (empty if there is none), and the index after them.
    A row may span lines; a line with a single bar is not a row."""
    rows: list[str] = []
    place = start
    while place < len(lines) and lines[place].lstrip().startswith("|"):
        end = _end_of_row(lines, place)
        if end == place + 1 and lines[place].count("|") == 1:
            break
        rows.append("\n".join(lines[place:end]).strip())
        place = end
    return rows, place


def _end_of_row(lines: list[str], start: int) -> int:
    """Return the index after a row. If no bar ends it before the next row or a blank line, it is one line."""
    place = start
    while not lines[place].rstrip().endswith("|"):
        place += 1
        if place == len(lines) or not lines[place].strip() or lines[place].lstrip().startswith("|"):
            return start + 1
    return place + 1


def _table(rows: list[str]) -> list[str]:
    """Return the table; its first row is the heading if all of its cells are headings."""
    cells = [_cells(row) for row in rows]
    if all(bar == "||" for bar, _ in cells[0]):
        headings, cells = [shown for _, shown in cells[0]], cells[1:]
    else:
        headings = []
    return markdown.table(
        [[markdown.wrap("**", shown) if bar == "||" else shown for bar, shown in row] for row in cells],
        headings=headings,
    )


def _cells(row: str) -> list[tuple[str, str]]:
    """Return the bar before each cell of a row, and the cell as one line of Markdown."""
    _, *cells = split_at_bars(row)
    if len(cells) > 1 and not cells[-1][1].strip():
        cells.pop()
    return [(bar, _cell(text)) for bar, text in cells]


def _cell(text: str) -> str:
    lines = [piece.strip() for line in text.split("\n") for piece in split_at_breaks(line)]
    return "<br>".join(line_to_markdown(line) for line in lines if line)
