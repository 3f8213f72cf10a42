"""Every value that passes between the stages; frozen, without behaviour beyond small properties.

The heart is a mapping `Attribute -> Value`. Presence is meaning: an attribute that is absent is
unmanaged, `None` clears it, anything else sets it. Declared and live incidents hold the same mapping,
so a diff is a loop and every renderer and payload builder is one too.

Files give names (`Reference`); the resolver turns them into things with IDs (`Entity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of things in an account that have an ID. A reporter role is a kind of its own, since
    it can be assigned only when the incident is created (API page: Incidents V2, Edit)."""

    SEVERITY = "severity"
    STATUS = "status"
    INCIDENT_TYPE = "incident_type"
    ROLE = "role"
    REPORTER = "reporter"
    TIMESTAMP = "timestamp"
    CUSTOM_FIELD = "custom_field"
    OPTION = "option"
    CATALOG_ENTRY = "catalog_entry"
    USER = "user"
    STATUS_PAGE = "status_page"
    COMPONENT = "component"


class Field(StrEnum):
    """What can be set on an incident; the value is the word that a file uses for it."""

    EXTERNAL_ID = "external_id"
    NAME = "name"
    SUMMARY = "summary"
    SEVERITY = "severity"
    STATUS = "status"
    INCIDENT_TYPE = "incident_type"
    VISIBILITY = "visibility"
    TIMESTAMP = "timestamps"
    ROLE = "roles"
    CUSTOM_FIELD = "custom_fields"
    CALL_URL = "call_url"
    SLACK_CHANNEL_ID = "slack_channel_id"
    SLACK_TEAM_ID = "slack_team_id"
    SLACK_CHANNEL_NAME = "slack_channel_name_override"
    POSTMORTEM_URL = "postmortem.url"
    POSTMORTEM = "postmortem"
    TIMELINE = "timeline"
    FOLLOW_UP = "follow_ups"
    ATTACHMENT = "attachments"
    MEMBER = "members"
    STATUS_PAGE = "status_page"


CHILD_FIELDS = frozenset(
    {Field.POSTMORTEM, Field.TIMELINE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.MEMBER, Field.STATUS_PAGE}
)
"""Fields whose values are things of their own in the API, created after their incident."""

CREATE_ONLY_FIELDS = frozenset(
    {
        Field.EXTERNAL_ID,
        Field.STATUS,
        Field.INCIDENT_TYPE,
        Field.VISIBILITY,
        Field.SLACK_CHANNEL_ID,
        Field.SLACK_TEAM_ID,
    }
)
"""Fields that the edit endpoint lacks. Status is there, but a closed incident cannot be reopened."""

WRITE_ONLY_FIELDS = frozenset({Field.SLACK_CHANNEL_NAME})
"""Fields that no answer of the API shows again."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: `path:line`, or `path:row:column` of a table, all counted from 1."""

    path: str
    line: int
    column: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}"
        return place if self.column is None else f"{place}:{self.column}"


class Severity(StrEnum):
    """How bad a diagnostic is. An error stops plan and apply; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `code` is stable and documented; `summary` has nothing of a single incident, so that
    the same cause in many places is one diagnostic with a `count` and its first `locations`."""

    severity: Severity
    code: str
    summary: str
    detail: str = ""
    hint: str = ""
    locations: tuple[Location, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing by the word that the user wrote. `by` says how: a name, an id, an email, a slack_user_id."""

    kind: Kind
    name: str
    by: str = "name"
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing in the account. Equality is identity: the name is for people."""

    kind: Kind
    id: str
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class NewOption:
    """A select option that is not there yet and that `create_missing` allows apply to create."""

    custom_field: Entity
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in a custom field of type link."""

    url: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A table cell that holds several values where its custom field takes several, split at `;`."""

    text: str


@dataclass(frozen=True, slots=True)
class PostmortemDocument:
    """A post-mortem to import. `content` is GitHub-flavoured Markdown."""

    content: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """An event in an incident's history."""

    at: datetime
    description: str | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Work that an incident left behind. `status` is outstanding, completed or not_doing."""

    description: str | None = None
    assignee: Reference | Entity | None = None
    status: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A resource elsewhere, by `url` or by the `external_id` that its provider gave it."""

    resource_type: str
    url: str | None = None
    external_id: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Access of one user to a private incident; the user is the attribute's key."""


@dataclass(frozen=True, slots=True)
class StatusPageUpdate:
    """One public update; components are pairs of component and status, sorted by name."""

    at: datetime
    status: str
    message: str
    components: tuple[tuple[Reference | Entity, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StatusPageIncident:
    """The public history of an incident on a status page, oldest update first."""

    page: Reference | Entity
    updates: tuple[StatusPageUpdate, ...]


Child = PostmortemDocument | TimelineItem | FollowUp | Attachment | Membership | StatusPageIncident

Scalar = str | Decimal | datetime | Link | Entity | NewOption | Reference | Packed
Value = Scalar | Child | tuple[Scalar, ...] | None
"""Moments are in UTC, cut to milliseconds; tuples are sets: sorted and without repetition, never empty."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One settable property: `severity`, or `roles` with the key `Incident Lead`. Children are keyed by
    their name within the incident, as text, or by a user."""

    field: Field
    key: Reference | Entity | str | None = None

    @property
    def label(self) -> str:
        """The property in a file's words: `severity`, `timestamps.Resolved at`."""
        match self.key:
            case None:
                return self.field.value
            case str() as name:
                return f"{self.field}.{name}"
            case Reference(name=name) | Entity(name=name):
                return f"{self.field}.{name}"

    @property
    def is_child(self) -> bool:
        return self.field in CHILD_FIELDS

    @property
    def is_create_only(self) -> bool:
        """Whether the API sets it at creation and never again."""
        if self.field in CREATE_ONLY_FIELDS:
            return True
        return isinstance(self.key, Entity) and self.key.kind is Kind.REPORTER


Attributes = Mapping[Attribute, Value]


@dataclass(frozen=True, slots=True)
class Incident:
    """What a file declares. Before resolving, attributes hold `Reference`s; after it, `Entity`s."""

    key: str
    external_id: int | None
    attributes: Attributes
    location: Location
    idempotency_key: str | None = None

    @property
    def name(self) -> str:
        return str(self.attributes.get(Attribute(Field.NAME)) or "")

    @property
    def began(self) -> datetime | None:
        """The earliest declared moment; creation follows it, so that numbers follow history."""
        moments = [value for value in self.attributes.values() if isinstance(value, datetime)]
        return min(moments, default=None)


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


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of the account: its state (active, disabled, draft, error) and the modes it runs on."""

    name: str
    state: str
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field: `type` is single_select, multi_select, text, link or numeric. A select with a
    `catalog_type_id` takes catalog entries, otherwise options."""

    entity: Entity
    type: str
    catalog_type_id: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """An incident status with its category (triage, live, learning, closed, ...) and display order."""

    entity: Entity
    category: str
    rank: int


@dataclass(frozen=True, slots=True)
class IncidentType:
    """An incident type; some allow only private incidents."""

    entity: Entity
    private_only: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class User:
    """A person in the account; one email may belong to several."""

    entity: Entity
    email: str | None
    slack_user_id: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A catalog entry, known by its ID, external ID, aliases and name."""

    entity: Entity
    external_id: str | None
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusPage:
    """A status page with its components."""

    entity: Entity
    components: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The account's things, as far as the declared incidents need them. Options are by custom field ID,
    entries by catalog type ID."""

    severities: tuple[Entity, ...] = ()
    statuses: tuple[Status, ...] = ()
    incident_types: tuple[IncidentType, ...] = ()
    roles: tuple[Entity, ...] = ()
    timestamps: tuple[Entity, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()
    options: Mapping[str, tuple[Entity, ...]] = field(default_factory=dict)
    catalog_entries: Mapping[str, tuple[CatalogEntry, ...]] = field(default_factory=dict)
    users: tuple[User, ...] = ()
    status_pages: tuple[StatusPage, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What declared incidents ask of the catalogue beyond its short lists; the rest is not fetched."""

    custom_fields: frozenset[Reference] = frozenset()
    users: bool = False
    status_pages: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who answers: the endpoint, and the dashboard URL that GET /v1/identity gives."""

    endpoint: str
    dashboard_url: str
    roles: tuple[str, ...] = field(default=(), compare=False)
    key_name: str = field(default="", compare=False)


class Origin(StrEnum):
    """Where a difference comes from: the file changed, or somebody edited the account."""

    FILE = "config changed"
    DRIFT = "edited in incident.io"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One attribute's difference. `before` is the account's value, `after` the declared one."""

    attribute: Attribute
    before: Value
    after: Value
    origin: Origin = Origin.FILE


@dataclass(frozen=True, slots=True)
class Create:
    """The incident is not in the account. `attributes` is all that will be sent, defaults included."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Pending:
    """A run that died sent this creation and saw no answer; apply sends the same again and settles it."""

    incident: Incident
    idempotency_key: str
    attributes: Attributes


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
class Unmanaged:
    """A binding of the ledger that no file declares any longer. It is never deleted."""

    key: str
    reference: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What apply will do. `changes` are in the order of creation: oldest first. A saved plan has no `NoOp`s
    but their number, `unchanged`."""

    account: Account
    made_at: datetime
    tool_version: str
    inputs: tuple[Input, ...]
    revision: str | None
    changes: tuple[Change, ...]
    unmanaged: tuple[Unmanaged, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    unchanged: int = 0

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
