"""Show the account's catalogue (severities, users, custom fields ...) and add custom field options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from importer.sandbox.catalogue import Catalogue, entry_identifiers
from importer.sandbox.exchange import Exchange
from importer.sandbox.listing import page, paged
from importer.sandbox.problems import Problem, invalid, not_found, refuse_if, required
from importer.sandbox.records import Wire

_SELECTS = frozenset({"single_select", "multi_select"})
_LARGEST_USER_PAGE = 10_000


def all_of(name: str, table: Callable[[Catalogue], Mapping[str, Wire]]) -> Callable[[Exchange], Wire]:
    """Return an endpoint that lists a whole table of the catalogue under `name`."""
    return lambda exchange: {name: list(table(exchange.account.catalogue).values())}


def pages_of(name: str, table: Callable[[Catalogue], Mapping[str, Wire]]) -> Callable[[Exchange], Wire]:
    """Return an endpoint that lists a table of the catalogue under `name`, paginated."""
    return lambda exchange: paged(page(exchange), name, table(exchange.account.catalogue).values())


def show_severity(exchange: Exchange) -> Wire:
    """GET /v1/severities/{id}."""
    return {"severity": _found(exchange, exchange.account.catalogue.severities)}


def show_status(exchange: Exchange) -> Wire:
    """GET /v1/incident_statuses/{id}."""
    return {"incident_status": _found(exchange, exchange.account.catalogue.statuses)}


def _found(exchange: Exchange, table: Mapping[str, Wire]) -> Wire:
    found = table.get(exchange.arguments["id"])
    if found is None:
        raise not_found()
    return found


def show_identity(exchange: Exchange) -> Wire:
    """GET /v1/identity: the key's name and roles, and the dashboard URL."""
    identity = {
        "name": exchange.key.name,
        "roles": list(exchange.key.roles),
        "team_roles": [],
        "teams": [],
        "dashboard_url": exchange.account.catalogue.dashboard_url,
    }
    return {"identity": identity}


def list_users(exchange: Exchange) -> Wire:
    """GET /v2/users: active ones unless `include_inactive`; an email may match several."""
    query = exchange.query
    users: Iterable[Wire] = exchange.account.catalogue.users.values()
    if query.get("include_inactive") != "true":
        users = [user for user in users if user["is_active"]]
    if email := query.get("email"):
        users = [user for user in users if user.get("email", "").casefold() == email.casefold()]
    if slack_user_id := query.get("slack_user_id"):
        users = [user for user in users if user.get("slack_user_id") == slack_user_id]
    return paged(page(exchange, _LARGEST_USER_PAGE), "users", users)


def list_catalog_entries(exchange: Exchange) -> Wire:
    """GET /v3/catalog_entries: of one type; `identifier` matches ID, external ID and aliases, and the name if
    the type uses it as identifier."""
    query, catalogue = exchange.query, exchange.account.catalogue
    if "catalog_type_id" not in query:
        refuse_if([required("catalog_type_id")])
    catalog_type = catalogue.catalog_types.get(query["catalog_type_id"])
    if catalog_type is None:
        raise not_found()
    entries = [each for each in catalogue.entries.values() if each["catalog_type_id"] == catalog_type["id"]]
    if identifier := query.get("identifier"):
        by_name = catalog_type["use_name_as_identifier"]
        entries = [
            entry
            for entry in entries
            if identifier in entry_identifiers(entry) or (by_name and entry["name"] == identifier)
        ]
    answer = paged(page(exchange), "catalog_entries", entries)
    answer["pagination_meta"]["total_record_count"] = len(entries)
    return {"catalog_type": catalog_type, **answer}


def list_options(exchange: Exchange) -> Wire:
    """GET /v1/custom_field_options: of one field."""
    query = exchange.query
    if "custom_field_id" not in query:
        refuse_if([required("custom_field_id")])
    options = exchange.account.store.options().values()
    of_field = [each for each in options if each["custom_field_id"] == query["custom_field_id"]]
    return paged(page(exchange), "custom_field_options", of_field)


def create_option(exchange: Exchange) -> Wire:
    """POST /v1/custom_field_options: add a value that the field does not have yet."""
    account, payload = exchange.account, exchange.payload
    with account.store.transaction():
        refuse_if([*exchange.problems, *_option_problems(exchange)])
        option = {
            "id": account.new_identifier(),
            "custom_field_id": payload["custom_field_id"],
            "value": payload["value"],
            "sort_key": payload.get("sort_key", 1000),
        }
        account.store.add_option(option)
    return {"custom_field_option": option}


def _option_problems(exchange: Exchange) -> list[Problem]:
    payload = exchange.payload
    field_id, value = payload.get("custom_field_id", ""), payload.get("value", "")
    custom_field = exchange.account.catalogue.custom_fields.get(field_id, {})
    problems = []
    if custom_field.get("field_type") not in _SELECTS or "catalog_type_id" in custom_field:
        problems.append(invalid("custom_field_id", f"no custom field with options has the ID {field_id!r}"))
    if value != value.strip() or any(mark in value for mark in "\t\n\r"):
        message = "value must not start or end with whitespace, or contain tabs or newlines"
        problems.append(invalid("value", message))
    same = _without_case if exchange.account.options.ignores_case else str
    options = exchange.account.store.options().values()
    if any((each["custom_field_id"], same(each["value"])) == (field_id, same(value)) for each in options):
        problems.append(invalid("value", f"the field already has an option {value!r}"))
    return problems


def _without_case(text: str) -> str:
    return " ".join(text.casefold().split())
