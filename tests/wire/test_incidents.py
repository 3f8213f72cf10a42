"""How attributes are sent, cleared and read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attribute,
    Attributes,
    Entity,
    Field,
    FollowUp,
    Kind,
    Link,
    NewOption,
    Packed,
    Reference,
    Value,
    normalise,
)
from importer.model.errors import NoAnswer
from importer.wire import incidents as wire

PUBLIC: dict[Attribute, Value] = {Attribute(Field.VISIBILITY): "public"}
AT = datetime(2023, 4, 12, 9, 14, 0, 250_000, tzinfo=UTC)
LEAD = Attribute(Field.ROLE, Entity(Kind.ROLE, "R1", "Incident Lead"))
REPORTER = Attribute(Field.ROLE, Entity(Kind.REPORTER, "R0", "Reporter"))
RESOLVED = Attribute(Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "T1", "Resolved at"))
TEAMS = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "F1", "Teams"))
LISA = Entity(Kind.USER, "U1", "Lisa")


def created(attributes: Attributes, external_id: int | None = None) -> wire.Json:
    return wire.create_payload({**PUBLIC, **attributes}, idempotency_key="k", external_id=external_id)


def edited(attributes: Attributes) -> wire.Json:
    payload = wire.edit_payload(attributes)
    assert payload["notify_incident_channel"] is False
    incident: wire.Json = payload["incident"]
    return incident


def answer(**properties: Any) -> wire.Json:
    return {
        "id": "01A",
        "reference": "INC-7",
        "mode": "retrospective",
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00.5Z",
        **properties,
    }


def read(**properties: Any) -> Attributes:
    return wire.live_incident(answer(**properties)).attributes


def test_a_creation_is_always_retrospective_and_has_its_idempotency_key() -> None:
    assert created({}) == {"idempotency_key": "k", "mode": "retrospective", "visibility": "public"}


def test_a_creation_without_visibility_is_a_bug() -> None:
    with pytest.raises(ValueError, match="visibility"):
        wire.create_payload({}, idempotency_key="k", external_id=None)


def test_retrospective_fields_are_sent_in_retrospective_incident_options() -> None:
    payload = created(
        {
            Attribute(Field.SLACK_CHANNEL_ID): "C1",
            Attribute(Field.POSTMORTEM_URL): "https://docs.example/1",
            Attribute(Field.SLACK_TEAM_ID): "T1",
            Attribute(Field.SLACK_CHANNEL_NAME): "inc-7",
        },
        external_id=7,
    )

    assert payload["retrospective_incident_options"] == {
        "external_id": 7,
        "slack_channel_id": "C1",
        "postmortem_document_url": "https://docs.example/1",
    }
    assert (payload["slack_team_id"], payload["slack_channel_name_override"]) == ("T1", "inc-7")


def test_a_creation_leaves_out_cleared_attributes() -> None:
    assert created({Attribute(Field.SUMMARY): None, TEAMS: None}) == created({})


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute(Field.CALL_URL), "https://call.example"),
        (Attribute(Field.FOLLOW_UP, "Alert"), FollowUp()),
    ],
)
def test_attributes_with_a_request_of_their_own_are_not_in_a_creation(
    attribute: Attribute, value: Value
) -> None:
    with pytest.raises(ValueError, match="cannot create an incident with"):
        created({attribute: value})


def test_an_edit_has_only_the_given_attributes() -> None:
    assert edited({Attribute(Field.CALL_URL): "https://call.example"}) == {"call_url": "https://call.example"}


def test_an_option_to_be_created_is_shown_as_known_after_apply() -> None:
    new = NewOption(Entity(Kind.CUSTOM_FIELD, "F1", "Teams"), "New")
    assert edited({TEAMS: (new,)})["custom_field_entries"][0]["values"] == [
        {"value_option_id": "(known after apply)"}
    ]


def test_each_field_is_cleared_in_its_own_way() -> None:
    assert edited({Attribute(Field.SUMMARY): None, TEAMS: None, RESOLVED: None, LEAD: None}) == {
        "summary": "",
        "custom_field_entries": [{"custom_field_id": "F1", "values": []}],
        "incident_timestamp_values": [{"incident_timestamp_id": "T1"}],
        "incident_role_assignments": [{"incident_role_id": "R1"}],
    }


@pytest.mark.parametrize(
    "attribute",
    [
        Attribute(Field.VISIBILITY),
        Attribute(Field.INCIDENT_TYPE),
        Attribute(Field.SLACK_CHANNEL_ID),
        Attribute(Field.SLACK_TEAM_ID),
        Attribute(Field.POSTMORTEM_URL),
        Attribute(Field.FOLLOW_UP, "Alert"),
        REPORTER,
    ],
)
def test_an_edit_that_the_api_cannot_make_is_never_sent(attribute: Attribute) -> None:
    with pytest.raises(ValueError, match=r"cannot edit|only at creation"):
        wire.edit_payload({attribute: None})


OPTION = Entity(Kind.OPTION, "O1", "Payments")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute(Field.SEVERITY), "Major"),
        (Attribute(Field.SEVERITY), Reference(Kind.SEVERITY, "Major")),
        (Attribute(Field.NAME), LISA),
        (Attribute(Field.NAME), Decimal(1)),
        (Attribute(Field.TIMESTAMP, Reference(Kind.TIMESTAMP, "Resolved at")), AT),
        (RESOLVED, "2023-04-12"),
        (LEAD, Reference(Kind.USER, "lisa")),
        (LEAD, OPTION),
        (TEAMS, Packed("a;b")),
        (TEAMS, (Reference(Kind.OPTION, "O1", "id"),)),
    ],
)
def test_nothing_unresolved_is_ever_sent(attribute: Attribute, value: Value) -> None:
    with pytest.raises(ValueError, match="not resolved"):
        created({attribute: value})
    with pytest.raises(ValueError, match="not resolved"):
        edited({attribute: value})


def test_moments_are_sent_in_utc_with_milliseconds() -> None:
    zone = timezone(timedelta(hours=2))

    assert edited({RESOLVED: AT.astimezone(zone)})["incident_timestamp_values"] == [
        {"incident_timestamp_id": "T1", "value": "2023-04-12T09:14:00.250Z"}
    ]


def test_large_numbers_are_sent_in_full() -> None:
    assert edited({TEAMS: Decimal("1.2E+6")})["custom_field_entries"][0]["values"] == [
        {"value_numeric": "1200000"}
    ]


texts = st.text(max_size=30).map(normalise.text).filter(bool)
ids = st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=3, max_size=6)


def entities(kind: Kind) -> st.SearchStrategy[Entity]:
    return st.builds(Entity, st.just(kind), ids, st.text(max_size=10))


moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    normalise.to_utc
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
selections = st.lists(
    st.one_of(entities(Kind.OPTION), entities(Kind.CATALOG_ENTRY)), min_size=1, max_size=4
).map(normalise.several)
custom_values = st.one_of(
    texts, st.builds(Link, texts), numbers.map(lambda each: normalise.number(str(each))), selections
)
listed = st.one_of(
    st.tuples(entities(Kind.TIMESTAMP).map(lambda e: Attribute(Field.TIMESTAMP, e)), moments),
    st.tuples(entities(Kind.ROLE).map(lambda e: Attribute(Field.ROLE, e)), entities(Kind.USER)),
    st.tuples(entities(Kind.REPORTER).map(lambda e: Attribute(Field.ROLE, e)), entities(Kind.USER)),
    st.tuples(entities(Kind.CUSTOM_FIELD).map(lambda e: Attribute(Field.CUSTOM_FIELD, e)), custom_values),
)
plain = st.fixed_dictionaries(
    {Attribute(Field.VISIBILITY): st.sampled_from(["public", "private"])},
    optional={
        Attribute(Field.NAME): texts,
        Attribute(Field.SUMMARY): texts,
        Attribute(Field.SEVERITY): entities(Kind.SEVERITY),
        Attribute(Field.STATUS): entities(Kind.STATUS),
        Attribute(Field.INCIDENT_TYPE): entities(Kind.INCIDENT_TYPE),
        Attribute(Field.SLACK_CHANNEL_ID): texts,
        Attribute(Field.SLACK_TEAM_ID): texts,
        Attribute(Field.POSTMORTEM_URL): texts,
    },
)


def echo(payload: wire.Json, attributes: Attributes) -> wire.Json:
    """Answer a creation as the API does: IDs become objects, and unset members are included."""
    named = {each.id: each for each in _entities_of(attributes)}
    options = payload.get("retrospective_incident_options", {})
    shown: wire.Json = answer(**options, visibility=payload["visibility"], has_debrief=False, new_one=[1])
    for name in ("name", "summary", "slack_team_id"):
        shown[name] = payload.get(name, "")
    for name in ("severity", "incident_status", "incident_type"):
        identity = payload.get(f"{name}_id")
        shown[name] = {"id": identity, "name": "n"} if identity else None
    shown["incident_timestamp_values"] = [
        {
            "incident_timestamp": {"id": e["incident_timestamp_id"], "name": "n"},
            "value": {"value": e["value"]},
        }
        for e in payload.get("incident_timestamp_values", [])
    ] + [{"incident_timestamp": {"id": "unset", "name": "n"}, "value": None}]
    shown["incident_role_assignments"] = [
        {
            "role": {
                "id": e["incident_role_id"],
                "name": "n",
                "role_type": "reporter" if named[e["incident_role_id"]].kind is Kind.REPORTER else "lead",
            },
            "assignee": e["assignee"],
        }
        for e in payload.get("incident_role_assignments", [])
    ] + [{"role": {"id": "unset", "name": "n", "role_type": "custom"}}]
    shown["custom_field_entries"] = [
        {
            "custom_field": {"id": e["custom_field_id"], "name": "n", "field_type": _type(e["values"])},
            "values": [_shown(value) for value in reversed(e["values"])],
        }
        for e in payload.get("custom_field_entries", [])
    ] + [{"custom_field": {"id": "unset", "name": "n", "field_type": "multi_select"}, "values": []}]
    return json.loads(json.dumps(shown))  # type: ignore[no-any-return]


def _type(values: list[wire.Json]) -> str:
    (kind,) = {name for value in values for name in value if name in _TYPES} or {"value_option_id"}
    return _TYPES[kind]


_TYPES = {
    "value_text": "text",
    "value_link": "link",
    "value_numeric": "numeric",
    "value_option_id": "multi_select",
}


def _shown(value: wire.Json) -> wire.Json:
    match value:
        case {"value_option_id": identity}:
            return {"value_option": {"id": identity, "value": "n"}}
        case {"value_catalog_entry_id": identity}:
            return {"value_catalog_entry": {"id": identity, "name": "n"}}
        case _:
            return value


def _entities_of(attributes: Attributes) -> list[Entity]:
    return [each.key for each in attributes if isinstance(each.key, Entity)]


@given(plain, st.lists(listed, max_size=5, unique_by=lambda pair: pair[0].key.id))  # type: ignore[union-attr]
def test_sent_attributes_are_read_back_unchanged(
    attributes: dict[Attribute, Value], members: list[tuple[Attribute, Value]]
) -> None:
    attributes = {**attributes, **dict(members)}
    payload = wire.create_payload(attributes, idempotency_key="k", external_id=None)

    assert wire.live_incident(echo(payload, attributes)).attributes == attributes


@given(plain, st.lists(listed, max_size=5))
def test_a_payload_is_the_same_whatever_the_order_of_the_attributes(
    attributes: dict[Attribute, Value], members: list[tuple[Attribute, Value]]
) -> None:
    attributes = {**attributes, **dict(members)}
    by_identity = dict(sorted(attributes.items(), key=lambda item: repr(item[0])))
    unique_labels = len({normalise.by_label(each) for each in attributes}) == len(attributes)
    payloads = [
        json.dumps(wire.create_payload(each, idempotency_key="k", external_id=1))
        for each in (attributes, by_identity)
    ]

    assert payloads[0] == payloads[1] or not unique_labels


def test_an_incident_with_nothing_set_has_no_attributes() -> None:
    live = wire.live_incident(answer(name="", summary=None, custom_field_entries=None))

    assert (live.id, live.number, live.attributes, live.permalink) == ("01A", 7, {}, "")
    assert live.updated_at == "2026-03-01T12:00:00.5Z"


def test_milliseconds_without_their_zeros_are_the_same_instant() -> None:
    stamp = {"incident_timestamp": {"id": "T1", "name": "n"}, "value": {"value": "2023-04-12T09:14:00.25Z"}}

    assert read(incident_timestamp_values=[stamp]) == {RESOLVED: AT}


def test_a_time_without_zone_is_utc_since_the_api_knows_no_other() -> None:
    assert wire.parse_moment("2023-04-12T09:14:00.250") == AT


def test_text_is_normalised_on_reading() -> None:
    assert read(summary="one\r\ntwo \n\n") == {Attribute(Field.SUMMARY): "one\ntwo"}


@pytest.mark.parametrize(
    ("field_type", "values", "expected"),
    [
        ("numeric", [{"value_numeric": "1200.0"}], Decimal(1200)),
        ("numeric", [{"value_numeric": "0"}], Decimal(0)),
        ("numeric", [{"value_numeric": 5}], Decimal(5)),
        ("numeric", [{"value_numeric": "many"}], "many"),
        ("numeric", [{"value_numeric": ""}], None),
        ("text", [{"value_text": "a\r\nb ", "value_link": None}], "a\nb"),
        ("text", [{"value_text": ""}], None),
        ("text", [], None),
        ("link", [{"value_link": "https://x.example"}], Link("https://x.example")),
        ("single_select", [{"value_option": {"id": "O1", "value": "Payments"}}], (OPTION,)),
        ("a_new_type", [{"value_option": {"id": "O1"}}], (OPTION,)),
        ("a_new_type", [{"value_something": 1}], None),
        ("multi_select", [{"value_option": None}], None),
    ],
)
def test_custom_fields_are_read_by_their_contents(
    field_type: str, values: list[wire.Json], expected: Value
) -> None:
    entry = {"custom_field": {"id": "F1", "name": "Teams", "field_type": field_type}, "values": values}
    attributes = read(custom_field_entries=[entry])

    assert attributes == ({} if expected is None else {TEAMS: expected})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        None,
        "incident",
        answer(id=""),
        answer(id=5),
        answer(created_at="yesterday"),
        answer(created_at=None),
        answer(incident_timestamp_values=[{}, {"value": {"value": "2023-04-12T09:14:00Z"}}]),
        answer(incident_role_assignments=["Lisa"]),
    ],
)
def test_an_answer_without_an_incident_counts_as_no_answer(broken: Any) -> None:
    with pytest.raises(NoAnswer, match="not an incident"):
        wire.live_incident(broken)
