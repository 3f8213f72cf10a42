"""A plan, its changes, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from importer.model.account import Account
from importer.model.incidents import Incident, LiveIncident
from importer.model.values import (
    Attribute,
    Attributes,
    Diagnostic,
    Location,
    Severity,
    Value,
)


class Origin(StrEnum):
    """Where a difference comes from: the file changed, or somebody edited the account. Without the state of
    an incident nobody can tell."""

    FILE = "config changed"
    DRIFT = "edited in incident.io"
    UNKNOWN = "config changed, or edited in incident.io"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One attribute's difference. `before` is the account's value, `after` the declared one."""

    attribute: Attribute
    before: Value
    after: Value
    origin: Origin = Origin.FILE


@dataclass(frozen=True, slots=True)
class Create:
    """The incident is not in the account. `attributes` is all that will be sent, defaults included. Those
    `left_to_people` are not edited where it turns out that the incident was there already."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes
    left_to_people: frozenset[Attribute] = frozenset()


@dataclass(frozen=True, slots=True)
class Pending:
    """A run that died sent this creation and saw no answer; apply sends the same again and settles it.
    `content` is the body as it was sent, where the state has it."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes
    left_to_people: frozenset[Attribute] = frozenset()
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """The incident is ours and differs. `blocked` are differences that the API cannot make."""

    incident: Incident
    live: LiveIncident
    changes: tuple[FieldChange, ...]
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopt:
    """Somebody declared that an existing incident is this one; `changes` bring it up to date."""

    incident: Incident
    live: LiveIncident
    changes: tuple[FieldChange, ...]
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class NoOp:
    """The incident is as declared."""

    incident: Incident
    incident_id: str
    reference: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing can be done: the incident is not ours or not visible, or only create-only attributes differ.
    `reason` is a stable word, `explanation` a sentence with the next step."""

    incident: Incident
    incident_id: str
    reference: str
    reason: str
    explanation: str
    blocked: tuple[FieldChange, ...] = ()


Change = Create | Pending | Update | Adopt | NoOp | Blocked


@dataclass(frozen=True, slots=True)
class Input:
    """A file that the plan was made from."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A binding of the ledger that no file declares any longer. It is never deleted."""

    key: str
    reference: str


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many incidents began in a month and have a severity. `month` is `2023-04`, in UTC, and empty where
    an incident has no timestamp; `severity` is a name, and empty where it has none."""

    month: str
    severity: str
    incidents: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the work a plan is about: incidents whose key fits one of `only` (none: all of them), at
    most `limit` changes, all differences or `drift_only`, which is a report and not for apply.

    `left_out` counts the changes that `limit`, and the incidents that `only`, left out.
    """

    only: tuple[str, ...] = ()
    limit: int | None = None
    drift_only: bool = False
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What apply will do. `changes` are in the order of creation: oldest first. A saved plan has no `NoOp`s
    but their number, `unchanged`.

    `severities` are the account's, the least severe first. `history` counts what the account held; it is None
    where the incidents were looked up one by one, or not at all.
    """

    account: Account
    made_at: datetime = field(metadata={"json": "created_at"})
    tool_version: str
    inputs: tuple[Input, ...]
    revision: str | None
    changes: tuple[Change, ...]
    unmanaged: tuple[Unmanaged, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    unchanged: int = 0
    severities: tuple[str, ...] = ()
    history: tuple[MonthCount, ...] | None = None
    scope: Scope = Scope()

    @property
    def errored(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Applied:
    """The change was made. `created` tells a creation from an edit, `warnings` what came back different."""

    key: str
    live: LiveIncident
    created: bool
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted:
    """An incident that was there already is now bound to the key and up to date."""

    key: str
    live: LiveIncident
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The server refused it and nothing of it will be sent again by this run."""

    key: str
    code: str
    message: str
    request_id: str
    location: Location


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and no answer came; the next apply settles it."""

    key: str
    message: str
    location: Location


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """The run ended before it was sent."""

    key: str
    location: Location


Outcome = Applied | Adopted | Failed | Unknown | NotAttempted
