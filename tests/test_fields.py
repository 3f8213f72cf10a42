"""Adding a field of an incident fails a test wherever the field is still missing."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from importer.formats import schemas
from importer.model.values import CHILD_FIELDS, Attribute, Attributes, Entity, Field, Kind, Value
from importer.wire.incidents import create_payload, edit_payload

WITH_KEYS = {Field.TIMESTAMP, Field.ROLE, Field.CUSTOM_FIELD}
VALUES: dict[Field, Value] = {
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
def test_a_field_is_sent_by_a_creation_or_an_edit(field: Field) -> None:
    attributes: Attributes = {Attribute(field): VALUES.get(field, "a word")}
    sent = []
    with suppress(ValueError):
        whole = {Attribute(Field.VISIBILITY): "public", **attributes}
        sent.append(create_payload(whole, idempotency_key="k", external_id=None))
    with suppress(ValueError):
        sent.append(edit_payload(attributes))
    assert sent
