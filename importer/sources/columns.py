"""The header and rows of a table -> one mapping per row, with the fields of an incident file.

A header is the name of a field, nested ones with a dot: `timestamps.Resolved at`. Rows are numbered as in a
spreadsheet: the header is row 1, a cell of several lines is in one row, and blank rows count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from importer.formats import csv_file
from importer.formats.record import Contents, Record, TableHeader
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
"""Headers that name one field each."""

KEYED = frozenset({"timestamps", "roles", "custom_fields"})
"""Fields that are followed by a dot and a name from the account."""

_LISTS = frozenset({("", "members"), ("", "ignore_changes")})
"""Fields that take several columns, and several values in a cell."""
_DELIMITERS = (",", ";", "\t")


class _RowBlock(Block):
    """The mapping of a row, or a mapping nested in it."""

    __slots__ = ("entered",)

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.entered: dict[str, int] = {}
        self.columns = self.entered

    def enter(self, key: str, value: Node, column: int) -> None:
        """Set a value from `column`; its place is the first column that sets it."""
        self[key] = value
        self.entered.setdefault(key, column)


@dataclass(frozen=True, slots=True)
class _FieldColumn:
    """The target of a column: the field `key` of the mapping `group`, or of the row itself. The cells of a
    `gathered` column are parts of a list."""

    number: int
    group: str
    key: str
    gathered: bool


def read_csv(
    text: str, path: str, diagnostics: Diagnostics, *, delimiter: str | None = None
) -> Iterator[Node]:
    """Yield the rows of CSV that are not blank; none if no header is a field, as in a table of other data.

    Without a `delimiter`, the one that fits the header is used, and reported if it is not a comma.
    """
    try:
        chosen = delimiter or _delimiter(text, path, diagnostics)
        yield from read_rows(csv_file.read_text(text, path, chosen), path, diagnostics)
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))


def read_rows(contents: Contents, path: str, diagnostics: Diagnostics) -> Iterator[Node]:
    """Yield the rows of a table; none if no header is a field."""
    table = contents.table
    if table is None or not any(map(is_field, table.header)):
        return
    columns = _columns(table, path, diagnostics)
    nameless = [number for number, name in enumerate(table.header) if not name]
    for record in contents.records:
        if isinstance(record, Record) and len(record.cells) == len(table.header):
            stray = next((each + 1 for each in nameless if str(record.cells[each]).strip()), None)
            if stray is None:
                yield _block(record.cells, columns, record.line)
            else:
                hint = "add a header to the column, or clear the cell"
                place = Location(path, record.line, stray)
                diagnostics.error("no-header", "a cell has no header above it", place, hint=hint)
        else:
            ragged = table.ragged(record.cells, path, record.line) if isinstance(record, Record) else record
            diagnostics.report(ragged.problem, ragged.place)


def _delimiter(text: str, path: str, diagnostics: Diagnostics) -> str:
    """Return the delimiter that finds the most known headers, then the most cells; by default a comma."""

    def fitness(delimiter: str) -> tuple[int, int]:
        table = csv_file.read_text(text, path, delimiter).table or TableHeader()
        return sum(map(is_field, table.header)), len(table.header)

    best = max(_DELIMITERS, key=fitness)
    if best != "," and fitness(best)[0] > 0:
        summary = f"the cells are separated by {csv_file.DELIMITERS[best]}, not by a comma"
        diagnostics.warning("delimiter", summary, Location(path, 1))
    return best


def is_field(header: str) -> bool:
    """Whether a header is exactly the name of an incident field."""
    return _target(header.strip()) is not None


def _target(header: str) -> tuple[str, str] | None:
    """Return the mapping and the key that a header names, or None if it is not a field."""
    group, dot, key = header.partition(".")
    if header in PLAIN:
        return (group, key) if dot else ("", header)
    return (group, key.strip()) if group in KEYED and key.strip() else None


def _columns(table: TableHeader, path: str, diagnostics: Diagnostics) -> list[_FieldColumn]:
    targets = [_target(name) for name in table.header]
    counts = Counter(targets)
    columns: list[_FieldColumn] = []
    for number, (target, name) in enumerate(zip(targets, table.header, strict=True), 1):
        if not name:
            continue
        place = Location(path, table.row, number)
        if target is None:
            _refuse_header(name, place, diagnostics)
            continue
        group, key = target
        repeated = counts[target] > 1
        if repeated and group != "custom_fields" and target not in _LISTS:
            diagnostics.error(
                "duplicate-field",
                f"more than one column is called `{name}`",
                place,
                hint="remove or rename one of them; only custom fields and lists can take several columns",
            )
        columns.append(_FieldColumn(number, group, key, repeated or target in _LISTS))
    return columns


def _refuse_header(name: str, place: Location, diagnostics: Diagnostics) -> None:
    near = get_close_matches(name.casefold(), sorted(PLAIN | KEYED), 1)
    nested = f"names follow these fields with a dot: {', '.join(sorted(KEYED))}"
    hint = f"did you mean `{near[0]}`?" if near else nested
    diagnostics.error("unknown-field", f"unknown field `{name}`", place, hint=hint)


def _block(cells: Sequence[object], columns: list[_FieldColumn], row: int) -> Block:
    """Return a row as a mapping. An empty cell is left out: it neither sets nor clears a field."""
    block = _RowBlock(row)
    groups: dict[str, _RowBlock] = {}
    for column in columns:
        cell = str(cells[column.number - 1])
        if not cell or cell.isspace():
            continue
        target = block
        if column.group:
            target = groups.get(column.group) or _RowBlock(row)
            groups[column.group] = target
            block.enter(column.group, target, column.number)
        if column.gathered:
            _gather(target, column, cell)
        else:
            target.enter(column.key, cell, column.number)
    return block


def _gather(block: _RowBlock, column: _FieldColumn, cell: str) -> None:
    """Add the values of a cell to the list of its field; `;` separates values, except in custom fields."""
    known = block.get(column.key)
    parts = [cell] if column.group else [part.strip() for part in cell.split(";")]
    values = [*(known if isinstance(known, Series) else ()), *filter(None, parts)]
    block.enter(column.key, Series(values, [block.line] * len(values)), column.number)
