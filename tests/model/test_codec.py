"""Values and attributes survive JSON, and foreign JSON is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attribute,
    Child,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Kind,
    LiveIncident,
    Location,
    NewOption,
    Origin,
    Reference,
    Scope,
    codec,
)
from tests import strategies

SEVERITY = Entity(Kind.SEVERITY, "01SEVERITY", "Major")


def through_text(form: codec.Json) -> codec.Json:
    """Return JSON as it is read back from a file."""
    again: codec.Json = json.loads(json.dumps(form))
    return again


@given(strategies.values)
def test_a_value_survives_a_file(value):
    again = codec.decode_value(through_text(codec.encode_value(value)))

    assert again == value
    assert type(again) is type(value)


@given(strategies.entities)
def test_the_name_of_an_entity_survives_though_equality_ignores_it(entity):
    again = codec.decode_value(through_text(codec.encode_value(entity)))

    assert isinstance(again, Entity)
    assert (again.name, type(again.kind)) == (entity.name, Kind)


@given(strategies.attributes)
def test_an_attribute_survives_a_file(attribute):
    assert codec.decode_record(Attribute, through_text(codec.encode_record(attribute))) == attribute


@given(st.dictionaries(strategies.attributes, strategies.values, max_size=6), st.randoms())
def test_the_order_of_a_mapping_does_not_matter(attributes, random):
    shuffled = list(attributes.items())
    random.shuffle(shuffled)

    form = codec.encode_attributes(dict(shuffled))

    assert codec.decode_attributes(through_text(form)) == attributes
    assert len(form) == len(attributes)


def test_two_roles_with_the_same_name_have_a_fixed_order():
    first = Attribute(Field.ROLE, Entity(Kind.ROLE, "01A", "Lead"))
    second = Attribute(Field.ROLE, Entity(Kind.ROLE, "01B", "Lead"))

    assert codec.encode_attributes({first: None, second: None}) == codec.encode_attributes(
        {second: None, first: None}
    )


@given(st.dictionaries(strategies.attributes, strategies.values, max_size=4))
def test_the_same_mapping_gives_the_same_bytes(attributes):
    backwards = dict(reversed(attributes.items()))

    assert sorted(map(json.dumps, codec.encode_attributes(attributes))) == sorted(
        map(json.dumps, codec.encode_attributes(backwards))
    )


def test_the_json_is_readable():
    option = NewOption(Entity(Kind.CUSTOM_FIELD, "01FIELD", "Teams"), "Payments")

    assert codec.encode_value((option, Decimal("12.5"))) == [
        {
            "type": "new_option",
            "custom_field": {"type": "entity", "kind": "custom_field", "id": "01FIELD", "name": "Teams"},
            "name": "Payments",
        },
        {"type": "decimal", "value": "12.5"},
    ]
    assert codec.encode_record(Attribute(Field.NAME)) == {"field": "name"}


def test_a_moment_is_written_in_utc_and_ends_in_z():
    moment = datetime(2023, 4, 12, 11, 14, 0, 500_000, tzinfo=timezone(timedelta(hours=2)))

    assert codec.encode_moment(moment) == "2023-04-12T09:14:00.500Z"
    assert codec.decode_moment("2023-04-12T11:14:00+02:00") == datetime(2023, 4, 12, 9, 14, tzinfo=UTC)


def test_unset_parts_of_a_child_are_left_out():
    assert codec.encode_value(FollowUp(status="completed")) == {"type": "follow_up", "status": "completed"}


@pytest.mark.parametrize(
    "foreign",
    [
        True,
        1,
        1.5,
        {},
        {"type": "unheard"},
        {"type": 1},
        {"type": "decimal", "value": "twelve"},
        {"type": "moment", "value": "2023-04-12T09:14:00"},
        {"type": "moment", "value": "yesterday"},
        {"type": "moment", "value": "9999-12-31T23:59:59-12:00"},
        {"type": "entity", "kind": "planet", "id": "1", "name": "Mars"},
        {"type": "entity", "kind": "severity", "id": 1, "name": "Major"},
        {"type": "new_option", "custom_field": "Teams", "name": "Payments"},
        {"type": "follow_up", "assignee": "Lisa"},
        {"type": "follow_up", "labels": ["db", 1]},
        {"type": "follow_up", "labels": "db"},
        {"type": "status_page_incident", "page": codec.encode_value(SEVERITY)},
        {"type": "status_page_incident", "page": codec.encode_value(SEVERITY), "updates": ["resolved"]},
        ["a", ["b"]],
        ["a", None],
        [{"type": "membership"}],
    ],
)
def test_foreign_json_is_a_value_error(foreign):
    with pytest.raises(ValueError, match=r"."):
        codec.decode_value(foreign)


@pytest.mark.parametrize(
    "foreign",
    ["severity", {}, {"field": "mood"}, {"field": "severity", "key": {"type": "decimal", "value": "1"}}],
)
def test_a_foreign_attribute_is_a_value_error(foreign):
    with pytest.raises(ValueError, match=r"."):
        codec.decode_record(Attribute, foreign)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "value", "id", "name", "kind", "page", "updates"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_decoding_returns_a_value_or_raises_a_value_error(foreign):
    try:
        value = codec.decode_value(foreign)
    except ValueError:
        return
    assert codec.decode_value(codec.encode_value(value)) == value


def test_a_reference_loses_only_its_location():
    reference = Reference(Kind.USER, "lisa@example.com", "email")

    assert codec.decode_value(codec.encode_value(reference)) == reference


@pytest.mark.parametrize("kind", get_args(Child))
def test_every_kind_of_child_has_its_own_type(kind):
    assert kind in codec._TYPES


def test_a_record_is_written_with_the_names_and_types_of_its_fields():
    place = Location("incidents.csv", 3)
    change = FieldChange(Attribute(Field.NAME), None, datetime(2024, 1, 1, tzinfo=UTC), Origin.DRIFT)

    assert codec.encode_record(place) == {"file": "incidents.csv", "line": 3}
    assert codec.encode_record(change) == {
        "attribute": {"field": "name"},
        "before": None,
        "after": {"type": "moment", "value": "2024-01-01T00:00:00Z"},
        "origin": "edited in incident.io",
    }
    assert codec.decode_record(Location, {"file": "incidents.csv", "line": 3, "column": None}) == place
    assert codec.decode_record(FieldChange, through_text(codec.encode_record(change))) == change


@given(strategies.live_incidents)
def test_a_live_incident_survives_a_file(live):
    again = codec.decode_record(LiveIncident, through_text(codec.encode_record(live)))

    assert again == live


def test_a_zero_is_written():
    assert codec.encode_record(Scope())["left_out"] == 0


@pytest.mark.parametrize(
    "foreign",
    [{}, {"file": "a"}, {"file": 1, "line": 1}, {"file": "a", "line": "1"}, {"file": "a", "line": True}],
)
def test_a_foreign_record_is_a_value_error(foreign):
    with pytest.raises(ValueError, match=r"line|file"):
        codec.decode_record(Location, foreign)


def test_a_part_that_a_value_lacks_is_never_null():
    with pytest.raises(ValueError, match=r"status is not a string"):
        codec.decode_value({"type": "follow_up", "status": None})
