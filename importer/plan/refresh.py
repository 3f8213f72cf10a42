"""The account's incidents -> a LiveIndex, from one list, or from a few look-ups by ID if that is cheaper.

A list costs one request per 250 incidents. A bound incident that is missing from the list is looked up by ID
before it counts as hidden, and children are read only if the ledger does not know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol, assert_never

from importer.model import Field, Incident, LiveChild, LiveIncident, Memory
from importer.model.errors import NotAvailable
from importer.model.identity import Marker, is_incident_id
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, LiveIndex, Match, NotOurs, Ours, Sent

_FEW = 100
"""Up to this many incidents, it is worth a request to find out how long the list is."""

_PAGE = 250


class IncidentReader(Protocol):
    """The reads that a refresh needs."""

    def incident_count(self) -> int | None: ...
    def incidents(self) -> Iterator[LiveIncident]: ...
    def incident(self, id_or_number: str) -> LiveIncident | None: ...
    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...


def refresh(
    api: IncidentReader, incidents: Iterable[Incident], memory: Memory, marker: Marker | None
) -> LiveIndex:
    """Return the live incidents that the declared ones may match."""
    declared = tuple(incidents)
    bound = [memory.bindings[each.key].incident_id for each in declared if each.key in memory.bindings]
    pulled = {each.key for each in declared if is_incident_id(each.key)} - memory.bindings.keys()
    if _is_cheaper_one_by_one(api, len(declared), len(bound)):
        index = LiveIndex(_looked_up(api, bound), memory, marker)
    else:
        index = LiveIndex(_listed(api, bound, pulled), memory, marker, is_whole=True)
    for incident in declared:
        _add_children(api, incident, memory, index)
    return index


def by_id(api: IncidentReader, incident_ids: Iterable[str]) -> dict[str, LiveIncident]:
    """Return the present incidents by ID, without those that are not visible."""
    wanted = set(incident_ids)
    found: dict[str, LiveIncident] = {}
    if len(wanted) > _FEW:
        found = {live.id: live for live in api.incidents() if live.id in wanted}
    for incident_id in sorted(wanted - found.keys()):
        live = api.incident(incident_id)
        if live:
            found[incident_id] = live
    return found


def _listed(api: IncidentReader, bound: list[str], pulled: set[str]) -> Iterator[LiveIncident]:
    """Yield the listed incidents, and those that are missing from the list but should be in it. `pulled` ones
    are expected only if one of them is listed; otherwise they come from another account."""
    listed = set[str]()
    for live in api.incidents():
        listed.add(live.id)
        yield live
    expected = [*bound, *(sorted(pulled) if pulled & listed else ())]
    yield from _looked_up(api, (each for each in expected if each not in listed))


def _looked_up(api: IncidentReader, incident_ids: Iterable[str]) -> Iterator[LiveIncident]:
    for incident_id in incident_ids:
        if found := api.incident(incident_id):
            yield found


def _is_cheaper_one_by_one(api: IncidentReader, declared: int, bound: int) -> bool:
    """Whether look-ups cost less than the list; only bound incidents have an ID to look up."""
    if not 0 < declared == bound <= _FEW:
        return False
    count = api.incident_count()
    return count is not None and declared < count / _PAGE


def _add_children(api: IncidentReader, incident: Incident, memory: Memory, index: LiveIndex) -> None:
    children = {attribute for attribute in incident.attributes if attribute.is_child}
    live = _readable(index.match(incident), incident.key) if children else None
    if live is None:
        return
    unknown = children - memory.remembered(incident.key).keys()
    attributes = dict(live.attributes)
    for field in sorted({attribute.field for attribute in unknown}):
        try:
            found = api.children(live.id, frozenset({field}))
        except NotAvailable:
            index.mark_unread(live, field)
            continue
        attributes |= {each.attribute: each.value for each in found if each.attribute in unknown}
    if unknown:
        index.add(replace(live, attributes=attributes))


def _readable(match: Match, key: str) -> LiveIncident | None:
    """Return the incident whose children a plan compares."""
    match match:
        case Ours(live=live) | Claimed(live=live):
            return live
        case NotOurs(live=live):
            return live if live.id == key else None  # a pulled incident is unchanged or blocked
        case Hidden() | Conflict() | Sent() | Absent():
            return None
        case _:
            assert_never(match)
