"""A saved plan, the present state and account -> what changed since, so that it no longer holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import assert_never

from importer.model import (
    WRITE_ONLY_FIELDS,
    Adopt,
    Attribute,
    Attributes,
    Binding,
    Blocked,
    Change,
    Child,
    Create,
    Entity,
    FollowUp,
    Incident,
    LiveIncident,
    Memory,
    NewOption,
    NoOp,
    Pending,
    PostmortemDocument,
    Remembered,
    Update,
    Value,
)
from importer.model.forms import is_same_form
from importer.model.normalise import by_label
from importer.model.values import Scalar
from importer.plan.differences import same, without
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, Match, NotOurs, Ours, Sent
from importer.plan.steps import NEW_FOLLOW_UP, after_creation, creation, without_status


def created_since(
    creations: Iterable[Create | Pending], memory: Memory, matches: Mapping[str, Match]
) -> Iterator[str]:
    """Yield planned creations that the ledger or the marker field shows as made since, and those that would
    not be sent as the plan shows. `matches` are the present matches by marker field."""
    for change in creations:
        key = change.incident.key
        shown, sent = creation(change).sent_before, memory.sent.get(key)
        if key not in memory.bindings and sent != shown:
            yield (
                f"'{key}' was sent since the plan was made"
                if shown is None
                else f"'{key}' would not be sent as the plan shows"
            )
            continue
        match memory.bindings.get(key) or matches.get(key):
            case Binding(reference=reference) | Ours(live=LiveIncident(reference=reference)):
                yield f"'{key}' was created since the plan was made, as {reference}"
            case Conflict(explanation=explanation):
                yield f"'{key}': {explanation}"
            case Claimed() | Hidden() | NotOurs() | Sent() | Absent() | None:
                pass
            case other:
                assert_never(other)


def edited_since(edits: Iterable[Update | Adopt], current: Mapping[str, LiveIncident]) -> Iterator[str]:
    """Yield planned edits whose incident shows other values than when the plan was made, also of fields that
    the plan does not change, and of parts of a child that were not set. `current` is by key, with the
    children that the plan changes."""
    for change in edits:
        key, planned, live = change.incident.key, change.live, current.get(change.incident.key)
        if live is None:
            yield f"'{key}' ({planned.reference}) is no longer visible to this API key"
        elif edited := _edited_labels(live, _planned_from(change, live), {}):
            yield f"'{key}' ({planned.reference}) was edited since the plan was made: {', '.join(edited)}"


def with_stale_blocked(
    changes: Iterable[Change], current: Mapping[str, LiveIncident], memory: Memory
) -> Iterator[Change]:
    """Yield the changes that a run of the same plan left, but a blocked one for each whose incident is now
    neither as it was planned from nor as that run left it: somebody edited it in between. `current` is by
    key."""
    for each in changes:
        live = current.get(each.incident.key)
        edited = _edited_since_begun(each, live, memory.remembered(each.incident.key)) if live else ()
        yield _blocked_as_stale(each.incident, live, edited) if live and edited else each


def _edited_since_begun(
    change: Change, live: LiveIncident, known: Mapping[Attribute, Remembered]
) -> tuple[str, ...]:
    match change:
        case Update(changes=changes) | Adopt(changes=changes):
            planned = _planned_from(change, live)
            wanted = {each.attribute: each.after for each in changes}
        case Create() | Pending():
            own = {each: value for each, value in change.attributes.items() if not each.is_child}
            later = {each.attribute for each in after_creation(own)}
            planned = _PlannedFrom(dict.fromkeys(later), {})
            wanted = {each: value for each, value in own.items() if each in later or each in known}
        case NoOp() | Blocked():
            return ()
        case _:
            assert_never(change)
    left = {each: list(_left_by_run(value, known.get(each))) for each, value in wanted.items()}
    return _edited_labels(live, planned, left)


def _left_by_run(wanted: Value, known: Remembered | None) -> Iterator[Value]:
    """Yield what a run may have left of a value: as declared, as answered, and as a creation left a child."""
    yield wanted
    if isinstance(wanted, FollowUp):
        yield replace(wanted, status=NEW_FOLLOW_UP)
    if known is not None and _is_written(known.declared, wanted):
        yield known.answered


def _is_written(declared: Value, wanted: Value) -> bool:
    """Whether what was last written is what a plan wants, perhaps with its new options, or not yet the status
    of a child."""
    if isinstance(declared, Child) and isinstance(wanted, Child):
        return same(without_status(declared), without_status(wanted))
    if isinstance(wanted, tuple) and any(isinstance(each, NewOption) for each in wanted):
        return isinstance(declared, tuple) and set(map(_name, declared)) == set(map(_name, wanted))
    return same(declared, wanted)


def _name(option: Scalar) -> str:
    return option.name if isinstance(option, Entity | NewOption) else ""


def _blocked_as_stale(incident: Incident, live: LiveIncident, edited: Iterable[str]) -> Blocked:
    why = (
        f"{live.reference} was edited in incident.io after an earlier run of this plan began:"
        f" {', '.join(edited)}; make a new plan and review it"
    )
    return Blocked(incident, live.id, live.reference, "stale", why)


@dataclass(frozen=True, slots=True)
class _PlannedFrom:
    """The values that a plan was made from: what the account showed, and what was written to children that it
    did not list, which may have had more parts."""

    shown: Attributes
    written: Attributes


def _planned_from(change: Update | Adopt, live: LiveIncident) -> _PlannedFrom:
    """Return the values that an edit was planned from: those of the incident, unset or not, and of the
    children that it changes."""
    before, found = change.live.attributes, {each.attribute: each.before for each in change.changes}
    own = {each: before.get(each) for each in (*before, *live.attributes) if not each.is_child}
    unlisted = {each: value for each, value in found.items() if each.is_child and each not in before}
    return _PlannedFrom({**own, **without(found, *unlisted)}, unlisted)


def _edited_labels(
    live: LiveIncident, planned: _PlannedFrom, left: Mapping[Attribute, Iterable[Value]]
) -> tuple[str, ...]:
    """Return the labels of attributes that are neither as they were planned from nor as a run left them."""
    return tuple(
        each.label
        for each in sorted({**planned.shown, **planned.written, **left}, key=by_label)
        if each.field not in WRITE_ONLY_FIELDS and not _is_explained(each, live, planned, left.get(each, ()))
    )


def _is_explained(
    attribute: Attribute, live: LiveIncident, planned: _PlannedFrom, left: Iterable[Value]
) -> bool:
    now = live.attributes.get(attribute)
    if now is None and attribute.is_child:
        return True  # the list may lag, or people removed it: apply looks again, and names it
    if attribute in planned.shown and _is_as_shown(now, planned.shown[attribute]):
        return True
    written = [planned.written[attribute]] if attribute in planned.written else []
    return any(_has_parts(now, then) for then in (*written, *left))


def _is_as_shown(now: Value, then: Value) -> bool:
    """Whether a value is as it was shown, in its form and in all its parts."""
    return (
        _has_parts(now, then) and _has_parts(then, now) and _uncompared_parts(now) == _uncompared_parts(then)
    )


def _uncompared_parts(value: Value) -> tuple[object, ...]:
    """Return the parts of a child that do not count when it is compared with a declared one."""
    if not isinstance(value, Child):
        return ()
    return tuple(getattr(value, each.name) for each in fields(value) if not each.compare)


def _has_parts(now: Value, then: Value) -> bool:
    """Whether a value has all parts of another one, perhaps in another form."""
    if isinstance(now, PostmortemDocument) and isinstance(then, PostmortemDocument) and not now.content:
        now = replace(now, content=then.content)  # no list shows it
    return same(now, then) or is_same_form(now, then)


def unproven(
    edits: Iterable[Update | Adopt],
    current: Mapping[str, LiveIncident],
    memory: Memory,
    is_ours: Callable[[Incident, LiveIncident], bool],
) -> Iterator[str]:
    """Yield planned edits of incidents that neither the ledger nor, as `is_ours` tells, the incident itself
    shows to be those of their keys."""
    owners = {each.incident_id: each for each in memory.bindings.values()}
    for change in edits:
        key, planned, live = change.incident.key, change.live, current.get(change.incident.key)
        bound, owner = memory.bindings.get(key), owners.get(planned.id)
        if bound and bound.incident_id != planned.id:
            yield f"'{key}' was {planned.reference}, but is now bound to {bound.reference}"
        elif owner and owner.key != key:
            yield f"'{key}' was {planned.reference}, but that is now bound to '{owner.key}'"
        elif bound is None and live and not is_ours(change.incident, live):
            yield f"nothing proves any longer that {planned.reference} is '{key}'"
