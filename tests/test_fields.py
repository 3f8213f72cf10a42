"""Adding a field of an incident fails a test wherever the field is still missing."""

from __future__ import annotations

import json
import re

import pytest

from importer.formats import schemas
from importer.model import Create, Incident, Location
from importer.model.values import CHILD_FIELDS, Attribute, Attributes, Entity, Field, Kind
from importer.plan.steps import steps
from importer.wire.requests import request

WITH_KEYS = {Field.TIMESTAMP, Field.ROLE, Field.CUSTOM_FIELD}
VALUES: dict[Field, str | Entity] = {
    Field.SEVERITY: Entity(Kind.SEVERITY, "01S", "Major"),
    Field.STATUS: Entity(Kind.STATUS, "01C", "Closed"),
    Field.INCIDENT_TYPE: Entity(Kind.INCIDENT_TYPE, "01T", "Production"),
    Field.VISIBILITY: "private",
}


@pytest.mark.parametrize("field", Field)
def test_a_field_can_be_declared(field: Field) -> None:
    assert field.value.partition(".")[0] in schemas.read("incident")["$defs"]["incident"]["properties"]


@pytest.mark.parametrize("field", [each for each in Field if each is not Field.EXTERNAL_ID])
def test_a_field_can_be_ignored(field: Field) -> None:
    of_incident = schemas.read("incident")["$defs"]["incident"]["properties"]["ignore_changes"]["items"]
    for schema in (of_incident, schemas.read("config")["$defs"]["field"]):
        assert re.search(schema["pattern"], field.value)


@pytest.mark.parametrize(
    "field", [each for each in Field if each not in {Field.EXTERNAL_ID, *WITH_KEYS, *CHILD_FIELDS}]
)
def test_a_declared_field_of_a_new_incident_is_sent(field: Field) -> None:
    value = VALUES.get(field, "a word")
    attributes: Attributes = {Attribute(Field.VISIBILITY): "public", Attribute(field): value}
    change = Create(Incident("A", None, attributes, Location("a.yaml", 1)), "k", attributes)
    sent = value.id if isinstance(value, Entity) else value
    assert any(sent in json.dumps(request(each).body) for each in steps(change))
