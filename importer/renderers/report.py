"""Outcomes -> the file of `--report`: the changes that were not made, to correct and apply again.

Both formats start with a mark, so that importer does not read them as incidents.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from importer.apply.summary import missing, state
from importer.model import Diagnostic, Failed, NotAttempted, Outcome, Unknown
from importer.renderers.values import sanitised

MARK = "importer_report"
FORMAT_VERSION = "1.0"
_COLUMNS = ("key", "file", "line", "column", "code", "message", "request_id")
_FORMULA = ("=", "+", "-", "@")


def to_json(outcomes: Iterable[Outcome]) -> str:
    """Return a JSON document; `incidents` holds those that failed, are unknown, were not attempted, or are
    not whole."""
    document = {MARK: FORMAT_VERSION, "incidents": list(_rows(outcomes))}
    return json.dumps(document, indent=2) + "\n"


def to_csv(outcomes: Iterable[Outcome]) -> str:
    """Return a table with the same rows. Its first column is the outcome, and has the mark as its header.

    Control characters are escaped, and a cell that a spreadsheet would read as a formula starts with an
    apostrophe; the JSON report keeps both as they are.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow((MARK, *_COLUMNS))
    table.writerows((row["outcome"], *(_cell(row[name]) for name in _COLUMNS)) for row in _rows(outcomes))
    return stream.getvalue()


def _rows(outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        yield from (_missing_row(outcome, each) for each in missing(outcome))
        if missing(outcome) or not isinstance(outcome, Failed | Unknown | NotAttempted):
            continue
        location = outcome.location
        yield {
            "outcome": state(outcome),
            "key": outcome.key,
            "file": location.path,
            "line": location.line,
            "column": location.column,
            "code": outcome.code if isinstance(outcome, Failed) else "",
            "message": "" if isinstance(outcome, NotAttempted) else outcome.message,
            "request_id": outcome.request_id if isinstance(outcome, Failed) else "",
        }


def _missing_row(outcome: Outcome, what: Diagnostic) -> dict[str, Any]:
    """Return the row of something that is declared of an incident, and is not there."""
    location = what.locations[0] if what.locations else None
    return {
        "outcome": state(outcome),
        "key": outcome.key,
        "file": location.path if location else "",
        "line": location.line if location else None,
        "column": location.column if location else None,
        "code": what.code,
        "message": f"{what.summary} ({what.detail})" if what.detail else what.summary,
        "request_id": "",
    }


def _cell(value: Any) -> str:
    text = "" if value is None else sanitised(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
