"""A plan -> the counts, symbols and sentences that every format shows.

Each format adds layout and its own escaping. All text is sanitised: it has no control characters.
"""

from __future__ import annotations

from importer.model import Change, Create, Diagnostic, NoOp, Pending, Plan, Scope
from importer.model.wording import numbered
from importer.plan.changes import is_possible_drift
from importer.plan.estimate import Estimate, estimate
from importer.plan.summary import Action, Summary, actions, summarise
from importer.renderers.values import sanitised
from importer.renderers.verdict import no_changes, no_drift

_CORRECTION = "A creation may be followed by an edit of what incident.io did not take as it was sent."
FAILED = "Planning failed: this plan cannot be applied."
NOT_MADE = "Apart from the errors, these actions were planned. None of them can be applied:"
SHOWN_KEYS = 5
POSSIBLE_DRIFT = (
    "Incidents that may have drifted: the state does not know what was last applied to them, so either"
    " somebody edited them in incident.io, or the file changed."
)
WAYS_OUT = (
    "The values are shown as declared -> in incident.io. To keep an edit, copy it into the file. To undo it,"
    " run `importer apply`, unless `on_drift` is keep or fail."
)


DRIFT_WORDS = ("drifted", "may have drifted")

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
    """Return the line above the changes, or the line that there are none."""
    summary = summarise(plan)
    if plan.errored:
        return FAILED
    if not summary.has_changes:
        return no_drift(plan) if plan.scope.drift_only else no_changes(plan)
    if plan.scope.drift_only:
        return "importer found drift in the following incidents:" if _drifted(plan)[0] else POSSIBLE_DRIFT
    if summary.has_work:
        return "importer will perform the following actions:"
    return "importer cannot make the following changes:"


def ending(plan: Plan) -> str:
    """Return the line with the counts: `Plan: 412 to create, ...`, or `Drift: 2 incidents.` for a report. A
    plan that failed counts nothing."""
    if plan.errored:
        return FAILED
    if not plan.scope.drift_only:
        return counts(summarise(plan))
    drifted, possible = _drifted(plan)
    doubtful = f", and {possible} that may have drifted" if possible else ""
    return f"Drift: {numbered(drifted, 'incident')}{doubtful}."


def updates(plan: Plan) -> str:
    """Return the label of incidents that differ: `to update`, or `drifted` in a report."""
    if not plan.scope.drift_only:
        return "to update"
    drifted, possible = _drifted(plan)
    if not possible:
        return "drifted"
    return "drifted, or may have" if drifted else "may have drifted"


def action_words(change: Change, scope: Scope) -> list[str]:
    """Return what happens to an incident, or in a drift report what did, in words."""
    found = actions(change)
    if not scope.drift_only:
        return [each.value for each in found]
    drifted = DRIFT_WORDS[is_possible_drift(change)]
    return [drifted, *(each.value for each in found if each is Action.BLOCKED)]


def ways_out(plan: Plan) -> str:
    """Return how to read a drift report and what to do about it, or nothing for any other plan."""
    return WAYS_OUT if plan.scope.drift_only and summarise(plan).has_changes and not plan.errored else ""


def possible_drift(plan: Plan) -> str:
    """Return what it means that some incidents of a drift report may have drifted, or nothing."""
    return POSSIBLE_DRIFT if plan.scope.drift_only and all(_drifted(plan)) else ""


def _drifted(plan: Plan) -> tuple[int, int]:
    """Return how many incidents have drifted, and how many may have."""
    possible = sum(map(is_possible_drift, plan.changes))
    return sum(not isinstance(each, NoOp) for each in plan.changes) - possible, possible


def counts(summary: Summary) -> str:
    """Return the counts of a plan: `Plan: 412 to create, 6 to update, ...`."""
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
    """Return the plan's last line, or nothing if apply sends no request: the estimate, and that an edit may
    follow."""
    needed = estimate(plan)
    if plan.errored or not needed.requests:
        return ""
    creates = any(isinstance(each, Create | Pending) for each in plan.changes)
    return f"{format_estimate(needed)} {_CORRECTION}" if creates else format_estimate(needed)


def format_estimate(estimate: Estimate) -> str:
    """Return an estimate as text: `About 431 requests: 22 s at the limit of 1200/min.`"""
    requests, duration = numbered(estimate.requests, "request"), format_duration(estimate.seconds)
    return f"About {requests}: {duration} at the limit of {estimate.per_minute}/min."


def format_duration(seconds: int) -> str:
    """Return a duration, rounded up to minutes from two minutes on: 22 s, 4 min, 1 h 12 min."""
    if seconds < 120:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def unmanaged(plan: Plan) -> str:
    """Return a sentence about the bindings that no file declares, or nothing."""
    number = len(plan.unmanaged)
    if not number:
        return ""
    named = [sanitised(f"{each.key} ({each.reference})") for each in plan.unmanaged[:SHOWN_KEYS]]
    more = f" (and {number - SHOWN_KEYS} more)" if number > SHOWN_KEYS else ""
    subject = "1 incident is" if number == 1 else f"{number} incidents are"
    return f"{subject} no longer managed (not in any file), and left alone: {', '.join(named)}{more}."


def places(diagnostic: Diagnostic) -> tuple[str, ...]:
    """Return the first locations of a problem, and how many more there are."""
    known = tuple(sanitised(str(each)) for each in diagnostic.locations)
    more = diagnostic.count - len(known)
    if not known or more <= 0:
        return known
    return (*known, f"(and {numbered(more, 'more place')})")
