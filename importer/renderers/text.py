"""A plan or diagnostics -> text for a terminal or a log, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from importer.model import Diagnostic, Plan, Severity
from importer.model.diagnostics import SHOWN_LOCATIONS, grouped
from importer.model.wording import numbered
from importer.plan.changes import is_possible_drift
from importer.plan.summary import summarise
from importer.renderers import view
from importer.renderers.cards import Card, FieldRow, card, legend
from importer.renderers.columns import cells, cut, padded, parted, split_to_width, wrapped
from importer.renderers.creations import MANY, Creations, split_creations, summarise_creations, table_lines
from importer.renderers.hunks import DiffLine, Span, excerpt
from importer.renderers.values import sanitised_lines
from importer.renderers.verdict import left_out_note

Paint = Callable[[str, str], str]
"""Colours a text by its symbol or meaning."""

NARROWEST = 40
_LONGEST_LINE = 2000
"""Most characters of a line of a diff; nobody reads a megabyte."""
_RED, _GREEN, _YELLOW, _MAGENTA, _CYAN, _BOLD, _DIM, _UNDERLINE = 31, 32, 33, 35, 36, 1, 2, 4
_RENDITIONS = {
    "+": (_GREEN,),
    "~": (_YELLOW,),
    "-": (_RED,),
    "=": (_CYAN,),
    "!": (_RED,),
    "?": (_MAGENTA,),
    "@": (_CYAN,),
    "-word": (_RED, _BOLD, _UNDERLINE),
    "+word": (_GREEN, _BOLD, _UNDERLINE),
    "error": (_RED,),
    "warning": (_YELLOW,),
    "bold": (_BOLD,),
    "dim": (_DIM,),
}
"""The codes for each symbol and meaning (ECMA-48, SELECT GRAPHIC RENDITION)."""


def render_plan(plan: Plan, *, width: int, colour: bool, most: int | None = MANY) -> str:
    """Return the whole plan, ending in a line feed. `width` is in columns. More than `most` creations are
    counted instead of listed; None lists all."""
    paint, width = painter(colour), max(width, NARROWEST)
    alone, counted = split_creations(plan.changes, most)
    apart = [plan.scope.drift_only and is_possible_drift(each) for each in alone]
    cards = [card(each, plan.scope) for each in alone]
    shown = [each for each, is_apart in zip(cards, apart, strict=True) if not is_apart]
    parts = [*_opening(plan, [*shown, *(card(each, plan.scope) for each in counted[:1])], width, paint)]
    parts += chain.from_iterable(_card(each, width, paint) for each in shown)
    parts += _possible_drift(
        [each for each, is_apart in zip(cards, apart, strict=True) if is_apart], width, paint
    )
    parts += _creations(summarise_creations(counted), width, paint) if counted else ()
    parts += _ending(plan, width, paint)
    return "\n".join(parts) + "\n"


def diagnostics(
    diagnostics: Iterable[Diagnostic],
    *,
    width: int,
    colour: bool,
    places: int | None = SHOWN_LOCATIONS,
) -> str:
    """Return the problems, grouped, errors first, each followed by a blank line. `places` is the most
    locations that each shows; None means all."""
    paint, width = painter(colour), max(width, NARROWEST)
    groups = grouped(diagnostics, places)
    parts = chain.from_iterable([*_diagnostic(each, width, paint), ""] for each in groups)
    return "".join(f"{line}\n" for line in parts)


def painter(colour: bool) -> Paint:
    """Return a function that colours text, or one that leaves it as it is."""
    return _painted if colour else lambda _, text: text


def _painted(meaning: str, text: str) -> str:
    codes = "".join(f"\x1b[{code}m" for code in _RENDITIONS.get(meaning, ()))
    return f"{codes}{text}\x1b[0m" if codes else text


def _opening(plan: Plan, shown: Sequence[Card], width: int, paint: Paint) -> Iterator[str]:
    if plan.errored:
        yield paint("error", view.FAILED)
    if not shown:
        return
    if plan.errored:
        yield from ("", *wrapped(view.NOT_MADE, width=width, indent=""), "")
        yield from _symbols(shown, paint)
        return
    if not plan.scope.drift_only:
        yield from _symbols(shown, paint)
    yield view.opening(plan)
    yield ""


def _symbols(shown: Sequence[Card], paint: Paint) -> Iterator[str]:
    symbols = (f"{paint(symbol, symbol)} {meaning}" for symbol, meaning in legend(shown))
    yield f"Symbols: {', '.join(symbols)}"
    yield ""


def _possible_drift(shown: Sequence[Card], width: int, paint: Paint) -> Iterator[str]:
    if shown:
        yield from (*wrapped(view.POSSIBLE_DRIFT, width=width, indent=""), "")
        yield from chain.from_iterable(_card(each, width, paint) for each in shown)


def _ending(plan: Plan, width: int, paint: Paint) -> Iterator[str]:
    """Yield what is left alone, the counts, and what the plan leaves out. A failed plan has none of it."""
    if plan.errored:
        return
    before = [view.unmanaged(plan), view.ways_out(plan)]
    before += [] if summarise(plan).has_changes else [view.opening(plan)]
    for each in filter(None, before):
        yield from wrapped(each, width=width, indent="")
    yield paint("bold", view.ending(plan))
    for each in filter(None, [left_out_note(plan.scope), view.estimate_line(plan)]):
        yield from wrapped(each, width=width, indent="")


def _card(card: Card, width: int, paint: Paint) -> Iterator[str]:
    yield "  " + paint("dim", f"# {card.place}")
    yield f"  {paint(card.symbol, card.symbol)} {paint('bold', cut(card.title, width - 4))}"
    for line in wrapped(card.explanation, width=width, indent="      # ") if card.explanation else ():
        yield paint("dim", line)
    yield from _rows(card.rows, width, paint)
    if card.unchanged:
        yield paint("dim", f"        # ({numbered(card.unchanged, 'unchanged field')} hidden)")
    yield ""


def _creations(creations: Creations, width: int, paint: Paint) -> Iterator[str]:
    title = f"{creations.number} incidents will be created"
    yield f"  {paint('+', '+')} {paint('bold', title)}  {paint('dim', '# --full shows each')}"
    yield from (f"      {line}" for line in table_lines(creations, width - 6))
    yield ""


def _rows(rows: Sequence[FieldRow], width: int, paint: Paint) -> Iterator[str]:
    lengths = (cells(row.label) for row in rows)
    widest = max((each for each in lengths if each <= width * 2 // 5), default=0)
    bodies = [_body(row, widest, width) for row in rows]
    lengths_with_note = [
        cells(body[0])
        for row, body in zip(rows, bodies, strict=True)
        if len(body) == 1 and cells(body[0]) + len(row.note) + 4 <= width
    ]
    for row, body in zip(rows, bodies, strict=True):
        yield from _row(row, body, max(lengths_with_note, default=0), width, paint)


def _row(row: FieldRow, body: list[str], column: int, width: int, paint: Paint) -> Iterator[str]:
    """Yield a row with its note next to it, aligned with the others, or below if it does not fit."""
    first, *rest = body
    note = f"# {row.note}" if row.note else ""
    room = width - 2 - len(note)
    start = f"{first[:6]}{paint(row.symbol, row.symbol)}{first[7:]}"
    if note and not rest and cells(first) <= room:
        filled = max(column, cells(first)) if column <= room else cells(first)
        yield f"{start}{' ' * (filled - cells(first))}  {paint('dim', note)}"
    else:
        yield from (start, *rest)
        if note:
            yield paint("dim", f"          {note}")
    for line in row.lines:
        yield from _line(line, row, width - 11, paint)


def _line(line: DiffLine, row: FieldRow, width: int, paint: Paint) -> Iterator[str]:
    """Yield a line of a diff in pieces, since the difference may be at its end; other lines are cut."""
    is_diff, start, line = row.lines[0].marker == "@", 0, excerpt(line, _LONGEST_LINE)
    for piece in split_to_width(line.text, width) if is_diff else [cut(line.text, width)]:
        end = start + len(piece)
        spans = [(max(first, start) - start, min(last, end) - start) for first, last in line.spans]
        marked = f"{' ' * 10}{line.marker}{piece}".rstrip()
        yield _emphasised(marked, [(first + 11, last + 11) for first, last in spans], line.marker, paint)
        start = end


def _emphasised(text: str, spans: Iterable[Span], marker: str, paint: Paint) -> str:
    """Return a text in the colour of its marker, with its spans emphasised."""
    parts, start = [], 0
    for first, last in spans:
        if text[first:last]:
            parts += [paint(marker, text[start:first]), paint(f"{marker}word", text[first:last])]
            start = last
    return "".join([*parts, *([paint(marker, text[start:])] if text[start:] or not parts else [])])


def _body(row: FieldRow, widest: int, width: int) -> list[str]:
    """Return `symbol label = value`, in two lines if a difference is too long for one."""
    start = f"      {row.symbol} {padded(cut(row.label, width // 2), widest)} = "
    room = width - cells(start)
    if row.before is None:
        return [start + cut(row.after, room)]
    if cells(row.before) + 4 + cells(row.after) <= room:
        return [f"{start}{row.before} -> {row.after}"]
    before, after = parted(row.before, row.after, room)
    arrow = " " * (cells(start) - 3) + "-> "
    return [start + before, arrow + after]


def _diagnostic(diagnostic: Diagnostic, width: int, paint: Paint) -> Iterator[str]:
    severity = diagnostic.severity
    word = "Error" if severity is Severity.ERROR else "Warning"
    first, *rest = wrapped(_clean(diagnostic.summary), width=width - len(word) - 2, indent="") or [""]
    yield f"{paint(severity.value, word + ':')} {paint('bold', first)}"
    yield from (f"  {line}" for line in rest)
    for place in view.places(diagnostic):
        yield f"  {place}" if place.startswith("(") else f"  on {place}"
    if diagnostic.detail:
        yield from wrapped(_clean(diagnostic.detail), width=width, indent="  ")
    if diagnostic.hint:
        yield from wrapped(f"hint: {_clean(diagnostic.hint)}", width=width, indent="  ")


def _clean(text: str) -> str:
    return "\n".join(sanitised_lines(text))
