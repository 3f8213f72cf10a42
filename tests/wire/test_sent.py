"""What a body declares is what was put into it, in the form in which answers show it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    Attributes,
    Entity,
    Field,
    Kind,
    Link,
    NewOption,
    Value,
    normalise,
)
from importer.model.steps import CreateIncident
from importer.plan.steps import creation
from importer.wire.requests import request
from importer.wire.sent import sent_attributes, sent_number
from tests.plans import create
from tests.strategies import sent_attributes as declared


def shown(attributes: Attributes) -> Attributes:
    """Return attributes as a body declares them: without what answers hide, and with the reporter as a role."""
    kept = {
        _as_role(each): _in_normal_form(value)
        for each, value in attributes.items()
        if each.field not in WRITE_ONLY_FIELDS
    }
    return {each: value for each, value in kept.items() if value is not None}


def _in_normal_form(value: Value) -> Value:
    match value:
        case str():
            return normalise.text(value)
        case Link(url=url):
            text = normalise.text(url)
            return Link(text) if text else None
        case tuple():
            return normalise.several(value)
        case Decimal():
            return normalise.number(str(value))
        case _:
            return value


def _as_role(attribute: Attribute) -> Attribute:
    key = attribute.key
    if isinstance(key, Entity) and key.kind is Kind.REPORTER:
        return replace(attribute, key=replace(key, kind=Kind.ROLE))
    return attribute


def is_open(attributes: Attributes) -> bool:
    return any(isinstance(each, NewOption) for v in attributes.values() if isinstance(v, tuple) for each in v)


@given(declared)
def test_a_body_declares_what_was_put_into_it(attributes: Attributes) -> None:
    step = creation(create("A", attributes))
    if not is_open(step.attributes):
        assert sent_attributes(request(step).body) == shown(step.attributes)


def test_a_body_declares_its_number_if_it_has_one() -> None:
    public: Attributes = {Attribute(Field.VISIBILITY): "public"}
    assert sent_number(request(CreateIncident(public, "k", 1042)).body) == 1042
    assert sent_number(request(CreateIncident(public, "k", None)).body) is None
    assert sent_number(json.loads('{"retrospective_incident_options":{"external_id":"x"}}')) is None


def test_a_moment_is_an_instant() -> None:
    entry = {"incident_timestamp_id": "T", "value": "2020-01-01T01:00:00+01:00"}
    timestamp = Attribute(Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "T", ""))
    found = sent_attributes({"incident_timestamp_values": [entry]})
    assert found == {timestamp: datetime(2020, 1, 1, tzinfo=UTC)}
