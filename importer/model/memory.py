"""What the ledger knows of declared and live incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from importer.model.values import Attribute, Value


@dataclass(frozen=True, slots=True)
class Binding:
    """A pair of key and incident. An adoption is `settled` once an apply has brought it up to date."""

    key: str
    incident_id: str
    reference: str
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last declared value of one attribute, and the account's answer to it."""

    declared: Value
    answered: Value


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that was sent and not answered: its idempotency key, its body, and the server's time when it
    was first sent. A state that was imported from another machine may lack the last two."""

    idempotency_key: str
    content: str | None = None
    first_sent: datetime | None = field(default=None, compare=False, metadata={"json": None})


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger knows. `sent` has the keys whose creation was sent and never answered, each with its
    request; `remembered` returns the last declared and answered values of one key."""

    bindings: Mapping[str, Binding]
    sent: Mapping[str, Unanswered]
    remembered: Callable[[str], Mapping[Attribute, Remembered]]
