"""A plan or diagnostics -> text for a terminal or a log; it reads the same without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from importer.diagnostics import grouped
from importer.model import Diagnostic, Plan, Severity
from importer.renderers import view
from importer.renderers.cards import Card, Row, cards, legend
from importer.renderers.columns import around, cells, cut, padded, pieces, wrapped
from importer.renderers.estimate import estimate
from importer.renderers.hunks import Line
from importer.renderers.values import lines

Paint = Callable[[str, str], str]
"""Colours a text by the symbol or the word that it stands for."""

NARROWEST = 40
_COLOURS = {
    "+": "green",
    "~": "yellow",
    "-": "red",
    "=": "cyan",
    "!": "red",
    "?": "magenta",
    "@": "cyan",
    "error": "red",
    "warning": "yellow",
}


def plan(plan: Plan, *, width: int, colour: bool) -> str:
    """Return the whole plan, ending in a line feed. `width` is in columns."""
    paint, width = painter(colour), max(width, NARROWEST)
    shown = list(cards(plan))
    summary = view.summarise(plan)
    parts = [*_opening(plan, shown, paint), *chain.from_iterable(_card(each, width, paint) for each in shown)]
    parts += wrapped(view.unmanaged(plan), width=width, indent="") if plan.unmanaged else []
    if plan.errored:
        parts.append(view.FAILED)
    elif not summary.has_changes:
        parts.append(view.NO_CHANGES)
    parts.append(paint("bold", view.counts(summary)))
    effort = estimate(plan)
    if effort.requests:
        parts.append(view.effort(effort))
    return "\n".join(parts) + "\n"


def diagnostics(diagnostics: Iterable[Diagnostic], *, width: int, colour: bool) -> str:
    """Return the problems grouped by cause, errors first, with a blank line after each; or nothing."""
    paint, width = painter(colour), max(width, NARROWEST)
    parts = chain.from_iterable([*_diagnostic(each, width, paint), ""] for each in grouped(diagnostics))
    return "".join(f"{line}\n" for line in parts)


def painter(colour: bool) -> Paint:
    """Return what colours text, or what leaves it as it is."""
    if not colour:
        return lambda _, text: text
    from click import style  # noqa: PLC0415 - only a terminal needs it

    def paint(meaning: str, text: str) -> str:
        return style(
            text, fg=_COLOURS.get(meaning), bold=meaning == "bold" or None, dim=meaning == "dim" or None
        )

    return paint


def _opening(plan: Plan, shown: Sequence[Card], paint: Paint) -> Iterator[str]:
    if not shown:
        return
    symbols = (f"{paint(symbol, symbol)} {meaning}" for symbol, meaning in legend(shown))
    yield f"Symbols: {', '.join(symbols)}"
    yield ""
    yield view.opening(plan)
    yield ""


def _card(card: Card, width: int, paint: Paint) -> Iterator[str]:
    yield "  " + paint("dim", f"# {card.place}")
    yield f"  {paint(card.symbol, card.symbol)} {paint('bold', cut(card.title, width - 4))}"
    for line in wrapped(card.explanation, width=width, indent="      # ") if card.explanation else ():
        yield paint("dim", line)
    yield from _rows(card.rows, width, paint)
    if card.unchanged:
        noun = "field" if card.unchanged == 1 else "fields"
        yield paint("dim", f"        # ({card.unchanged} unchanged {noun} hidden)")
    yield ""


def _rows(rows: Sequence[Row], width: int, paint: Paint) -> Iterator[str]:
    lengths = (cells(row.label) for row in rows)
    widest = max((each for each in lengths if each <= width * 2 // 5), default=0)
    bodies = [_body(row, widest, width) for row in rows]
    beside = [
        cells(body[0])
        for row, body in zip(rows, bodies, strict=True)
        if len(body) == 1 and cells(body[0]) + len(row.note) + 4 <= width
    ]
    for row, body in zip(rows, bodies, strict=True):
        yield from _row(row, body, max(beside, default=0), width, paint)


def _row(row: Row, body: list[str], column: int, width: int, paint: Paint) -> Iterator[str]:
    """Yield a row with its note beside it, in one column with the others, or below where it does not fit."""
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
        for piece in _line(line, row, width - 11):
            yield paint(line.marker, f"          {line.marker}{piece}".rstrip())


def _line(line: Line, row: Row, width: int) -> list[str]:
    """Return a line of a diff whole, in pieces, since its difference may be at its end; others are cut."""
    is_diff = row.lines[0].marker == "@"
    return pieces(line.text, width) if is_diff else [cut(line.text, width)]


def _body(row: Row, widest: int, width: int) -> list[str]:
    """Return `symbol label = value`; a difference that is too long for one line takes two."""
    start = f"      {row.symbol} {padded(cut(row.label, width // 2), widest)} = "
    room = width - cells(start)
    if row.before is None:
        return [start + cut(row.after, room)]
    if cells(row.before) + 4 + cells(row.after) <= room:
        return [f"{start}{row.before} -> {row.after}"]
    position = _first_difference(row.before, row.after)
    arrow = " " * (cells(start) - 3) + "-> "
    return [start + around(row.before, position, room), arrow + around(row.after, position, room)]


def _first_difference(one: str, other: str) -> int:
    """Return where two texts part, so that what is cut away is never the difference."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((position for position, (left, right) in pairs if left != right), min(len(one), len(other)))


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
    return "\n".join(lines(text))
