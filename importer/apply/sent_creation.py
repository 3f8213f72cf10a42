"""A creation and a live incident -> whether the incident is what the creation made. Pure.

Accounts may store texts and links in another form, so forms are ignored here: what is compared is evidence,
not a value that an edit would set.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    Attributes,
    Change,
    Create,
    Entity,
    Field,
    Kind,
    LiveIncident,
    NewOption,
    Pending,
    Unanswered,
    Value,
)
from importer.model.forms import is_same_form, is_similar_value, plain_form
from importer.model.identity import Marker
from importer.model.incidents import moments_of, shared_moments
from importer.plan.differences import same, without
from importer.plan.steps import creation
from importer.wire.sent import sent_attributes, sent_number

_NAME = Attribute(Field.NAME)


@dataclass(frozen=True, slots=True)
class SentCreation:
    """A creation as it was sent: the key, what its body declares, and its number, if any."""

    key: str
    declared: Attributes
    number: int | None

    @property
    def name(self) -> str:
        return plain_form(str(self.declared.get(_NAME) or ""))

    def made(self, live: LiveIncident) -> bool:
        """Whether an incident has everything that was sent."""
        return self.number in (None, live.number) and self._is_held(live, self.declared)

    def content_in(self, live: LiveIncident) -> bool:
        """Whether an incident has everything that was sent, but may have another number or be visible to
        others: a server that does not do as it was asked may have made it."""
        return self._is_held(live, without(self.declared, Attribute(Field.VISIBILITY)))

    def _is_held(self, live: LiveIncident, declared: Attributes) -> bool:
        held = _by_role(live.attributes)
        return all(_agree(held.get(each), value) for each, value in declared.items())

    def looks_like(self, live: LiveIncident) -> bool:
        """Whether an incident has the name and all timestamps that were sent."""
        has_moments = self._shared_with(live) == moments_of(self.declared).keys()
        return has_moments and self.name == plain_form(live.name)

    def resembles(self, live: LiveIncident, marker: Marker | None) -> bool:
        """Whether an incident that answers the creation's idempotency key can be this one: it has the name,
        one of the timestamps, or the marker."""
        if marker and marker.carries(live, self.key):
            return True
        return bool(self._shared_with(live)) or self.name == plain_form(live.name)

    def _shared_with(self, live: LiveIncident) -> frozenset[Attribute]:
        return shared_moments(live.attributes, self.declared)


@dataclass(slots=True)
class Rivals:
    """The creations that are declared in a plan or in doubt, to tell which of them made an incident. One that
    `is_bound` to its incident by now made no other."""

    changes: Iterable[Change]
    unanswered: Mapping[str, Unanswered]
    is_bound: Callable[[str], bool]
    _by_name: dict[str, list[SentCreation]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, sent: SentCreation) -> Iterator[SentCreation]:
        """Yield the creations of other keys that may have the same name."""
        with self._lock:
            if self._by_name is None:
                self._by_name = self._indexed()
        for each in (*self._by_name.get(sent.name, ()), *self._by_name.get("", ())):
            if each.key != sent.key and not self.is_bound(each.key):
                yield each

    def _indexed(self) -> dict[str, list[SentCreation]]:
        found: defaultdict[str, list[SentCreation]] = defaultdict(list)
        for each in self._all():
            found[each.name].append(each)
        return found

    def _all(self) -> Iterator[SentCreation]:
        """Yield every creation. One that was sent with unknown content may have made anything."""
        for key, doubt in self.unanswered.items():
            if doubt.content is None:
                yield SentCreation(key, {}, None)
            else:
                yield sent_creation(key, json.loads(doubt.content))
        for change in self.changes:
            if isinstance(change, Create | Pending) and change.incident.key not in self.unanswered:
                attributes = _by_role(readable(creation(change).attributes))
                known = {each: value for each, value in attributes.items() if not _is_open(value)}
                yield SentCreation(change.incident.key, known, change.incident.external_id)


def _is_open(value: Value) -> bool:
    """Whether a value has an option that is not created yet."""
    return isinstance(value, tuple) and any(isinstance(each, NewOption) for each in value)


def sent_creation(key: str, body: Mapping[str, Any]) -> SentCreation:
    """Return the creation with this body."""
    return SentCreation(key, sent_attributes(dict(body)), sent_number(dict(body)))


def readable(attributes: Attributes) -> Attributes:
    """Leave out attributes that answers never show."""
    return {a: value for a, value in attributes.items() if a.field not in WRITE_ONLY_FIELDS}


def _agree(held: Value, sent: Value) -> bool:
    return same(held, sent) or is_same_form(held, sent) or is_similar_value(held, sent)


def _by_role(attributes: Attributes) -> Attributes:
    """Return the attributes with the reporter's role like any other: a body does not tell which it is."""
    return {
        Attribute(each.field, Entity(Kind.ROLE, each.key.id, each.key.name))
        if isinstance(each.key, Entity) and each.key.kind is Kind.REPORTER
        else each: value
        for each, value in attributes.items()
    }
