"""An account as endpoints see it: its catalogue, store and clock, and which key may see which incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from importer.sandbox.access import ApiKey
from importer.sandbox.catalogue import Catalogue
from importer.sandbox.options import SandboxOptions
from importer.sandbox.problems import Problem, Refusal, forbidden, invalid, not_found
from importer.sandbox.records import StoredIncident, Wire
from importer.sandbox.rewriting import rewritten_child, rewritten_incident
from importer.sandbox.store import LATEST, Store


@dataclass(frozen=True, slots=True)
class Account:
    """What an endpoint works with. `clock` returns seconds since 1970."""

    catalogue: Catalogue
    store: Store
    options: SandboxOptions
    clock: Callable[[], float]

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self.clock() * 1000)

    def listed_until(self) -> int:
        """Return the time of the newest objects that lists show."""
        if not self.options.list_lag:
            return LATEST
        return self.now() - int(self.options.list_lag * 1000)

    def put_incident(self, sent: StoredIncident) -> StoredIncident:
        """Store an incident; return it as the answer to the write shows it."""
        stored = rewritten_incident(self.options, self.catalogue, sent)
        self.store.put_incident(stored)
        return stored if self.options.rewrites_on == "write" else sent

    def put_child(self, kind: str, owner: str, sent: Wire) -> Wire:
        """Store a child of an incident or a status page; return it as the answer to the write shows it."""
        stored = rewritten_child(self.options, kind, sent)
        self.store.put_child(kind, owner, stored, self.now())
        return stored if self.options.rewrites_on == "write" else sent

    def new_identifier(self) -> str:
        """Return an identifier for a new object; call it inside a transaction."""
        return self.store.new_identifier(self.now(), self.catalogue.dashboard_url)

    def incident_at(self, key: ApiKey, identifier: str) -> StoredIncident:
        """Return the incident that a path names by ID or by the number of its reference. Raises a 404."""
        is_number = identifier.isascii() and identifier.isdecimal() and len(identifier) < 19
        incident = (
            self.store.incident_numbered(int(identifier)) if is_number else self.store.incident(identifier)
        )
        if incident is None:
            raise not_found()
        if not may_see(key, incident):
            raise forbidden("incidents.view_private") if self.options.hidden_status == 403 else not_found()
        return incident

    def incident_in(self, key: ApiKey, identifier: str) -> StoredIncident:
        """Return the incident that a payload's `incident_id` names, by ID only. Raises a 422."""
        incident = self.store.incident(identifier)
        if incident is None or not may_see(key, incident):
            raise Refusal(422, "validation_error", [unknown("incident_id", identifier)])
        return incident

    def child_at(self, key: ApiKey, kind: str, identifier: str) -> tuple[StoredIncident, Wire]:
        """Return a child of an incident, with the incident. Raises a 404."""
        found = self.store.child(kind, identifier)
        if found is None:
            raise not_found()
        owner, wire = found
        return self.incident_at(key, owner), wire


def may_see(key: ApiKey, incident: StoredIncident) -> bool:
    """Return whether a key may see an incident: private ones need global access."""
    return key.sees_private or not incident.is_private


def unknown(field: str, identifier: str) -> Problem:
    """Return the problem of a `field` that holds an ID which nothing in the account has."""
    return invalid(field, f"{field}: nothing with the ID {identifier!r} exists")
