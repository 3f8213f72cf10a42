"""What apply sends: a change is a tuple of steps, and each step is one request.

A step of a plan may lack an ID that only an earlier step of the same apply, or a look at the account, tells:
it is `LATER`, and no such step can be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, assert_never

from importer.model.memory import Unanswered
from importer.model.values import Attribute, Attributes, Child, Field, FollowUp, NewOption, PostmortemDocument


class Later(Enum):
    """The one value of an ID that is not known yet."""

    KNOWN_AFTER_APPLY = "(known after apply)"


LATER: Final = Later.KNOWN_AFTER_APPLY
Id: TypeAlias = str | Later

CREATE = "create"
"""The identity of the step that creates an incident; of one key there is one."""
_EDIT = " (edit)"
_STATUS = " (status)"


@dataclass(frozen=True, slots=True)
class CreateOption:
    """Add an option to a select field. It comes before all changes, once for all that need it."""

    option: NewOption


@dataclass(frozen=True, slots=True)
class CreateIncident:
    """Create an incident with these attributes. The call URL and children have steps of their own.

    One that was `sent_before` and never answered is sent again as it was, since nobody knows what the server
    makes of other content under a known key.
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
    """Set these attributes again: the answer to the creation shows them in another form. No plan has this
    step, since only an answer reveals it; each plan says that it may follow a creation."""

    incident_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class AttachPostmortem:
    """Set the link to a post-mortem elsewhere."""

    incident_id: Id
    url: str


@dataclass(frozen=True, slots=True)
class CreateChild:
    """Create a child; of what it declares, a status takes a step of its own. One that was `sent_before` is
    sent again as it was."""

    incident_id: Id
    attribute: Attribute
    value: Child
    sent_before: Unanswered | None = None


@dataclass(frozen=True, slots=True)
class EditChild:
    """Bring a child that is there up to date. `before` is what is known of it: the API wants parts of a
    follow-up again that nobody changes."""

    child_id: Id
    attribute: Attribute
    before: Child
    value: Child


@dataclass(frozen=True, slots=True)
class SetChildStatus:
    """Set the status of a child whose other parts are as declared."""

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
    """Return the name of a step among those of its incident: what the ledger knows it by."""
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
            return attribute.label
        case EditChild(attribute=attribute):
            return attribute.label + _EDIT
        case SetChildStatus(attribute=attribute):
            return attribute.label + _STATUS
        case _:
            assert_never(step)


def ends(attribute: Attribute) -> frozenset[str]:
    """Return the identities of the steps after which nothing of a child is left, whatever a plan expected: no
    step of a child follows its edit or its status."""
    return frozenset({attribute.label + _EDIT, attribute.label + _STATUS})


def is_ready(step: Step) -> bool:
    """Whether a step can be sent: nothing in it waits for another step."""
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
    """Return the status that a follow-up has after an edit, which the API wants in each: the declared one,
    else the one it has, which only a look may tell. Other children need none: None."""
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
