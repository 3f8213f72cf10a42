"""What every kind of source gives: records, each with its place, under names that a mapping can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from importer.model import Location

ABOUT = ("file", "row_number")
"""What every record knows beside its own values: the file's `stem` and `name`, and the row or line."""
MAX_CELL = 10_000_000
"""Characters of one cell. A longer one is a quote that never ends, or no text at all."""


@dataclass(slots=True)
class Record:
    """One row of a table, or one object. `line` is its row or line, `cells` what a table has in that row,
    `lines` where each value stands that has a line of its own."""

    values: dict[str, Any]
    line: int
    cells: Sequence[str] = ()
    lines: Mapping[str, int] | None = None

    def line_of(self, name: str) -> int:
        """Return the line of a value."""
        return self.line if self.lines is None else self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class Table:
    """The header of a table: the number of each column, from 1, the row that it is in, and the names that
    several columns have."""

    header: tuple[str, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    row: int = 1
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be a record, and why."""

    place: Location
    cells: Sequence[str]
    code: str
    summary: str
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The records of one file, which are read while they are asked for. `table` is None where the source is
    no table; `said` is what was found out about the file: encoding, delimiter, sheet."""

    records: Iterator[Record | Broken]
    table: Table | None
    said: Mapping[str, str] = field(default_factory=dict)


def table(header: Sequence[str], row: int) -> Table:
    """Return a header with the number of the first column of each name."""
    names = tuple(each.strip() for each in header)
    columns: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        columns.setdefault(name, number)
    repeated = frozenset(name for name, count in Counter(names).items() if count > 1)
    return Table(names, columns, row, repeated)


def as_record(cells: Sequence[Any], under: Table, line: int) -> Record:
    """Return a row as a record. Columns of one name are one list of what is not blank in them."""
    values: dict[str, Any] = dict(zip(under.header, cells, strict=False))
    if under.repeated:
        values |= {name: [] for name in under.repeated}
        for name, cell in zip(under.header, cells, strict=False):
            if name in under.repeated and not (isinstance(cell, str) and not cell.strip()):
                values[name].append(cell)
    return Record(values, line, cells)


def fit(cells: Sequence[str], under: Table, place: Location) -> Broken | None:
    """Return why a row does not fit its header, or None. Blank cells beyond the header are nothing."""
    width = len(under.header)
    if len(cells) == width or (len(cells) > width and not any(each.strip() for each in cells[width:])):
        return None
    return Broken(
        place,
        cells,
        "ragged-row",
        "a row has more or fewer cells than the header",
        f"{len(cells)} cells under {width} headers",
        "a cell that holds the delimiter or a line break needs double quotes around it",
    )
