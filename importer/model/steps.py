"""What apply sends: a change is a tuple of steps, and each step is one request.

A planned step may need an ID that is not known yet, because an earlier step or a read of the account returns
it: the ID is then `LATER`, and the step cannot be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, assert_never

from importer.model.memory import Unanswered
from importer.model.values import (
    Attribute,
    Attributes,
    Child,
    Entity,
    Field,
    FollowUp,
    NewOption,
    PostmortemDocument,
)


class Later(Enum):
    """The placeholder for an ID that is not known yet."""

    KNOWN_AFTER_APPLY = "(known after apply)"


LATER: Final = Later.KNOWN_AFTER_APPLY
Id: TypeAlias = str | Later

CREATE = "create"
"""The identity of the step that creates an incident; each key has one such step."""
_EDIT, _STATUS = "edit ", "status "
"""What precedes the name of a child in the identities of its other steps: no name begins so."""


@dataclass(frozen=True, slots=True)
class CreateOption:
    """Add an option to a select field, once, before all changes."""

    option: NewOption


@dataclass(frozen=True, slots=True)
class CreateIncident:
    """Create an incident with these attributes. The call URL and children have steps of their own.

    A creation that was `sent_before` and never answered is sent again unchanged: what the server does with
    other content under a used key is not documented.
    """

    attributes: Attributes
    idempotency_key: str
    external_id: int | None
    sent_before: Unanswered | None = None


@dataclass(frozen=True, slots=True)
class EditIncident:
    """Set these attributes of an incident."""

    incident_id: Id
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class CorrectIncident:
    """Set these attributes again, because the answer to the creation shows them changed. No plan has this
    step, since only an answer reveals it; plans say that it may follow a creation."""

    incident_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class AttachPostmortem:
    """Set the link to an external post-mortem."""

    incident_id: Id
    url: str


@dataclass(frozen=True, slots=True)
class CreateChild:
    """Create a child, without its status. If it was `sent_before`, it is sent again unchanged."""

    incident_id: Id
    attribute: Attribute
    value: Child
    sent_before: Unanswered | None = None


@dataclass(frozen=True, slots=True)
class EditChild:
    """Update an existing child, known as `before`: the API requires unchanged parts of a follow-up too."""

    child_id: Id
    attribute: Attribute
    before: Child
    value: Child


@dataclass(frozen=True, slots=True)
class SetChildStatus:
    """Set the status of a child that otherwise matches."""

    child_id: Id
    attribute: Attribute
    value: FollowUp | PostmortemDocument
    status: str


Step: TypeAlias = (
    CreateOption
    | CreateIncident
    | EditIncident
    | CorrectIncident
    | AttachPostmortem
    | CreateChild
    | EditChild
    | SetChildStatus
)


def identity(step: Step) -> str:
    """Return the name that identifies a step within its incident in the ledger."""
    match step:
        case CreateOption(option=option):
            return f"custom_field_options.{option.custom_field.name}.{option.name}"
        case CreateIncident():
            return CREATE
        case EditIncident():
            return "edit"
        case CorrectIncident():
            return "correct"
        case AttachPostmortem():
            return Field.POSTMORTEM_URL.value
        case CreateChild(attribute=attribute):
            return child_name(attribute)
        case EditChild(attribute=attribute):
            return _EDIT + child_name(attribute)
        case SetChildStatus(attribute=attribute):
            return _STATUS + child_name(attribute)
        case _:
            assert_never(step)


def ends(attribute: Attribute) -> frozenset[str]:
    """Return the identities of the last steps of a child: none follows its edit or status."""
    return frozenset({_EDIT + child_name(attribute), _STATUS + child_name(attribute)})


def child_name(attribute: Attribute) -> str:
    """Return the name of a child within its incident, which never changes: that of a status page may."""
    if attribute.field is Field.STATUS_PAGE and isinstance(attribute.key, Entity):
        return f"{attribute.field}.{attribute.key.id}"
    return attribute.label


def is_ready(step: Step) -> bool:
    """Whether a step can be sent, because every ID in it is known."""
    match step:
        case CreateIncident(attributes=attributes) | CorrectIncident(attributes=attributes):
            return not _waits_for_options(attributes)
        case EditIncident(incident_id=identity, attributes=attributes):
            return identity is not LATER and not _waits_for_options(attributes)
        case AttachPostmortem(incident_id=identity) | CreateChild(incident_id=identity):
            return identity is not LATER
        case EditChild(child_id=identity, before=before, value=value):
            return identity is not LATER and status_after(before, value) is not LATER
        case SetChildStatus(child_id=identity):
            return identity is not LATER
        case CreateOption():
            return True
        case _:
            assert_never(step)


def status_after(before: Child, value: Child) -> Id | None:
    """Return the status of a follow-up after an edit, which the API requires: the declared one, else the
    present one, or LATER if that must be read first. Return None for other children."""
    if isinstance(before, FollowUp) and isinstance(value, FollowUp):
        return value.status or before.status or LATER
    return None


def _waits_for_options(attributes: Attributes) -> bool:
    return any(
        isinstance(each, NewOption)
        for value in attributes.values()
        if isinstance(value, tuple)
        for each in value
    )
