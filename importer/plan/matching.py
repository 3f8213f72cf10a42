"""Declared and live incidents -> which live incident a declared one is, and whether it is ours to edit.

An incident is ours if the ledger binds it, if its marker field holds the key, or if somebody adopted it. An
equal number (INC-48) or name is never proof: an incident found that way may only be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from importer.model import Attribute, Binding, Entity, Field, Incident, LiveIncident, Memory
from importer.model.forms import plain_form
from importer.model.identity import Marker
from importer.model.incidents import moments_of, shared_moments


@dataclass(frozen=True, slots=True)
class Ours:
    """The importer created the incident, or applied its adoption."""

    live: LiveIncident


@dataclass(frozen=True, slots=True)
class Claimed:
    """The incident was adopted, and no apply has brought it up to date yet."""

    live: LiveIncident


@dataclass(frozen=True, slots=True)
class Hidden:
    """The incident is ours, but the API key cannot see it. That does not prove that it is gone."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class NotOurs:
    """An incident has the declared number, its ID is the declared key, or it resembles the declared one, but
    nothing proves that it is ours. `owner` is its key, if any; `mark` is the text in the marker field if it
    is of another namespace."""

    live: LiveIncident
    owner: str | None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """The ledger and the marker field point at different incidents; `explanation` completes a sentence."""

    explanation: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The creation was sent, but not confirmed. Only the same idempotency key can settle it: another one,
    after a change of namespace, would create a second incident. `resembles` are incidents with the same name
    and timestamps: one of them may be the one created. `content` is the body that was sent, if known."""

    idempotency_key: str
    resembles: tuple[NotOurs, ...] = ()
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The account lacks the incident. `resembles` are incidents with the same name and timestamps."""

    resembles: tuple[NotOurs, ...]


Match = Ours | Claimed | Hidden | NotOurs | Conflict | Sent | Absent


class LiveIndex:
    """The live incidents, indexed by everything that can identify them. `is_whole` means that these are all
    that the account shows, not only selected ones; `listed` are the kinds of children that
    were listed, and the status pages."""

    def __init__(
        self, live: Iterable[LiveIncident], memory: Memory, marker: Marker | None, *, is_whole: bool = False
    ) -> None:
        self.is_whole = is_whole
        self._memory = memory
        self._marker = marker
        self._owners = {each.incident_id: each.key for each in memory.bindings.values()}
        self._by_id: dict[str, LiveIncident] = {}
        self._by_number: dict[int, LiveIncident] = {}
        self._by_mark: defaultdict[str, dict[str, LiveIncident]] = defaultdict(dict)
        self._by_name: defaultdict[str, dict[str, LiveIncident]] = defaultdict(dict)
        self.listed: set[Field | Entity] = set()
        self._unlisted: dict[tuple[str, Field | Entity], str] = {}
        for each in live:
            self.add(each)

    def add(self, live: LiveIncident) -> None:
        """Add a live incident, or replace it by a later version: a list may show an incident twice."""
        earlier = self._by_id.get(live.id)
        for bucket in self._buckets(earlier) if earlier else ():
            del bucket[live.id]
        for bucket in self._buckets(live):
            bucket[live.id] = live
        self._by_id[live.id] = live
        if live.number is not None:
            self._by_number[live.number] = live

    def live(self) -> Iterator[LiveIncident]:
        """Yield each live incident once, in its latest version."""
        return iter(self._by_id.values())

    def mark_unlisted(self, live: LiveIncident | None, kind: Field | Entity, reason: str) -> None:
        """Record why this key cannot list children of a kind, of one incident or of any new one."""
        self._unlisted[live.id if live else "", kind] = reason

    def unlisted(self, live: LiveIncident, field: Field) -> str | None:
        """Return why this key cannot list an incident's children of a kind, or None if it can."""
        return self._unlisted.get((live.id, field))

    def unlisted_kind(self, kind: Field | Entity) -> str | None:
        """Return why this key cannot list children of a kind of a new incident, or None if it can."""
        return self._unlisted.get(("", kind))

    def match(self, incident: Incident) -> Match:
        """Find the live incident that a declared one is, and on what evidence."""
        conflict = self._conflict(incident.key)
        if conflict:
            return conflict
        binding = self._memory.bindings.get(incident.key)
        if binding:
            return self._bound(binding)
        carrying = self._carrying(incident.key)
        if carrying:
            return Ours(carrying[0])
        if incident.key in self._memory.sent:
            sent = self._memory.sent[incident.key]
            return Sent(sent.idempotency_key, self._alike(incident), sent.content)
        candidate = self._candidate(incident)
        if candidate:
            return self._not_ours(candidate)
        return Absent(self._alike(incident))

    def _candidate(self, incident: Incident) -> LiveIncident | None:
        """Return the incident that a key or number suggests without proof. The key of a pulled incident is
        its ID, so its own account finds it under any number."""
        numbered = self._by_number.get(incident.external_id) if incident.external_id else None
        return self._by_id.get(incident.key) or numbered

    def _bound(self, binding: Binding) -> Match:
        live = self._by_id.get(binding.incident_id)
        if live is None:
            return Hidden(binding)
        return Ours(live) if binding.settled else Claimed(live)

    def _conflict(self, key: str) -> Conflict | None:
        """Return the conflict if a key does not identify exactly one incident."""
        binding, carriers = self._memory.bindings.get(key), self._carrying(key)
        if len(carriers) > 1:
            references = ", ".join(each.reference for each in carriers)
            return Conflict(f"several incidents have it in the marker field: {references}")
        carrier = carriers[0] if carriers else None
        if binding is None:
            owner = self._owners.get(carrier.id) if carrier else None
            if carrier and owner:
                return Conflict(
                    f"the marker field puts it on {carrier.reference}, which the state binds to key '{owner}'"
                )
            return None
        if carrier and carrier.id != binding.incident_id:
            return Conflict(
                f"the state binds it to {binding.reference}, the marker field puts it on {carrier.reference}"
            )
        live = self._by_id.get(binding.incident_id)
        mark = self._mark(live) if live else None
        if mark and not self._is_mark_of(key, mark):
            return Conflict(f"the state binds it to {binding.reference}, whose marker field has '{mark}'")
        return None

    def _is_mark_of(self, key: str, mark: str) -> bool:
        """Whether a mark on the incident that the state binds to a key is that key's: as it would be written
        now, as a bare key, which earlier versions wrote in every namespace, or as the account stored it."""
        marker = self._marker
        if marker is None or marker.form(mark) in map(marker.form, (marker.text(key), key)):
            return True
        known = self._memory.remembered(key).get(marker.attribute)
        return known is not None and known.answered == mark

    def _carrying(self, key: str) -> tuple[LiveIncident, ...]:
        """Return the incidents that carry a key: exactly, or else in the account's form."""
        marker = self._marker
        if marker is None:
            return ()
        found = tuple(self._by_mark.get(marker.form(marker.text(key)), {}).values())
        return tuple(each for each in found if self._mark(each) == marker.text(key)) or found

    def _not_ours(self, live: LiveIncident) -> NotOurs:
        mark = self._mark(live)
        owner = self._owners.get(live.id) or (self._marker.key(mark) if self._marker and mark else None)
        return NotOurs(live, owner, None if owner else mark)

    def _buckets(self, live: LiveIncident) -> Iterator[dict[str, LiveIncident]]:
        yield self._by_name[plain_form(live.name)]
        mark = self._mark(live)
        if mark and self._marker:
            yield self._by_mark[self._marker.form(mark)]

    def _mark(self, live: LiveIncident) -> str | None:
        return self._marker.read(live) if self._marker else None

    def _alike(self, incident: Incident) -> tuple[NotOurs, ...]:
        return tuple(map(self._not_ours, self._resembling(incident)))

    def _resembling(self, incident: Incident) -> Iterator[LiveIncident]:
        declared = moments_of(incident.attributes)
        if declared:
            for each in self._by_name.get(plain_form(incident.name), {}).values():
                if shared_moments(each.attributes, incident.attributes) == declared.keys():
                    yield each


def kind_of(child: Attribute) -> Field | Entity:
    """Return what children are listed by: their kind, or the status page."""
    if child.field is Field.STATUS_PAGE and isinstance(child.key, Entity):
        return child.key
    return child.field
