"""Turn payloads into follow-ups of an incident."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, assert_never

from importer.sandbox import moments, views
from importer.sandbox.children import dated, in_query_modes, inactive_assignee, listed, unknown_ids
from importer.sandbox.choices import Deleted
from importer.sandbox.exchange import Exchange
from importer.sandbox.listing import between_moments, page, paged
from importer.sandbox.problems import Problem, invalid, not_found, refuse_if, required
from importer.sandbox.records import Wire

_KIND = "follow_up"
_DETAILS = frozenset({"description", "labels", "assignee", "assignee_team", "priority", "category"})
"""What a PUT of a follow-up clears if it replaces the whole object."""


def list_follow_ups(exchange: Exchange) -> Wire:
    """GET /v2/follow_ups: unpaginated."""
    return {"follow_ups": _follow_ups(exchange)}


def page_follow_ups(exchange: Exchange) -> Wire:
    """GET /v3/follow_ups: a page at a time, oldest first."""
    found = between_moments(exchange.query, _follow_ups(exchange))
    return paged(page(exchange), "follow_ups", found)


def _follow_ups(exchange: Exchange) -> list[Wire]:
    found = listed(exchange, _KIND, in_query_modes(exchange))
    team_id = exchange.query.get("assignee_team_id")
    if team_id is None:
        return found
    return [each for each in found if each.get("assignee_team", {}).get("id") == team_id]


def show_follow_up(exchange: Exchange) -> Wire:
    """GET /v2/follow_ups/{id}, and v3."""
    _, wire = exchange.account.child_at(exchange.key, _KIND, exchange.arguments["id"])
    return {"follow_up": wire}


def create_follow_up(exchange: Exchange) -> Wire:
    """POST /v2/follow_ups, and v3: a new follow-up is always outstanding."""
    account, payload = exchange.account, exchange.payload
    has_owner = payload.get("assignee_id") or payload.get("assignee_team_id")
    lacks_owner = account.options.requires_owner and not has_owner
    refuse_if(
        [
            *exchange.problems,
            *_follow_up_problems(exchange),
            *([required("assignee_id", "a follow-up needs an owner")] if lacks_owner else []),
        ]
    )
    with account.store.transaction():
        incident = account.incident_in(exchange.key, payload["incident_id"])
        new = {**dated(exchange), "incident_id": incident.id, "status": "outstanding", "labels": []}
        priorities = account.catalogue.follow_up_priorities
        if account.options.sets_priority and priorities:
            new["priority"] = next(iter(priorities.values()))
        wire = account.put_child(_KIND, incident.id, _follow_up_with(exchange, new))
    return {"follow_up": wire}


def delete_follow_up(exchange: Exchange) -> Wire:
    """DELETE /v3/follow_ups/{id}: it vanishes, or stays with the status deleted."""
    account, identifier = exchange.account, exchange.arguments["id"]
    with account.store.transaction():
        incident, before = account.child_at(exchange.key, _KIND, identifier)
        match account.options.deleted:
            case Deleted.VANISHES:
                account.store.remove_child(_KIND, identifier)
            case Deleted.STAYS if before["status"] == "deleted":
                raise not_found()
            case Deleted.STAYS:
                now = moments.to_text(account.now())
                account.put_child(_KIND, incident.id, {**before, "status": "deleted", "updated_at": now})
            case never:
                assert_never(never)
    return {}


def before_v3(answer: Callable[[Exchange], Wire]) -> Callable[[Exchange], Wire]:
    """Return an endpoint whose answers have no categories, as those of version 2."""

    def answer_v2(exchange: Exchange) -> Wire:
        wire = answer(exchange)
        if "follow_ups" in wire:
            return {**wire, "follow_ups": [_without(each, {"category"}) for each in wire["follow_ups"]]}
        return {"follow_up": _without(wire["follow_up"], {"category"})}

    return answer_v2


def update_follow_up(exchange: Exchange) -> Wire:
    """PUT /v2/follow_ups/{id}, and v3: set what is given; a null assignee is removed."""
    account, payload = exchange.account, exchange.payload
    refuse_if([*exchange.problems, *_follow_up_problems(exchange)])
    with account.store.transaction():
        incident, before = account.child_at(exchange.key, _KIND, exchange.arguments["id"])
        now = moments.to_text(account.now())
        kept = {**_without(before, _DETAILS), "labels": []} if account.options.put_replaces else before
        wire = {**_follow_up_with(exchange, kept), "updated_at": now}
        if "status" in payload:
            wire["status"] = payload["status"]
            wire.pop("completed_at", None)
            if payload["status"] == "completed":
                wire["completed_at"] = before.get("completed_at", now)
        wire = account.put_child(_KIND, incident.id, wire)
    return {"follow_up": wire}


def _without(wire: Wire, names: AbstractSet[str]) -> Wire:
    return {name: value for name, value in wire.items() if name not in names}


def _follow_up_problems(exchange: Exchange) -> Iterator[Problem]:
    catalogue, payload = exchange.account.catalogue, exchange.payload
    tables: dict[str, Mapping[str, Any]] = {
        "assignee_id": catalogue.users,
        "assignee_team_id": catalogue.teams,
        "follow_up_priority_option_id": catalogue.follow_up_priorities,
        "follow_up_category_id": catalogue.follow_up_categories,
        # The sandbox's account has no issue tracker.
        "external_issue_reference_id": {},
    }
    yield from unknown_ids(payload, tables)
    yield from inactive_assignee(exchange)
    if payload.get("status") == "deleted":
        yield invalid("status", "setting the status to deleted is not allowed")


def _follow_up_with(exchange: Exchange, before: Wire) -> Wire:
    catalogue, payload = exchange.account.catalogue, exchange.payload
    wire = dict(before)
    texts: Wire = {name: payload[name] for name in ("title", "description") if name in payload}
    if "labels" in payload:
        texts["labels"] = [label for label in payload["labels"] if label is not None]
    keeps_empty = not exchange.account.options.ignores_empty
    wire |= {name: value for name, value in texts.items() if value or keeps_empty}
    if "assignee_id" in payload:
        wire.pop("assignee", None)
        if payload["assignee_id"]:
            wire["assignee"] = views.user(catalogue, payload["assignee_id"])
    if "assignee_team_id" in payload:
        wire.pop("assignee_team", None)
        if payload["assignee_team_id"]:
            team = catalogue.teams[payload["assignee_team_id"]]
            wire["assignee_team"] = {"id": team["id"], "name": team["name"]}
    for name, field, table in (
        ("priority", "follow_up_priority_option_id", catalogue.follow_up_priorities),
        ("category", "follow_up_category_id", catalogue.follow_up_categories),
    ):
        if payload.get(field):
            wire[name] = table[payload[field]]
        elif field in payload and payload[field] is None and exchange.account.options.null_clears:
            wire.pop(name, None)
    return wire
