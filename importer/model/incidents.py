"""Declared and live incidents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from importer.model.policy import Policy
from importer.model.values import Attribute, Attributes, Child, Field, Location


@dataclass(frozen=True, slots=True)
class Incident:
    """What a file declares. Before resolving, attributes hold `Reference`s; after it, `Entity`s."""

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
        """The earliest declared timestamp; creation follows it, so that numbers follow history."""
        return earliest(self.attributes)


def earliest(attributes: Attributes) -> datetime | None:
    """Return the earliest timestamp."""
    return min((value for value in attributes.values() if isinstance(value, datetime)), default=None)


def number_of(reference: str) -> int | None:
    """Return the n of INC-n. The prefix is not fixed."""
    digits = reference[len(reference.rstrip("0123456789")) :]
    return int(digits) if digits else None


@dataclass(frozen=True, slots=True)
class LiveIncident:
    """What the account holds. Moments are in UTC; `updated_at` is the server's own text, compared as such."""

    id: str
    reference: str
    mode: str
    created_at: datetime
    updated_at: str
    attributes: Attributes
    permalink: str = ""

    @property
    def number(self) -> int | None:
        return number_of(self.reference)

    @property
    def name(self) -> str:
        return str(self.attributes.get(Attribute(Field.NAME)) or "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to a creation. An incident older than `server_now`, the answer's own Date, by
    more than the request took was there already; None where the answer has no Date."""

    live: LiveIncident
    server_now: datetime | None


@dataclass(frozen=True, slots=True)
class LiveChild:
    """A child that the account holds. `id` is empty where the API does not tell it (a membership that was
    there already). A post-mortem's content is not listed and is empty here."""

    id: str
    attribute: Attribute
    value: Child
