"""An incident's children <-> the account: which endpoint each kind has, and what that endpoint cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from importer.api.exchange import Exchange, segment
from importer.model import (
    Attachment,
    Attribute,
    Entity,
    Field,
    FollowUp,
    LiveChild,
    Membership,
    PostmortemDocument,
    StatusPageIncident,
    TimelineItem,
    Value,
    normalise,
)
from importer.model.errors import ApiError, NotAvailable
from importer.wire import children as wire
from importer.wire.incidents import Json, understood

_TIMELINE = "/v2/incident_timeline_items"
_FOLLOW_UPS = "/v3/follow_ups"
_OLDER_FOLLOW_UPS = "/v2/follow_ups"
_POSTMORTEMS = "/v1/postmortem_documents"
_ATTACHMENTS = "/v1/incident_attachments"
_MEMBERSHIPS = "/v1/incident_memberships"
_STATUS_PAGES = "/v2/status_page_retrospective_incidents"

_MISSING = (403, 404, 405)
"""How an account answers where it lacks a newer endpoint, or its key may not use it."""

T = TypeVar("T")


class Children:
    """Lists, creates and updates. Raises NotAvailable where the account or the API lacks the operation, and
    ValueError for what is not a resolved child."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._follow_ups = _FOLLOW_UPS

    def listed(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        """Return the children of these kinds, by the incident's ID: any other word gives an empty list.

        Never listed are memberships, which the API does not show, and public incidents, which it does not tie
        to an incident (they have an idempotency key). An attachment appears under each of its names.
        """
        return tuple(child for field in sorted(fields) for child in self._of(incident_id, field))

    def _of(self, incident_id: str, field: Field) -> tuple[LiveChild, ...]:
        owned = {"incident_id": incident_id}
        with understood(f"a list of {field}"):
            match field:
                case Field.TIMELINE:
                    with _newer(field):
                        found = self._exchange.get_pages(_TIMELINE, "incident_timeline_items", owned)
                        return wire.timeline_items(found)
                case Field.FOLLOW_UP:
                    return wire.follow_ups(self._listed_follow_ups(incident_id))
                case Field.ATTACHMENT:
                    return wire.attachments(
                        self._exchange.get_list(_ATTACHMENTS, "incident_attachments", owned)
                    )
                case Field.POSTMORTEM:
                    found = self._exchange.get_pages(_POSTMORTEMS, "postmortem_documents", owned)
                    return wire.postmortems(found)
                case _:
                    return ()

    def postmortem_content(self, document_id: str) -> str | None:
        """Return what a post-mortem that was written in incident.io says; None where the account does not
        show it."""
        try:
            answer = self._exchange.get(f"{_POSTMORTEMS}/{segment(document_id)}/content")
        except ApiError as refusal:
            if refusal.status in _MISSING:
                return None
            raise
        with understood("a post-mortem's content"):
            return normalise.text(answer["markdown"])

    def create(
        self, incident_id: str, attribute: Attribute, value: Value, *, idempotency_key: str
    ) -> LiveChild:
        """Create one child; return it with the value that the account now shows, as far as it shows one.

        Timeline items and public incidents carry the idempotency key. The others have none: list them first,
        and again after NoAnswer. A membership that was there already is returned without an ID.
        """
        keyed = {"idempotency_key": idempotency_key}
        match value:
            case TimelineItem():
                body = {**keyed, "incident_id": incident_id}
                return self._create_timeline_item(body, attribute, value)
            case FollowUp():
                return self._create_follow_up(incident_id, attribute, value)
            case Attachment():
                return self._create_attachment(incident_id, attribute, value)
            case PostmortemDocument():
                return self._import_postmortem(incident_id, attribute, value)
            case Membership():
                return self._create_membership(incident_id, attribute)
            case StatusPageIncident():
                return self._create_public_incident(keyed, attribute, value)
            case _:
                raise ValueError(f"{attribute.label} is no child: {type(value).__name__}")

    def update(self, incident_id: str, child_id: str, attribute: Attribute, value: Value) -> LiveChild:
        """Bring one child up to date with what `value` sets; what it leaves open stays."""
        match value:
            case TimelineItem():
                with _newer(attribute.field):
                    path = f"{_TIMELINE}/{segment(child_id)}"
                    self._exchange.send("PATCH", path, wire.timeline_body(value))
            case FollowUp():
                current = self._follow_up(incident_id, child_id)
                return self._put_follow_up(current, attribute, value)
            case PostmortemDocument(status=str() as status):
                self._exchange.send("PUT", f"{_POSTMORTEMS}/{segment(child_id)}", {"status": status})
            case _:
                raise NotAvailable(f"the API cannot change {attribute.label}")
        return LiveChild(child_id, attribute, value)

    def _create_timeline_item(self, body: Json, attribute: Attribute, item: TimelineItem) -> LiveChild:
        with _newer(attribute.field):
            answer = self._exchange.send(
                "POST", _TIMELINE, {**body, "title": _title(attribute), **wire.timeline_body(item)}
            )
        with understood("a timeline item"):
            made = answer["incident_timeline_item"]
            return LiveChild(made["id"], attribute, wire.timeline_item(made))

    def _create_follow_up(self, incident_id: str, attribute: Attribute, follow_up: FollowUp) -> LiveChild:
        body = {"incident_id": incident_id, "title": _title(attribute), **wire.follow_up_body(follow_up)}
        answer = self._newest_follow_ups(lambda path: self._exchange.send_once(path, body))
        with understood("a follow-up"):
            made = answer["follow_up"]
            child = LiveChild(made["id"], attribute, wire.follow_up(made))
        if follow_up.status in (None, made.get("status")):
            return child
        return self._put_follow_up(made, attribute, follow_up)

    def _put_follow_up(self, current: Json, attribute: Attribute, follow_up: FollowUp) -> LiveChild:
        """Send title and status, which the API requires, as they are unless the file sets them."""
        with understood("a follow-up"):
            required = {"title": current["title"], "status": follow_up.status or current["status"]}
        body = {**required, **wire.follow_up_body(follow_up)}
        self._newest_follow_ups(
            lambda path: self._exchange.send("PUT", f"{path}/{segment(current['id'])}", body)
        )
        return LiveChild(current["id"], attribute, follow_up)

    def _follow_up(self, incident_id: str, child_id: str) -> Json:
        with understood("a list of follow-ups"):
            for each in self._listed_follow_ups(incident_id):
                if each["id"] == child_id:
                    return each
        raise ApiError(status=404, code="not_found", message="the follow-up is no longer there")

    def _listed_follow_ups(self, incident_id: str) -> tuple[Json, ...]:
        owned = {"incident_id": incident_id}
        return self._newest_follow_ups(
            lambda path: tuple(self._exchange.get_pages(path, "follow_ups", owned))
        )

    def _newest_follow_ups(self, request: Callable[[str], T]) -> T:
        """Ask version 3, or version 2 where the account lacks it. A refusal is no doubt: nothing was made."""
        try:
            return request(self._follow_ups)
        except ApiError as refusal:
            if refusal.status not in _MISSING or self._follow_ups == _OLDER_FOLLOW_UPS:
                raise
        answer = request(_OLDER_FOLLOW_UPS)
        self._follow_ups = _OLDER_FOLLOW_UPS
        return answer

    def _create_attachment(self, incident_id: str, attribute: Attribute, value: Attachment) -> LiveChild:
        body = {"incident_id": incident_id, "resource": wire.attachment_resource(value)}
        answer = self._exchange.send_once(_ATTACHMENTS, body)
        with understood("an attachment"):
            return LiveChild(answer["incident_attachment"]["id"], attribute, value)

    def _import_postmortem(
        self, incident_id: str, attribute: Attribute, value: PostmortemDocument
    ) -> LiveChild:
        path = f"/v2/incidents/{segment(incident_id)}/actions/import_postmortem_document"
        answer = self._exchange.send_once(path, {"title": _title(attribute), "content": value.content})
        with understood("a post-mortem"):
            made = answer["postmortem_document"]
            child = LiveChild(made["id"], attribute, value)
        if value.status in (None, made.get("status")):
            return child
        return self.update(incident_id, child.id, attribute, value)

    def _create_membership(self, incident_id: str, attribute: Attribute) -> LiveChild:
        if not isinstance(attribute.key, Entity):
            raise ValueError(f"{attribute.label} is not resolved")
        body = {"incident_id": incident_id, "user_id": attribute.key.id}
        try:
            answer = self._exchange.send_once(_MEMBERSHIPS, body)
        except ApiError as refusal:
            if not _is_there_already(refusal):
                raise
            return LiveChild("", attribute, Membership())
        with understood("a membership"):
            return LiveChild(answer["incident_membership"]["id"], attribute, Membership())

    def _create_public_incident(
        self, keyed: Json, attribute: Attribute, value: StatusPageIncident
    ) -> LiveChild:
        body = {**keyed, "name": _title(attribute), **wire.status_page_body(value)}
        answer = self._exchange.send("POST", _STATUS_PAGES, body)
        with understood("a status page incident"):
            return LiveChild(answer["status_page_incident"]["id"], attribute, value)


def _title(attribute: Attribute) -> str:
    if not isinstance(attribute.key, str):
        raise ValueError(f"{attribute.label} has no title")
    return attribute.key


def _is_there_already(refusal: ApiError) -> bool:
    """Whether somebody has access already. No API page gives the answer to that: a 409 can be nothing else
    here, and a 422 says so only in words."""
    words = f"{refusal.code} {refusal.message}".lower()
    return refusal.status == 409 or (refusal.status == 422 and "already" in words)


@contextmanager
def _newer(field: Field) -> Iterator[None]:
    """Turn the refusal of an endpoint that an account may lack into NotAvailable."""
    try:
        yield
    except ApiError as refusal:
        if refusal.status in _MISSING:
            raise NotAvailable(f"no {field} here: {refusal.summary}", hint=refusal.hint) from refusal
        raise
