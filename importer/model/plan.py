"""A plan, its changes and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from importer.model.account import Account
from importer.model.identity import DEFAULT_NAMESPACE
from importer.model.incidents import Incident, LiveIncident
from importer.model.values import Attribute, Attributes, Diagnostic, Location, Severity, Value


class Origin(StrEnum):
    """The source of a difference: the file changed, or somebody edited the incident. It is unknown if the
    state does not have the incident."""

    FILE = "config changed"
    DRIFT = "edited in incident.io"
    UNKNOWN = "config changed, or edited in incident.io"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A difference in one attribute: `before` is the account's value, `after` the declared one. `obstacle` is
    why a blocked one cannot be made; it is None if the API sets the attribute only at creation."""

    attribute: Attribute
    before: Value
    after: Value
    origin: Origin = Origin.FILE
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """The incident is not in the account. `attributes` has everything that is sent, including defaults. If
    the incident turns out to exist already, those in `left_to_people` are not edited. `blocked` has the
    declared children that are not created."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes
    left_to_people: frozenset[Attribute] = frozenset()
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """An earlier run sent this creation and got no answer; apply looks for what it made, to settle it.
    `content` is the body as it was sent, if the state has it."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes
    left_to_people: frozenset[Attribute] = frozenset()
    content: str | None = None
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """The incident is ours and differs. `blocked` has the differences that the API cannot change."""

    incident: Incident
    live: LiveIncident
    changes: tuple[FieldChange, ...]
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopt:
    """An existing incident was adopted under this key; `changes` bring it up to date."""

    incident: Incident
    live: LiveIncident
    changes: tuple[FieldChange, ...]
    blocked: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class NoOp:
    """The live incident matches the declared one."""

    incident: Incident
    incident_id: str
    reference: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing can be done: the incident is not ours or not visible, or only create-only attributes differ.
    `reason` is a stable code, `explanation` a sentence with the next step."""

    incident: Incident
    incident_id: str
    reference: str
    reason: str
    explanation: str
    blocked: tuple[FieldChange, ...] = ()


Change = Create | Pending | Update | Adopt | NoOp | Blocked


@dataclass(frozen=True, slots=True)
class Input:
    """An input file of the plan."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A bound incident that no file declares any longer. It is never deleted."""

    key: str
    reference: str


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many incidents of one severity began in a month. `month` is like `2023-04`, in UTC, or empty
    without a timestamp; `severity` is a name, or empty without a severity."""

    month: str
    severity: str
    incidents: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan covers: incidents whose key matches one of `only` (all if empty) and at most `limit`
    changes. With `drift_only` it is a drift report, which cannot be applied.

    `left_out` counts the incidents excluded by `only`, which are `not_compared`, and the changes excluded by
    `limit`.
    """

    only: tuple[str, ...] = ()
    limit: int | None = None
    drift_only: bool = False
    left_out: int = 0
    not_compared: int = 0

    @property
    def beyond_limit(self) -> int:
        return self.left_out - self.not_compared


@dataclass(frozen=True, slots=True)
class Plan:
    """What apply will do. `changes` are in the order of creation, oldest first. A saved plan has no `NoOp`s,
    only their number, `unchanged`.

    `severities` are the account's, least severe first. `history` counts the account's incidents; it is None
    if they were not listed as a whole. `namespace` is the namespace of the keys. `left_to_people` counts the
    unchanged incidents with values that `ignore_changes` leaves to people.
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
    namespace: str = DEFAULT_NAMESPACE
    left_to_people: int = 0

    @property
    def errored(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Applied:
    """The change was made, by a creation or an edit. `warnings` name values that came back different,
    `missing` what is declared and was refused or not attempted: the incident is there, but not whole."""

    key: str
    live: LiveIncident
    created: bool
    warnings: tuple[Diagnostic, ...] = ()
    missing: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted:
    """An incident that already existed is now bound to the key and, except for what is `missing`, up to
    date."""

    key: str
    live: LiveIncident
    warnings: tuple[Diagnostic, ...] = ()
    missing: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The server refused the change; this run does not send any of it again."""

    key: str
    code: str
    message: str
    request_id: str
    location: Location


@dataclass(frozen=True, slots=True)
class Unknown:
    """The change was sent and not answered. `message` has the next step, if there is one."""

    key: str
    message: str
    location: Location


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """Nothing that writes was sent: the run ended before, or `missing` says why."""

    key: str
    location: Location
    missing: tuple[Diagnostic, ...] = ()


Outcome = Applied | Adopted | Failed | Unknown | NotAttempted
