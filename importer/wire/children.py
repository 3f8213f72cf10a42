"""The JSON of the incident.io API -> an incident's children, as lists and answers show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    Membership,
    PostmortemDocument,
    StatusPageIncident,
    TimelineItem,
    normalise,
)
from importer.model.errors import ApiError
from importer.model.steps import CreateChild
from importer.wire.incidents import Json, entity, parse_moment


def timeline_items(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the timeline items, except those from the activity log, which cannot be edited."""
    written = (each for each in listed if not each.get("activity_log_id"))
    return _keyed(Field.TIMELINE, [(each["id"], each["title"], timeline_item(each)) for each in written])


def timeline_item(json: Json) -> TimelineItem:
    """Return a timeline item without its title."""
    return TimelineItem(parse_moment(json["timestamp"]), normalise.text(json.get("description") or ""))


def follow_ups(listed: Iterable[Json]) -> tuple[LiveChild, ...]:
    """Return the follow-ups that are not deleted, oldest first."""
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
    """Return each attachment by permalink and by external ID, so that neither key creates a duplicate."""
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
    """Return the documents in incident.io, oldest first, without their content, which is not listed. An
    external document is not a child: its URL is an attribute of the incident."""
    inside = [each for each in listed if each.get("type") != "external"]
    inside.sort(key=lambda each: (each.get("created_at") or "", each["id"]))
    return _keyed(Field.POSTMORTEM, [(each["id"], each["title"], _postmortem(each)) for each in inside])


def _postmortem(json: Json) -> PostmortemDocument:
    return PostmortemDocument(content="", status=json.get("status") or None)


def created(step: CreateChild, json: Json) -> LiveChild:
    """Return the child from the answer to its creation. Its status is the account's, not the declared one,
    since no creation takes a status."""
    attribute, value = step.attribute, step.value
    match value:
        case TimelineItem():
            shown = json["incident_timeline_item"]
            return LiveChild(shown["id"], attribute, timeline_item(shown))
        case FollowUp():
            shown = json["follow_up"]
            return LiveChild(shown["id"], attribute, follow_up(shown))
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


def _keyed(field: Field, found: list[tuple[str, str, Child]]) -> tuple[LiveChild, ...]:
    return tuple(
        LiveChild(identity, Attribute(field, key), _titled(value, name, key))
        for key, (identity, name, value) in zip(_numbered(name for _, name, _ in found), found, strict=True)
    )


def _titled(value: Child, title: str, key: str) -> Child:
    """Keep the title of a follow-up if it differs from its key: an update must repeat it."""
    return replace(value, title=title) if isinstance(value, FollowUp) and title != key else value


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
