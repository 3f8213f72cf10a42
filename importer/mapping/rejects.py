"""Records left out -> a CSV of them in their own columns, with a last one that says why."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.mapping.record import ABOUT, Broken, Record, Table
from importer.model import Diagnostic, Location, Severity

REASON = "left out because"


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
        return "; ".join(
            f"{each.summary}: {each.detail}" if each.detail else each.summary for each in self.problems
        )


def reject(
    record: Record | Broken, table: Table | None, at: Location, problems: Sequence[Diagnostic]
) -> Reject:
    """Return a record as one that was left out."""
    if table is not None:
        return Reject(at, tuple(problems), table.header, tuple(str(cell) for cell in record.cells))
    if isinstance(record, Broken):
        return Reject(at, tuple(problems), ("record",), tuple(record.cells))
    values = {name: each for name, each in record.values.items() if name not in ABOUT}
    return Reject(at, tuple(problems), tuple(values), tuple(_text(each) for each in values.values()))


def as_csv(rejects: Iterable[Reject]) -> str:
    """Return the table of them. Sources with the same columns share them; cells beyond a header follow the
    reason, so that a row that was too long is not cut."""
    several = list(rejects)
    headers = list(dict.fromkeys(tuple(each.header) for each in several))
    names = (
        headers[0] if len(headers) == 1 else tuple(dict.fromkeys(name for each in headers for name in each))
    )
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([*names, REASON])
    for each in several:
        cells = list(each.cells) if len(headers) == 1 else _under(names, each)
        beyond = cells[len(names) :]
        blank = [""] * (len(names) - len(cells))
        writer.writerow([*cells[: len(names)], *blank, f"{each.location}: {each.reason}", *beyond])
    return target.getvalue()


def left_out(diagnostics: Iterable[Diagnostic], rejects: Iterable[Reject]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with those of rejects as warnings, for one who agreed to leave these out."""
    forgiven = {id(problem) for each in rejects for problem in each.problems}
    return tuple(
        replace(each, severity=Severity.WARNING) if id(each) in forgiven else each for each in diagnostics
    )


def _under(names: Sequence[str], left: Reject) -> list[str]:
    known = dict(zip(left.header, left.cells, strict=False))
    return [known.get(name, "") for name in names]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
