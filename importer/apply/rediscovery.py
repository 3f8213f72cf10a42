"""A creation in doubt -> the incident that it made, if that is certain, by a look at the account.

A creation is in doubt if its request left and no answer told what became of it. Whether the server remembers
its idempotency key is not documented, so the account is looked at before anything is sent again.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from importer.apply.answers import is_older
from importer.apply.sent_creation import SentCreation
from importer.model import LiveIncident, Unanswered
from importer.model.forms import is_similar_text, plain_form
from importer.model.identity import Marker

_GREATEST_SKEW = timedelta(minutes=10)
"""How far the server's Date may be ahead of the time of creation. What is within it may be meant, but is not
certain."""


class IncidentFinder(Protocol):
    """What a look requires of the account."""

    def newest_incidents(self) -> Iterator[LiveIncident]: ...
    def incident(self, id_or_number: str) -> LiveIncident | None: ...


@dataclass(frozen=True, slots=True)
class Certain:
    """The incident that a creation made: nothing else can be meant."""

    live: LiveIncident


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Incidents that a creation may have made; nothing proves it."""

    candidates: tuple[LiveIncident, ...]


Sighting = Certain | Uncertain | None
"""What a look at the account shows; None if it shows nothing that can be meant."""


@dataclass(slots=True)
class Rediscovery:
    """Looks for incidents, from any number of threads.

    `owner` returns the key that the state binds an incident to; `rivals` returns the creations of other keys
    that are declared or in doubt.
    """

    api: IncidentFinder
    owner: Callable[[str], str | None]
    marker: Marker | None
    rivals: Callable[[SentCreation], Iterable[SentCreation]]
    _listed: Mapping[str, Sequence[LiveIncident]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, sent: SentCreation, doubt: Unanswered) -> Sighting:
        """Return what the account shows of a creation in doubt.

        That costs one request, unless more than a page of incidents came into being since it was first sent,
        and another one for a number of its own. An incident is certain if it carries the key, or if it alone
        has everything that was sent, came into being after the first sending, and no other creation can have
        made it.
        """
        if doubt.first_sent is None:
            return self.look_everywhere(sent, doubt)
        return self._sighting(sent, doubt, (*self._numbered(sent), *self._newest(doubt)))

    def look_everywhere(self, sent: SentCreation, doubt: Unanswered) -> Sighting:
        """Return what the whole account shows. It is listed once for all creations, and again if the list
        shows nothing."""
        numbered = tuple(self._numbered(sent))
        with self._lock:
            found = self._sighting(sent, doubt, (*numbered, *self._in_list(sent)))
            if found is None:
                self._listed = self._list()
                found = self._sighting(sent, doubt, (*numbered, *self._in_list(sent)))
        return found

    def _list(self) -> Mapping[str, Sequence[LiveIncident]]:
        """Return the account's incidents by name, and by the text in the marker field."""
        found: defaultdict[str, list[LiveIncident]] = defaultdict(list)
        for each in self.api.newest_incidents():
            mark = self.marker.read(each) if self.marker else None
            for word in {plain_form(each.name), plain_form(mark or "")}:
                found[word].append(each)
        return found

    def _in_list(self, sent: SentCreation) -> Iterator[LiveIncident]:
        for word in {sent.name, plain_form(self.marker.text(sent.key)) if self.marker else sent.name}:
            yield from self._listed.get(word, ())

    def _numbered(self, sent: SentCreation) -> Iterator[LiveIncident]:
        live = self.api.incident(str(sent.number)) if sent.number is not None else None
        if live and live.number == sent.number:
            yield live

    def _newest(self, doubt: Unanswered) -> Iterator[LiveIncident]:
        for each in self.api.newest_incidents():
            if doubt.first_sent and is_older(each, doubt.first_sent - _GREATEST_SKEW):
                return
            yield each

    def _sighting(self, sent: SentCreation, doubt: Unanswered, incidents: Iterable[LiveIncident]) -> Sighting:
        possible = {each.id: each for each in incidents if self._can_be(sent, each)}
        unowned = [each for each in possible.values() if self.owner(each.id) is None]
        candidates = tuple(sorted(unowned, key=lambda each: (each.created_at, each.id)))
        carriers = [each for each in candidates if self.marker and self.marker.carries(each, sent.key)]
        if len(carriers) == 1:
            return Certain(carriers[0])
        if len(candidates) == 1 and not carriers and self._is_proven(sent, candidates[0], doubt):
            return Certain(candidates[0])
        return Uncertain(candidates) if candidates else None

    def _can_be(self, sent: SentCreation, live: LiveIncident) -> bool:
        """Whether an incident carries the key, or looks like the one that was sent and carries no other."""
        looks_like_it = sent.looks_like(live) or sent.made(live)
        if self.marker and self._has_other_mark(sent, live):
            # Until an answer has shown that the account changes the case, another case alone proves nothing.
            return looks_like_it and is_similar_text(self.marker.read(live) or "", self.marker.text(sent.key))
        return looks_like_it or bool(self.marker and self.marker.carries(live, sent.key))

    def _has_other_mark(self, sent: SentCreation, live: LiveIncident) -> bool:
        mark = self.marker.read(live) if self.marker else None
        return bool(self.marker and mark and not self.marker.carries(live, sent.key))

    def _is_proven(self, sent: SentCreation, live: LiveIncident, doubt: Unanswered) -> bool:
        if doubt.first_sent is None or is_older(live, doubt.first_sent) or self._has_other_mark(sent, live):
            return False
        rivals = tuple(self.rivals(sent))
        if sent.made(live):
            return not any(each.made(live) for each in rivals)
        return sent.content_in(live) and not any(each.content_in(live) for each in rivals)


def newest_carrier(
    api: IncidentFinder, marker: Marker, keys: Collection[str], *, now: datetime | None
) -> LiveIncident | None:
    """Return a new incident that carries one of these keys. `now` is the server's time; without it, the whole
    account is looked through."""
    forms = {marker.form(marker.text(key)) for key in keys}
    for live in api.newest_incidents():
        if marker.form(marker.read(live) or "") in forms:
            return live
        if now and is_older(live, now - _GREATEST_SKEW):
            return None
    return None
