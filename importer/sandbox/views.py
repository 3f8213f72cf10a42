"""Turn stored incidents into the objects of answers (OpenAPI: IncidentV2 and its parts)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from importer.sandbox import moments
from importer.sandbox.access import ApiKey
from importer.sandbox.account import Account
from importer.sandbox.catalogue import Catalogue
from importer.sandbox.records import StoredIncident, Wire

_TEXTS = ("summary", "call_url", "slack_channel_name", "postmortem_document_url")
_TYPE_INFO = ("description", "field_type", "id", "name")
_USER_V2 = ("email", "id", "name", "role", "slack_user_id")


def incident(account: Account, stored: StoredIncident) -> Wire:
    """Return an incident with every timestamp and custom field of the account, set or not."""
    return incidents(account, [stored])[0]


def incidents(account: Account, stored: Iterable[StoredIncident]) -> list[Wire]:
    """Return incidents, each as `incident` shows it."""
    options = account.store.options()
    fields = _fields(account.catalogue, options)
    return [_incident(account.catalogue, each, fields, options) for each in stored]


def _incident(
    catalogue: Catalogue, stored: StoredIncident, fields: Mapping[str, Wire], options: Mapping[str, Wire]
) -> Wire:
    updated = moments.to_text(stored.updated)
    wire: Wire = {
        "id": stored.id,
        "reference": reference(stored),
        "name": stored.name,
        "mode": stored.mode,
        "visibility": stored.visibility,
        "permalink": permalink(catalogue, stored),
        "incident_status": catalogue.statuses[stored.status_id],
        "creator": actor(catalogue.keys_by_id.get(stored.creator_id), stored.creator_id),
        "created_at": moments.to_text(stored.created),
        "updated_at": updated,
        "last_activity_at": updated,
        "slack_channel_id": stored.slack_channel_id,
        "slack_team_id": stored.slack_team_id,
        "has_debrief": False,
        "team_ids": [],
        "postmortem_document_ids": list(stored.postmortem_document_ids),
        "custom_field_entries": [
            {"custom_field": shown, "values": _values(catalogue, identifier, stored, options)}
            for identifier, shown in fields.items()
        ],
        "incident_role_assignments": _roles(catalogue, stored),
        "incident_timestamp_values": _timestamps(catalogue, stored),
    }
    wire.update({name: text for name in _TEXTS if (text := getattr(stored, name))})
    if stored.severity_id:
        wire["severity"] = catalogue.severities[stored.severity_id]
    if stored.type_id:
        wire["incident_type"] = catalogue.types[stored.type_id]
    return wire


def reference(stored: StoredIncident) -> str:
    """Return the reference, such as `INC-123`."""
    return f"INC-{stored.number}"


def permalink(catalogue: Catalogue, stored: StoredIncident) -> str:
    """Return the URL of the incident's page in the dashboard."""
    return f"{catalogue.dashboard_url}/incidents/{stored.number}"


def actor(key: ApiKey | None, identifier: str) -> Wire:
    """Return the actor of a change: the API key, by name if the account still has it."""
    return {"api_key": {"id": identifier, "name": identifier if key is None else key.name}}


def user(catalogue: Catalogue, identifier: str) -> Wire:
    """Return a user as embedded in other objects."""
    found = catalogue.users[identifier]
    return {name: found[name] for name in _USER_V2 if found.get(name)}


def _fields(catalogue: Catalogue, options: Mapping[str, Wire]) -> dict[str, Wire]:
    """Return each custom field as embedded in an incident, with its options."""
    of_field: dict[str, list[Wire]] = {identifier: [] for identifier in catalogue.custom_fields}
    for option in options.values():
        of_field[option["custom_field_id"]].append(option)
    return {
        identifier: {**{name: custom_field[name] for name in _TYPE_INFO}, "options": of_field[identifier]}
        for identifier, custom_field in catalogue.custom_fields.items()
    }


def _values(
    catalogue: Catalogue, identifier: str, stored: StoredIncident, options: Mapping[str, Wire]
) -> list[Wire]:
    values = stored.custom_fields.get(identifier, ())
    custom_field = catalogue.custom_fields[identifier]
    return [_value(catalogue, custom_field, options, value) for value in values]


def _value(catalogue: Catalogue, custom_field: Wire, options: Mapping[str, Wire], value: str) -> Wire:
    field_type = custom_field["field_type"]
    if field_type not in {"single_select", "multi_select"}:
        return {f"value_{field_type}": value}
    if "catalog_type_id" not in custom_field:
        return {"value_option": options[value]}
    entry = catalogue.entries[value]
    shown: dict[str, Any] = {name: entry[name] for name in ("id", "name", "aliases")}
    if entry.get("external_id"):
        shown["external_id"] = entry["external_id"]
    return {"value_catalog_entry": shown}


def _roles(catalogue: Catalogue, stored: StoredIncident) -> list[Wire]:
    return [
        {"role": role, "assignee": user(catalogue, stored.roles[identifier])}
        if identifier in stored.roles
        else {"role": role}
        for identifier, role in catalogue.roles.items()
    ]


def _timestamps(catalogue: Catalogue, stored: StoredIncident) -> list[Wire]:
    return [
        {"incident_timestamp": timestamp, "value": {"value": moments.to_text(stored.timestamps[identifier])}}
        if identifier in stored.timestamps
        else {"incident_timestamp": timestamp}
        for identifier, timestamp in catalogue.timestamps.items()
    ]
