"""The JSON of the account's entities -> the values of the catalogue.

Sources are the API pages Severities, Incident Statuses, Incident Types, Incident Roles, Incident Timestamps,
Custom Fields, Custom Field Options, Catalog, Users, Status Pages, Workflows and Utilities (Identity).
"""

from __future__ import annotations

from collections.abc import Iterator

from importer.model import (
    Account,
    CatalogEntry,
    CustomField,
    Entity,
    IncidentType,
    Kind,
    Status,
    StatusPage,
    User,
    Workflow,
)
from importer.wire.incidents import Json, entity


def account(json: Json, *, endpoint: str) -> Account:
    """Return the account, from the `identity` of an answer."""
    return Account(
        endpoint=endpoint,
        dashboard_url=json["dashboard_url"],
        roles=tuple(json.get("roles") or ()),
        key_name=json.get("name") or "",
    )


def status(json: Json) -> Status:
    """Return an incident status; an unknown category is kept unchanged."""
    return Status(entity(Kind.STATUS, json), json.get("category") or "", int(json.get("rank") or 0))


def incident_type(json: Json) -> IncidentType:
    """Return an incident type."""
    return IncidentType(
        entity(Kind.INCIDENT_TYPE, json),
        private_only=bool(json.get("private_incidents_only")),
        is_default=bool(json.get("is_default")),
    )


def custom_field(json: Json) -> CustomField:
    """Return a custom field. Its options are not in this JSON and are listed separately."""
    return CustomField(
        entity(Kind.CUSTOM_FIELD, json), json["field_type"], json.get("catalog_type_id") or None
    )


def option(json: Json) -> Entity:
    """Return a select option; the API calls its name `value`."""
    return Entity(Kind.OPTION, json["id"], json["value"])


def catalog_entry(json: Json) -> CatalogEntry:
    """Return a catalog entry with its external ID and aliases."""
    return CatalogEntry(
        entity(Kind.CATALOG_ENTRY, json), json.get("external_id") or None, tuple(json.get("aliases") or ())
    )


def is_archived(json: Json) -> bool:
    """Whether a catalog entry is archived and can no longer be selected."""
    return bool(json.get("archived_at"))


def user(json: Json) -> User:
    """Return a user of the account, active or not."""
    return User(
        entity(Kind.USER, json),
        email=json.get("email") or None,
        slack_user_id=json.get("slack_user_id") or None,
        is_active=bool(json.get("is_active", True)),
    )


def status_page(json: Json, structure: Json) -> StatusPage:
    """Return a status page with the components of its current structure, including groups and sub-pages."""
    found = {each.id: each for each in _components(structure.get("items") or ())}
    return StatusPage(entity(Kind.STATUS_PAGE, json), tuple(found.values()))


def _components(items: list[Json] | tuple[()]) -> Iterator[Entity]:
    for item in items:
        group = item.get("group") or {}
        for each in filter(None, (item.get("component"), *(group.get("components") or ()))):
            yield Entity(Kind.COMPONENT, each["component_id"], each["name"])
        yield from _components((item.get("sub_page") or {}).get("items") or ())


def workflow(json: Json) -> Workflow:
    """Return a workflow with the incident modes that it runs on."""
    return Workflow(
        json.get("name") or "", json.get("state") or "", tuple(json.get("runs_on_incident_modes") or ())
    )
