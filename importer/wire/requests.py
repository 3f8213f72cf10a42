"""A step -> its request: method, path and body, both for a plan to show and for apply to send.

Sources are the API pages Incidents V2, Custom Field Options, Incident Timeline Items, Follow-ups, Incident
Attachments, Post-mortem Documents, Incident Memberships and Status Pages.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import assert_never

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Entity,
    FollowUp,
    Membership,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unanswered,
)
from importer.model.identity import child_key
from importer.model.steps import (
    LATER,
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    Id,
    SetChildStatus,
    Step,
    child_name,
    status_after,
)
from importer.wire import paths
from importer.wire.incidents import Json, create_payload, edit_payload, moment_text


@dataclass(frozen=True, slots=True)
class Request:
    """A write request. `content` is its JSON body in ASCII, exactly as it is sent and resent.

    If it is not `repeatable`, it is looked for before it is sent again: a second one might create a
    duplicate, as the server may have forgotten the `idempotency_key`, if there is one. If it is `optional`,
    the account may lack the endpoint.
    """

    method: str
    path: str
    content: str
    idempotency_key: str | None = None
    repeatable: bool = True
    optional: bool = False

    @property
    def body(self) -> Json:
        body: Json = json.loads(self.content)
        return body

    @property
    def sha256(self) -> str:
        """SHA-256 of the body's bytes, in hexadecimal."""
        return hashlib.sha256(self.content.encode("ascii")).hexdigest()


def request(step: Step) -> Request:
    """Return the request of a step; an ID that is not known yet is `(known after apply)`.

    Raises ValueError for a value that cannot be sent.
    """
    match step:
        case CreateOption(option=option):
            body = {"custom_field_id": option.custom_field.id, "value": option.name}
            return _create(paths.CUSTOM_FIELD_OPTIONS, body)
        case CreateIncident(attributes=attributes, idempotency_key=key, external_id=number, sent_before=sent):
            payload = create_payload(attributes, idempotency_key=key, external_id=number)
            return _sent_as(sent, _create(paths.INCIDENTS, payload))
        case (
            EditIncident(incident_id=incident, attributes=attributes)
            | CorrectIncident(incident_id=incident, attributes=attributes)
        ):
            path = paths.below(paths.INCIDENTS, incident, "actions", "edit")
            return _request("POST", path, edit_payload(attributes))
        case AttachPostmortem(incident_id=incident, url=url):
            path = paths.below(paths.POSTMORTEMS, "actions", "attach")
            return _request("POST", path, {"incident_id": _text(incident), "permalink": url})
        case CreateChild(incident_id=incident, attribute=attribute, value=value, sent_before=sent):
            return _sent_as(sent, _creation(incident, attribute, value))
        case EditChild(child_id=child, attribute=attribute, before=before, value=value):
            return _edit(child, attribute, before, value)
        case SetChildStatus(child_id=child, attribute=attribute, value=value, status=status):
            return _status(child, attribute, value, status)
        case _:
            assert_never(step)


def _creation(incident: Id, attribute: Attribute, value: Child) -> Request:
    owned: Json = {"incident_id": _text(incident)}
    match value:
        case TimelineItem():
            title = value.title or _title(attribute)
            body = {**_keyed(incident, attribute), **owned, "title": title, **_timeline(value)}
            return _create(paths.TIMELINE, body)
        case FollowUp():
            title = value.title or _title(attribute)
            return _create(paths.FOLLOW_UPS, {**owned, "title": title, **_follow_up(value)})
        case Attachment():
            return _create(paths.ATTACHMENTS, {**owned, "resource": _resource(value)})
        case PostmortemDocument(content=content):
            path = paths.below(paths.INCIDENTS, incident, "actions", "import_postmortem_document")
            return _create(path, {"title": value.title or value.default_title or "", "content": content})
        case Membership():
            return _create(paths.MEMBERSHIPS, {**owned, "user_id": _user(attribute)})
        case StatusPageIncident():
            body = {**_keyed(incident, attribute), "name": value.name, **_history(value)}
            return _create(paths.STATUS_PAGE_HISTORY, body)
        case _:
            assert_never(value)


def _edit(child: Id, attribute: Attribute, before: Child, value: Child) -> Request:
    match value:
        case TimelineItem():
            return _request("PATCH", paths.below(paths.TIMELINE, child), _timeline(value) | _clearing(value))
        case FollowUp():
            status = _text(status_after(before, value) or LATER)
            return _put_follow_up(child, attribute, value, status)
        case StatusPageIncident(name=name):
            return _request("PUT", paths.below(paths.STATUS_PAGE_INCIDENTS, child), {"name": name})
        case Attachment() | PostmortemDocument() | Membership():
            raise ValueError(f"the API cannot edit {attribute.label}")
        case _:
            assert_never(value)


def _status(child: Id, attribute: Attribute, value: FollowUp | PostmortemDocument, status: str) -> Request:
    match value:
        case FollowUp():
            return _put_follow_up(child, attribute, value, status)
        case PostmortemDocument():
            return _request("PUT", paths.below(paths.POSTMORTEMS, child), {"status": status})
        case _:
            assert_never(value)


def _create(path: str, body: Json) -> Request:
    """Return a creation that is looked for before it is sent again."""
    return _request("POST", path, body, repeatable=False)


def _request(method: str, path: str, body: Json, *, repeatable: bool = True) -> Request:
    content = json.dumps(body, separators=(",", ":"), allow_nan=False)
    optional = path.startswith(paths.TIMELINE)
    return Request(method, path, content, body.get("idempotency_key"), repeatable, optional)


def _sent_as(before: Unanswered | None, new: Request) -> Request:
    """Return a request as it was sent before, if that is known."""
    if before is None or before.content is None:
        return new
    return replace(new, content=before.content, idempotency_key=before.idempotency_key)


def _text(identity: Id) -> str:
    return identity if isinstance(identity, str) else identity.value


def _keyed(incident: Id, attribute: Attribute) -> Json:
    """Return the idempotency key of a child, derived from its incident's ID and its own name."""
    if isinstance(incident, str):
        return {"idempotency_key": child_key(parent=incident, label=child_name(attribute))}
    return {"idempotency_key": incident.value}


def _title(attribute: Attribute) -> str:
    if isinstance(attribute.key, str):
        return attribute.key
    raise ValueError(f"{attribute.label} has no title")


def _user(attribute: Attribute) -> str:
    if isinstance(attribute.key, Entity):
        return attribute.key.id
    raise ValueError(f"{attribute.label} is not resolved")


def _put_follow_up(child: Id, attribute: Attribute, value: FollowUp, status: str) -> Request:
    """Return the update of a follow-up, which requires title and status. Whether it keeps what it leaves out
    is not documented, so it has all that is known."""
    body = {"title": value.title or _title(attribute), "status": status, **_follow_up(value)}
    body |= _clearing(value)
    return _request("PUT", paths.below(paths.FOLLOW_UPS, child), body)


_EMPTY: Json = {
    "description": {"description": ""},
    "assignee": {"assignee_id": None},
    "labels": {"labels": []},
}
"""What clears a part. Null is documented for an assignee, and the empty description for a timeline item; for
the others nothing is (API pages Follow-ups V3 and Incident Timeline Items V2)."""


def _clearing(value: TimelineItem | FollowUp) -> Json:
    """Return what clears the parts that are declared as empty, for an edit."""
    return {name: empty for part in value.cleared for name, empty in _EMPTY[part].items()}


def _timeline(item: TimelineItem) -> Json:
    """Return timestamp and description, for a creation or an edit."""
    body: Json = {"timestamp": moment_text(item.at)}
    return body | ({"description": item.description} if item.description else {})


def _follow_up(follow_up: FollowUp) -> Json:
    """Return the parts that are set, without the status, which a creation does not take."""
    body: Json = {}
    if follow_up.description:
        body["description"] = follow_up.description
    if follow_up.assignee:
        body["assignee_id"] = _resolved(follow_up.assignee)
    if follow_up.labels:
        body["labels"] = list(follow_up.labels)
    unmanaged = {
        "assignee_team_id": follow_up.team,
        "follow_up_priority_option_id": follow_up.priority,
        "follow_up_category_id": follow_up.category,
    }
    return body | {name: identity for name, identity in unmanaged.items() if identity}


def _resource(attachment: Attachment) -> Json:
    """Return the resource, by external ID or URL but never both; only a plain URL takes a title."""
    resource: Json = {"resource_type": attachment.resource_type}
    if attachment.external_id:
        resource["external_id"] = attachment.external_id
    else:
        resource["url"] = attachment.url
    if attachment.title and attachment.resource_type == "arbitrary_url":
        resource["title"] = attachment.title
    return resource


def _history(incident: StatusPageIncident) -> Json:
    """Return a public history, which notifies nobody."""
    return {
        "status_page_id": _resolved(incident.page),
        "updates": [_update(each) for each in incident.updates],
    }


def _update(update: StatusPageUpdate) -> Json:
    return {
        "published_at": moment_text(update.at),
        "incident_status": update.status,
        "message": update.message,
        "component_statuses": [
            {"component_id": _resolved(component), "component_status": status}
            for component, status in update.components
        ],
    }


def _resolved(reference: Reference | Entity) -> str:
    if isinstance(reference, Entity):
        return reference.id
    raise ValueError(f"{reference.kind} {reference.name!r} is not resolved")
