"""Declared and live incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from importer.model.forms import is_same_form
from importer.model.policy import Policy
from importer.model.values import Attribute, Attributes, Child, Field, Location


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that a file declares. Attributes hold `Reference`s before resolving, `Entity`s after it."""

    key: str
    external_id: int | None
    attributes: Attributes
    location: Location
    idempotency_key: str | None = None
    policy: Policy = field(default_factory=Policy, metadata={"json": None})

    @property
    def name(self) -> str:
        return str(self.attributes.get(Attribute(Field.NAME)) or "")

    @property
    def began(self) -> datetime | None:
        """The earliest declared timestamp. Incidents are created in this order, so that numbers follow it."""
        return earliest(self.attributes)


def earliest(attributes: Attributes) -> datetime | None:
    """Return the earliest timestamp, or None if there is none."""
    return min((value for value in attributes.values() if isinstance(value, datetime)), default=None)


def moments_of(attributes: Attributes) -> dict[Attribute, datetime]:
    """Return the timestamps."""
    return {attribute: value for attribute, value in attributes.items() if isinstance(value, datetime)}


def shared_moments(live: Attributes, declared: Attributes) -> frozenset[Attribute]:
    """Return the declared timestamps that an incident has, perhaps in the account's own form."""
    moments = moments_of(declared)
    return frozenset(each for each, at in moments.items() if is_same_form(live.get(each), at))


def number_of(reference: str) -> int | None:
    """Return the n of INC-n, with any prefix, or None if there is no number."""
    digits = reference[len(reference.rstrip("0123456789")) :]
    return int(digits) if digits else None


@dataclass(frozen=True, slots=True)
class LiveIncident:
    """An incident in the account. Times are in UTC; `updated_at` is the server's text, compared verbatim.
    `child_ids` has the IDs of those attributes that are children and were listed."""

    id: str
    reference: str
    mode: str
    created_at: datetime
    updated_at: str
    attributes: Attributes
    permalink: str = ""
    child_ids: Mapping[Attribute, str] = field(default_factory=dict, metadata={"json": None})

    @property
    def number(self) -> int | None:
        return number_of(self.reference)

    @property
    def name(self) -> str:
        return str(self.attributes.get(Attribute(Field.NAME)) or "")

    @property
    def last_edit(self) -> datetime | None:
        """The instant of `updated_at`, or None if it cannot be read."""
        try:
            moment = datetime.fromisoformat(self.updated_at)
        except ValueError:
            return None
        return moment if moment.tzinfo else None

    @property
    def described(self) -> str:
        """The reference, with the name if the incident is public."""
        is_public = self.attributes.get(Attribute(Field.VISIBILITY)) == "public"
        return f"{self.reference} ({self.name})" if is_public and self.name else self.reference


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to a creation. `server_now` is its Date header, None if it has none: an incident
    older than that by more than the request took already existed."""

    live: LiveIncident
    server_now: datetime | None


@dataclass(frozen=True, slots=True)
class LiveChild:
    """A child in the account. `id` is empty if the API does not return it (a membership that already
    existed). The content of a post-mortem is not listed and is empty here. It `is_foreign` if its creator is
    shown and is not an API key: a person, a workflow or an alert made it."""

    id: str
    attribute: Attribute
    value: Child
    is_foreign: bool = False
    created_at: datetime | None = None
