"""A reviewed plan and a new one -> what the new one would do that was not reviewed. Pure.

The reviewed plan is only compared with: whoever can write that file must gain nothing. So each change that is
about to be made must have been reviewed as a whole. What may differ is named here; everything else counts,
also what a later version adds to a plan or to a change.

What the new plan lacks was done since, by a run that ended half-way: a whole change, or a part of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import assert_never

from importer.model import (
    Adopt,
    Attribute,
    Attributes,
    Blocked,
    Child,
    Create,
    Entity,
    FieldChange,
    Incident,
    Kind,
    LiveIncident,
    Location,
    NewOption,
    NoOp,
    Origin,
    Pending,
    Plan,
    Policy,
    Scope,
    Update,
    Value,
)
from importer.model.codec import Json
from importer.model.normalise import by_label, several
from importer.model.plain import named
from importer.plan.changes import new_options
from importer.plan.steps import after_creation, creation, without_status
from importer.wire.requests import request

_MAY_DIFFER = frozenset(
    {"made_at", "tool_version", "inputs", "revision", "unmanaged", "unchanged", "severities", "history"}
    | {"diagnostics", "changes", "left_to_people"}
)
"""The fields of a plan that tell when and from what it was made, or only inform its reader. Changes are
compared one by one, and diagnostics by whether there are errors."""

_NOWHERE = Location("", 1)

Acting = Create | Pending | Update | Adopt
"""The changes that apply makes."""
Options = frozenset[NewOption]


@dataclass(frozen=True, slots=True)
class OtherPart:
    """A field of the plan itself that is not as reviewed, such as its account or its scope."""

    name: str
    reviewed: object
    planned: object


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """A change that is not as it was `reviewed`, or was not reviewed at all. Both sides are without what may
    differ."""

    reviewed: Acting | None
    planned: Acting
    location: Location


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a new plan does only what was reviewed. `gone` are the keys of reviewed changes that it no
    longer has."""

    other_parts: tuple[OtherPart, ...]
    unreviewed: tuple[Unreviewed, ...]
    gone: tuple[str, ...]


def compare_plans(reviewed: Plan, now: Plan) -> Agreement:
    """Return how far a new plan agrees with the reviewed one."""
    known, acting = _acting(reviewed), _acting(now)
    created = frozenset(new_options(known.values()))
    compared = [_unreviewed(known.get(key), change, created) for key, change in acting.items()]
    return Agreement(
        tuple(_other_parts(reviewed, now)),
        tuple(each for each in compared if each is not None),
        tuple(key for key in known if key not in acting),
    )


def _acting(plan: Plan) -> dict[str, Acting]:
    return {each.incident.key: each for each in plan.changes if not isinstance(each, NoOp | Blocked)}


def _other_parts(reviewed: Plan, now: Plan) -> Iterable[OtherPart]:
    names = [each.name for each in fields(Plan) if each.name not in _MAY_DIFFER]
    for name in ("errored", *names):
        sides = (_without_count(getattr(reviewed, name)), _without_count(getattr(now, name)))
        if sides[0] != sides[1]:
            yield OtherPart(name, *sides)


def _without_count(part: object) -> object:
    """Return a part of a plan; a scope without the number of incidents left out, which any merge changes."""
    return replace(part, left_out=0, not_compared=0) if isinstance(part, Scope) else part


def _unreviewed(reviewed: Acting | None, now: Acting, created: Options) -> Unreviewed | None:
    """Return a change unless it was reviewed. `created` are the options that the reviewed plan creates."""
    is_now, place = _comparable(now, created), now.incident.location
    if reviewed is None:
        return Unreviewed(None, is_now, place)
    left = _comparable(_left_of(reviewed, now), created)
    if left == is_now and _seen(left) == _seen(is_now):
        return None
    was = left if type(left) is type(reviewed) else _comparable(reviewed, created)
    return Unreviewed(was, is_now, place)


def _seen(change: Acting) -> tuple[dict[str, Json], ...]:
    """Return the values as a reviewer sees them. Entities with one ID are equal, whatever their names."""
    declared = named(change.incident.attributes)
    match change:
        case Create(attributes=sent) | Pending(attributes=sent):
            return (declared, named(sent))
        case Update(live=live, changes=changes) | Adopt(live=live, changes=changes):
            before = named({each.attribute: each.before for each in changes})
            after = named({each.attribute: each.after for each in changes})
            return (declared, before, after, named(live.attributes))
        case _:
            assert_never(change)


# -- what was done since ----------------------------------------------------------------------------------


def _left_of(reviewed: Acting, now: Acting) -> Acting:
    """Return what is left of a reviewed change, if the parts that the new one lacks were done since."""
    if isinstance(reviewed, Create | Pending) and isinstance(now, Update):
        rest = [_with_status_left(each, now) for each in after_creation(reviewed.attributes)]
        return Update(reviewed.incident, now.live, _still_in(now, rest))
    if isinstance(reviewed, Adopt) and isinstance(now, Update):
        reviewed = Update(reviewed.incident, reviewed.live, reviewed.changes, reviewed.blocked)
    if isinstance(reviewed, Update | Adopt) and isinstance(now, Update | Adopt):
        live = _with_done(reviewed, now)
        return replace(reviewed, live=live, changes=_still_in(now, reviewed.changes))
    return reviewed


def _still_in(now: Update | Adopt, changes: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    planned = {each.attribute for each in now.changes}
    return tuple(each for each in changes if each.attribute in planned)


def _with_status_left(change: FieldChange, now: Update) -> FieldChange:
    """Return the reviewed change of a child; as an edit if the child was created since, and its status is
    left to set."""
    for each in now.changes:
        before, after = each.before, change.after
        if each.attribute == change.attribute and isinstance(before, Child) and isinstance(after, Child):
            is_created = without_status(before) == without_status(after)
            return replace(change, before=before) if is_created else change
    return change


def _with_done(reviewed: Update | Adopt, now: Update | Adopt) -> LiveIncident:
    """Return the live incident as it was reviewed, but with those values as they are now that the reviewed
    plan changes and the new one does not."""
    done = {each.attribute for each in reviewed.changes} - {each.attribute for each in now.changes}
    attributes = {each: value for each, value in reviewed.live.attributes.items() if each not in done}
    attributes |= {each: value for each, value in now.live.attributes.items() if each in done}
    return replace(reviewed.live, attributes=attributes)


# -- what may differ --------------------------------------------------------------------------------------


def _comparable(change: Acting, created: Options) -> Acting:
    """Return a change without what may differ: lines in files, policies that are applied already, moments of
    edits, reasons that only a state knows, and live children, which are read only if the state does not know
    them. A creation that was sent already, and is sent again as it was, is that creation."""
    attributes = _with_options(change.incident.attributes, created)
    incident = replace(change.incident, location=_NOWHERE, policy=Policy(), attributes=attributes)
    match change:
        case Create(attributes=sent) | Pending(attributes=sent):
            blocked = _without_origin(change.blocked, created)
            return replace(
                _anew(change), incident=incident, attributes=_with_options(sent, created), blocked=blocked
            )
        case Update() | Adopt():
            return _comparable_edit(change, incident, created)
        case _:
            assert_never(change)


def _anew(change: Create | Pending) -> Create | Pending:
    """Return a creation without an answer as a new one, if the same content is sent."""
    if isinstance(change, Create):
        return change
    anew = Create(
        change.incident, change.idempotency_key, change.attributes, change.left_to_people, change.blocked
    )
    return anew if change.content in (None, request(creation(anew)).content) else change


def _comparable_edit(change: Update | Adopt, incident: Incident, created: Options) -> Update | Adopt:
    own = {each: value for each, value in change.live.attributes.items() if not each.is_child}
    return replace(
        change,
        incident=incident,
        live=replace(change.live, updated_at="", attributes=own),
        changes=_without_origin(change.changes, created),
        blocked=_without_origin(change.blocked, created),
    )


def _without_origin(changes: Iterable[FieldChange], created: Options) -> tuple[FieldChange, ...]:
    return tuple(
        replace(
            each,
            after=_with_option(each.attribute, each.after, created),
            origin=Origin.UNKNOWN,
            obstacle=None,
        )
        for each in sorted(changes, key=lambda each: by_label(each.attribute))
    )


def _with_options(attributes: Attributes, created: Options) -> Attributes:
    return {each: _with_option(each, value, created) for each, value in attributes.items()}


def _with_option(attribute: Attribute, value: Value, created: Options) -> Value:
    """Return a value with its options as they were before the reviewed plan created them."""
    wanted = {each.name: each for each in created if each.custom_field == attribute.key}
    if not wanted or not isinstance(value, tuple):
        return value
    return several(
        wanted.get(each.name, each) if isinstance(each, Entity) and each.kind is Kind.OPTION else each
        for each in value
    )
