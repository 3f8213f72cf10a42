"""A plan -> the counts, symbols and sentences that every format shows; decided once.

A format adds layout and its own escaping. All text is sanitised: it holds no control character.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import assert_never

from importer.model import Adopt, Blocked, Change, Create, Diagnostic, NoOp, Pending, Plan, Scope, Update
from importer.renderers.estimate import Estimate
from importer.renderers.values import numbered, sanitised

_NO_CHANGES = {
    Scope.ALL: "No changes. The account matches the files.",
    Scope.DRIFT: "No drift: nobody edited what importer knows to have written.",
}
_NOTHING = "No changes: there is no incident to compare."
UPDATES = {Scope.ALL: "to update", Scope.DRIFT: "drifted"}
FAILED = "Planning failed: this plan cannot be applied."
SHOWN_KEYS = 5


class Action(StrEnum):
    """What happens to one incident, in the words of the plan's JSON."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    BLOCKED = "blocked"
    PENDING = "pending"
    NO_OP = "no-op"


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


@dataclass(frozen=True, slots=True)
class Summary:
    """How many incidents each action concerns. One with a blocked difference beside others counts twice."""

    create: int = 0
    update: int = 0
    adopt: int = 0
    unchanged: int = 0
    blocked: int = 0
    pending: int = 0
    unmanaged: int = 0

    @property
    def has_changes(self) -> bool:
        """Whether anything differs; what is blocked does."""
        return bool(self.create or self.update or self.adopt or self.blocked or self.pending)

    @property
    def has_work(self) -> bool:
        """Whether apply has anything to send or to record."""
        return bool(self.create or self.update or self.adopt or self.pending)

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


def summarise(plan: Plan) -> Summary:
    """Count a plan's changes by action."""
    count = dict.fromkeys(Action, 0)
    for change in plan.changes:
        for each in actions(change):
            count[each] += 1
    return Summary(
        create=count[Action.CREATE],
        update=count[Action.UPDATE],
        adopt=count[Action.ADOPT],
        unchanged=count[Action.NO_OP] + plan.unchanged,
        blocked=count[Action.BLOCKED],
        pending=count[Action.PENDING],
        unmanaged=len(plan.unmanaged),
    )


def actions(change: Change) -> tuple[Action, ...]:
    """Return what happens to one incident, the chief action first."""
    match change:
        case Create():
            return (Action.CREATE,)
        case Pending():
            return (Action.PENDING,)
        case Update(blocked=blocked):
            return (Action.UPDATE, Action.BLOCKED) if blocked else (Action.UPDATE,)
        case Adopt(blocked=blocked):
            return (Action.ADOPT, Action.BLOCKED) if blocked else (Action.ADOPT,)
        case NoOp():
            return (Action.NO_OP,)
        case Blocked():
            return (Action.BLOCKED,)
        case _:
            assert_never(change)


def opening(plan: Plan) -> str:
    """Return the line above the changes: what will happen, that nothing of it can, or that all is well."""
    summary = summarise(plan)
    if not summary.has_changes:
        return _NO_CHANGES[plan.scope] if summary.unchanged or plan.scope is Scope.DRIFT else _NOTHING
    if plan.scope is Scope.DRIFT:
        return "importer found drift in the following incidents:"
    if plan.errored:
        return "importer planned the following actions, but the files have problems:"
    if summarise(plan).has_work:
        return "importer will perform the following actions:"
    return "importer can do nothing about the following differences:"


def ending(plan: Plan) -> str:
    """Return the line that counts: `Plan: 412 to create, ...`, or `Drift: 2 incidents.` of a report."""
    if plan.scope is Scope.ALL:
        return counts(summarise(plan))
    drifted = sum(not isinstance(each, NoOp) for each in plan.changes)
    return f"Drift: {numbered(drifted, 'incident')}."


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


def effort(estimate: Estimate) -> str:
    """Return the plan's last line: `About 431 requests: 22 s at the limit of 1200/min.`"""
    requests, duration = numbered(estimate.requests, "request"), lasting(estimate.seconds)
    return f"About {requests}: {duration} at the limit of {estimate.per_minute}/min."


def lasting(seconds: int) -> str:
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


def reference_of(change: Change) -> str:
    """Return the INC-n that a change concerns; a creation has none yet."""
    match change:
        case Update(live=live) | Adopt(live=live):
            return live.reference
        case NoOp(reference=reference) | Blocked(reference=reference):
            return reference
        case Create() | Pending():
            return ""
        case _:
            assert_never(change)
