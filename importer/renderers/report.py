"""Outcomes -> the file of `--report`: the changes that were not made, to correct and apply again.

Both formats start with a mark, so that importer does not read them as incidents.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from importer.apply.summary import missing, state
from importer.model import (
    Adopt,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Failed,
    FieldChange,
    Location,
    NoOp,
    NotAttempted,
    Outcome,
    Pending,
    Unknown,
    Update,
)
from importer.plan.comparison import why_blocked
from importer.renderers.values import sanitised

MARK = "importer_report"
FORMAT_VERSION = "1.0"
_COLUMNS = ("key", "file", "line", "column", "code", "message", "request_id")
_FORMULA = ("=", "+", "-", "@")


def to_json(outcomes: Iterable[Outcome], changes: Iterable[Change]) -> str:
    """Return a JSON document; `incidents` holds those that failed, are unknown, were not attempted, or are
    not whole, and what was blocked in the plan's `changes`."""
    document = {MARK: FORMAT_VERSION, "incidents": [*_rows(outcomes), *_blocked_rows(changes)]}
    return json.dumps(document, indent=2) + "\n"


def to_csv(outcomes: Iterable[Outcome], changes: Iterable[Change]) -> str:
    """Return a table with the same rows. Its first column is the outcome, and has the mark as its header.

    Control characters are escaped, and a cell that a spreadsheet would read as a formula starts with an
    apostrophe; the JSON report keeps both as they are.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow((MARK, *_COLUMNS))
    rows = [*_rows(outcomes), *_blocked_rows(changes)]
    table.writerows((row["outcome"], *(_cell(row[name]) for name in _COLUMNS)) for row in rows)
    return stream.getvalue()


def _rows(outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        yield from (_missing_row(outcome, each) for each in missing(outcome))
        if missing(outcome) or not isinstance(outcome, Failed | Unknown | NotAttempted):
            continue
        failed = outcome if isinstance(outcome, Failed) else None
        message = "" if isinstance(outcome, NotAttempted) else outcome.message
        code, request_id = (failed.code, failed.request_id) if failed else ("", "")
        yield _row(state(outcome), outcome.key, outcome.location, code, message, request_id)


def _missing_row(outcome: Outcome, what: Diagnostic) -> dict[str, Any]:
    """Return the row of something that is declared of an incident, and is not there."""
    message = f"{what.summary} ({what.detail})" if what.detail else what.summary
    location = what.locations[0] if what.locations else None
    return _row(state(outcome), outcome.key, location, what.code, message)


def _blocked_rows(changes: Iterable[Change]) -> Iterator[dict[str, Any]]:
    for change in changes:
        key, at = change.incident.key, change.incident.location
        match change:
            case Blocked(reason=reason, explanation=explanation):
                yield _row("blocked", key, at, reason, explanation)
            case (
                Create(blocked=blocked)
                | Pending(blocked=blocked)
                | Update(blocked=blocked)
                | Adopt(blocked=blocked)
            ):
                yield from _blocked_part(key, at, blocked)
            case NoOp():
                pass
            case _:
                assert_never(change)


def _blocked_part(key: str, at: Location, blocked: tuple[FieldChange, ...]) -> Iterator[dict[str, Any]]:
    if blocked:
        code = "not-possible" if all(each.obstacle for each in blocked) else "create-only"
        yield _row("blocked", key, at, code, why_blocked(blocked))


def _row(
    outcome: str, key: str, location: Location | None, code: str, message: str, request_id: str = ""
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "key": key,
        "file": location.path if location else "",
        "line": location.line if location else None,
        "column": location.column if location else None,
        "code": code,
        "message": message,
        "request_id": request_id,
    }


def _cell(value: Any) -> str:
    text = "" if value is None else sanitised(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
