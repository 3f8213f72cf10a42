"""An incident -> the children that the account lists."""

from __future__ import annotations

from importer.api.exchange import MISSING, Exchange, may_be_missing
from importer.model import Field, LiveChild, normalise
from importer.model.errors import ApiError
from importer.wire import children as wire
from importer.wire import paths
from importer.wire.incidents import parsing


def read_children(exchange: Exchange, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
    """Return the children of these kinds. The API returns an empty list for anything but the incident's ID.

    Memberships are never listed, as the API does not show them, nor are status page incidents, which it does
    not link to an incident (they have an idempotency key). An attachment appears under each of its names.
    Raises NotAvailable if the account lacks the endpoint of a kind.
    """
    return tuple(child for field in sorted(fields) for child in _read_kind(exchange, incident_id, field))


def _read_kind(exchange: Exchange, incident_id: str, field: Field) -> tuple[LiveChild, ...]:
    owned = {"incident_id": incident_id}
    with parsing(f"a list of {field}"):
        match field:
            case Field.TIMELINE:
                with may_be_missing("timeline items"):
                    found = exchange.get_pages(paths.TIMELINE, "incident_timeline_items", owned)
                    return wire.timeline_items(found)
            case Field.FOLLOW_UP:
                return wire.follow_ups(exchange.get_follow_ups(owned))
            case Field.ATTACHMENT:
                listed = exchange.get_list(paths.ATTACHMENTS, "incident_attachments", owned)
                return wire.attachments(listed)
            case Field.POSTMORTEM:
                return wire.postmortems(exchange.get_pages(paths.POSTMORTEMS, "postmortem_documents", owned))
            case _:
                return ()


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
