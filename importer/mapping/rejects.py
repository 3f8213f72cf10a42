"""Rejected records -> a CSV with their own columns, and a last column with the reason."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.formats.record import IMPLICIT_NAMES, InvalidRecord, Record, TableHeader
from importer.model import Diagnostic, Location, Severity

REASON = "left out because"
MISSING = "cells missing from this row: {}. Move each cell to its column, then clear this one"
"""The cell after the reason in a row that was too short."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was left out, with the diagnostics that say why, its header and its cells."""

    location: Location
    problems: tuple[Diagnostic, ...]
    header: Sequence[str]
    cells: Sequence[str]

    @property
    def reason(self) -> str:
        """Return the reason in one line."""
        return "; ".join(": ".join(filter(None, (each.summary, each.detail))) for each in self.problems)


def reject(
    record: Record | InvalidRecord, table: TableHeader | None, at: Location, problems: Sequence[Diagnostic]
) -> Reject:
    """Return the reject of a record."""
    if table is not None:
        return Reject(at, tuple(problems), table.header, tuple(str(cell) for cell in record.cells))
    if isinstance(record, InvalidRecord):
        return Reject(at, tuple(problems), ("record",), tuple(record.cells))
    values = {name: each for name, each in record.values.items() if name not in IMPLICIT_NAMES}
    return Reject(at, tuple(problems), tuple(values), tuple(_text(each) for each in values.values()))


def as_csv(rejects: Iterable[Reject], *, delimiter: str = ",", header_row: int = 1) -> str:
    """Return the table of the rejects. Sources with the same columns share them.

    A row that was longer or shorter than its header has cells after the reason: the extra cells, or a note
    about the missing ones. So it stays a ragged row until somebody fixes it, and is never imported with its
    cells under the wrong headers.
    """
    several = list(rejects)
    columns = (column for each in several for column in _named(each.header))
    names = tuple(dict.fromkeys(column for column in columns if column[0] != REASON))
    target = io.StringIO()
    target.write("\r\n" * (header_row - 1))
    writer = csv.writer(target, delimiter=delimiter)
    writer.writerow([*(name for name, _ in names), REASON])
    for each in several:
        cells = dict(zip(_named(each.header), each.cells, strict=False))
        row = (cells.get(name, "") for name in names)
        writer.writerow([*row, f"{each.location}: {each.reason}", *_cells_after_reason(each)])
    return target.getvalue()


def without_rejects(diagnostics: Iterable[Diagnostic], rejects: Iterable[Reject]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics, with those of rejects as warnings, for a user who agreed to leave these out."""
    accepted = {id(problem) for each in rejects for problem in each.problems}
    return tuple(
        replace(each, severity=Severity.WARNING) if id(each) in accepted else each for each in diagnostics
    )


def _named(header: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each column's name, and the number of earlier columns with the same name."""
    seen: Counter[str] = Counter()
    for name in header:
        yield name, seen[name]
        seen[name] += 1


def _cells_after_reason(left: Reject) -> Sequence[str]:
    missing = len(left.header) - len(left.cells)
    if missing > 0:
        return (MISSING.format(missing),)
    extra = left.cells[len(left.header) :]
    return extra if any(each.strip() for each in extra) else ()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
