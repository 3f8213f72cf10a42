"""The JSON of the incident.io API -> an incident's children, as lists and answers show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar, assert_never

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    Membership,
    PostmortemDocument,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    normalise,
)
from importer.model.errors import ApiError
from importer.model.steps import CreateChild
from importer.wire.incidents import Json, entity, parse_moment

TITLED = TypeVar("TITLED", TimelineItem, FollowUp)


def belonging(listed: Iterable[Json], incident_id: str) -> list[Json]:
    """Return the children of this incident: the list of an incident with streams has their children too."""
    return [each for each in listed if each.get("incident_id", incident_id) == incident_id]


def timeline_items(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the timeline items, except those promoted from the activity log, which nobody wrote."""
    written = [each for each in listed if not each.get("activity_log_id")]
    return _titled(Field.TIMELINE, written, timeline_item)


def timeline_item(json: Json) -> TimelineItem:
    """Return a timeline item without its title."""
    return TimelineItem(parse_moment(json["timestamp"]), normalise.text(json.get("description") or ""))


def follow_ups(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the follow-ups that are not deleted, oldest first."""
    kept = [each for each in listed if each.get("status") != "deleted"]
    kept.sort(key=lambda each: (each.get("created_at") or "", each["id"]))
    return _titled(Field.FOLLOW_UP, kept, follow_up)


def follow_up(json: Json) -> FollowUp:
    """Return a follow-up without its title."""
    assignee = json.get("assignee")
    team, priority, category = (json.get(name) or {} for name in ("assignee_team", "priority", "category"))
    return FollowUp(
        description=normalise.text(json.get("description") or ""),
        assignee=entity(Kind.USER, assignee) if assignee else None,
        status=json.get("status") or None,
        labels=tuple(sorted(json.get("labels") or ())),
        team=team.get("id"),
        priority=priority.get("id"),
        category=category.get("id"),
    )


def attachments(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the attachments by permalink, or by external ID if they have none."""
    found = [(each, _attachment(each)) for each in listed]
    keys = _numbered(f"{value.resource_type} {value.url or value.external_id}" for _, value in found)
    return tuple(
        _live_child(json, Attribute(Field.ATTACHMENT, key), value)
        for key, (json, value) in zip(keys, found, strict=True)
    )


def _attachment(json: Json) -> Attachment:
    resource = json["resource"]
    return Attachment(
        resource["resource_type"],
        url=resource.get("permalink") or None,
        external_id=resource.get("external_id") or None,
        title=resource.get("title") or None,
    )


def postmortems(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the documents in incident.io, oldest first, without their content, which is not listed. An
    external document is not a child: its URL is an attribute of the incident."""
    inside = [each for each in listed if each.get("type") != "external"]
    inside.sort(key=lambda each: (each.get("created_at") or "", each["id"]))
    return tuple(_live_child(each, Attribute(Field.POSTMORTEM), _postmortem(each)) for each in inside)


def _postmortem(json: Json) -> PostmortemDocument:
    title = normalise.line(json["title"]) or None
    return PostmortemDocument(content="", status=json.get("status") or None, title=title)


def status_page_incidents(listed: Iterable[Json], page: Entity) -> tuple[LiveChild, ...]:
    """Return the incidents of a status page. Nothing links them to an incident."""
    attribute = Attribute(Field.STATUS_PAGE, page)
    return tuple(_live_child(each, attribute, _status_page_incident(each, page)) for each in listed)


def _status_page_incident(json: Json, page: Entity) -> StatusPageIncident:
    updates = map(_status_page_update, json["updates"])
    name = normalise.line(json["name"])
    return StatusPageIncident(page, name, tuple(sorted(updates, key=lambda each: each.at)))


def _status_page_update(json: Json) -> StatusPageUpdate:
    statuses = sorted(
        (each["component_id"], each["component_status"]) for each in json.get("component_statuses") or ()
    )
    return StatusPageUpdate(
        at=parse_moment(json["published_at"]),
        status=json["incident_status"],
        message=normalise.text(json["message"]) or "",
        components=tuple((Entity(Kind.COMPONENT, each, ""), status) for each, status in statuses),
    )


def created(step: CreateChild, json: Json) -> LiveChild:
    """Return the child from the answer to its creation. Its status is the account's, not the declared one,
    since no creation takes a status."""
    attribute, value = step.attribute, step.value
    match value:
        case TimelineItem():
            shown = json["incident_timeline_item"]
            return LiveChild(shown["id"], attribute, _with_title(timeline_item(shown), shown, attribute))
        case FollowUp():
            shown = json["follow_up"]
            return LiveChild(shown["id"], attribute, _with_title(follow_up(shown), shown, attribute))
        case PostmortemDocument():
            shown = json["postmortem_document"]
            return LiveChild(shown["id"], attribute, replace(value, status=shown.get("status") or None))
        case Attachment():
            return LiveChild(json["incident_attachment"]["id"], attribute, value)
        case Membership():
            return LiveChild(json["incident_membership"]["id"], attribute, value)
        case StatusPageIncident():
            return LiveChild(json["status_page_incident"]["id"], attribute, value)
        case _:
            assert_never(value)


def is_there_already(refusal: ApiError) -> bool:
    """Whether a membership was refused because the user already has access. This is not documented: a 409 can
    mean nothing else here, and a 422 shows it only in its message."""
    text = f"{refusal.code} {refusal.message}".lower()
    return refusal.status == 409 or (refusal.status == 422 and "already" in text)


def sent_value(attribute: Attribute, body: Json) -> Child | None:
    """Return the child that the body of its creation described, or None if it has no content."""
    match attribute.field:
        case Field.TIMELINE:
            return _with_title(timeline_item(body), body, attribute)
        case Field.FOLLOW_UP:
            assignee = body.get("assignee_id")
            user = {"assignee": {"id": assignee}} if assignee else {}
            return _with_title(follow_up({**body, **user}), body, attribute)
        case Field.ATTACHMENT:
            resource = body["resource"]
            return _attachment({"resource": {**resource, "permalink": resource.get("url")}})
        case Field.POSTMORTEM:
            return PostmortemDocument(body["content"], default_title=normalise.line(body["title"]))
        case Field.STATUS_PAGE:
            return _status_page_incident(body, Entity(Kind.STATUS_PAGE, body["status_page_id"], ""))
        case _:
            return None


def _titled(field: Field, listed: list[Json], value_of: Callable[[Json], TITLED]) -> tuple[LiveChild, ...]:
    attributes = [Attribute(field, key) for key in _numbered(each["title"] for each in listed)]
    return tuple(
        _live_child(json, attribute, _with_title(value_of(json), json, attribute))
        for json, attribute in zip(listed, attributes, strict=True)
    )


def _with_title(value: TITLED, json: Json, attribute: Attribute) -> TITLED:
    """Keep the title in the account if it differs from the key: the update of a follow-up repeats it."""
    return value if json["title"] == attribute.key else replace(value, title=json["title"])


def _live_child(json: Json, attribute: Attribute, value: Child) -> LiveChild:
    creator, created_at = json.get("creator") or {}, json.get("created_at")
    return LiveChild(
        json["id"],
        attribute,
        value,
        is_foreign=bool(creator) and not creator.get("api_key"),
        created_at=parse_moment(created_at) if created_at else None,
    )


def _numbered(names: Iterable[str]) -> Iterator[str]:
    """Yield a unique key for each name: the second child with the same name gets `name #2`, and so on."""
    used: set[str] = set()
    for raw in names:
        name = normalise.text(raw) or ""
        key, number = name, 1
        while key in used:
            number += 1
            key = f"{name} #{number}"
        used.add(key)
        yield key
