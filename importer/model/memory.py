"""What the ledger knows of declared and live incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from importer.model.incidents import LiveIncident
from importer.model.values import Attribute, Value


@dataclass(frozen=True, slots=True)
class Binding:
    """A pair of key and incident. An adoption is `settled` once an apply has brought it up to date.
    `written_at` is the time stamp in the account's answer to the last write, if that is known."""

    key: str
    incident_id: str
    reference: str
    settled: bool = True
    written_at: datetime | None = field(default=None, compare=False)

    def was_last_to_write(self, live: LiveIncident) -> bool:
        """Whether nobody edited the incident since this importer last wrote it."""
        edited, written = live.last_edit, self.written_at
        return edited is not None and written is not None and edited <= written


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last declared value of one attribute, and the account's answer to it; for a child also its ID, if
    an answer or a list showed it. `refused` is the reason if the account did not take or
    keep the value."""

    declared: Value
    answered: Value
    child_id: str | None = None
    refused: str | None = None

    def was_refused(self, value: Value) -> bool:
        """Whether this is the value that the account refused."""
        return self.refused is not None and self.declared == value


@dataclass(frozen=True, slots=True)
class SentStep:
    """A request that was sent and not answered: when it was first sent, by the server's clock if that is
    known, when it was last sent, by ours, and its body, if the state has it."""

    first_at: datetime
    at: datetime
    content: str | None = None


@dataclass(frozen=True, slots=True)
class ChildHistory:
    """What the state knows of the creation of an incident's children. `sent` has those that were sent and not
    answered, by the name of their step. If the history `is_whole`, this state created the incident, so a
    child that it does not know was not sent by it."""

    sent: Mapping[str, SentStep] = field(default_factory=dict)
    is_whole: bool = False


CLOCK_SLACK = timedelta(seconds=2)
"""The Date header has whole seconds, and so may the incident's creation time, which another machine sets."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that was sent and not answered: its idempotency key (empty without one), its body, and the
    server's time when it was first sent. A state that was imported from another machine may lack the last
    two."""

    idempotency_key: str
    content: str | None = None
    first_sent: datetime | None = field(default=None, compare=False, metadata={"json": None})

    def precedes(self, moment: datetime) -> bool:
        """Whether a moment of the server's clock is certainly not before the first sending."""
        return self.first_sent is not None and moment >= self.first_sent - CLOCK_SLACK


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger knows. `sent` has the keys whose creation was sent and never answered, each with its
    request; `remembered` returns the last declared and answered values of one key, `history` what is known of
    the creation of its children, and `child_owner` the key that a child's ID belongs to, if any."""

    bindings: Mapping[str, Binding]
    sent: Mapping[str, Unanswered]
    remembered: Callable[[str], Mapping[Attribute, Remembered]]
    history: Callable[[str], ChildHistory] = lambda _key: ChildHistory()
    child_owner: Callable[[str], str | None] = lambda _child_id: None
