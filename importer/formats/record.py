"""The result of every reader: records with their places, under names that a mapping can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from importer.formats.tree import Malformed
from importer.model import Location
from importer.model.diagnostics import Problem
from importer.model.wording import numbered

IMPLICIT_NAMES = ("file", "row_number")
"""Names that every record has besides its own: the file's `stem` and `name`, and the row or line."""
MAX_CELL = 10_000_000
"""Characters of one cell. A longer one is an unclosed quote, or not text at all."""


@dataclass(slots=True)
class Record:
    """One row of a table, or one object. `line` is its row or line, `cells` are the cells of a table's row,
    and `lines` has the lines of its values, if known."""

    values: dict[str, Any]
    line: int
    cells: Sequence[str] = ()
    lines: Mapping[str, int] | None = None

    def line_of(self, name: str) -> int:
        """Return the line of a value."""
        return self.line if self.lines is None else self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A row that cannot be a record, and why."""

    place: Location
    cells: Sequence[str]
    problem: Problem


@dataclass(frozen=True, slots=True)
class TableHeader:
    """The header of a table: its names, the first column of each (from 1), its row, and the names that
    several columns share."""

    header: tuple[str, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    row: int = 1
    repeated: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cells: Sequence[str], row: int) -> TableHeader:
        """Return the header that a row holds."""
        names = tuple(each.strip() for each in cells)
        columns: dict[str, int] = {}
        for number, name in enumerate(names, 1):
            columns.setdefault(name, number)
        repeated = frozenset(name for name, count in Counter(names).items() if count > 1)
        return cls(names, columns, row, repeated)

    def record(self, cells: Sequence[Any], line: int) -> Record:
        """Return a row as a record. Columns that share a name become one list of their non-blank cells."""
        values: dict[str, Any] = dict(zip(self.header, cells, strict=False))
        if self.repeated:
            values |= {name: [] for name in self.repeated}
            for name, cell in zip(self.header, cells, strict=False):
                if name in self.repeated and not (isinstance(cell, str) and not cell.strip()):
                    values[name].append(cell)
        return Record(values, line, cells)

    def ragged(self, cells: Sequence[str], path: str, row: int) -> InvalidRecord:
        """Return a row that does not fit the header, placed at its first missing or extra cell."""
        width = len(self.header)
        problem = Malformed(
            "ragged-row",
            "a row has more or fewer cells than the header",
            detail=f"{numbered(len(cells), 'cell')} under {numbered(width, 'header')}",
            hint="put double quotes around a cell that contains the delimiter or a line break",
        )
        return InvalidRecord(Location(path, row, min(len(cells), width) + 1), cells, problem)


@dataclass(frozen=True, slots=True)
class Contents:
    """The records of one file, read lazily. `table` is None if the source is not a table; `detected` has the
    encoding, the delimiter or the sheet."""

    records: Iterator[Record | InvalidRecord]
    table: TableHeader | None
    detected: Mapping[str, str] = field(default_factory=dict)
