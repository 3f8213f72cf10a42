"""An incident's children <-> the JSON of the incident.io API.

Sources are the API pages Incident Timeline Items, Follow-ups, Incident Attachments, Post-mortem Documents,
Incident Memberships and Status Pages. A child's title is its attribute's key, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    normalise,
)
from importer.wire.incidents import Json, entity, moment, moment_text


def timeline_body(item: TimelineItem) -> Json:
    """Return timestamp and description, as creation and edit take them."""
    body: Json = {"timestamp": moment_text(item.at)}
    return body | ({"description": item.description} if item.description else {})


def follow_up_body(follow_up: FollowUp) -> Json:
    """Return what is set, but for the status, which a creation does not take."""
    body: Json = {}
    if follow_up.description:
        body["description"] = follow_up.description
    if follow_up.assignee:
        body["assignee_id"] = _resolved(follow_up.assignee)
    if follow_up.labels:
        body["labels"] = list(follow_up.labels)
    return body


def attachment_resource(attachment: Attachment) -> Json:
    """Return the resource: by external ID or by URL, never both; only a bare URL takes a title."""
    resource: Json = {"resource_type": attachment.resource_type}
    if attachment.external_id:
        resource["external_id"] = attachment.external_id
    else:
        resource["url"] = attachment.url
    if attachment.title and attachment.resource_type == "arbitrary_url":
        resource["title"] = attachment.title
    return resource


def status_page_body(incident: StatusPageIncident) -> Json:
    """Return a public history; nobody is notified of it."""
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


def _resolved(thing: Reference | Entity) -> str:
    if isinstance(thing, Entity):
        return thing.id
    raise ValueError(f"{thing.kind} {thing.name!r} is not resolved")


def timeline_items(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the items that somebody wrote; those made from the activity log cannot be edited."""
    written = (each for each in listed if not each.get("activity_log_id"))
    return _keyed(Field.TIMELINE, [(each["id"], each["title"], timeline_item(each)) for each in written])


def timeline_item(json: Json) -> TimelineItem:
    """Return a timeline item without its title."""
    return TimelineItem(moment(json["timestamp"]), normalise.text(json.get("description") or ""))


def follow_ups(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the follow-ups that were not deleted, oldest first, whatever order they were listed in."""
    kept = [each for each in listed if each.get("status") != "deleted"]
    kept.sort(key=lambda each: (each.get("created_at") or "", each["id"]))
    return _keyed(Field.FOLLOW_UP, [(each["id"], each["title"], follow_up(each)) for each in kept])


def follow_up(json: Json) -> FollowUp:
    """Return a follow-up without its title."""
    assignee = json.get("assignee")
    return FollowUp(
        description=normalise.text(json.get("description") or ""),
        assignee=entity(Kind.USER, assignee) if assignee else None,
        status=json.get("status") or None,
        labels=tuple(sorted(json.get("labels") or ())),
    )


def attachments(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the attachments under every key that a file may have given them: each once by its permalink and
    once by its external ID, so that neither word makes a second one."""
    return _keyed(Field.ATTACHMENT, [each for json in listed for each in _attachment(json)])


def _attachment(json: Json) -> Iterator[tuple[str, str, Child]]:
    resource = json["resource"]
    value = Attachment(
        resource["resource_type"],
        url=resource.get("permalink") or None,
        external_id=resource.get("external_id") or None,
        title=resource.get("title") or None,
    )
    for word in dict.fromkeys(filter(None, (value.url, value.external_id))):
        yield json["id"], f"{value.resource_type} {word}", value


def postmortems(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the documents written in incident.io, oldest first, without their content, which is not listed.
    A document elsewhere is no child: its URL is an attribute of the incident."""
    inside = [each for each in listed if each.get("type") != "external"]
    inside.sort(key=lambda each: (each.get("created_at") or "", each["id"]))
    return _keyed(Field.POSTMORTEM, [(each["id"], each["title"], _postmortem(each)) for each in inside])


def _postmortem(json: Json) -> PostmortemDocument:
    return PostmortemDocument(content="", status=json.get("status") or None)


def _keyed(field: Field, found: list[tuple[str, str, Child]]) -> tuple[LiveChild, ...]:
    return tuple(
        LiveChild(identity, Attribute(field, key), value)
        for key, (identity, _, value) in zip(_numbered(name for _, name, _ in found), found, strict=True)
    )


def _numbered(names: Iterable[str]) -> Iterator[str]:
    """Give the second thing of one name the key `name #2`, and so on, never a key that is taken."""
    taken: set[str] = set()
    for raw in names:
        name = normalise.text(raw) or ""
        key, number = name, 1
        while key in taken:
            number += 1
            key = f"{name} #{number}"
        taken.add(key)
        yield key
