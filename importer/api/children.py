"""An incident -> the children that the account lists."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from importer.api.exchange import MISSING, Exchange, may_be_missing
from importer.model import Entity, Field, LiveChild, normalise
from importer.model.errors import ApiError, NotAvailable
from importer.wire import children as wire
from importer.wire import paths
from importer.wire.incidents import parsing

_NO_INCIDENT = "0" * 26
"""An ID that no incident has: the account answers with an empty list, or refuses the ID."""

_LISTS = {
    Field.TIMELINE: paths.TIMELINE,
    Field.FOLLOW_UP: paths.FOLLOW_UPS,
    Field.ATTACHMENT: paths.ATTACHMENTS,
    Field.POSTMORTEM: paths.POSTMORTEMS,
}


def read_children(exchange: Exchange, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
    """Return the children of these kinds. The API returns an empty list for anything but the incident's ID.

    Memberships are never listed, as the API does not show them, nor are status page incidents, which it does
    not link to an incident: see `read_status_page_incidents`. Raises NotAvailable if the account lacks the
    endpoint of a kind.
    """
    return tuple(child for field in sorted(fields) for child in _read_kind(exchange, incident_id, field))


def _read_kind(exchange: Exchange, incident_id: str, field: Field) -> tuple[LiveChild, ...]:
    owned = {"incident_id": incident_id}
    with parsing(f"a list of {field}"), may_be_missing(_list_name(field)):
        match field:
            case Field.TIMELINE:
                found = exchange.get_pages(paths.TIMELINE, "incident_timeline_items", owned)
                return wire.timeline_items(wire.belonging(found, incident_id))
            case Field.FOLLOW_UP:
                return wire.follow_ups(wire.belonging(exchange.get_follow_ups(owned), incident_id))
            case Field.ATTACHMENT:
                listed = exchange.get_list(paths.ATTACHMENTS, "incident_attachments", owned)
                return wire.attachments(wire.belonging(listed, incident_id))
            case Field.POSTMORTEM:
                documents = exchange.get_pages(paths.POSTMORTEMS, "postmortem_documents", owned)
                return wire.postmortems(wire.belonging(documents, incident_id))
            case _:
                return ()


def check_list(exchange: Exchange, kind: Field | Entity) -> None:
    """Look whether children of a kind, or the incidents of a status page, can be listed at all. Raises
    NotAvailable if not."""
    if isinstance(kind, Entity):
        with may_be_missing("the list of status page incidents"):
            exchange.get(paths.STATUS_PAGE_INCIDENTS, {"status_page_id": kind.id, "page_size": "1"})
    else:
        _check_kind(exchange, kind)


def _check_kind(exchange: Exchange, kind: Field) -> None:
    """Check whether an incident's children of a kind can be listed. A 404 may concern the incident, which
    does not exist; only one for a list without an incident shows that the list is missing."""
    try:
        _expect_list(lambda: _read_kind(exchange, _NO_INCIDENT, kind))
    except NotAvailable as missing:
        if missing.status != HTTPStatus.NOT_FOUND:
            raise
        with may_be_missing(_list_name(kind)):
            _expect_list(lambda: exchange.get_newest(_LISTS[kind], {"page_size": "1"}))


def _expect_list(ask: Callable[[], object]) -> None:
    """Ask for a list. If only the parameters are refused, the list exists."""
    try:
        ask()
    except ApiError as refusal:
        if not refusal.is_invalid:
            raise


def _list_name(kind: Field) -> str:
    return f"the list of an incident's {kind}"


def read_status_page_incidents(exchange: Exchange, page: Entity) -> tuple[LiveChild, ...]:
    """Return all incidents of a status page. Raises NotAvailable if the account lacks the endpoint."""
    asked = {"status_page_id": page.id}
    with parsing("a list of status page incidents"), may_be_missing("the list of status page incidents"):
        found = exchange.get_pages(paths.STATUS_PAGE_INCIDENTS, "status_page_incidents", asked)
        return wire.status_page_incidents(found, page)


def read_postmortem_content(exchange: Exchange, document_id: str) -> str | None:
    """Return the text of a post-mortem that was written in incident.io, or None if the account hides it."""
    try:
        answer = exchange.get(paths.below(paths.POSTMORTEMS, document_id, "content"))
    except ApiError as refusal:
        if refusal.status in MISSING:
            return None
        raise
    with parsing("a post-mortem's content"):
        return normalise.text(answer["markdown"])
