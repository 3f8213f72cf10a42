"""Functions on the changes of a plan, and filters that return a part of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from importer.model import (
    WRITE_ONLY_FIELDS,
    Adopt,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Field,
    FieldChange,
    Incident,
    NewOption,
    NoOp,
    Origin,
    Pending,
    Plan,
    Severity,
    Update,
    Value,
)

CANNOT_CHANGE = "cannot be changed after creation"
"""The reason of a blocked difference in a create-only attribute."""

NOT_SHOWN = "(not shown by the API)"
"""Shown in place of a value that the account may hold but the API does not show."""


def is_shown(change: FieldChange) -> bool:
    """Whether it is known what an attribute held before: the API shows it, or importer wrote it."""
    is_unread = change.attribute.is_child and change.obstacle is not None
    hides = is_unread or change.attribute.field in WRITE_ONLY_FIELDS
    return change.before is not None or not hides


def new_options(changes: Iterable[Change]) -> tuple[NewOption, ...]:
    """Return the select options to be created first, without duplicates, sorted by field and name."""
    wanted = {each for change in changes for value in sent(change) for each in _options(value)}
    return tuple(sorted(wanted, key=lambda each: (each.custom_field.name, each.custom_field.id, each.name)))


def sent(change: Change) -> Iterable[Value]:
    """Return the values that a change sends."""
    match change:
        case Create(attributes=attributes) | Pending(attributes=attributes):
            return attributes.values()
        case Update(changes=changes) | Adopt(changes=changes):
            return [each.after for each in changes]
        case NoOp() | Blocked():
            return ()
        case _:
            assert_never(change)


def declared(change: Create | Pending) -> Attributes:
    """Return all attributes that a creation sends, including the number."""
    incident = change.incident
    if incident.external_id is None:
        return change.attributes
    return {Attribute(Field.EXTERNAL_ID): Decimal(incident.external_id), **change.attributes}


def is_acting(change: Change) -> bool:
    """Whether apply has anything to do for a change."""
    return not isinstance(change, NoOp | Blocked)


def left_to_people(changes: Iterable[Change]) -> int:
    """Return how many unchanged incidents have values that `ignore_changes` leaves to people."""
    unchanged = (each.incident for each in changes if isinstance(each, NoOp))
    return sum(any(map(each.policy.ignores, each.attributes)) for each in unchanged)


def is_possible_drift(change: Change) -> bool:
    """Whether nobody can know if the differences of a drift report's incident are drift: the state has
    nothing to compare with."""
    found = (*change.changes, *change.blocked) if isinstance(change, Update) else ()
    found = change.blocked if isinstance(change, Blocked) else found
    return bool(found) and all(each.origin is Origin.UNKNOWN for each in found)


def only_keys(plan: Plan, *keys: str) -> Plan:
    """Return a plan with only the changes of some keys."""
    return replace(plan, changes=tuple(each for each in plan.changes if each.incident.key in keys))


def without_keys(plan: Plan, keys: frozenset[str]) -> Plan:
    """Return a plan without the changes of some keys."""
    return replace(plan, changes=tuple(each for each in plan.changes if each.incident.key not in keys))


def only_drift(plan: Plan) -> Plan:
    """Return the drift report of a plan: the differences that are, or may be, edits in incident.io."""
    drifted = tuple(each for change in plan.changes if (each := _drifted(change)) is not None)
    unknown = [each.incident for each in plan.changes if isinstance(each, Create | Pending)]
    found = plan.diagnostics + tuple(map(_not_compared, unknown))
    return replace(
        plan, changes=drifted, unmanaged=(), scope=replace(plan.scope, drift_only=True), diagnostics=found
    )


def _not_compared(incident: Incident) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "not-compared",
        "incidents that are not known to be in the account were not compared",
        f"incident '{incident.key}'",
        "a drift report needs the state file or a marker field; incidents never applied cannot have drifted",
        (incident.location,),
    )


def _drifted(change: Change) -> Change | None:
    """Return the drift of an imported incident, a NoOp if it has none, or None for any other incident."""
    match change:
        case Update(incident=incident, live=live):
            changes, blocked = _by_drift(change.changes), _by_drift(change.blocked)
            if not changes and not blocked:
                return NoOp(incident, live.id, live.reference)
            return replace(change, changes=changes, blocked=blocked)
        case Blocked(incident=incident, blocked=blocked) if blocked:
            found = _by_drift(blocked)
            return replace(change, blocked=found) if found else None
        case NoOp():
            return change
        case Create() | Pending() | Adopt() | Blocked():
            return None
        case _:
            assert_never(change)


def _by_drift(changes: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    return tuple(each for each in changes if each.origin is not Origin.FILE)


def _options(value: Value) -> Iterable[NewOption]:
    return (each for each in value if isinstance(each, NewOption)) if isinstance(value, tuple) else ()
