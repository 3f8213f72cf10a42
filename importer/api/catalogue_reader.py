"""An account -> its catalogue: short lists in full, long ones only as far as incidents need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from importer.api.exchange import Exchange, may_be_missing
from importer.model import (
    CatalogEntry,
    Catalogue,
    CustomField,
    Entity,
    Kind,
    Needs,
    Reference,
    StatusPage,
    User,
    normalise,
)
from importer.model.errors import NotAvailable
from importer.wire import catalogue as wire
from importer.wire import paths
from importer.wire.incidents import Json, entity, parsing, role

_USERS_PAGE = 1000
"""The API page Users allows up to 10,000; with 1,000, most accounts take one request."""


def read_catalogue(exchange: Exchange, needs: Needs) -> Catalogue:
    """Return the catalogue, with the options and entries of only those custom fields that are needed.

    Raises the errors of Exchange.
    """
    with parsing("the account's catalogue"):
        fields = tuple(wire.custom_field(each) for each in _list(exchange, paths.CUSTOM_FIELDS))
        used = [field for field in fields if _is_needed(field, needs.custom_fields)]
        selects = [field for field in used if field.type in ("single_select", "multi_select")]
        pages, no_pages = _status_pages(exchange) if needs.status_pages else ((), None)
        types = {field.catalog_type_id for field in selects if field.catalog_type_id}
        return Catalogue(
            severities=_entities(Kind.SEVERITY, sorted(_list(exchange, paths.SEVERITIES), key=_rank)),
            statuses=tuple(wire.status(each) for each in _list(exchange, paths.INCIDENT_STATUSES)),
            incident_types=tuple(wire.incident_type(each) for each in _list(exchange, paths.INCIDENT_TYPES)),
            roles=tuple(role(each) for each in _list(exchange, paths.INCIDENT_ROLES)),
            timestamps=_entities(Kind.TIMESTAMP, _list(exchange, paths.INCIDENT_TIMESTAMPS)),
            custom_fields=fields,
            options={
                field.entity.id: read_options(exchange, field.entity.id)
                for field in selects
                if not field.catalog_type_id
            },
            catalog_entries={identity: _entries(exchange, identity) for identity in sorted(types)},
            users=_users(exchange) if needs.users else (),
            status_pages=pages,
            no_status_pages=no_pages,
        )


def _list(exchange: Exchange, path: str) -> tuple[Json, ...]:
    """Return an unpaginated list; its key in the answer is the last segment of its path."""
    return exchange.get_list(path, path.rpartition("/")[2])


def _rank(severity: Json) -> int:
    """Return the rank of a severity: "lower numbers are less severe" (API page: Severities)."""
    rank: int = severity.get("rank") or 0
    return rank


def _entities(kind: Kind, listed: Iterable[Json]) -> tuple[Entity, ...]:
    return tuple(entity(kind, each) for each in listed)


def _is_needed(field: CustomField, needed: frozenset[Reference]) -> bool:
    folded = normalise.folded(field.entity.name)
    return any(
        each.name == field.entity.id or (each.by == "name" and normalise.folded(each.name) == folded)
        for each in needed
    )


def read_options(exchange: Exchange, custom_field_id: str) -> tuple[Entity, ...]:
    """Return the options of a select field, which the list of custom fields does not include."""
    only = {"custom_field_id": custom_field_id}
    found = exchange.get_pages(paths.CUSTOM_FIELD_OPTIONS, "custom_field_options", only)
    with parsing("a list of options"):
        return tuple(wire.option(each) for each in found)


def _entries(exchange: Exchange, catalog_type_id: str) -> tuple[CatalogEntry, ...]:
    only = {"catalog_type_id": catalog_type_id}
    found = exchange.get_pages(paths.CATALOG_ENTRIES, "catalog_entries", only)
    return tuple(wire.catalog_entry(each) for each in found if not wire.is_archived(each))


def _users(exchange: Exchange) -> tuple[User, ...]:
    """Return all users, inactive ones too: people who responded to old incidents have often left."""
    found = exchange.get_pages(paths.USERS, "users", {"include_inactive": "true"}, page_size=_USERS_PAGE)
    return tuple(wire.user(each) for each in found)


def _status_pages(exchange: Exchange) -> tuple[tuple[StatusPage, ...], str | None]:
    """Return the status pages, or why they cannot be listed. What can be read of one page does not depend on
    another."""
    try:
        with may_be_missing("the list of status pages"):
            found = tuple(exchange.get_pages(paths.STATUS_PAGES, "status_pages"))
    except NotAvailable as error:
        return (), error.summary
    return tuple(_status_page(exchange, each) for each in found), None


def _status_page(exchange: Exchange, page: Json) -> StatusPage:
    try:
        with may_be_missing("the structure of the status page"):
            answer = exchange.get(paths.below(paths.STATUS_PAGE_STRUCTURES, page["id"]))
    except NotAvailable as error:
        return replace(wire.status_page(page, {}), unreadable=error.summary)
    return wire.status_page(page, answer["current_structure"])
