"""What the ledger knows of declared and live incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importer.model.values import Attribute, Value


@dataclass(frozen=True, slots=True)
class Binding:
    """A known pair of key and incident. An adoption is `settled` once an apply has brought it up to date."""

    key: str
    incident_id: str
    reference: str
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was last declared of one attribute, and what the account answered to it."""

    declared: Value
    answered: Value


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that left and that nobody answered: its idempotency key, and its body as it was sent, where
    that is known: a state that came from elsewhere does not tell."""

    idempotency_key: str
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger knows. `sent` are keys whose creation left and was never answered, each with what it
    carried; `remembered` gives the last declared and answered values of one key."""

    bindings: Mapping[str, Binding]
    sent: Mapping[str, Unanswered]
    remembered: Callable[[str], Mapping[Attribute, Remembered]]
