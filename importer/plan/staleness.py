"""A saved plan, the present state and account -> what changed since, so that it no longer holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from importer.model import (
    WRITE_ONLY_FIELDS,
    Adopt,
    Attribute,
    Binding,
    Blocked,
    Change,
    Child,
    Create,
    Incident,
    LiveIncident,
    Memory,
    NoOp,
    Pending,
    PostmortemDocument,
    Remembered,
    Update,
    Value,
)
from importer.model.forms import is_same_form
from importer.model.normalise import by_label
from importer.plan.differences import same
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, Match, NotOurs, Ours, Sent
from importer.plan.steps import after_creation, creation


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
    the plan does not change. `current` is by key, with the children that the plan changes."""
    for change in edits:
        key, planned, live = change.incident.key, change.live, current.get(change.incident.key)
        if live is None:
            yield f"'{key}' ({planned.reference}) is no longer visible to this API key"
        elif moved := _moved(live, _seen(change, live)):
            yield f"'{key}' ({planned.reference}) was edited since the plan was made: {', '.join(moved)}"


def without_overtaken(
    changes: Iterable[Change], current: Mapping[str, LiveIncident], memory: Memory
) -> Iterator[Change]:
    """Yield changes, those blocked that an earlier run of the same plan began and whose incident is now
    neither as it was planned from nor as that run left it: somebody edited it in between. `current` is by
    key, and has the incidents of the changes that a run began."""
    for each in changes:
        live = current.get(each.incident.key)
        moved = _overtaken(each, live, memory.remembered(each.incident.key)) if live else ()
        yield _left_alone(each.incident, live, moved) if live and moved else each


def _overtaken(change: Change, live: LiveIncident, known: Mapping[Attribute, Remembered]) -> tuple[str, ...]:
    match change:
        case Update(changes=changes) | Adopt(changes=changes):
            allowed = _seen(change, live)
            for each in changes:
                allowed[each.attribute].append(each.after)
        case Create() | Pending():
            later = after_creation(change.attributes)
            allowed = {each.attribute: [None, each.after] for each in later if not each.attribute.is_child}
            sent = creation(change).attributes.items()
            allowed |= {attribute: [value] for attribute, value in sent if attribute in known}
        case NoOp() | Blocked():
            return ()
        case _:
            assert_never(change)
    for attribute, remembered in known.items():
        if attribute in allowed:
            allowed[attribute] += [remembered.declared, remembered.answered]
    return _moved(live, allowed)


def _left_alone(incident: Incident, live: LiveIncident, moved: Iterable[str]) -> Blocked:
    why = (
        f"{live.reference} was edited in incident.io since an earlier run of this plan began it:"
        f" {', '.join(moved)}; make a new plan and review it"
    )
    return Blocked(incident, live.id, live.reference, "stale", why)


def _seen(change: Update | Adopt, live: LiveIncident) -> dict[Attribute, list[Value]]:
    """Return what the plan has seen of an incident, unset or not, and of the children that it changes."""
    own = {each for each in (*change.live.attributes, *live.attributes) if not each.is_child}
    seen = {each: [change.live.attributes.get(each)] for each in own}
    return seen | {each.attribute: [each.before] for each in change.changes}


def _moved(live: LiveIncident, allowed: Mapping[Attribute, Iterable[Value]]) -> tuple[str, ...]:
    """Return the labels of attributes that have none of their allowed values."""
    return tuple(
        each.label
        for each in sorted(allowed, key=by_label)
        if each.field not in WRITE_ONLY_FIELDS
        and not any(_is_as_it_was(live.attributes.get(each), then) for then in allowed[each])
    )


def _is_as_it_was(now: Value, then: Value) -> bool:
    if isinstance(now, PostmortemDocument) and isinstance(then, PostmortemDocument) and not now.content:
        now = replace(now, content=then.content)  # no list shows it
    if isinstance(then, Child) and now is None:
        return True  # the list may lag, or people removed it: apply looks again, and names it
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
