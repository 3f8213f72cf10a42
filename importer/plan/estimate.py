"""A plan -> how many requests it takes, and how long those last at the rate limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import assert_never

from importer.model import (
    Adopt,
    Attribute,
    Blocked,
    Change,
    Create,
    Field,
    FieldChange,
    FollowUp,
    NoOp,
    Pending,
    Plan,
    PostmortemDocument,
    Scope,
    Update,
    Value,
)
from importer.plan.changes import new_options

LIMIT_PER_MINUTE = 1200
"""What an API key may do by default (API page: Introduction, rate limits)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is the time that the requests take at `per_minute`.

    The bucket that a rested key may empty at once is left out: over a real network, a few requests in flight
    hardly go faster than the sustained rate.
    """

    requests: int
    seconds: int
    per_minute: int


def estimate(plan: Plan, *, per_minute: int = LIMIT_PER_MINUTE) -> Estimate:
    """Count the writes of a plan. Reads that guard against duplicates come on top and are few."""
    if plan.scope is Scope.DRIFT:
        return of_requests(0, per_minute)
    requests = len(new_options(plan.changes)) + sum(_writes(change) for change in plan.changes)
    return of_requests(requests, per_minute)


def of_requests(number: int, per_minute: int = LIMIT_PER_MINUTE) -> Estimate:
    """Return how long so many requests last."""
    return Estimate(number, ceil(number * 60 / per_minute), per_minute)


def _writes(change: Change) -> int:
    match change:
        case Create(attributes=attributes) | Pending(attributes=attributes):
            return 1 + sum(_after_creation(each, value) for each, value in attributes.items())
        case Update(changes=changes) | Adopt(changes=changes):
            apart = [each for each in changes if is_apart(each.attribute)]
            return (len(apart) < len(changes)) + sum(_child_change(each) for each in apart)
        case NoOp() | Blocked():
            return 0
        case _:
            assert_never(change)


def is_apart(attribute: Attribute) -> bool:
    """Whether an existing incident gets it by a request of its own instead of the edit."""
    return attribute.is_child or attribute.field is Field.POSTMORTEM_URL


def _after_creation(attribute: Attribute, value: Value) -> int:
    if attribute.field is Field.CALL_URL:
        return 1  # the creation has no such property, only the edit
    return _creations(value) if attribute.is_child else 0


def _child_change(change: FieldChange) -> int:
    return _creations(change.after) if change.before is None else 1


def _creations(value: Value) -> int:
    """A status is set by a second request, since neither creation takes one."""
    match value:
        case FollowUp(status=str() as status):
            return 1 if status == "outstanding" else 2
        case PostmortemDocument(status=str()):
            return 2
        case _:
            return 1
