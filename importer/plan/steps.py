"""A change -> its steps: the only place that decides which requests a change takes.

The requests, estimates and roles that a plan shows come from these steps, and apply carries out the same
ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import assert_never

from importer.model import (
    Adopt,
    Attachment,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Child,
    Create,
    Field,
    FieldChange,
    FollowUp,
    Membership,
    NoOp,
    Pending,
    Plan,
    PostmortemDocument,
    StatusPageIncident,
    TimelineItem,
    Unanswered,
    Update,
)
from importer.model.normalise import by_label
from importer.model.steps import (
    LATER,
    AttachPostmortem,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    Id,
    SetChildStatus,
    Step,
)
from importer.plan.changes import new_options
from importer.plan.differences import same

NEW_FOLLOW_UP = "outstanding"
"""The status of a follow-up that was just created (API page: Follow-ups)."""


def steps(change: Change) -> tuple[Step, ...]:
    """Return the steps of one change in order, without the options that are created before all changes."""
    match change:
        case Create() | Pending():
            return (creation(change), *edit_steps(LATER, after_creation(change.attributes)))
        case Update(live=live, changes=changes) | Adopt(live=live, changes=changes):
            return edit_steps(live.id, changes)
        case NoOp() | Blocked():
            return ()
        case _:
            assert_never(change)


def option_steps(changes: Iterable[Change]) -> tuple[CreateOption, ...]:
    """Return the steps before all changes, which create each missing select option once."""
    return tuple(map(CreateOption, new_options(changes)))


def all_steps(plan: Plan) -> Iterator[Step]:
    """Yield every step of a plan; a drift report has none."""
    if not plan.scope.drift_only:
        yield from option_steps(plan.changes)
        for change in plan.changes:
            yield from steps(change)


def creation(change: Create | Pending) -> CreateIncident:
    """Return the step that creates the incident, with the attributes that a creation takes."""
    own = {each: value for each, value in change.attributes.items() if _is_created_with(each)}
    before = Unanswered(change.idempotency_key, change.content) if isinstance(change, Pending) else None
    return CreateIncident(own, change.idempotency_key, change.incident.external_id, before)


def after_creation(attributes: Attributes) -> tuple[FieldChange, ...]:
    """Return the changes after a creation: the call URL, which only an edit can set, and children."""
    later = sorted((each for each in attributes if not _is_created_with(each)), key=by_label)
    return tuple(FieldChange(each, None, attributes[each]) for each in later)


def edit_steps(incident_id: Id, changes: Iterable[FieldChange]) -> tuple[Step, ...]:
    """Return the steps that update an incident and its children, as far as the API can."""
    ordered = sorted(changes, key=lambda each: by_label(each.attribute))
    return (
        *incident_steps(incident_id, ordered),
        *chain.from_iterable(_of_child(incident_id, c) for c in ordered),
    )


def incident_steps(
    incident_id: Id, changes: Iterable[FieldChange]
) -> tuple[EditIncident | AttachPostmortem, ...]:
    """Return the steps that update an incident without its children: an edit, and the post-mortem link."""
    wanted = {each.attribute: each.after for each in changes if not each.attribute.is_child}
    url = wanted.pop(Attribute(Field.POSTMORTEM_URL), None)
    edited = {attribute: value for attribute, value in wanted.items() if not attribute.is_create_only}
    edit = (EditIncident(incident_id, edited),) if edited else ()
    return (*edit, AttachPostmortem(incident_id, url)) if isinstance(url, str) else edit


def child_creation(
    incident_id: Id, attribute: Attribute, value: Child
) -> tuple[CreateChild, tuple[SetChildStatus, ...]]:
    """Return the step that creates a child, and the one that sets its status, which no creation takes."""
    return CreateChild(incident_id, attribute, value), _first_status(attribute, value)


def child_edits(
    attribute: Attribute, value: Child, *, before: Child, child_id: Id = LATER
) -> tuple[EditChild | SetChildStatus, ...]:
    """Return the steps that update a child, as far as the API can."""
    match value:
        case TimelineItem():
            return (EditChild(child_id, attribute, before, value),)
        case FollowUp(status=status):
            whole = completed(value, before)
            if status is not None and same(before, without_status(value)):
                return (SetChildStatus(child_id, attribute, whole, status),)
            return (EditChild(child_id, attribute, before, whole),)
        case PostmortemDocument(status=status):
            if status is not None and same(before, without_status(value)):
                return (SetChildStatus(child_id, attribute, value, status),)
            return ()
        case StatusPageIncident(name=name):
            is_renamed = isinstance(before, StatusPageIncident) and same(replace(before, name=name), value)
            return (EditChild(child_id, attribute, before, value),) if is_renamed else ()
        case Attachment() | Membership():
            return ()
        case _:
            assert_never(value)


def completed(value: FollowUp, before: Child) -> FollowUp:
    """Return a declared follow-up with all that is known of it: an update might clear what it leaves out."""
    if not isinstance(before, FollowUp):
        return value
    is_kept = {name: name not in value.cleared for name in ("description", "assignee", "labels")}
    return replace(
        value,
        description=value.description or (before.description if is_kept["description"] else None),
        assignee=value.assignee or (before.assignee if is_kept["assignee"] else None),
        status=value.status or before.status,
        labels=value.labels or (before.labels if is_kept["labels"] else ()),
        title=before.title or value.title,
        team=before.team,
        priority=before.priority,
        category=before.category,
    )


def _of_child(incident_id: Id, change: FieldChange) -> tuple[Step, ...]:
    before, value = change.before, change.after
    if not isinstance(value, Child):
        return ()
    if isinstance(before, Child):
        return child_edits(change.attribute, value, before=before)
    create, rest = child_creation(incident_id, change.attribute, value)
    return (create, *rest)


def without_status(value: Child) -> Child:
    """Return a child as its creation takes it, without a status."""
    return replace(value, status=None) if isinstance(value, FollowUp | PostmortemDocument) else value


def _first_status(attribute: Attribute, value: Child) -> tuple[SetChildStatus, ...]:
    if not isinstance(value, FollowUp | PostmortemDocument) or value.status is None:
        return ()
    if isinstance(value, FollowUp) and value.status == NEW_FOLLOW_UP:
        return ()
    return (SetChildStatus(LATER, attribute, value, value.status),)


def _is_created_with(attribute: Attribute) -> bool:
    return not attribute.is_child and attribute.field is not Field.CALL_URL
