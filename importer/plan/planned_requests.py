"""A change -> the requests that apply will send for it, for a reviewer: method, path and body.

The bodies are built by what builds them at apply. An ID that an earlier request of the same apply gives is
`(known after apply)`; the idempotency keys of children are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, assert_never

from importer.model import (
    Adopt,
    Attachment,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Child,
    Create,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Kind,
    Membership,
    NewOption,
    NoOp,
    Pending,
    PostmortemDocument,
    StatusPageIncident,
    TimelineItem,
    Update,
    Value,
)
from importer.model.normalise import by_label
from importer.wire import children as wire_children
from importer.wire import incidents as wire

LATER = "(known after apply)"


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One write of an apply."""

    method: str
    path: str
    body: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"method": self.method, "path": self.path, "body": self.body}


def planned_requests(change: Change) -> tuple[PlannedRequest, ...]:
    """Return a change's writes in their order; the creation of select options comes before all changes."""
    match change:
        case Create() | Pending():
            return tuple(_creation(change))
        case Update(live=live, changes=changes) | Adopt(live=live, changes=changes):
            return tuple(_edits(live.id, changes))
        case NoOp() | Blocked():
            return ()
        case _:
            assert_never(change)


def option_request(option: NewOption) -> PlannedRequest:
    """Return the write that creates a select option."""
    body = {"custom_field_id": option.custom_field.id, "value": option.name}
    return PlannedRequest("POST", "/v1/custom_field_options", body)


def _creation(change: Create | Pending) -> Iterator[PlannedRequest]:
    attributes = {attribute: _created(value) for attribute, value in change.attributes.items()}
    body = wire.create_payload(
        attributes, idempotency_key=change.idempotency_key, external_id=change.incident.external_id
    )
    yield PlannedRequest("POST", "/v2/incidents", body)
    later = {each: value for each, value in attributes.items() if each.field is Field.CALL_URL}
    if later:
        yield _edit(LATER, later)
    for attribute in sorted(attributes, key=by_label):
        if attribute.is_child:
            yield from _child(LATER, FieldChange(attribute, None, attributes[attribute]))


def _edits(incident_id: str, changes: tuple[FieldChange, ...]) -> Iterator[PlannedRequest]:
    together = {
        each.attribute: _created(each.after)
        for each in changes
        if not each.attribute.is_child and each.attribute.field is not Field.POSTMORTEM_URL
    }
    if together:
        yield _edit(incident_id, together)
    for each in changes:
        if each.attribute.is_child:
            yield from _child(incident_id, each)
        elif each.attribute.field is Field.POSTMORTEM_URL:
            body = {"incident_id": incident_id, "permalink": each.after}
            yield PlannedRequest("POST", "/v1/postmortem_documents/actions/attach", body)


def _edit(incident_id: str, attributes: Attributes) -> PlannedRequest:
    return PlannedRequest("POST", f"/v2/incidents/{incident_id}/actions/edit", wire.edit_payload(attributes))


def _created(value: Value) -> Value:
    """Return the value with each new option as the entity that it will be."""
    if not isinstance(value, tuple):
        return value
    return tuple(
        Entity(Kind.OPTION, LATER, each.name) if isinstance(each, NewOption) else each for each in value
    )


def _child(incident_id: str, change: FieldChange) -> Iterator[PlannedRequest]:
    value = change.after
    if not isinstance(value, Child):
        raise ValueError(f"the API cannot clear {change.attribute.label}")
    if change.before is None:
        yield _child_creation(incident_id, change.attribute, value)
        yield from _child_status(change.attribute, value)
    elif isinstance(value, TimelineItem):
        body = wire_children.timeline_body(value)
        yield PlannedRequest("PATCH", f"/v2/incident_timeline_items/{LATER}", body)
    elif isinstance(value, FollowUp):
        current = change.before.status if isinstance(change.before, FollowUp) else None
        yield _follow_up_update(change.attribute, value, value.status or current or LATER)
    else:
        yield from _child_status(change.attribute, value)


def _child_creation(incident_id: str, attribute: Attribute, child: Child) -> PlannedRequest:
    of_incident: dict[str, Any] = {"incident_id": incident_id}
    match child:
        case TimelineItem():
            body = of_incident | {"title": _title(attribute)} | wire_children.timeline_body(child)
            return PlannedRequest("POST", "/v2/incident_timeline_items", body)
        case FollowUp():
            body = of_incident | {"title": _title(attribute)} | wire_children.follow_up_body(child)
            return PlannedRequest("POST", "/v3/follow_ups", body)
        case Attachment():
            body = of_incident | {"resource": wire_children.attachment_resource(child)}
            return PlannedRequest("POST", "/v1/incident_attachments", body)
        case PostmortemDocument(content=content):
            path = f"/v2/incidents/{incident_id}/actions/import_postmortem_document"
            return PlannedRequest("POST", path, {"title": _title(attribute), "content": content})
        case Membership():
            return PlannedRequest(
                "POST", "/v1/incident_memberships", of_incident | {"user_id": _user(attribute)}
            )
        case StatusPageIncident():
            body = {"name": _title(attribute)} | wire_children.status_page_body(child)
            return PlannedRequest("POST", "/v2/status_page_retrospective_incidents", body)
        case _:
            assert_never(child)


def _child_status(attribute: Attribute, child: Child) -> Iterator[PlannedRequest]:
    """Yield the request that sets the status of a child just created: no creation takes one."""
    match child:
        case FollowUp(status=str() as status) if status != "outstanding":
            yield _follow_up_update(attribute, child, status)
        case PostmortemDocument(status=str() as status):
            yield PlannedRequest("PUT", f"/v1/postmortem_documents/{LATER}", {"status": status})


def _follow_up_update(attribute: Attribute, child: FollowUp, status: str) -> PlannedRequest:
    required = {"title": _title(attribute), "status": status}
    return PlannedRequest("PUT", f"/v3/follow_ups/{LATER}", required | wire_children.follow_up_body(child))


def _title(attribute: Attribute) -> str:
    if isinstance(attribute.key, str):
        return attribute.key
    raise ValueError(f"{attribute.label} has no title")


def _user(attribute: Attribute) -> str:
    if isinstance(attribute.key, Entity):
        return attribute.key.id
    raise ValueError(f"{attribute.label} is not resolved")
