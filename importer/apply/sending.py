"""A step -> its answer, with a record before the request leaves and another of a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol, TypeVar, assert_never

from importer.apply.gate import FirstRequestGate
from importer.apply.options import OptionWriter
from importer.model import (
    Answer,
    Attribute,
    Attributes,
    Binding,
    ChildHistory,
    Entity,
    Field,
    LiveChild,
    LiveIncident,
    Remembered,
    Unanswered,
)
from importer.model.errors import ApiError, ImporterError, NotAvailable, Refused
from importer.model.steps import (
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    SetChildStatus,
    Step,
    identity,
    is_ready,
)
from importer.wire.requests import Request, request

ChangingStep = AttachPostmortem | CorrectIncident | CreateChild | EditChild | EditIncident | SetChildStatus
"""The steps that change an incident which exists, and so need the proof that it is ours."""

_EDIT = "edit"

S = TypeVar("S", bound=Step)
C = TypeVar("C", bound=ChangingStep)
R = TypeVar("R")


class IncidentWriter(OptionWriter, Protocol):
    """What applying a change requires of the account; each step comes with its request. Raises ApiError,
    NoAnswer and Interrupted, and NotAvailable for children."""

    def server_time(self) -> datetime | None: ...
    def create(self, step: CreateIncident, request: Request, /) -> Answer: ...
    def incident(self, id_or_number: str) -> LiveIncident | None: ...
    def edit(self, step: EditIncident | CorrectIncident, request: Request, /) -> LiveIncident: ...
    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...
    def status_page_incidents(self, page: Entity) -> tuple[LiveChild, ...]: ...
    def create_child(self, step: CreateChild, request: Request, /) -> LiveChild: ...
    def change(self, step: AttachPostmortem | EditChild | SetChildStatus, request: Request, /) -> None: ...


class Journal(Protocol):
    """What applying a change looks up and records; each record except `settled` is durable when the call
    returns."""

    def binding(self, key: str) -> Binding | None: ...
    def in_doubt(self, key: str, step: str) -> Unanswered | None: ...
    def carried_out(self, key: str, *, plan_hash: str) -> frozenset[str]: ...
    def is_created(self, key: str) -> bool: ...
    def remembered(self, key: str) -> Mapping[Attribute, Remembered]: ...
    def sending(self, key: str, step: str, request: Unanswered, *, plan_hash: str) -> None: ...
    def history(self, key: str) -> ChildHistory: ...
    def child_owner(self, child_id: str) -> str | None: ...
    def confirmed(
        self,
        key: str,
        *steps: str,
        live: LiveIncident,
        declared: Attributes,
        answered: Attributes,
        child_ids: Mapping[Attribute, str] = ...,
        is_found: bool = False,
    ) -> None: ...
    def failed(self, key: str, step: str, *, detail: str) -> None: ...
    def refused(self, key: str, declared: Attributes, *, answered: Attributes, reason: str) -> None: ...
    def bind(self, key: str, live: LiveIncident) -> None: ...
    def settled(self, key: str, incident_id: str, reference: str, *, plan_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class ProvenIncident:
    """A key and its incident. The proof is looked up whenever a step is sent."""

    key: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends steps. `plan_hash` is the hash of the saved plan they come from, or empty; `server_time` returns
    the server's time, if known."""

    journal: Journal
    plan_hash: str
    server_time: Callable[[], datetime | None]
    gate: FirstRequestGate

    def create(self, key: str, step: CreateIncident, carry_out: Callable[[CreateIncident, Request], R]) -> R:
        """Send the creation of an incident."""
        return self._send(key, step, carry_out)

    def end_creations(self, step: CreateIncident, why: str) -> None:
        """Send no other creation. Called from within `carry_out`, this takes effect before the next has its
        turn."""
        self.gate.close(_kind(step), NotAvailable(why))

    def send(self, proven: ProvenIncident, step: C, carry_out: Callable[[C, Request], R]) -> R:
        """Send a step that changes an incident. Raises Refused unless the state binds the key to it."""
        bound = self.journal.binding(proven.key)
        named = proven.incident_id if isinstance(step, EditChild | SetChildStatus) else step.incident_id
        if bound is None or {bound.incident_id, proven.incident_id} != {named}:
            raise Refused(
                f"nothing proves that {named} is '{proven.key}': it was not changed", code="not-ours"
            )
        return self._send(proven.key, step, carry_out)

    def _send(self, key: str, step: S, carry_out: Callable[[S, Request], R]) -> R:
        """Wait for the turn of a step, and send it."""
        if not is_ready(step):
            raise ValueError(f"{identity(step)} depends on another step")
        with self.gate.turn(_kind(step)):
            return self._send_now(key, step, carry_out)

    def _send_now(self, key: str, step: S, carry_out: Callable[[S, Request], R]) -> R:
        """Record that a request leaves, send it, and record a refusal. Without an answer it stays in doubt,
        as does a request that was sent before: a refusal does not show what became of the first."""
        prepared = request(step)
        # After a lost answer, the bytes of a creation are sent again, or show what to look for.
        is_creation = isinstance(step, CreateIncident | CreateChild)
        sent = Unanswered(
            prepared.idempotency_key or "",
            prepared.content if is_creation else None,
            self.server_time() if is_creation else None,
        )
        self.journal.sending(key, identity(step), sent, plan_hash=self.plan_hash)
        try:
            return carry_out(step, prepared)
        except ImporterError as error:
            if is_certain(error) and not _was_sent_before(step):
                with suppress(Refused):  # it stays in doubt then: the next run looks at the account
                    self.journal.failed(key, identity(step), detail=error.summary)
            raise


def _was_sent_before(step: Step) -> bool:
    return isinstance(step, CreateIncident | CreateChild) and step.sent_before is not None


def _kind(step: Step) -> str:
    """Return the kind of a step's request: requests of one kind need the same permission."""
    match step:
        case CreateOption() | CreateIncident() | AttachPostmortem():
            return identity(step)
        case EditIncident() | CorrectIncident():
            return _EDIT
        case CreateChild(attribute=attribute):
            return attribute.field
        case EditChild(attribute=attribute) | SetChildStatus(attribute=attribute):
            return f"{_EDIT} {attribute.field}"
        case _:
            assert_never(step)


def is_certain(error: ImporterError) -> bool:
    """Whether an error proves that nothing was carried out. It does not if it concerns the idempotency key,
    which the server knows from an earlier request; a conflict may be one that is still in progress."""
    if isinstance(error, NotAvailable) or not error.was_sent:
        return True
    if not isinstance(error, ApiError):
        return False
    concerns_key = error.status == HTTPStatus.CONFLICT or error.field.endswith("idempotency_key")
    return not error.is_server_error and not concerns_key
