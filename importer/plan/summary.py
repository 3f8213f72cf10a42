"""A plan -> how many incidents each action affects; the actions and the reference of one change. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import assert_never

from importer.model import Adopt, Blocked, Change, Create, FieldChange, NoOp, Pending, Plan, Update


class Action(StrEnum):
    """What happens to one incident, as named in the plan's JSON."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    BLOCKED = "blocked"
    PENDING = "pending"
    NO_OP = "no-op"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many incidents each action affects. An incident with both blocked and other differences counts
    twice. `delete` would count children: incidents are never deleted."""

    create: int = 0
    update: int = 0
    adopt: int = 0
    delete: int = 0
    unchanged: int = 0
    blocked: int = 0
    pending: int = 0
    unmanaged: int = 0

    @property
    def has_changes(self) -> bool:
        """Whether anything differs, including blocked differences."""
        return self.has_work or bool(self.blocked)

    @property
    def has_work(self) -> bool:
        """Whether apply has anything to send or record."""
        return bool(self.create or self.update or self.adopt or self.pending)

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


def summarise(plan: Plan) -> Summary:
    """Count a plan's changes by action."""
    count = Counter(each for change in plan.changes for each in actions(change))
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
    """Return what happens to one incident, main action first."""
    match change:
        case Create(blocked=blocked):
            return _with_blocked(Action.CREATE, blocked)
        case Pending(blocked=blocked):
            return _with_blocked(Action.PENDING, blocked)
        case Update(blocked=blocked):
            return _with_blocked(Action.UPDATE, blocked)
        case Adopt(blocked=blocked):
            return _with_blocked(Action.ADOPT, blocked)
        case NoOp():
            return (Action.NO_OP,)
        case Blocked():
            return (Action.BLOCKED,)
        case _:
            assert_never(change)


def _with_blocked(action: Action, blocked: tuple[FieldChange, ...]) -> tuple[Action, ...]:
    return (action, Action.BLOCKED) if blocked else (action,)


def reference_of(change: Change) -> str:
    """Return the INC-n of a change, or "" for a creation."""
    match change:
        case Update(live=live) | Adopt(live=live):
            return live.reference
        case NoOp(reference=reference) | Blocked(reference=reference):
            return reference
        case Create() | Pending():
            return ""
        case _:
            assert_never(change)
