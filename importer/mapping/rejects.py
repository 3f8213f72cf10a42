"""Records left out -> a CSV of them in their own columns, with a last one that says why."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.formats.record import ABOUT, InvalidRecord, Record, TableHeader
from importer.model import Diagnostic, Location, Severity

REASON = "left out because"
MISSING = "the row lacked {} of its cells: put each where it belongs, then empty this one"
"""What stands behind the reason in a row that was too short."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was left out. `problems` are the diagnostics that say why; under `header` are `cells`."""

    location: Location
    problems: tuple[Diagnostic, ...]
    header: Sequence[str]
    cells: Sequence[str]

    @property
    def reason(self) -> str:
        """Return why, in one line."""
        return "; ".join(": ".join(filter(None, (each.summary, each.detail))) for each in self.problems)


def reject(
    record: Record | InvalidRecord, table: TableHeader | None, at: Location, problems: Sequence[Diagnostic]
) -> Reject:
    """Return a record as one that was left out."""
    if table is not None:
        return Reject(at, tuple(problems), table.header, tuple(str(cell) for cell in record.cells))
    if isinstance(record, InvalidRecord):
        return Reject(at, tuple(problems), ("record",), tuple(record.cells))
    values = {name: each for name, each in record.values.items() if name not in ABOUT}
    return Reject(at, tuple(problems), tuple(values), tuple(_text(each) for each in values.values()))


def as_csv(rejects: Iterable[Reject], *, delimiter: str = ",", header_row: int = 1) -> str:
    """Return the table of them. Sources with the same columns share them.

    A row that was shorter or longer than its header has cells beyond the reason: those that were too many, or
    a word about those that are missing. So it goes on being a row that does not fit, until a person has put
    it right, and never comes in with its cells under the wrong headers.
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
        writer.writerow([*row, f"{each.location}: {each.reason}", *_beyond(each)])
    return target.getvalue()


def without_rejects(diagnostics: Iterable[Diagnostic], rejects: Iterable[Reject]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with those of rejects as warnings, for one who agreed to leave these out."""
    forgiven = {id(problem) for each in rejects for problem in each.problems}
    return tuple(
        replace(each, severity=Severity.WARNING) if id(each) in forgiven else each for each in diagnostics
    )


def _named(header: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the columns; those of one name are told apart by how many of it stand before them."""
    seen: Counter[str] = Counter()
    for name in header:
        yield name, seen[name]
        seen[name] += 1


def _beyond(left: Reject) -> Sequence[str]:
    missing = len(left.header) - len(left.cells)
    if missing > 0:
        return (MISSING.format(missing),)
    beyond = left.cells[len(left.header) :]
    return beyond if any(each.strip() for each in beyond) else ()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
