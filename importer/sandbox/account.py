"""An account as endpoints see it: its catalogue, its rows, its clock, and who may see which incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from importer.sandbox.access import ApiKey
from importer.sandbox.catalogue import Catalogue
from importer.sandbox.options import SandboxOptions
from importer.sandbox.problems import Problem, Refusal, invalid, not_found
from importer.sandbox.records import StoredIncident, Wire
from importer.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that an endpoint works with. Clock: seconds since 1970."""

    catalogue: Catalogue
    store: Store
    options: SandboxOptions
    clock: Callable[[], float]

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock() * 1000)

    def new_identifier(self) -> str:
        """An identifier for a new thing; belongs inside a transaction."""
        return self.store.new_identifier(self.now(), self.catalogue.dashboard_url)

    def incident_at(self, key: ApiKey, identifier: str) -> StoredIncident:
        """The incident of a path: its identifier, or the bare number of its reference. Raises the 404."""
        is_number = identifier.isascii() and identifier.isdecimal() and len(identifier) < 19
        incident = (
            self.store.incident_numbered(int(identifier)) if is_number else self.store.incident(identifier)
        )
        if incident is None or not may_see(key, incident):
            raise not_found()
        return incident

    def incident_in(self, key: ApiKey, identifier: str) -> StoredIncident:
        """The incident that a payload's `incident_id` names, by its identifier only. Raises the 422."""
        incident = self.store.incident(identifier)
        if incident is None or not may_see(key, incident):
            raise Refusal(422, "validation_error", [unknown("incident_id", identifier)])
        return incident

    def child_at(self, key: ApiKey, kind: str, identifier: str) -> tuple[StoredIncident, Wire]:
        """A thing that hangs on an incident, with it. Raises the 404."""
        found = self.store.child(kind, identifier)
        if found is None:
            raise not_found()
        owner, wire = found
        return self.incident_at(key, owner), wire


def may_see(key: ApiKey, incident: StoredIncident) -> bool:
    """Private incidents are for keys with global access."""
    return key.sees_private or not incident.is_private


def unknown(field: str, identifier: str) -> Problem:
    """A payload's `field` holds an identifier that nothing in the account has."""
    return invalid(field, f"{field}: nothing with the ID {identifier!r} exists")
