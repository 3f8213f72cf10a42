"""The account's incidents as a Census: one list, or a few look-ups where that is cheaper.

A list costs a request for 250 incidents. What the list does not show is looked up by ID before anybody
concludes that it is gone, and children are read only where the ledger does not know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from importer.errors import NotAvailable
from importer.matching import Census, Claimed, Memory, Ours
from importer.model import Entity, Field, Incident, LiveChild, LiveIncident

_FEW = 100
"""Up to so many incidents it is worth a request to learn how long the list is."""

_PAGE = 250


class Api(Protocol):
    """What a refresh asks of the account."""

    def incident_count(self) -> int | None: ...

    def incidents(self) -> Iterator[LiveIncident]: ...

    def incident(self, id_or_number: str) -> LiveIncident | None: ...

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...


def refresh(api: Api, incidents: Iterable[Incident], memory: Memory, marker: Entity | None) -> Census:
    """Return what the account holds, as far as the incidents can be concerned by it."""
    declared = tuple(incidents)
    census = Census(_live(api, declared, memory), memory, marker)
    for incident in declared:
        _see_children(api, incident, memory, census)
    return census


def by_id(api: Api, incident_ids: Iterable[str]) -> dict[str, LiveIncident]:
    """Return incidents as they are now, by ID; those that are not visible are absent."""
    wanted = set(incident_ids)
    found: dict[str, LiveIncident] = {}
    if len(wanted) > _FEW:
        found = {live.id: live for live in api.incidents() if live.id in wanted}
    for incident_id in sorted(wanted - found.keys()):
        live = api.incident(incident_id)
        if live:
            found[incident_id] = live
    return found


def _live(api: Api, declared: tuple[Incident, ...], memory: Memory) -> Iterator[LiveIncident]:
    bound = [memory.bindings[each.key].incident_id for each in declared if each.key in memory.bindings]
    listed: set[str] = set()
    if not _is_cheaper_one_by_one(api, len(declared), len(bound)):
        for live in api.incidents():
            listed.add(live.id)
            yield live
    for incident_id in bound:
        if incident_id not in listed and (found := api.incident(incident_id)):
            yield found


def _is_cheaper_one_by_one(api: Api, declared: int, bound: int) -> bool:
    """Only what is bound can be looked up: a new key may be in the account under any ID."""
    if not 0 < declared == bound <= _FEW:
        return False
    count = api.incident_count()
    return count is not None and declared < count / _PAGE


def _see_children(api: Api, incident: Incident, memory: Memory, census: Census) -> None:
    children = {attribute for attribute in incident.attributes if attribute.is_child}
    match = census.match(incident) if children else None
    if not isinstance(match, Ours | Claimed):
        return
    unknown = children - memory.remembered(incident.key).keys()
    attributes = dict(match.live.attributes)
    for field in sorted({attribute.field for attribute in unknown}):
        try:
            found = api.children(match.live.id, frozenset({field}))
        except NotAvailable:
            census.see_unread(match.live, field)
            continue
        attributes |= {each.attribute: each.value for each in found if each.attribute in unknown}
    if unknown:
        census.see(replace(match.live, attributes=attributes))
