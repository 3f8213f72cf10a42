"""The events of an apply -> one JSON object per line, for programs that follow it.

Each starts with `type`, `@level`, `@message` and `@timestamp`. A reader shows the message of a type that it
does not know. Minor versions only add keys; the event `version` has the version of the format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, assert_never

from importer.apply.summary import ApplySummary, state
from importer.model import (
    Adopted,
    Applied,
    Change,
    Diagnostic,
    Failed,
    Location,
    NotAttempted,
    Outcome,
    Severity,
    Unknown,
)
from importer.model.codec import encode_moment
from importer.model.wording import numbered
from importer.plan.summary import Action, actions, reference_of
from importer.renderers.values import sanitised
from importer.renderers.verdict import left_out_note
from importer.renderers.view import places

FORMAT_VERSION = "1.0"

Level = Literal["info", "warn", "error"]

_BEGUN = {
    Action.CREATE: "creating",
    Action.UPDATE: "updating",
    Action.ADOPT: "adopting",
    Action.PENDING: "settling",
    Action.BLOCKED: "blocked",
    Action.NO_OP: "unchanged",
}


def version(tool_version: str, *, at: datetime) -> str:
    """Return the first event of every stream."""
    return _line(
        "version",
        "info",
        f"importer {tool_version}",
        at,
        tool_version=tool_version,
        format_version=FORMAT_VERSION,
    )


def planned_change(change: Change, *, at: datetime) -> str:
    """Return the event for the planned change of one incident."""
    named = [each.value for each in actions(change)]
    return _line("planned_change", "info", f"{change.incident.key}: {named[0]}", at, change=_change(change))


def plan_reviewed(*, left: int, gone: Sequence[str], at: datetime) -> str:
    """Return the event for a new plan whose changes were all reviewed. `gone` are the keys of reviewed
    changes that it no longer has."""
    message = f"{numbered(left, 'change')} to apply, all reviewed"
    if gone:
        message += f"; {numbered(len(gone), 'reviewed change')} no longer planned"
    return _line("plan_reviewed", "info", message, at, left=left, gone=list(gone))


def apply_start(change: Change, *, at: datetime) -> str:
    """Return the event for a change whose first request is about to be sent."""
    word = _BEGUN[actions(change)[0]]
    return _line("apply_start", "info", f"{change.incident.key}: {word}", at, change=_change(change))


def apply_progress(*, done: int, total: int, seconds_left: int | None, at: datetime) -> str:
    """Return the event for the progress of the run; the time left is None while it is unknown."""
    return _line(
        "apply_progress",
        "info",
        f"{done} of {total} incidents done",
        at,
        done=done,
        total=total,
        seconds_left=seconds_left,
    )


def ended(outcome: Outcome, *, at: datetime) -> str:
    """Return the event for the outcome of one change: `apply_complete` or `apply_errored`."""
    key, word = outcome.key, state(outcome)
    known: dict[str, Any] = {}
    level: Level
    match outcome:
        case Applied(live=live) | Adopted(live=live):
            known = {"incident_id": live.id, "reference": live.reference, "permalink": live.permalink}
            message = f"{key}: {word} as {live.reference}"
            return _line("apply_complete", "info", message, at, key=key, outcome=word, **known)
        case Failed(code=code, message=problem, request_id=request):
            known = {"code": code, "message": problem, "request_id": request}
            level, message = "error", f"failed: {problem}"
        case Unknown(message=problem):
            known = {"message": problem}
            level, message = "warn", f"no answer: {problem}"
        case NotAttempted():
            level, message = "warn", "not attempted"
        case _:
            assert_never(outcome)
    known |= _place(outcome.location)
    return _line("apply_errored", level, f"{key}: {message}", at, key=key, outcome=word, **known)


def diagnostic(diagnostic: Diagnostic, *, at: datetime) -> str:
    """Return the event for one problem."""
    level: Level = "error" if diagnostic.severity is Severity.ERROR else "warn"
    return _line(
        "diagnostic",
        level,
        diagnostic.summary,
        at,
        severity=diagnostic.severity.value,
        code=diagnostic.code,
        summary=diagnostic.summary,
        detail=diagnostic.detail,
        hint=diagnostic.hint,
        places=list(places(diagnostic)),
        count=diagnostic.count,
    )


def rate_limited(*, until: datetime, reason: str, scope: str, at: datetime) -> str:
    """Return the event for requests of a scope that wait."""
    moment = encode_moment(until)
    seconds = max(0, round((until - at).total_seconds()))
    message = f"{reason}: {scope} wait until {moment}"
    return _line(
        "rate_limited", "warn", message, at, until=moment, seconds=seconds, reason=reason, scope=scope
    )


def paused(*, max_seconds: float, reason: str, at: datetime) -> str:
    """Return the event for a pause of all requests, which ends after `max_seconds` at the latest."""
    longest = round(max_seconds)
    message = f"{reason}: all requests are paused for at most {longest} s"
    return _line("paused", "warn", message, at, max_seconds=longest, reason=reason)


def apply_summary(ending: ApplySummary, *, at: datetime) -> str:
    """Return the last event of every apply: the outcomes of all incidents."""
    counts = ending.counts.as_dict()
    message = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
    message += f". {left_out_note(ending.scope)}" if left_out_note(ending.scope) else ""
    level: Level = "info" if ending.counts.is_whole and not ending.incomplete else "error"
    return _line(
        "apply_summary",
        level,
        message,
        at,
        **counts,
        incomplete=ending.incomplete,
        blocked=ending.blocked,
        stopped=ending.stopped,
        next_command=ending.next_command,
        left_out=ending.scope.left_out,
        not_compared=ending.scope.not_compared,
    )


def _line(type_: str, level: Level, message: str, at: datetime, /, **known: Any) -> str:
    common = {
        "type": type_,
        "@level": level,
        "@message": sanitised(message),
        "@timestamp": encode_moment(at),
    }
    return json.dumps(common | known) + "\n"


def _change(change: Change) -> dict[str, Any]:
    return {
        "key": change.incident.key,
        "actions": [each.value for each in actions(change)],
        "reference": reference_of(change) or None,
        **_place(change.incident.location),
    }


def _place(location: Location) -> dict[str, Any]:
    return {"file": location.path, "line": location.line, "column": location.column}
