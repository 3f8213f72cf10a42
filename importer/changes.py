"""What the changes of a plan have in common, and parts of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from importer.model import Adopt, Blocked, Change, Create, NewOption, NoOp, Pending, Plan, Update, Value


def new_options(changes: Iterable[Change]) -> tuple[NewOption, ...]:
    """Return the select options that have to be created first, each once, sorted by field and name."""
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


def is_acting(change: Change) -> bool:
    """Whether apply has something to do for a change."""
    return not isinstance(change, NoOp | Blocked)


def only_keys(plan: Plan, *keys: str) -> Plan:
    """Return the part of a plan that concerns some keys."""
    return replace(plan, changes=tuple(each for each in plan.changes if each.incident.key in keys))


def without_keys(plan: Plan, keys: frozenset[str]) -> Plan:
    """Return a plan without the changes of some keys."""
    return replace(plan, changes=tuple(each for each in plan.changes if each.incident.key not in keys))


def _options(value: Value) -> Iterable[NewOption]:
    return (each for each in value if isinstance(each, NewOption)) if isinstance(value, tuple) else ()
