"""The account's incidents -> a LiveIndex, from one list, or from a few look-ups by ID if that is cheaper.

A list costs one request per 250 incidents. A bound incident that is missing from the list is looked up by ID
before it counts as hidden, and children are read only if a plan needs more than the ledger knows of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, assert_never

from importer.model import (
    Adopt,
    Attribute,
    Blocked,
    Change,
    Child,
    ChildHistory,
    Create,
    Entity,
    Field,
    FollowUp,
    Incident,
    LiveChild,
    LiveIncident,
    Memory,
    NoOp,
    Pending,
    Remembered,
    Update,
)
from importer.model.errors import NotAvailable
from importer.model.identity import Marker, is_incident_id
from importer.model.values import cleared_parts
from importer.plan.differences import same
from importer.plan.matching import (
    Absent,
    Claimed,
    Conflict,
    Hidden,
    LiveIndex,
    Match,
    NotOurs,
    Ours,
    Sent,
    kind_of,
)
from importer.plan.recognition import other_postmortems, recognise

_FEW = 100
"""Up to this many incidents, it is worth a request to find out how long the list is."""

_PAGE = 250


class IncidentReader(Protocol):
    """The reads that a refresh needs."""

    def incident_count(self) -> int | None: ...
    def incidents(self) -> Iterator[LiveIncident]: ...
    def incident(self, id_or_number: str) -> LiveIncident | None: ...
    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...
    def status_page_incidents(self, page: Entity) -> tuple[LiveChild, ...]: ...
    def check_list(self, kind: Field | Entity) -> None: ...


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
    pages = _StatusPages(api, memory)
    for incident in declared:
        _add_children(incident, memory, index, pages)
    _check_lists(api, declared, index)
    return index


def _check_lists(api: IncidentReader, declared: Iterable[Incident], index: LiveIndex) -> None:
    """Note the kinds of children that new incidents have and that cannot be listed. Whether there are members
    is never shown."""
    new = (each for each in declared if isinstance(index.match(each), Absent | Sent))
    kinds = {kind_of(attribute) for each in new for attribute in each.attributes if attribute.is_child}
    for kind in sorted(kinds - {Field.MEMBER, Field.STATUS_PAGE} - index.listed, key=str):
        try:
            api.check_list(kind)
        except NotAvailable as error:
            index.mark_unlisted(None, kind, error.summary)


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


def present(api: IncidentReader, changes: Iterable[Change], memory: Memory) -> dict[str, LiveIncident]:
    """Return the incidents of changes as the account shows them now, by key, with the children that an edit
    changes. Those that are not visible are left out."""
    several = tuple(changes)
    ids = {each.incident.key: incident_id for each in several if (incident_id := _id_of(each, memory))}
    shown = by_id(api, ids.values())
    found = {key: shown[incident_id] for key, incident_id in ids.items() if incident_id in shown}
    index, pages = LiveIndex((), memory, None), _StatusPages(api, memory)
    for each in several:
        live = found.get(each.incident.key)
        if live and isinstance(each, Update | Adopt):
            wanted = {change.attribute for change in each.changes if change.attribute.is_child}
            children = _shown_children(each.incident, live, wanted, index, pages)
            found[each.incident.key] = replace(live, attributes={**live.attributes, **children})
    return found


def _id_of(change: Change, memory: Memory) -> str | None:
    match change:
        case Update(live=live) | Adopt(live=live):
            return live.id
        case Create(incident=incident) | Pending(incident=incident):
            bound = memory.bindings.get(incident.key)
            return bound.incident_id if bound else None
        case NoOp() | Blocked():
            return None
        case _:
            assert_never(change)


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


def _add_children(incident: Incident, memory: Memory, index: LiveIndex, pages: _StatusPages) -> None:
    """Add the listed children that a plan compares: those that the state does not know, and follow-ups that
    will be updated, as an update repeats all that is known of them."""
    declared = {each: value for each, value in incident.attributes.items() if isinstance(value, Child)}
    match = index.match(incident) if declared else None
    live = _readable(match, incident.key) if match else None
    if live is None:
        return
    known = memory.remembered(incident.key)
    wanted = {each for each, value in declared.items() if _is_read(each, value, known)}
    if wanted:
        is_ours = not isinstance(match, NotOurs)
        children = _shown_children(incident, live, wanted, index, pages, is_ours=is_ours)
        index.add(replace(live, attributes={**live.attributes, **children}))


def _shown_children(
    incident: Incident,
    live: LiveIncident,
    wanted: Collection[Attribute],
    index: LiveIndex,
    pages: _StatusPages,
    *,
    is_ours: bool = True,
) -> dict[Attribute, Child]:
    """Return those of the wanted children that the account lists. An incident that is not ours is compared
    and never edited, so anybody's child will do."""
    api, memory = pages.api, pages.memory
    declared = {each: value for each, value in incident.attributes.items() if isinstance(value, Child)}
    known, history = memory.remembered(incident.key), _history(incident.key, live, memory)
    found: dict[Attribute, Child] = {}
    for kind in sorted({attribute.field for attribute in wanted}):
        these = {attribute: value for attribute, value in declared.items() if attribute.field is kind}
        try:
            listed = (
                pages.of(these, incident.key) if kind is Field.STATUS_PAGE else _children(api, live, kind)
            )
        except NotAvailable as error:
            index.mark_unlisted(live, kind, error.summary)
            continue
        index.listed.update(map(kind_of, these))
        if not is_ours:
            listed = tuple(replace(each, is_foreign=False) for each in listed)
        recognised = recognise(these, listed, known=known, history=history)
        shown = recognised | other_postmortems(these, listed, recognised)
        found |= {attribute: child.value for attribute, child in shown.items() if attribute in wanted}
        pages.use(recognised)
    return found


def _history(key: str, live: LiveIncident, memory: Memory) -> ChildHistory:
    """Return what is known of an incident's children. All of it, if it is what a creation in doubt made."""
    history, doubt = memory.history(key), memory.sent.get(key)
    is_made = doubt is not None and doubt.precedes(live.created_at)
    return replace(history, is_whole=True) if is_made else history


def _children(api: IncidentReader, live: LiveIncident, field: Field) -> tuple[LiveChild, ...]:
    return api.children(live.id, frozenset({field}))


def _is_read(attribute: Attribute, value: Child, known: Mapping[Attribute, Remembered]) -> bool:
    before = known.get(attribute)
    is_new = before is None or bool(set(cleared_parts(value)) - set(cleared_parts(before.declared)))
    return is_new or (isinstance(value, FollowUp) and before is not None and not same(before.declared, value))


@dataclass(slots=True)
class _StatusPages:
    """The incidents of status pages, each page read once. One that belongs to another key is left out."""

    api: IncidentReader
    memory: Memory
    _listed: dict[Entity, tuple[LiveChild, ...]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def of(self, wanted: Iterable[Attribute], key: str) -> tuple[LiveChild, ...]:
        """Return the incidents of the pages that the attributes name. Raises NotAvailable."""
        pages = [each.key for each in wanted if isinstance(each.key, Entity)]
        for page in pages:
            if page not in self._listed:
                self._listed[page] = self.api.status_page_incidents(page)
        return tuple(
            each
            for page in pages
            for each in self._listed[page]
            if each.id not in self._used and self.memory.child_owner(each.id) in (None, key)
        )

    def use(self, recognised: Mapping[Attribute, LiveChild]) -> None:
        """Note children that have been recognised, so that no other incident has them too."""
        self._used |= {each.id for each in recognised.values()}


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
