"""Turn markdown and links into an incident's post-mortem documents."""

from __future__ import annotations

from dataclasses import replace

from importer.sandbox import moments, views
from importer.sandbox.assignments import is_link
from importer.sandbox.children import listed
from importer.sandbox.exchange import Exchange
from importer.sandbox.listing import newest_first, page, paged
from importer.sandbox.problems import invalid, not_found, refuse_if
from importer.sandbox.records import StoredIncident, Wire

_KIND, _CONTENT = "postmortem", "postmortem_content"


def list_documents(exchange: Exchange) -> Wire:
    """GET /v1/postmortem_documents."""
    documents = listed(exchange, _KIND)
    ordered = documents[::-1] if newest_first(exchange.query) else documents
    return paged(page(exchange), "postmortem_documents", ordered)


def show_document(exchange: Exchange) -> Wire:
    """GET /v1/postmortem_documents/{id}: without the content."""
    _, wire = exchange.account.child_at(exchange.key, _KIND, exchange.arguments["id"])
    return {"postmortem_document": wire}


def show_content(exchange: Exchange) -> Wire:
    """GET /v1/postmortem_documents/{id}/content: the markdown; a 404 for an external document."""
    _, wire = exchange.account.child_at(exchange.key, _KIND, exchange.arguments["id"])
    kept = exchange.account.store.child(_CONTENT, f"{wire['id']}/content")
    if kept is None:
        raise not_found()
    return {"markdown": kept[1]["markdown"]}


def import_document(exchange: Exchange) -> Wire:
    """POST /v2/incidents/{id}/actions/import_postmortem_document: every call adds a document."""
    account, payload = exchange.account, exchange.payload
    refuse_if(exchange.problems)
    with account.store.transaction():
        incident = account.incident_at(exchange.key, exchange.arguments["id"])
        identifier = account.new_identifier()
        url = f"{views.permalink(account.catalogue, incident)}/post-mortems/{identifier}"
        title = payload["title"]
        wire = _document(exchange, incident, {"id": identifier, "document_url": url, "title": title})
        content = {"id": f"{identifier}/content", "markdown": payload["content"]}
        account.put_child(_CONTENT, incident.id, content)
        main_url = incident.postmortem_document_url or url
        wire = _keep(exchange, replace(incident, postmortem_document_url=main_url), wire)
    return {"postmortem_document": wire}


def attach_document(exchange: Exchange) -> Wire:
    """POST /v1/postmortem_documents/actions/attach: one external document per incident, whose link the next
    call replaces. Refused if a document was imported."""
    account, payload = exchange.account, exchange.payload
    permalink = payload.get("permalink", "")
    wrong = permalink and not is_link(permalink)
    refuse_if(
        [*exchange.problems, *([invalid("permalink", f"{permalink!r} is not a valid URL")] if wrong else [])]
    )
    with account.store.transaction():
        incident = account.incident_in(exchange.key, payload["incident_id"])
        documents = account.store.children_of(_KIND, incident.id)
        if any(document["type"] == "in_app" for document in documents):
            refuse_if([invalid("incident_id", "the incident has an in-app post-mortem")])
        if documents:
            now = moments.to_text(account.now())
            wire = {**documents[0], "document_url": permalink, "updated_at": now}
        else:
            wire = _external_document(exchange, incident, permalink)
        if not account.options.attach_keeps_url:
            incident = replace(incident, postmortem_document_url=permalink)
        wire = _keep(exchange, incident, wire)
    return {"postmortem_document": wire}


def make_document(exchange: Exchange, incident: StoredIncident) -> StoredIncident:
    """Make an external document of a new incident's link to a post-mortem; return the incident with it."""
    _keep(exchange, incident, _external_document(exchange, incident, incident.postmortem_document_url))
    return exchange.account.store.incident(incident.id) or incident


def _external_document(exchange: Exchange, incident: StoredIncident, permalink: str) -> Wire:
    new = {
        "id": exchange.account.new_identifier(),
        "document_url": permalink,
        "title": f"{views.reference(incident)}: {incident.name}",
        "type": "external",
    }
    return _document(exchange, incident, new)


def update_status(exchange: Exchange) -> Wire:
    """PUT /v1/postmortem_documents/{id}: set the status."""
    account = exchange.account
    refuse_if(exchange.problems)
    with account.store.transaction():
        incident, before = account.child_at(exchange.key, _KIND, exchange.arguments["id"])
        if account.options.refuses_external_status and before["type"] == "external":
            refuse_if([invalid("status", "the status of an external document cannot be set")])
        now = moments.to_text(account.now())
        wire = {**before, "status": exchange.payload["status"], "updated_at": now}
        wire = account.put_child(_KIND, incident.id, wire)
    return {"postmortem_document": wire}


def _document(exchange: Exchange, incident: StoredIncident, new: Wire) -> Wire:
    now = moments.to_text(exchange.account.now())
    return {
        "incident_id": incident.id,
        "status": "in_progress",
        "type": "in_app",
        "editors": [],
        "exported_urls": [],
        "created_at": now,
        "updated_at": now,
        **new,
    }


def _keep(exchange: Exchange, incident: StoredIncident, wire: Wire) -> Wire:
    identifiers = tuple(dict.fromkeys((*incident.postmortem_document_ids, wire["id"])))
    updated = exchange.account.now()
    exchange.account.put_incident(replace(incident, postmortem_document_ids=identifiers, updated=updated))
    return exchange.account.put_child(_KIND, incident.id, wire)
