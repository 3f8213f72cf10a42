"""What a file can say of an incident: attributes and their values, names and entities, children, places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
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

    path: str = field(metadata={"json": "file"})
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
    the same cause in many places is one diagnostic with a `count` and its first `locations`. One that
    `is_private` says what not everybody may see."""

    severity: Severity
    code: str
    summary: str
    detail: str = ""
    hint: str = ""
    locations: tuple[Location, ...] = ()
    count: int = 1
    is_private: bool = field(default=False, metadata={"json": "private"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing by the word that the user wrote. `by` says how: a name, an id, an email, a slack_user_id."""

    kind: Kind
    name: str
    by: str = "name"
    location: Location | None = field(default=None, compare=False, metadata={"json": None})


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
    """Work that an incident left behind. `status` is outstanding, completed or not_doing. `title` is what the
    account shows where that is not the name of the attribute: of two follow-ups with one title."""

    description: str | None = None
    assignee: Reference | Entity | None = None
    status: str | None = None
    labels: tuple[str, ...] = ()
    title: str | None = field(default=None, compare=False)


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
    components: tuple[tuple[Reference | Entity, str], ...]


@dataclass(frozen=True, slots=True)
class StatusPageIncident:
    """The public history of an incident on a status page, oldest update first."""

    page: Reference | Entity
    updates: tuple[StatusPageUpdate, ...]


Child = PostmortemDocument | TimelineItem | FollowUp | Attachment | Membership | StatusPageIncident
ChildPart = str | datetime | Reference | Entity | Mapping[Reference | Entity, str] | tuple[object, ...]


def child_parts(child: Child | StatusPageUpdate) -> dict[str, ChildPart]:
    """Return what a child, or an update of one, has: its parts by the words of an incident file."""
    own = [each for each in fields(child) if each.compare and getattr(child, each.name) != each.default]
    parts = {each.name: getattr(child, each.name) for each in own}
    return parts | {"components": dict(child.components)} if isinstance(child, StatusPageUpdate) else parts


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
