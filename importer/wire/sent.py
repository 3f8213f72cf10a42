"""The body of a creation -> the attributes that it declares, in the form in which answers show them."""

from __future__ import annotations

from collections.abc import Iterator

from importer.model import (
    Attribute,
    Attributes,
    Entity,
    Field,
    Kind,
    Link,
    Scalar,
    Value,
    normalise,
)
from importer.wire.incidents import Json, parse_moment

_TEXTS = (Field.NAME, Field.SUMMARY, Field.VISIBILITY, Field.SLACK_TEAM_ID)
_ENTITIES = (
    (Field.SEVERITY, Kind.SEVERITY, "severity_id"),
    (Field.STATUS, Kind.STATUS, "incident_status_id"),
    (Field.INCIDENT_TYPE, Kind.INCIDENT_TYPE, "incident_type_id"),
)
_OPTIONS = ((Field.SLACK_CHANNEL_ID, "slack_channel_id"), (Field.POSTMORTEM_URL, "postmortem_document_url"))


def sent_attributes(body: Json) -> Attributes:
    """Return what a creation declares, without what answers never show. Entities have no names, and a role is
    never the reporter's: a body does not tell.

    Raises LookupError, TypeError, ValueError, AttributeError or ArithmeticError for a body that is not a
    creation's.
    """
    return dict(_attributes(body))


def sent_number(body: Json) -> int | None:
    """Return the external ID that a creation declares."""
    number = body.get("retrospective_incident_options", {}).get("external_id")
    return number if isinstance(number, int) else None


def _attributes(body: Json) -> Iterator[tuple[Attribute, Value]]:
    options = body.get("retrospective_incident_options", {})
    texts = [(field, body.get(field.value)) for field in _TEXTS]
    for field, raw in (*texts, *((field, options.get(name)) for field, name in _OPTIONS)):
        value = normalise.text(raw or "")
        if value is not None:
            yield Attribute(field), value
    for field, kind, name in _ENTITIES:
        if body.get(name):
            yield Attribute(field), Entity(kind, body[name], "")
    for each in body.get("incident_timestamp_values", ()):
        timestamp = Entity(Kind.TIMESTAMP, each["incident_timestamp_id"], "")
        yield Attribute(Field.TIMESTAMP, timestamp), parse_moment(each["value"])
    for each in body.get("incident_role_assignments", ()):
        role = Entity(Kind.ROLE, each["incident_role_id"], "")
        yield Attribute(Field.ROLE, role), Entity(Kind.USER, each["assignee"]["id"], "")
    for each in body.get("custom_field_entries", ()):
        custom_field = Entity(Kind.CUSTOM_FIELD, each["custom_field_id"], "")
        if (chosen := _value(each["values"])) is not None:
            yield Attribute(Field.CUSTOM_FIELD, custom_field), chosen


def _value(values: list[Json]) -> Value:
    found = [member for each in values if (member := _member(each)) is not None]
    if len(found) == 1 and not isinstance(found[0], Entity):
        return found[0]
    return normalise.several(found)


def _member(json: Json) -> Scalar | None:
    match json:
        case {"value_option_id": str(option)}:
            return Entity(Kind.OPTION, option, "")
        case {"value_catalog_entry_id": str(entry)}:
            return Entity(Kind.CATALOG_ENTRY, entry, "")
        case {"value_link": str(url)}:
            text = normalise.text(url)
            return Link(text) if text else None
        case {"value_numeric": str(number)}:
            return normalise.number(number)
        case _:
            return normalise.text(json["value_text"])
