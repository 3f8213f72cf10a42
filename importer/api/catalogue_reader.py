"""An account -> its catalogue: short lists in full, long ones only as far as incidents need them."""

from __future__ import annotations

from collections.abc import Iterable

from importer.api.exchange import Exchange
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
            status_pages=_status_pages(exchange) if needs.status_pages else (),
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


def _status_pages(exchange: Exchange) -> tuple[StatusPage, ...]:
    found = exchange.get_pages(paths.STATUS_PAGES, "status_pages")
    return tuple(wire.status_page(each, _structure(exchange, each["id"])) for each in found)


def _structure(exchange: Exchange, status_page_id: str) -> Json:
    answer = exchange.get(paths.below(paths.STATUS_PAGE_STRUCTURES, status_page_id))
    structure: Json = answer["current_structure"]
    return structure
