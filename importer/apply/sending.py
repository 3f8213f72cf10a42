"""A step -> its answer, with a record before the request leaves and another of a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from importer.model import (
    Answer,
    Attribute,
    Attributes,
    Binding,
    Field,
    LiveChild,
    LiveIncident,
    Remembered,
    Unanswered,
)
from importer.model.errors import ApiError, NotAvailable
from importer.model.steps import (
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    EditChild,
    EditIncident,
    SetChildStatus,
    Step,
    identity,
    is_ready,
)
from importer.wire.requests import Request, request

CONFLICT = 409
"""The one refusal that leaves doubt: another request with the same key may be in progress."""

S = TypeVar("S", bound=Step)
R = TypeVar("R")


class IncidentWriter(Protocol):
    """What applying a change requires of the account; each step comes with its request. Raises ApiError,
    NoAnswer and Interrupted, and NotAvailable for children."""

    def create(self, step: CreateIncident, request: Request, /) -> Answer: ...
    def incident(self, id_or_number: str) -> LiveIncident | None: ...
    def edit(self, step: EditIncident | CorrectIncident, request: Request, /) -> LiveIncident: ...
    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...
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
    def sending(
        self, key: str, step: str, *, idempotency_key: str | None, content: str | None, plan_hash: str
    ) -> None: ...
    def confirmed(
        self, key: str, *steps: str, live: LiveIncident, declared: Attributes, answered: Attributes
    ) -> None: ...
    def failed(self, key: str, step: str, *, detail: str) -> None: ...
    def settled(self, key: str, incident_id: str, reference: str, *, plan_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends steps. `plan_hash` is the hash of the saved plan they come from, or empty."""

    journal: Journal
    plan_hash: str

    def send(self, key: str, step: S, carry_out: Callable[[S, Request], R]) -> R:
        """Record that a request leaves, send it, and record a refusal. Without an answer it stays in doubt,
        as does a request that was sent before: a refusal does not show what became of the first."""
        if not is_ready(step):
            raise ValueError(f"{identity(step)} depends on another step")
        prepared = request(step)
        # Without an idempotency key a step is looked up, not sent again, so its bytes are not needed.
        kept = prepared.content if prepared.idempotency_key else None
        self.journal.sending(
            key,
            identity(step),
            idempotency_key=prepared.idempotency_key,
            content=kept,
            plan_hash=self.plan_hash,
        )
        try:
            return carry_out(step, prepared)
        except (ApiError, NotAvailable) as error:
            if _is_certain(error) and not _was_sent_before(step):
                self.journal.failed(key, identity(step), detail=error.summary)
            raise


def _was_sent_before(step: Step) -> bool:
    return isinstance(step, CreateIncident | CreateChild) and step.sent_before is not None


def _is_certain(error: ApiError | NotAvailable) -> bool:
    """Return whether a refusal proves that nothing was carried out."""
    return isinstance(error, NotAvailable) or (error.status < 500 and error.status != CONFLICT)
