"""A plan -> the counts, symbols and sentences that every format shows; decided once.

A format adds layout and its own escaping. All text is sanitised: it holds no control character.
"""

from __future__ import annotations

from importer.model import Create, Diagnostic, NoOp, Pending, Plan, Scope
from importer.model.wording import numbered
from importer.plan.estimate import Estimate, estimate
from importer.plan.summary import Action, Summary, summarise
from importer.renderers.values import sanitised

_NO_CHANGES = "No changes. The account matches the files."
_NO_DRIFT = "No drift: nobody edited what importer knows to have written."
_NOTHING = "No changes: there is no incident to compare."
_CORRECTION = "A creation may be followed by one edit, if incident.io stores a text in another form."
FAILED = "Planning failed: this plan cannot be applied."
SHOWN_KEYS = 5


SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.ADOPT: "=",
    Action.BLOCKED: "!",
    Action.PENDING: "?",
    Action.NO_OP: " ",
}
CLEAR = "-"
MEANINGS = {
    "+": "create",
    "~": "update",
    CLEAR: "clear",
    "=": "adopt",
    "!": "blocked",
    "?": "pending",
}


def opening(plan: Plan) -> str:
    """Return the line above the changes: what will happen, that nothing of it can, or that all is well."""
    summary = summarise(plan)
    if not summary.has_changes:
        return _NO_DRIFT if plan.scope.drift_only else _NO_CHANGES if summary.unchanged else _NOTHING
    if plan.scope.drift_only:
        return "importer found drift in the following incidents:"
    if plan.errored:
        return "importer planned the following actions, but the files have problems:"
    if summarise(plan).has_work:
        return "importer will perform the following actions:"
    return "importer can do nothing about the following differences:"


def ending(plan: Plan) -> str:
    """Return the line that counts: `Plan: 412 to create, ...`, or `Drift: 2 incidents.` of a report."""
    if not plan.scope.drift_only:
        return counts(summarise(plan))
    drifted = sum(not isinstance(each, NoOp) for each in plan.changes)
    return f"Drift: {numbered(drifted, 'incident')}."


def updates(scope: Scope) -> str:
    """Return what the incidents are that differ: `to update`, or `drifted` in a report."""
    return "drifted" if scope.drift_only else "to update"


def counts(summary: Summary) -> str:
    """Return the plan's last line but one: `Plan: 412 to create, 6 to update, ...`."""
    parts = [
        f"{summary.create} to create",
        f"{summary.update} to update",
        *([f"{summary.adopt} to adopt"] if summary.adopt else []),
        f"{summary.unchanged} unchanged",
        *([f"{summary.blocked} blocked"] if summary.blocked else []),
        *([f"{summary.pending} pending"] if summary.pending else []),
    ]
    return f"Plan: {', '.join(parts)}."


def estimate_line(plan: Plan) -> str:
    """Return the plan's last line, or nothing where apply sends nothing: what it takes, and which step more
    an answer may reveal."""
    needed = estimate(plan)
    if not needed.requests:
        return ""
    creates = any(isinstance(each, Create | Pending) for each in plan.changes)
    return f"{format_estimate(needed)} {_CORRECTION}" if creates else format_estimate(needed)


def format_estimate(estimate: Estimate) -> str:
    """Return what requests take: `About 431 requests: 22 s at the limit of 1200/min.`"""
    requests, duration = numbered(estimate.requests, "request"), format_duration(estimate.seconds)
    return f"About {requests}: {duration} at the limit of {estimate.per_minute}/min."


def format_duration(seconds: int) -> str:
    """Return a duration in the units that a person plans with: 22 s, 4 min, 1 h 12 min."""
    if seconds < 120:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def unmanaged(plan: Plan) -> str:
    """Return a sentence about bindings that no file declares, or nothing."""
    number = len(plan.unmanaged)
    if not number:
        return ""
    named = [sanitised(f"{each.key} ({each.reference})") for each in plan.unmanaged[:SHOWN_KEYS]]
    more = f" (and {number - SHOWN_KEYS} more)" if number > SHOWN_KEYS else ""
    subject = "1 incident is" if number == 1 else f"{number} incidents are"
    return f"{subject} no longer managed (in no file), and left alone: {', '.join(named)}{more}."


def places(diagnostic: Diagnostic) -> tuple[str, ...]:
    """Return where a problem is: its first places, and how many more there are."""
    known = tuple(sanitised(str(each)) for each in diagnostic.locations)
    more = diagnostic.count - len(known)
    if not known or more <= 0:
        return known
    return (*known, f"(and {numbered(more, 'more place')})")
