"""An incident -> its children, as far as the account lists them."""

from __future__ import annotations

from importer.api.exchange import MISSING, Exchange, may_be_missing
from importer.model import Field, LiveChild, normalise
from importer.model.errors import ApiError
from importer.wire import children as wire
from importer.wire import paths
from importer.wire.incidents import parsing


def read_children(exchange: Exchange, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
    """Return the children of these kinds, by the incident's ID: any other word gives an empty list. Raises
    NotAvailable where the account lacks the endpoint of a kind.

    Never listed are memberships, which the API does not show, and public incidents, which it does not tie
    to an incident (they have an idempotency key). An attachment appears under each of its names.
    """
    return tuple(child for field in sorted(fields) for child in _of_kind(exchange, incident_id, field))


def _of_kind(exchange: Exchange, incident_id: str, field: Field) -> tuple[LiveChild, ...]:
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
    """Return what a post-mortem that was written in incident.io says; None where the account does not
    show it."""
    try:
        answer = exchange.get(paths.below(paths.POSTMORTEMS, document_id, "content"))
    except ApiError as refusal:
        if refusal.status in MISSING:
            return None
        raise
    with parsing("a post-mortem's content"):
        return normalise.text(answer["markdown"])
