"""What a file can declare about an incident: attributes, values, names, entities, children and locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of entities in an account. A reporter role is a kind of its own, since it can be assigned
    only when the incident is created (API page: Incidents V2, Edit)."""

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
    """What can be set on an incident; the value is its name in a file."""

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
"""Fields whose values are separate objects in the API, created after their incident."""

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
"""Fields that the edit endpoint cannot set. It takes a status, but a closed incident cannot be reopened."""

WRITE_ONLY_FIELDS = frozenset({Field.SLACK_CHANNEL_NAME})
"""Fields that the API never returns."""


@dataclass(frozen=True, slots=True)
class Location:
    """A location in a file: `path:line`, or `path:row:column` in a table, all counted from 1."""

    path: str = field(metadata={"json": "file"})
    line: int
    column: int | None = None

    def __str__(self) -> str:
        text = f"{self.path}:{self.line}"
        return text if self.column is None else f"{text}:{self.column}"


class Severity(StrEnum):
    """The severity of a diagnostic. An error stops plan and apply; a warning is only shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `code` is stable and documented; `summary` does not mention a single incident, so that the
    same cause in many places is one diagnostic with a `count` and its first `locations`. If `is_private`, it
    reveals something about a private incident."""

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
    """An entity as the user wrote it. `by` is what `name` holds: a name, id, email or slack_user_id."""

    kind: Kind
    name: str
    by: str = "name"
    location: Location | None = field(default=None, compare=False, metadata={"json": None})


@dataclass(frozen=True, slots=True)
class Entity:
    """An object in the account. Entities are equal by kind and ID; the name is for display."""

    kind: Kind
    id: str
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class NewOption:
    """A select option that does not exist yet and that `create_missing` lets apply create."""

    custom_field: Entity
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in a custom field of type link."""

    url: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A table cell, split at `;` into several values if its custom field takes several."""

    text: str


@dataclass(frozen=True, slots=True)
class PostmortemDocument:
    """A post-mortem to import. `content` is GitHub-flavoured Markdown. Without a declared `title`, the
    creation takes `default_title`, and the title in the account does not matter afterwards."""

    content: str
    status: str | None = None
    title: str | None = None
    default_title: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """An event in the timeline of an incident. `title` is the title that is sent, or the one in the account,
    if it differs from the attribute's key, as for two items with the same title. `cleared` names the parts
    that a file declares as empty: one that it leaves out is not managed."""

    at: datetime
    description: str | None = None
    title: str | None = field(default=None, compare=False)
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up of an incident. `status` is outstanding, completed or not_doing. `title` is the title that
    is sent, or the one in the account, if it differs from the attribute's key, as for two follow-ups with the
    same title. No file declares the IDs of `team`, `priority` and `category`: an update repeats them.
    `cleared` names the parts that a file declares as empty: one that it leaves out is not managed."""

    description: str | None = None
    assignee: Reference | Entity | None = None
    status: str | None = None
    labels: tuple[str, ...] = ()
    title: str | None = field(default=None, compare=False)
    team: str | None = field(default=None, compare=False)
    priority: str | None = field(default=None, compare=False)
    category: str | None = field(default=None, compare=False)
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """An external resource, by `url` or by its provider's `external_id`."""

    resource_type: str
    url: str | None = None
    external_id: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's access to a private incident; the user is the attribute's key."""


@dataclass(frozen=True, slots=True)
class StatusPageUpdate:
    """A public update; `components` are pairs of component and status, sorted by name."""

    at: datetime
    status: str
    message: str
    components: tuple[tuple[Reference | Entity, str], ...]


@dataclass(frozen=True, slots=True)
class StatusPageIncident:
    """The public history of an incident on a status page, oldest update first. The page is also the
    attribute's key: an incident has one history on each page."""

    page: Reference | Entity
    name: str
    updates: tuple[StatusPageUpdate, ...]


Child = PostmortemDocument | TimelineItem | FollowUp | Attachment | Membership | StatusPageIncident
ChildPart = str | datetime | Reference | Entity | Mapping[Reference | Entity, str] | tuple[object, ...] | None


def cleared_parts(child: object) -> tuple[str, ...]:
    """Return the names of the parts that a file declares as empty."""
    return child.cleared if isinstance(child, TimelineItem | FollowUp) else ()


def child_parts(child: Child | StatusPageUpdate) -> dict[str, ChildPart]:
    """Return the parts of a child or status page update that are set, named as in an incident file; those to
    be cleared are None. The content of a post-mortem that a list does not show is left out."""
    cleared = cleared_parts(child)
    is_unshown = isinstance(child, PostmortemDocument) and not child.content
    hidden = {"cleared", *(["content"] if is_unshown else [])}
    own = [each for each in fields(child) if each.compare and each.name not in hidden]
    parts = {
        each.name: getattr(child, each.name)
        for each in own
        if each.name in cleared or getattr(child, each.name) != each.default
    }
    parts |= dict.fromkeys(cleared)
    return parts | {"components": dict(child.components)} if isinstance(child, StatusPageUpdate) else parts


Scalar = str | Decimal | datetime | Link | Entity | NewOption | Reference | Packed
Value = Scalar | Child | tuple[Scalar, ...] | None
"""Times are in UTC, truncated to milliseconds; tuples are sets: sorted, without duplicates, never empty."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One settable property: `severity`, or `roles` with the key `Incident Lead`. The key of a child is its
    name within the incident, a user or a status page; an incident has only one post-mortem, without a key."""

    field: Field
    key: Reference | Entity | str | None = None

    @property
    def label(self) -> str:
        """The name of the property in a file: `severity`, `timestamps.Resolved at`."""
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
        """Whether the API can set it only at creation."""
        if self.field in CREATE_ONLY_FIELDS:
            return True
        return isinstance(self.key, Entity) and self.key.kind is Kind.REPORTER


Attributes = Mapping[Attribute, Value]
