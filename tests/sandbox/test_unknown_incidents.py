"""Either side of what is unknown of creations and edits of incidents."""

from __future__ import annotations

import pytest

from importer.sandbox import default_seed
from importer.sandbox.choices import (
    Clearing,
    EditField,
    ExternalIds,
    OmittedStatus,
    TimestampEdits,
    TriageTypes,
    UnknownEmail,
)

CREATE = "/v2/incidents"
OPTIONS = "retrospective_incident_options"
PAST, LATER, FUTURE = "2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z", "2033-01-01T00:00:00Z"
NOW = "2023-11-14T22:13:20Z"


def timed(api, **values):
    """Return timestamp values of a payload, by the timestamps' names without their ` at`."""
    return [
        {"incident_timestamp_id": api.timestamp(f"{name.replace('_', ' ')} at"), **value}
        for name, value in values.items()
    ]


def status_of(incident):
    return incident["incident_status"]["category"]


def seed_with(**more):
    return {**default_seed(), **more}


LEARNING = [
    {"name": "Triage", "category": "triage"},
    {"name": "Reviewing", "category": "learning"},
    {"name": "Closed", "category": "closed"},
]


@pytest.mark.parametrize(("only_closed", "status"), [(False, 200), (True, 422)])
def test_only_closed_may_be_accepted(open_api, only_closed, status):
    api = open_api(seed_with(incident_statuses=LEARNING), only_closed=only_closed)
    api.post(CREATE, api.payload(incident_status_id=api.status("Reviewing")), status)
    api.post(CREATE, api.payload(incident_status_id=api.status("Closed")), 200)


@pytest.mark.parametrize("omitted", [OmittedStatus.CLOSED, OmittedStatus.TRIAGE])
def test_a_creation_without_a_status_may_land_in_triage(open_api, omitted):
    api = open_api(omitted_status=omitted)
    assert status_of(api.create()) == omitted.value
    assert status_of(api.create(incident_status_id=api.status("Closed"))) == "closed"


def test_a_creation_without_a_status_may_be_refused(open_api):
    api = open_api(omitted_status=OmittedStatus.REFUSED)
    assert api.refusals(CREATE, api.payload()) == {"incident_status_id": "is_required"}
    api.create(incident_status_id=api.status("Closed"))


TRIAGED = [{"name": "Default", "is_default": True}, {"name": "Triaged", "create_in_triage": "always"}]


@pytest.mark.parametrize(
    ("triage_types", "category"), [(TriageTypes.IGNORED, "closed"), (TriageTypes.HONOURED, "triage")]
)
def test_a_type_that_is_created_in_triage_may_hold_for_retrospective_incidents(
    open_api, triage_types, category
):
    seed = seed_with(incident_types=TRIAGED, incident_forms=[])
    api = open_api(seed, triage_types=triage_types)
    made = api.create(incident_type_id=api.incident_type("Triaged"), incident_status_id=api.status("Closed"))
    assert status_of(made) == category
    assert status_of(api.create(incident_status_id=api.status("Closed"))) == "closed"


def test_a_type_that_is_created_in_triage_may_refuse_retrospective_incidents(open_api):
    seed = seed_with(incident_types=TRIAGED, incident_forms=[])
    api = open_api(seed, triage_types=TriageTypes.REFUSED)
    payload = api.payload(incident_type_id=api.incident_type("Triaged"))
    assert api.refusals(CREATE, payload) == {"incident_type_id": "invalid_value"}


@pytest.mark.parametrize(("makes", "titles"), [(False, []), (True, ["INC-1: Payments failed"])])
def test_a_link_to_a_post_mortem_may_make_a_document(open_api, makes, titles):
    api = open_api(url_makes_document=makes)
    made = api.create(**{OPTIONS: {"postmortem_document_url": "https://a.example/x"}})
    documents = api.get("/v1/postmortem_documents", incident_id=made["id"])["postmortem_documents"]
    assert [each["title"] for each in documents] == titles
    assert made["postmortem_document_ids"] == [each["id"] for each in documents]
    assert made["postmortem_document_url"] == "https://a.example/x"


@pytest.mark.parametrize(("enforces", "status"), [(False, 200), (True, 422)])
def test_forms_may_be_enforced_of_edits_too(open_api, enforces, status):
    form = {
        "form_type": "retrospective",
        "lifecycle_elements": [{"element_type": "summary", "required_if": "always_require"}],
    }
    api = open_api(seed_with(incident_forms=[form]), enforces_forms_on_edits=enforces)
    made = api.create()
    api.edit(made["id"], {"name": "Other"}, status)
    api.edit(made["id"], {"summary": "words"})


def test_some_fields_of_a_closed_incident_may_be_frozen(open_api):
    api = open_api(frozen_fields=frozenset({EditField.SUMMARY, EditField.TIMESTAMPS}))
    made, live = api.create(), api.create(mode="standard")
    answer = api.edit(made["id"], {"summary": "words", "name": "Other"}, 422)
    assert [each["source"]["field"] for each in answer["errors"]] == ["incident.summary"]
    api.edit(made["id"], {"name": "Other"})
    api.edit(live["id"], {"summary": "words"})


def test_no_field_is_frozen_by_default(api):
    api.edit(api.create()["id"], {"summary": "words"})


def cleared(api, shown, value):
    """Return what is left of a timestamp and a role after an edit that gives them this value."""
    made = api.create(
        incident_timestamp_values=timed(api, Fixed={"value": PAST}),
        incident_role_assignments=[
            {"incident_role_id": api.role("Incident Lead"), "assignee": {"email": "lisa@example.com"}}
        ],
    )
    changes = {
        "incident_timestamp_values": timed(api, Fixed={"value": None} if value == "null" else {}),
        "incident_role_assignments": [
            {
                "incident_role_id": api.role("Incident Lead"),
                **({"assignee": None} if value == "null" else {}),
            }
        ],
    }
    api.edit(made["id"], changes)
    left = api.get(f"/v2/incidents/{made['id']}")["incident"]
    return [*shown.timestamps(left), *shown.assignees(left)]


@pytest.mark.parametrize(
    ("clearing", "value", "clears"),
    [
        (Clearing.OMITTED, "omitted", True),
        (Clearing.OMITTED, "null", True),
        (Clearing.NULL, "omitted", False),
        (Clearing.NULL, "null", True),
        (Clearing.NEVER, "omitted", False),
        (Clearing.NEVER, "null", False),
    ],
)
def test_a_timestamp_and_a_role_are_cleared_as_the_account_has_it(open_api, shown, clearing, value, clears):
    api = open_api(clearing=clearing)
    assert cleared(api, shown, value) == ([] if clears else ["Fixed at", "Incident Lead"])


def test_clearing_may_be_refused(open_api):
    api = open_api(clearing=Clearing.REFUSED)
    answer = api.edit(api.create()["id"], {"incident_timestamp_values": timed(api, Fixed={})}, 422)
    assert answer["errors"][0]["source"]["field"] == "incident.incident_timestamp_values.0.value"


@pytest.mark.parametrize(("sets", "expected"), [(False, None), (True, NOW)])
def test_closing_an_incident_may_set_its_timestamp(open_api, shown, sets, expected):
    api = open_api(sets_timestamps=sets)
    made = api.create(mode="standard", severity_id=api.severity("Minor"))
    edited = api.edit(made["id"], {"incident_status_id": api.status("Closed")})["incident"]
    assert shown.timestamps(edited).get("Closed at") == expected


@pytest.mark.parametrize(
    ("edits", "status", "expected"),
    [
        (TimestampEdits.OVERWRITE, 200, LATER),
        (TimestampEdits.IGNORED, 200, PAST),
        (TimestampEdits.REFUSED, 422, PAST),
    ],
)
def test_a_timestamp_with_a_value_may_stay_as_it_is(open_api, shown, edits, status, expected):
    api = open_api(timestamp_edits=edits)
    made = api.create(incident_timestamp_values=timed(api, Fixed={"value": PAST}))
    changes = {"incident_timestamp_values": timed(api, Fixed={"value": LATER}, Reviewed={"value": LATER})}
    api.edit(made["id"], changes, status)
    left = shown.timestamps(api.get(f"/v2/incidents/{made['id']}")["incident"])
    assert left["Fixed at"] == expected
    assert ("Reviewed at" in left) == (status == 200)


@pytest.mark.parametrize(("refuses", "status"), [(False, 200), (True, 422)])
def test_an_incident_that_is_closed_too_early_may_be_refused(open_api, refuses, status):
    api = open_api(refuses_disorder=refuses)
    early = timed(api, Closed={"value": PAST}, Fixed={"value": LATER})
    api.post(CREATE, api.payload(incident_timestamp_values=early), status)
    made = api.create(incident_timestamp_values=timed(api, Closed={"value": LATER}, Fixed={"value": PAST}))
    api.edit(made["id"], {"incident_timestamp_values": early}, status)


@pytest.mark.parametrize(("refuses", "status"), [(False, 200), (True, 422)])
def test_a_timestamp_in_the_future_may_be_refused(open_api, refuses, status):
    api = open_api(refuses_future=refuses)
    api.post(CREATE, api.payload(incident_timestamp_values=timed(api, Fixed={"value": FUTURE})), status)
    api.create(incident_timestamp_values=timed(api, Fixed={"value": NOW}))


@pytest.mark.parametrize(
    ("external_ids", "status"),
    [(ExternalIds.BY_ACCOUNT, 200), (ExternalIds.REFUSED, 422), (ExternalIds.FORBIDDEN, 403)],
)
def test_choosing_a_number_may_be_refused(open_api, external_ids, status):
    api = open_api(external_ids=external_ids)
    api.post(CREATE, api.payload(**{OPTIONS: {"external_id": 7}}), status)
    api.create()


@pytest.mark.parametrize(("refuses", "status"), [(False, 200), (True, 422)])
def test_a_number_below_the_next_one_may_be_refused(open_api, refuses, status):
    api = open_api(refuses_low_numbers=refuses)
    api.create(**{OPTIONS: {"external_id": 7}})
    api.post(CREATE, api.payload(**{OPTIONS: {"external_id": 3}}), status)
    assert api.create(**{OPTIONS: {"external_id": 8}})["reference"] == "INC-8"


@pytest.mark.parametrize(("stays", "references"), [(False, ["INC-8", "INC-9"]), (True, ["INC-1", "INC-3"])])
def test_the_counter_may_stay_where_it_was(open_api, stays, references):
    api = open_api(counter_stays=stays)
    api.create(**{OPTIONS: {"external_id": 7}})
    api.create(**{OPTIONS: {"external_id": 2}})
    assert [api.create()["reference"] for _ in range(2)] == references


def led_by(api, email):
    return [{"incident_role_id": api.role("Incident Lead"), "assignee": {"email": email}}]


@pytest.mark.parametrize(("refuses", "status"), [(False, 200), (True, 422)])
def test_inactive_users_may_be_refused(open_api, refuses, status):
    api = open_api(refuses_inactive=refuses)
    users = api.get("/v2/users", include_inactive="true", page_size=250)["users"]
    active = {each["email"] for each in users if each["is_active"] and each.get("email")}
    gone = next(each for each in users if not each["is_active"] and each["email"] not in active)
    api.post(CREATE, api.payload(incident_role_assignments=led_by(api, gone["email"])), status)
    incident_id = api.create(incident_role_assignments=led_by(api, "lisa@example.com"))["id"]
    follow_up = {"incident_id": incident_id, "title": "x", "assignee_id": gone["id"]}
    api.post("/v3/follow_ups", follow_up, 422 if refuses else 201)


@pytest.mark.parametrize(("unknown", "status"), [(UnknownEmail.REFUSED, 422), (UnknownEmail.IGNORED, 200)])
def test_an_unknown_email_may_be_ignored(open_api, shown, unknown, status):
    api = open_api(unknown_email=unknown)
    payload = api.payload(incident_role_assignments=led_by(api, "nobody@example.com"))
    answer = api.post(CREATE, payload, status)
    assert status == 422 or shown.assignees(answer["incident"]) == {}


@pytest.mark.parametrize("status", [404, 403])
def test_a_private_incident_that_the_key_may_not_see_may_be_forbidden(open_api, status):
    api = open_api(hidden_status=status)
    made = api.create(visibility="private")
    other = api.with_key("sandbox-no-private").http
    assert other.get(f"/v2/incidents/{made['id']}").status_code == status
    assert other.get("/v2/incidents/01HZZZZZZZZZZZZZZZZZZZZZZZ").status_code == 404


@pytest.mark.parametrize(("ignores", "status"), [(False, 201), (True, 422)])
def test_options_that_differ_in_case_may_be_the_same(open_api, ignores, status):
    api = open_api(ignores_case=ignores)
    option = {"custom_field_id": api.field("Root cause"), "value": "CAPACITY"}
    api.post("/v1/custom_field_options", option, status)
