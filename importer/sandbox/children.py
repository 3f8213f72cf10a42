"""Turn payloads into children of an incident: actions, attachments, timeline items, memberships, updates and
relationships. Only timeline items have an idempotency key; every other create adds another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.sandbox import moments, replay, views
from importer.sandbox.account import unknown
from importer.sandbox.assignments import is_link
from importer.sandbox.choices import RepeatedGrant
from importer.sandbox.exchange import Exchange
from importer.sandbox.listing import in_modes, page, paged, together, visible
from importer.sandbox.problems import Problem, conflict, invalid, refuse_if, required
from importer.sandbox.records import Condition, Wire

_ATTACHMENT_URL = "arbitrary_url"


def listed(exchange: Exchange, kind: str, *conditions: Condition) -> list[Wire]:
    """Return the children of a kind that the key may see, oldest first; only those of one incident if the
    query has its ID. Anything but an ID gives an empty list."""
    of_incident = (
        [Condition("incidents.id = ?", (exchange.query["incident_id"],))]
        if "incident_id" in exchange.query
        else []
    )
    until = Condition("children.created <= ?", (exchange.account.listed_until(),))
    return exchange.account.store.children(
        kind, together([*visible(exchange.key), *of_incident, until, *conditions])
    )


def dated(exchange: Exchange) -> Wire:
    """Return the ID, timestamps and creator of a new object; call it inside a transaction."""
    now = moments.to_text(exchange.account.now())
    return {
        "id": exchange.account.new_identifier(),
        "created_at": now,
        "updated_at": now,
        "creator": views.actor(exchange.key, exchange.key.id),
    }


def in_query_modes(exchange: Exchange) -> Condition:
    """Return the condition for the modes that a query names."""
    return in_modes(exchange.query.getlist("incident_mode"))


def unknown_ids(payload: Wire, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Yield a problem for each identifier in a payload that its table lacks."""
    for name, table in tables.items():
        if payload.get(name) and payload[name] not in table:
            yield unknown(name, payload[name])


def inactive_assignee(exchange: Exchange) -> Iterator[Problem]:
    """Yield the problem of an assignee who is not active, if the account refuses those."""
    user = exchange.account.catalogue.users.get(exchange.payload.get("assignee_id") or "")
    if exchange.account.options.refuses_inactive and user is not None and not user["is_active"]:
        yield invalid("assignee_id", f"the user {user['name']!r} is not active")


def list_actions(exchange: Exchange) -> Wire:
    """GET /v2/actions: unpaginated."""
    return {"actions": listed(exchange, "action", in_query_modes(exchange))}


def create_action(exchange: Exchange) -> Wire:
    """POST /v2/actions."""
    account, payload = exchange.account, exchange.payload
    assignee_id = payload.get("assignee_id", "")
    found = unknown_ids(payload, {"assignee_id": account.catalogue.users})
    refuse_if([*exchange.problems, *found, *inactive_assignee(exchange)])
    with account.store.transaction():
        incident = account.incident_in(exchange.key, payload["incident_id"])
        wire = {
            **dated(exchange),
            "incident_id": incident.id,
            "status": "outstanding",
            "description": payload["description"],
        }
        if assignee_id:
            wire["assignee"] = views.user(account.catalogue, assignee_id)
        wire = account.put_child("action", incident.id, wire)
    return {"action": wire}


def list_attachments(exchange: Exchange) -> Wire:
    """GET /v1/incident_attachments: of an incident, or of an external resource."""
    query = exchange.query
    if "incident_id" not in query and not {"external_id", "resource_type"} <= query.keys():
        refuse_if([required("incident_id", "give an incident_id, or a resource_type and an external_id")])
    names = [name for name in ("external_id", "resource_type") if name in query]
    found = [
        each
        for each in listed(exchange, "attachment")
        if all(each["resource"][name] == query[name] for name in names)
    ]
    return {"incident_attachments": found}


def create_attachment(exchange: Exchange) -> Wire:
    """POST /v1/incident_attachments."""
    account, payload = exchange.account, exchange.payload
    resource = payload.get("resource", {})
    refuse_if([*exchange.problems, *_attachment_problems(exchange, resource)])
    with account.store.transaction():
        incident = account.incident_in(exchange.key, payload["incident_id"])
        wire = {
            "id": account.new_identifier(),
            "incident_id": incident.id,
            "resource": _external_resource(resource),
        }
        wire = account.put_child("attachment", incident.id, wire)
    return {"incident_attachment": wire}


def delete_attachment(exchange: Exchange) -> Wire:
    """DELETE /v1/incident_attachments/{id}."""
    account, identifier = exchange.account, exchange.arguments["id"]
    with account.store.transaction():
        account.child_at(exchange.key, "attachment", identifier)
        account.store.remove_child("attachment", identifier)
    return {}


def _attachment_problems(exchange: Exchange, resource: Wire) -> Iterator[Problem]:
    kind, url = resource.get("resource_type"), resource.get("url", "")
    if kind and kind not in exchange.account.catalogue.attachment_types:
        yield invalid("resource.resource_type", f"the integration for {kind} is not installed")
    if bool(url) == bool(resource.get("external_id")):
        yield invalid("resource", "give either an external_id or a url, not both")
    elif kind == _ATTACHMENT_URL and not url:
        yield required("resource.url", f"a url is required for {_ATTACHMENT_URL}")
    if url and not is_link(url):
        yield invalid("resource.url", f"{url!r} is not a valid URL")
    for name in ("title", "emoji"):
        if resource.get(name) and kind != _ATTACHMENT_URL:
            yield invalid(f"resource.{name}", f"{name} is for {_ATTACHMENT_URL} only")


def _external_resource(resource: Wire) -> Wire:
    kind, url = resource["resource_type"], resource.get("url", "")
    last_part = url.rstrip("/").rpartition("/")[2]
    external_id = resource.get("external_id") or (url if kind == _ATTACHMENT_URL else last_part)
    return {
        "resource_type": kind,
        "external_id": external_id,
        "permalink": url or f"https://{kind.replace('_', '-')}.example.com/{external_id}",
        "title": resource.get("title") or external_id,
    }


def list_timeline_items(exchange: Exchange) -> Wire:
    """GET /v2/incident_timeline_items: of one incident, in chronological order."""
    if "incident_id" not in exchange.query:
        refuse_if([required("incident_id")])
    items = listed(exchange, "timeline_item")
    items.sort(key=lambda item: (moments.from_text(item["timestamp"]), item["id"]))
    return paged(page(exchange), "incident_timeline_items", items)


def create_timeline_item(exchange: Exchange) -> Wire:
    """POST /v2/incident_timeline_items: one per idempotency key ("Retrying with a key we've already seen
    returns the item the first request created")."""
    account, payload = exchange.account, exchange.payload
    refuse_if(exchange.problems)
    with account.store.transaction():
        known = replay.recall(exchange, "timeline_item")
        if known is not None:
            _, wire = account.child_at(exchange.key, "timeline_item", known)
            return {"incident_timeline_item": wire}
        incident = account.incident_in(exchange.key, payload["incident_id"])
        wire = _timeline_item_with(exchange, {**dated(exchange), "incident_id": incident.id})
        wire = account.put_child("timeline_item", incident.id, wire)
        replay.remember(exchange, "timeline_item", wire["id"])
    return {"incident_timeline_item": wire}


def update_timeline_item(exchange: Exchange) -> Wire:
    """PATCH /v2/incident_timeline_items/{id}: "Fields you leave out are unchanged, and an empty description
    removes it"."""
    account = exchange.account
    refuse_if(exchange.problems)
    with account.store.transaction():
        incident, before = account.child_at(exchange.key, "timeline_item", exchange.arguments["id"])
        if "timestamp" in exchange.payload and "activity_log_id" in before:
            refuse_if([invalid("timestamp", "the timestamp of a promoted item cannot be edited")])
        wire = {**_timeline_item_with(exchange, before), "updated_at": moments.to_text(account.now())}
        wire = account.put_child("timeline_item", incident.id, wire)
    return {"incident_timeline_item": wire}


def _timeline_item_with(exchange: Exchange, before: Wire) -> Wire:
    payload = exchange.payload
    wire = dict(before)
    for name in ("title", "description"):
        if name in payload:
            wire[name] = payload[name]
    if "timestamp" in payload:
        wire["timestamp"] = moments.to_text(payload["timestamp"])
    if wire.get("description") == "":
        del wire["description"]
    return wire


def create_membership(exchange: Exchange) -> Wire:
    """POST /v1/incident_memberships: private incidents only; a repeated one returns the first."""
    account, payload = exchange.account, exchange.payload
    refuse_if([*exchange.problems, *unknown_ids(payload, {"user_id": account.catalogue.users})])
    with account.store.transaction():
        incident = account.incident_in(exchange.key, payload["incident_id"])
        if not incident.is_private and not account.options.public_memberships:
            refuse_if([invalid("incident_id", "only private incidents have memberships")])
        for wire in account.store.children_of("membership", incident.id):
            if wire["user"]["id"] == payload["user_id"]:
                if account.options.repeated_grant is RepeatedGrant.CONFLICT:
                    raise conflict("The user is a member of this incident already", "user_id")
                return {"incident_membership": wire}
        user = views.user(account.catalogue, payload["user_id"])
        wire = {**dated(exchange), "incident_id": incident.id, "user": user}
        del wire["creator"]
        wire = account.put_child("membership", incident.id, wire)
    return {"incident_membership": wire}


def list_updates(exchange: Exchange) -> Wire:
    """GET /v2/incident_updates."""
    return paged(page(exchange), "incident_updates", listed(exchange, "update"))


def list_relationships(exchange: Exchange) -> Wire:
    """GET /v1/incident_relationships: always empty, as nothing creates them."""
    if "incident_id" not in exchange.query:
        refuse_if([required("incident_id")])
    return paged(page(exchange), "incident_relationships", [])
