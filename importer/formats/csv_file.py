"""CSV or TSV text -> one mapping a row, in the words of an incident file.

A header is a field's name, with a dot for what is nested: `timestamps.Resolved at`. Rows count as in a
spreadsheet: the header is row 1, a cell of several lines is one row, and blank rows count.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from importer.formats.tree import Block, Malformed, Node, Series
from importer.model import Location
from importer.model.diagnostics import Diagnostics

PLAIN = frozenset(
    {
        "key", "external_id", "name", "summary", "severity", "status", "incident_type", "visibility",
        "call_url", "slack_channel_id", "slack_team_id", "slack_channel_name_override", "idempotency_key",
        "members", "postmortem.url", "postmortem.content", "postmortem.file", "postmortem.title",
        "postmortem.status", "on_drift", "ignore_changes",
    }
)  # fmt: skip
"""Headers that stand for one field each."""

KEYED = frozenset({"timestamps", "roles", "custom_fields"})
"""Fields that a header follows with a dot and a name of the account's own."""

_LISTS = frozenset({("", "members"), ("", "ignore_changes")})
"""Fields that take several columns, and several values in a cell."""
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_LONGEST_CELL = 2**31 - 1
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


Row = tuple[int, list[str]]
"""The number of a row, from 1, and its cells."""


class _Row(Block):
    """The mapping of a row, or of what is nested in one."""

    __slots__ = ("entered",)

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.entered: dict[str, int] = {}
        self.columns = self.entered

    def enter(self, key: str, value: Node, column: int) -> None:
        """Set a value that stands in `column`; of several columns the first counts."""
        self[key] = value
        self.entered.setdefault(key, column)


@dataclass(frozen=True, slots=True)
class _Column:
    """Where the cells of a column go: into the field `key` of the mapping `group`, or of the row itself.
    Those of a column that is `gathered` are parts of a list."""

    number: int
    group: str
    key: str
    gathered: bool


def read(text: str, path: str, diagnostics: Diagnostics, *, delimiter: str | None = None) -> Iterator[Node]:
    """Yield the rows that say something; none where no header is a field, for that is another kind of table.

    Without a `delimiter`, the one that fits the header is taken; one that is not a comma is reported.
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = _rows(text, delimiter or _delimiter(text, path, diagnostics))
        yield from blocks(rows, path, diagnostics)
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
    finally:
        csv.field_size_limit(before)


def row_after(text: str) -> int:
    """Return the number of the row, from 1, that a text ends in."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        return max(1, sum(1 for _ in csv.reader(_lines(text))))
    finally:
        csv.field_size_limit(before)


def blocks(rows: Iterator[Row], path: str, diagnostics: Diagnostics) -> Iterator[Node]:
    """Yield the rows after the first, which is the header; none where no header is a field."""
    number, header = next(rows, (1, []))
    if not any(_target(cell.strip()) for cell in header):
        return
    columns = _columns(header, path, number, diagnostics)
    nameless = [number for number, cell in enumerate(header) if not cell.strip()]
    for number, cells in rows:
        if len(cells) == len(header):
            stray = next((each + 1 for each in nameless if cells[each].strip()), None)
            if stray is None:
                yield _block(cells, columns, number)
            else:
                hint = "give the column a header, or empty it"
                place = Location(path, number, stray)
                diagnostics.error("no-header", "a cell stands under no header", place, hint=hint)
        else:
            diagnostics.error(
                "ragged-row",
                "a row has more or fewer cells than the header",
                Location(path, number, min(len(cells), len(header)) + 1),
                detail=f"{len(cells)} cells under {len(header)} headers",
                hint="a cell that holds the delimiter or a line break needs double quotes around it",
            )


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows that are not blank, with their numbers."""
    number = 0
    try:
        for number, cells in enumerate(_reader(text, delimiter), 1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise Malformed("syntax", "this is not CSV", number + 1, detail=str(error)) from None


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(_lines(text), delimiter=delimiter, strict=True)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends; io.StringIO would copy the text, at four bytes a character."""
    return (match[0] for match in _LINE.finditer(text))


def _delimiter(text: str, path: str, diagnostics: Diagnostics) -> str:
    """Return the delimiter that finds the most known headers, then cells; a comma if none is better."""

    def fit(delimiter: str) -> tuple[int, int]:
        _, header = next(_rows(text, delimiter), (1, [""]))
        return sum(_target(cell.strip()) is not None for cell in header), len(header)

    best = max(_DELIMITERS, key=fit)
    if best != "," and fit(best)[0] > 0:
        diagnostics.warning(
            "delimiter",
            f"the cells are divided by {_DELIMITERS[best]}, not by a comma",
            Location(path, 1),
        )
    return best


def is_field(header: str) -> bool:
    """Whether a header names a field of incidents, as it stands."""
    return _target(header.strip()) is not None


def _target(header: str) -> tuple[str, str] | None:
    """Return the mapping and the key that a header names, or None where it names no field."""
    group, dot, key = header.partition(".")
    if header in PLAIN:
        return (group, key) if dot else ("", header)
    return (group, key.strip()) if group in KEYED and key.strip() else None


def _columns(header: list[str], path: str, row: int, diagnostics: Diagnostics) -> list[_Column]:
    targets = [_target(cell.strip()) for cell in header]
    counts = Counter(targets)
    columns: list[_Column] = []
    for number, (target, cell) in enumerate(zip(targets, header, strict=True), 1):
        if not cell.strip():
            continue
        if target is None:
            _refuse_header(cell.strip(), Location(path, row, number), diagnostics)
            continue
        group, key = target
        repeated = counts[target] > 1
        if repeated and group != "custom_fields" and target not in _LISTS:
            diagnostics.error(
                "duplicate-field",
                f"two columns are called `{cell.strip()}`",
                Location(path, row, number),
                hint="remove or rename one of them; only custom fields and lists can take several columns",
            )
        columns.append(_Column(number, group, key, repeated or target in _LISTS))
    return columns


def _refuse_header(word: str, place: Location, diagnostics: Diagnostics) -> None:
    near = get_close_matches(word.casefold(), sorted(PLAIN | KEYED), 1)
    hint = (
        f"did you mean `{near[0]}`?" if near else f"nested fields are {', '.join(sorted(KEYED))}, with a dot"
    )
    diagnostics.error("unknown-field", f"no field is called `{word}`", place, hint=hint)


def _block(cells: list[str], columns: list[_Column], row: int) -> Block:
    """Return a row as a mapping. An empty cell is left out: it says nothing, and clears nothing."""
    block = _Row(row)
    groups: dict[str, _Row] = {}
    for column in columns:
        cell = cells[column.number - 1]
        if not cell or cell.isspace():
            continue
        target = block
        if column.group:
            target = groups.get(column.group) or _Row(row)
            groups[column.group] = target
            block.enter(column.group, target, column.number)
        if column.gathered:
            _gather(target, column, cell)
        else:
            target.enter(column.key, cell, column.number)
    return block


def _gather(block: _Row, column: _Column, cell: str) -> None:
    """Add a cell to the list of those of its columns; one cell can hold several values of a list."""
    known = block.get(column.key)
    series = known if isinstance(known, Series) else Series()
    parts = [cell] if column.group else [part.strip() for part in cell.split(";")]
    series += [part for part in parts if part]
    series.lines = [block.line] * len(series)
    block.enter(column.key, series, column.number)
