"""Turn the updates of a past outage into a status page incident, and show pages and their structure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from importer.sandbox import moments, replay
from importer.sandbox.account import unknown
from importer.sandbox.exchange import Exchange
from importer.sandbox.listing import page, paged
from importer.sandbox.problems import Problem, invalid, not_found, refuse_if, required
from importer.sandbox.records import Wire

_KIND = "status_page_incident"
_MOST_UPDATES = 100


def list_pages(exchange: Exchange) -> Wire:
    """GET /v2/status_pages."""
    return paged(page(exchange), "status_pages", exchange.account.catalogue.status_pages.values())


def show_structure(exchange: Exchange) -> Wire:
    """GET /v2/status_page_structures/{status_page_id}."""
    items = exchange.account.catalogue.structures.get(exchange.arguments["status_page_id"])
    if items is None:
        raise not_found()
    return {
        "current_structure": {"items": items},
        "display_uptime_mode": "chart_and_percentage",
        "management_meta": {"annotations": {}, "managed_by": "dashboard"},
    }


def list_incidents(exchange: Exchange) -> Wire:
    """GET /v2/status_page_incidents: of one page, and of one component if the query names it."""
    query = exchange.query
    if "status_page_id" not in query:
        refuse_if([required("status_page_id")])
    refuse_if(
        invalid(name, f"the sandbox does not filter by {name}")
        for name in ("group_id", "sub_page_id", "start_at", "end_at")
        if name in query
    )
    account = exchange.account
    found = account.store.children_of(_KIND, query["status_page_id"], account.listed_until())
    component_id = query.get("component_id")
    if component_id is not None:
        found = [
            each
            for each in found
            if any(impact["component_id"] == component_id for impact in each["component_impacts"])
        ]
    return paged(page(exchange), "status_page_incidents", found)


def show_incident(exchange: Exchange) -> Wire:
    """GET /v2/status_page_incidents/{status_page_incident_id}."""
    return {"status_page_incident": _found(exchange)[1]}


def rename_incident(exchange: Exchange) -> Wire:
    """PUT /v2/status_page_incidents/{status_page_incident_id}: set the name."""
    account = exchange.account
    refuse_if(exchange.problems)
    with account.store.transaction():
        page_id, before = _found(exchange)
        wire = account.put_child(_KIND, page_id, {**before, "name": exchange.payload["name"]})
    return {"status_page_incident": wire}


def _found(exchange: Exchange) -> tuple[str, Wire]:
    found = exchange.account.store.child(_KIND, exchange.arguments["status_page_incident_id"])
    if found is None:
        raise not_found()
    return found


def create_retrospective(exchange: Exchange) -> Wire:
    """POST /v2/status_page_retrospective_incidents: one per idempotency key ("the original response will be
    returned"); nobody is notified."""
    account, payload = exchange.account, exchange.payload
    with account.store.transaction():
        identifier = None if exchange.problems else replay.recall(exchange, _KIND)
        known = None if identifier is None else account.store.child(_KIND, identifier)
        if known is not None:
            return {"status_page_incident": known[1]}
        refuse_if([*exchange.problems, *_problems(exchange)])
        wire = _incident(exchange)
        wire = account.put_child(_KIND, payload["status_page_id"], wire)
        replay.remember(exchange, _KIND, wire["id"])
    return {"status_page_incident": wire}


def _problems(exchange: Exchange) -> Iterator[Problem]:
    account, payload = exchange.account, exchange.payload
    page_id = payload.get("status_page_id", "")
    if page_id and page_id not in account.catalogue.status_pages:
        yield unknown("status_page_id", page_id)
    updates: list[Wire] = [update for update in payload.get("updates", ()) if update]
    if not updates:
        yield required("updates", "a retrospective incident needs at least one update")
        return
    if account.options.limits_updates and len(updates) > _MOST_UPDATES:
        yield invalid("updates", f"an incident has at most {_MOST_UPDATES} updates")
    if updates[-1].get("incident_status") != "resolved":
        last = len(updates) - 1
        yield invalid(f"updates.{last}.incident_status", "the last update must set the status to resolved")
    times = [update.get("published_at", 0) for update in updates]
    if any(later < earlier for earlier, later in pairwise(times)):
        yield invalid("updates", "updates must be ordered chronologically, earliest first")
    components = account.catalogue.components(page_id)
    for place, update in enumerate(updates):
        yield from _update_problems(update, f"updates.{place}", components, account.now())


def _update_problems(update: Wire, path: str, components: set[str], now: int) -> Iterator[Problem]:
    if update.get("published_at", 0) > now:
        yield invalid(f"{path}.published_at", "published_at must be in the past")
    for place, status in enumerate(update.get("component_statuses", ())):
        component_id = status.get("component_id") if status else None
        if component_id and component_id not in components:
            yield unknown(f"{path}.component_statuses.{place}.component_id", component_id)


def _incident(exchange: Exchange) -> Wire:
    account, payload = exchange.account, exchange.payload
    identifier = account.new_identifier()
    updates = [
        {
            "id": account.new_identifier(),
            "status_page_incident_id": identifier,
            "incident_status": update["incident_status"],
            "message": update["message"],
            "published_at": moments.to_text(update["published_at"]),
            "component_statuses": update.get("component_statuses", []),
        }
        for update in payload["updates"]
    ]
    return {
        "id": identifier,
        "status_page_id": payload["status_page_id"],
        "name": payload["name"],
        "incident_status": "resolved",
        "published_at": updates[0]["published_at"],
        "updates": updates,
        "component_impacts": _impacts(updates),
    }


def _impacts(updates: list[Wire]) -> list[Wire]:
    """Return the periods in which the updates show a component in a state other than operational."""
    closed: list[Wire] = []
    open_impacts: dict[str, Wire] = {}
    for update in updates:
        for status in update["component_statuses"]:
            component_id, state = status["component_id"], status["component_status"]
            before = open_impacts.get(component_id)
            if before is not None and before["component_status"] == state:
                continue
            if before is not None:
                closed.append({**open_impacts.pop(component_id), "end_at": update["published_at"]})
            if state != "operational":
                open_impacts[component_id] = {**status, "start_at": update["published_at"]}
    ended = [{**impact, "end_at": updates[-1]["published_at"]} for impact in open_impacts.values()]
    return [*closed, *ended]
