"""An incident's attributes <-> the JSON of the incident.io API.

Sources are the API pages Incidents V2 (Create, Edit, Show). Nothing here speaks HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from importer.model import (
    Attribute,
    Attributes,
    Entity,
    Field,
    Kind,
    Link,
    LiveIncident,
    NewOption,
    Scalar,
    Value,
    normalise,
)
from importer.model.errors import NoAnswer
from importer.model.steps import LATER

Json = dict[str, Any]

_TEXTS = {
    Field.NAME: "name",
    Field.SUMMARY: "summary",
    Field.SLACK_CHANNEL_NAME: "slack_channel_name_override",
}
_BY_ID = frozenset({Field.SEVERITY, Field.STATUS, Field.INCIDENT_TYPE})
_SHARED = _TEXTS | {Field.SEVERITY: "severity_id", Field.STATUS: "incident_status_id"}

_CREATED_WITH = _SHARED | {
    Field.INCIDENT_TYPE: "incident_type_id",
    Field.VISIBILITY: "visibility",
    Field.SLACK_TEAM_ID: "slack_team_id",
}
_RETROSPECTIVE_OPTIONS = {
    Field.SLACK_CHANNEL_ID: "slack_channel_id",
    Field.POSTMORTEM_URL: "postmortem_document_url",
}
_EDITED_WITH = _SHARED | {Field.CALL_URL: "call_url"}
_LISTS = {
    Field.TIMESTAMP: "incident_timestamp_values",
    Field.ROLE: "incident_role_assignments",
    Field.CUSTOM_FIELD: "custom_field_entries",
}


def create_payload(attributes: Attributes, *, idempotency_key: str, external_id: int | None) -> Json:
    """Return the body of a creation: always retrospective, so that nothing is announced, and without
    attributes that are None.

    Raises ValueError if visibility is missing, for an attribute that a creation cannot have, and for a value
    that is not resolved (a Reference).
    """
    if attributes.get(Attribute(Field.VISIBILITY)) is None:
        raise ValueError("an incident cannot be created without its visibility")
    payload: Json = {"idempotency_key": idempotency_key, "mode": "retrospective"}
    options: Json = {} if external_id is None else {"external_id": external_id}
    for attribute in sorted(attributes, key=normalise.by_label):
        value = attributes[attribute]
        if value is None:
            continue
        if attribute.field in _RETROSPECTIVE_OPTIONS:
            options[_RETROSPECTIVE_OPTIONS[attribute.field]] = _scalar(attribute, value)
        elif attribute.field in _CREATED_WITH or attribute.field in _LISTS:
            _put(payload, _CREATED_WITH, attribute, value)
        else:
            raise ValueError(f"the API cannot create an incident with {attribute.label}")
    if options:
        payload["retrospective_incident_options"] = options
    return payload


def edit_payload(changes: Attributes) -> Json:
    """Return the body of an edit with only these attributes: API keys are permitted per field, so any other
    field can cause a 403. None clears an attribute.

    Raises ValueError for an attribute that cannot be edited, and for a value that is not resolved.
    """
    incident: Json = {}
    for attribute in sorted(changes, key=normalise.by_label):
        if attribute.field not in _EDITED_WITH and attribute.field not in _LISTS:
            raise ValueError(f"the API cannot edit {attribute.label}")
        if isinstance(attribute.key, Entity) and attribute.key.kind is Kind.REPORTER:
            raise ValueError("the API can assign the reporter only at creation")
        _put(incident, _EDITED_WITH, attribute, changes[attribute])
    return {"incident": incident, "notify_incident_channel": False}


def _put(payload: Json, names: Mapping[Field, str], attribute: Attribute, value: Value) -> None:
    if attribute.field in _LISTS:
        payload.setdefault(_LISTS[attribute.field], []).append(_entry(attribute, value))
    else:
        payload[names[attribute.field]] = _scalar(attribute, value)


def _scalar(attribute: Attribute, value: Value) -> str:
    match value:
        case None:
            return ""
        case str() if attribute.field not in _BY_ID:
            return value
        case Entity() if attribute.field in _BY_ID:
            return value.id
        case _:
            raise _unresolved(attribute, value)


def _entry(attribute: Attribute, value: Value) -> Json:
    """Return one member of a list; a member without a value clears it. For timestamps and roles this is
    inferred: their values are optional, and an edit ignores members that are missing."""
    match attribute.key, value:
        case Entity(kind=Kind.TIMESTAMP, id=identity), datetime() | None:
            entry: Json = {"incident_timestamp_id": identity}
            return entry | ({"value": moment_text(value)} if value else {})
        case Entity(kind=Kind.ROLE | Kind.REPORTER, id=identity), Entity(kind=Kind.USER) | None:
            entry = {"incident_role_id": identity}
            return entry | ({"assignee": {"id": value.id}} if value else {})
        case Entity(kind=Kind.CUSTOM_FIELD, id=identity), _:
            return {"custom_field_id": identity, "values": _custom_field_values(attribute, value)}
        case _:
            raise _unresolved(attribute, value)


def _custom_field_values(attribute: Attribute, value: Value) -> list[Json]:
    match value:
        case None:
            return []
        case str():
            return [{"value_text": value}]
        case Link(url=url):
            return [{"value_link": url}]
        case Decimal():
            return [{"value_numeric": format(value, "f")}]
        case tuple():
            return [_choice(attribute, each) for each in value]
        case _:
            raise _unresolved(attribute, value)


def _choice(attribute: Attribute, value: Scalar) -> Json:
    match value:
        case Entity(kind=Kind.OPTION, id=identity):
            return {"value_option_id": identity}
        case Entity(kind=Kind.CATALOG_ENTRY, id=identity):
            return {"value_catalog_entry_id": identity}
        case NewOption():
            return {"value_option_id": LATER.value}
        case _:
            raise _unresolved(attribute, value)


def _unresolved(attribute: Attribute, value: object) -> ValueError:
    return ValueError(f"{attribute.label} is not resolved: {type(value).__name__}")


def moment_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds, the precision of the API."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(raw: str) -> datetime:
    """Return the instant of RFC 3339 text in UTC. Raises ValueError if it is not a datetime."""
    parsed = datetime.fromisoformat(raw)
    return normalise.to_utc(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Turn an answer without the documented properties into NoAnswer, since it is not from the API."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as mistake:
        raise NoAnswer(
            f"the answer is JSON, but not {what} ({type(mistake).__name__}: {mistake})",
            hint="check that the endpoint is the incident.io API, then run the same command again",
        ) from mistake


def live_incident(json: Json) -> LiveIncident:
    """Return the incident of an answer. Unset attributes are absent.

    Optional and unknown properties may be missing or added (API page: Compatibility).
    Raises NoAnswer if a property that every incident has is missing.
    """
    with parsing("an incident"):
        return LiveIncident(
            id=_identity(json),
            reference=json["reference"],
            mode=json["mode"],
            created_at=parse_moment(json["created_at"]),
            updated_at=json.get("updated_at") or "",
            attributes=dict(_live_attributes(json)),
            permalink=json.get("permalink") or "",
        )


def _identity(json: Json) -> str:
    """Return the ID. Raises if there is none: the incident could be neither bound nor edited."""
    identity = json["id"]
    if not isinstance(identity, str) or not identity:
        raise ValueError("an empty ID")
    return identity


def entity(kind: Kind, json: Json) -> Entity:
    """Return an entity from its `id` and `name`."""
    return Entity(kind, json["id"], json.get("name") or "")


def _live_attributes(json: Json) -> Iterator[tuple[Attribute, Value]]:
    yield from _live_texts(json)
    for field, kind, name in (
        (Field.SEVERITY, Kind.SEVERITY, "severity"),
        (Field.STATUS, Kind.STATUS, "incident_status"),
        (Field.INCIDENT_TYPE, Kind.INCIDENT_TYPE, "incident_type"),
    ):
        if json.get(name):
            yield Attribute(field), entity(kind, json[name])
    for each in json.get("incident_timestamp_values") or ():
        raw = (each.get("value") or {}).get("value")
        if raw:
            yield (
                Attribute(Field.TIMESTAMP, entity(Kind.TIMESTAMP, each["incident_timestamp"])),
                parse_moment(raw),
            )
    for each in json.get("incident_role_assignments") or ():
        if each.get("assignee"):
            yield Attribute(Field.ROLE, role(each["role"])), entity(Kind.USER, each["assignee"])
    for each in json.get("custom_field_entries") or ():
        value = _live_values(each["custom_field"].get("field_type", ""), each.get("values") or ())
        if value is not None:
            yield Attribute(Field.CUSTOM_FIELD, entity(Kind.CUSTOM_FIELD, each["custom_field"])), value


def _live_texts(json: Json) -> Iterator[tuple[Attribute, Value]]:
    for field in (
        Field.NAME,
        Field.SUMMARY,
        Field.VISIBILITY,
        Field.CALL_URL,
        Field.SLACK_CHANNEL_ID,
        Field.SLACK_TEAM_ID,
        Field.POSTMORTEM_URL,
    ):
        name = "postmortem_document_url" if field is Field.POSTMORTEM_URL else field.value
        value = normalise.text(json.get(name) or "")
        if value is not None:
            yield Attribute(field), value


def role(json: Json) -> Entity:
    """Return a role; the reporter has a kind of its own, since no edit can assign it."""
    return entity(Kind.REPORTER if json.get("role_type") == "reporter" else Kind.ROLE, json)


def _live_values(field_type: str, values: Iterable[Json]) -> Value:
    """Return the value of a custom field, judging by its members, so that new field types can be read."""
    found = [value for each in values if (value := _live_value(each)) is not None]
    if field_type in ("single_select", "multi_select") or any(isinstance(each, Entity) for each in found):
        return normalise.several(found)
    return found[0] if found else None


def _live_value(json: Json) -> Scalar | None:
    if option := json.get("value_option"):
        return Entity(Kind.OPTION, option["id"], option.get("value") or "")
    if entry := json.get("value_catalog_entry"):
        return entity(Kind.CATALOG_ENTRY, entry)
    if url := normalise.text(json.get("value_link") or ""):
        return Link(url)
    if json.get("value_numeric") not in (None, ""):
        return _live_number(str(json["value_numeric"]))
    return normalise.text(json.get("value_text") or "")


def _live_number(raw: str) -> Decimal | str | None:
    """Return the number, or the unchanged text if it is invalid, to be shown as a difference."""
    try:
        return normalise.number(raw)
    except InvalidOperation:
        return normalise.text(raw)
