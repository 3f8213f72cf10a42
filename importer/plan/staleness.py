"""A saved plan, the present state and account -> what changed since, so that it no longer holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import assert_never

from importer.model import Adopt, Binding, Create, Incident, LiveIncident, Memory, Pending, Update
from importer.plan.differences import differences
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, Match, NotOurs, Ours, Sent
from importer.plan.steps import creation


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
    """Yield planned edits whose incident was edited since, with the fields. `current` is by ID."""
    for change in edits:
        key, planned, live = change.incident.key, change.live, current.get(change.live.id)
        if live is None:
            yield f"'{key}' ({planned.reference}) is no longer visible to this API key"
        elif live.updated_at != planned.updated_at:
            attributes = {each for each in (*planned.attributes, *live.attributes) if not each.is_child}
            seen = {each: planned.attributes.get(each) for each in attributes}
            fields = [each.attribute.label for each in differences(live.attributes, seen)]
            what = ", ".join(fields) or "a field that the plan does not know"
            yield f"'{key}' ({planned.reference}) was edited at {live.updated_at}: {what}"


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
        key, planned, live = change.incident.key, change.live, current.get(change.live.id)
        bound, owner = memory.bindings.get(key), owners.get(planned.id)
        if bound and bound.incident_id != planned.id:
            yield f"'{key}' was {planned.reference}, but is now bound to {bound.reference}"
        elif owner and owner.key != key:
            yield f"'{key}' was {planned.reference}, but that is now bound to '{owner.key}'"
        elif bound is None and live and not is_ours(change.incident, live):
            yield f"nothing proves any longer that {planned.reference} is '{key}'"
