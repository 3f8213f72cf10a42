"""Adding a field of an incident fails a test wherever the field is still missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from importer.formats import schemas
from importer.model import Create, FieldChange, Incident, Location, Update
from importer.model.settings import Settings
from importer.model.values import CHILD_FIELDS, CREATE_ONLY_FIELDS, Attribute, Attributes, Entity, Field, Kind
from importer.plan.steps import steps
from importer.sources import load
from importer.wire.requests import request
from tests.plans import live

WITH_KEYS = {Field.TIMESTAMP, Field.ROLE, Field.CUSTOM_FIELD}
VALUES: dict[Field, str | Entity] = {
    Field.SEVERITY: Entity(Kind.SEVERITY, "01S", "Major"),
    Field.STATUS: Entity(Kind.STATUS, "01C", "Closed"),
    Field.INCIDENT_TYPE: Entity(Kind.INCIDENT_TYPE, "01T", "Production"),
    Field.VISIBILITY: "private",
}


DECLARED: dict[Field, object] = {
    Field.CALL_URL: "https://example.com/call",
    Field.VISIBILITY: "private",
    Field.TIMESTAMP: {"Reported at": "2023-04-12T09:14:00Z"},
    Field.ROLE: {"Incident Lead": "lisa@example.com"},
    Field.CUSTOM_FIELD: {"Team": "Payments"},
    Field.POSTMORTEM_URL: {"url": "https://example.com"},
    Field.POSTMORTEM: {"content": "# What happened"},
    Field.TIMELINE: [{"at": "2023-04-12T09:14:00Z", "title": "Began"}],
    Field.FOLLOW_UP: [{"title": "Add an alert"}],
    Field.ATTACHMENT: [{"resource_type": "jira_issue", "url": "https://example.com"}],
    Field.MEMBER: ["lisa@example.com"],
    Field.STATUS_PAGE: {
        "page": "Acme",
        "updates": [{"at": "2023-04-12T09:14:00Z", "status": "resolved", "message": "Over"}],
    },
}
EDITED = [each for each in Field if each not in {*CREATE_ONLY_FIELDS, *CHILD_FIELDS, *WITH_KEYS}]


@pytest.mark.parametrize("field", Field)
def test_a_field_can_be_declared(field: Field) -> None:
    assert field.value.partition(".")[0] in schemas.read("incident")["$defs"]["incident"]["properties"]


@pytest.mark.parametrize("field", [each for each in Field if each is not Field.EXTERNAL_ID])
def test_a_field_can_be_ignored(field: Field) -> None:
    of_incident = schemas.read("incident")["$defs"]["incident"]["properties"]["ignore_changes"]["items"]
    for schema in (of_incident, schemas.read("config")["$defs"]["field"]):
        assert re.search(schema["pattern"], field.value)
        assert field.value.partition(".")[0] in schema["examples"]


@pytest.mark.parametrize(
    "field", [each for each in Field if each not in {Field.EXTERNAL_ID, *WITH_KEYS, *CHILD_FIELDS}]
)
def test_a_declared_field_of_a_new_incident_is_sent(field: Field) -> None:
    value = VALUES.get(field, "a word")
    attributes: Attributes = {Attribute(Field.VISIBILITY): "public", Attribute(field): value}
    change = Create(Incident("A", None, attributes, Location("a.yaml", 1)), "k", attributes)
    sent = value.id if isinstance(value, Entity) else value
    assert any(sent in json.dumps(request(each).body) for each in steps(change))


@pytest.mark.parametrize("field", Field)
def test_a_declared_field_is_read(field: Field, tmp_path: Path) -> None:
    declared = {"key": "A", "name": "x", field.value.partition(".")[0]: DECLARED.get(field, "1")}
    (tmp_path / "a.json").write_text(json.dumps(declared), encoding="utf-8")
    (incident,) = load(Settings(tmp_path)).incidents
    assert (
        incident.external_id == 1
        if field is Field.EXTERNAL_ID
        else field in {a.field for a in incident.attributes}
    )


@pytest.mark.parametrize("field", EDITED)
def test_an_edited_field_is_sent(field: Field) -> None:
    value = VALUES.get(field, "a word")
    incident = Incident("A", None, {Attribute(field): value}, Location("a.yaml", 1))
    edit = FieldChange(Attribute(field), None, value)
    change = Update(incident, live(1, {Attribute(field): None}), (edit,))
    sent = value.id if isinstance(value, Entity) else value
    assert any(sent in json.dumps(request(each).body) for each in steps(change))
