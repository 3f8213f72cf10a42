"""Creating and editing incidents under incident.io's rules."""

from __future__ import annotations

import pytest

from importer.sandbox import Idempotency


def test_a_create_returns_200_with_the_incident(api, shown):
    incident = api.create(
        summary="Cards were declined.",
        severity_id=api.severity("Major"),
        incident_role_assignments=[
            {"incident_role_id": api.role("Incident Lead"), "assignee": {"email": "lisa@example.com"}},
            {"incident_role_id": api.role("Reporter"), "assignee": {"slack_user_id": "U02AYNF2XJN"}},
        ],
        incident_timestamp_values=[
            {"incident_timestamp_id": api.timestamp("Resolved at"), "value": "2023-04-12T13:02:00.500+02:00"}
        ],
        retrospective_incident_options={"postmortem_document_url": "https://docs.example.com/1"},
    )
    assert incident["reference"] == "INC-1"
    assert incident["severity"]["name"] == "Major"
    assert incident["incident_status"]["category"] == "closed"
    assert incident["incident_type"]["name"] == "Production"
    assert incident["mode"] == "retrospective"
    assert incident["summary"] == "Cards were declined."
    assert incident["creator"]["api_key"]["name"] == "Sandbox"
    assert incident["created_at"] == "2023-11-14T22:13:20Z"
    assert incident["postmortem_document_url"] == "https://docs.example.com/1"
    assert incident["slack_channel_id"] == ""
    assert shown.assignees(incident) == {"Incident Lead": "lisa@example.com", "Reporter": "bob@example.com"}
    assert shown.timestamps(incident) == {"Resolved at": "2023-04-12T11:02:00.5Z"}
    assert api.get(f"/v2/incidents/{incident['id']}")["incident"] == incident
    assert api.get("/v2/incidents/1")["incident"] == incident


def test_every_timestamp_field_and_role_is_shown_set_or_not(api):
    incident = api.create()
    assert len(incident["incident_timestamp_values"]) == 12
    assert len(incident["custom_field_entries"]) == 8
    assert all(entry["values"] == [] for entry in incident["custom_field_entries"])
    assert len(incident["incident_role_assignments"]) == 4


def test_custom_fields_of_every_type_are_stored_as_sent(api, shown):
    incident = api.create(
        custom_field_entries=[
            api.entry(
                "Affected teams",
                [{"value_catalog_entry_id": "team-platform"}, {"value_catalog_entry_id": "pay"}],
            ),
            api.entry("Affected services", [{"value_option_id": api.option("Affected services", "Search")}]),
            api.entry("Customers affected", [{"value_numeric": "1200.0"}]),
            api.entry("Legacy ID", [{"value_text": " JIRA-1 \r\n"}]),
            api.entry("Runbook", [{"value_link": "https://runbooks.example.com/1"}]),
        ]
    )
    teams = [value["value_catalog_entry"]["name"] for value in shown.values(incident, "Affected teams")]
    assert teams == ["Platform", "Payments"]
    assert shown.values(incident, "Affected services")[0]["value_option"]["value"] == "Search"
    assert shown.values(incident, "Customers affected") == [{"value_numeric": "1200.0"}]
    assert shown.values(incident, "Legacy ID") == [{"value_text": " JIRA-1 \r\n"}]
    assert shown.values(incident, "Runbook") == [{"value_link": "https://runbooks.example.com/1"}]


def test_all_problems_of_a_payload_are_listed_together(api):
    assert api.refusals(
        "/v2/incidents", {"mode": "retrospective", "severity_id": "01X", "name": {"a": 1}}
    ) == {
        "idempotency_key": "is_required",
        "visibility": "is_required",
        "name": "invalid_value",
        "severity_id": "invalid_value",
    }
    assert api.get("/v2/incidents")["incidents"] == []


def test_a_value_of_a_wrong_type_is_refused_with_gos_message(api):
    answer = api.post("/v2/incidents", api.payload(summary=["x"]), 422)
    assert answer["errors"] == [
        {
            "code": "invalid_value",
            "message": "json: cannot unmarshal array into Go struct field IncidentsCreatePayloadV2.summary of type string",
            "source": {"field": "summary"},
        }
    ]
    assert answer["type"] == "validation_error"


@pytest.mark.parametrize("body", [[], "x", 1, True])
def test_a_body_that_is_not_an_object_is_refused(api, body):
    assert api.refusals("/v2/incidents", body) == {"": "invalid_value"}


def test_unknown_identifiers_are_refused_with_their_path(api):
    wrong = api.payload(
        incident_status_id="01A",
        incident_type_id="01B",
        custom_field_entries=[{"custom_field_id": "01C", "values": []}],
        incident_role_assignments=[
            {"incident_role_id": "01D"},
            {"incident_role_id": api.role("Scribe"), "assignee": {"id": "01E"}},
            {"incident_role_id": api.role("Comms Lead"), "assignee": {}},
        ],
        incident_timestamp_values=[{"incident_timestamp_id": "01F", "value": "2023-04-12T09:00:00Z"}],
    )
    assert api.refusals("/v2/incidents", wrong) == {
        "incident_status_id": "invalid_value",
        "incident_type_id": "invalid_value",
        "custom_field_entries.0.custom_field_id": "invalid_value",
        "incident_role_assignments.0.incident_role_id": "invalid_value",
        "incident_role_assignments.1.assignee.id": "invalid_value",
        "incident_role_assignments.2.assignee": "is_required",
        "incident_timestamp_values.0.incident_timestamp_id": "invalid_value",
    }


@pytest.mark.parametrize(
    ("field", "given", "where"),
    [
        ("Root cause", [{"value_text": "Capacity"}], "values.0"),
        ("Root cause", [{"value_option_id": "Capacity"}], "values.0.value_option_id"),
        ("Affected teams", [{"value_catalog_entry_id": "PRD-1"}], "values.0.value_catalog_entry_id"),
        ("Customers affected", [{"value_numeric": "many"}], "values.0.value_numeric"),
        ("Customers affected", [{"value_numeric": "NaN"}], "values.0.value_numeric"),
        ("Runbook", [{"value_link": "runbooks"}], "values.0.value_link"),
        ("Runbook", [{"value_link": "http://[::1"}], "values.0.value_link"),
        ("Legacy ID", [{"value_text": "a"}, {"value_text": "b"}], "values"),
        ("Legacy ID", [{}], "values.0"),
        ("Legacy ID", ["a"], "values.0"),
    ],
)
def test_a_value_that_does_not_belong_to_its_field_is_refused(api, field, given, where):
    refused = api.refusals("/v2/incidents", api.payload(custom_field_entries=[api.entry(field, given)]))
    assert refused == {f"custom_field_entries.0.{where}": "invalid_value"}


def test_an_option_of_another_field_is_refused(api):
    region = api.option("Region", "eu-west-1")
    payload = api.payload(custom_field_entries=[api.entry("Root cause", [{"value_option_id": region}])])
    assert list(api.refusals("/v2/incidents", payload)) == ["custom_field_entries.0.values.0.value_option_id"]


def test_a_custom_field_may_have_one_entry_only(api):
    entry = api.entry("Legacy ID", [{"value_text": "a"}])
    payload = api.payload(custom_field_entries=[entry, entry])
    assert list(api.refusals("/v2/incidents", payload)) == ["custom_field_entries.1.custom_field_id"]


@pytest.mark.parametrize("name", ["Triage", "Investigating", "Paused"])
def test_a_retrospective_incident_cannot_be_active(api, name):
    answer = api.post("/v2/incidents", api.payload(incident_status_id=api.status(name)), 422)
    assert answer["errors"][0]["message"] == "Retrospective incidents cannot have active statuses"
    assert answer["errors"][0]["source"] == {"field": "incident_status_id"}


def test_a_type_for_private_incidents_refuses_public_ones(api):
    security = api.incident_type("Security")
    assert list(api.refusals("/v2/incidents", api.payload(incident_type_id=security))) == ["visibility"]
    assert api.create(incident_type_id=security, visibility="private")["visibility"] == "private"


def test_references_count_up_and_continue_after_an_external_id(api):
    assert api.create()["reference"] == "INC-1"
    assert api.create(retrospective_incident_options={"external_id": 41})["reference"] == "INC-41"
    assert api.create()["reference"] == "INC-42"


@pytest.mark.parametrize("status", [409, 422])
def test_a_taken_external_id_is_refused_with_the_documented_message(open_api, status):
    api = open_api(taken_external_id_status=status)
    api.create(retrospective_incident_options={"external_id": 7})
    answer = api.post("/v2/incidents", api.payload(retrospective_incident_options={"external_id": 7}), status)
    assert answer["errors"][0]["message"] == "external ID already exists"
    assert answer["errors"][0]["source"]["field"] == "retrospective_incident_options.external_id"


def test_an_external_id_needs_the_feature_and_a_number_from_1(open_api):
    field = "retrospective_incident_options.external_id"
    without = open_api(
        seed={"incident_statuses": [{"name": "Closed", "category": "closed"}], "incident_types": ["Any"]}
    )
    payload = without.payload(retrospective_incident_options={"external_id": 7})
    assert without.refusals("/v2/incidents", payload) == {field: "invalid_value"}
    api = open_api()
    payload = api.payload(retrospective_incident_options={"external_id": 0})
    assert api.refusals("/v2/incidents", payload) == {field: "invalid_value"}


def test_retrospective_options_need_a_retrospective_incident_and_a_valid_url(api):
    payload = api.payload(mode="standard", retrospective_incident_options={"postmortem_document_url": "x"})
    assert set(api.refusals("/v2/incidents", payload)) == {
        "retrospective_incident_options",
        "retrospective_incident_options.postmortem_document_url",
    }


def test_the_same_key_returns_the_existing_incident(api):
    payload = api.payload()
    first = api.post("/v2/incidents", payload, 200)
    again = api.post("/v2/incidents", {**payload, "name": "Another name"}, 200)
    assert again == first
    assert api.sandbox.journal().creations == {payload["idempotency_key"]: 1}


def test_the_key_of_a_refused_create_is_free(api):
    payload = api.payload(severity_id="01X")
    api.refusals("/v2/incidents", payload)
    assert api.post("/v2/incidents", {**payload, "severity_id": ""}, 200)["incident"]["reference"] == "INC-1"


def test_a_known_key_may_be_a_conflict(open_api):
    api = open_api(idempotency=Idempotency.CONFLICT)
    payload = api.payload()
    api.post("/v2/incidents", payload, 200)
    assert api.refusals("/v2/incidents", payload, 409) == {"idempotency_key": "conflict"}


def test_a_forgotten_key_creates_another_incident(open_api):
    api = open_api(idempotency=Idempotency.EXPIRED)
    payload = api.payload()
    first, second = (api.post("/v2/incidents", payload, 200)["incident"]["id"] for _ in range(2))
    assert first < second
    assert api.sandbox.journal().creations == {payload["idempotency_key"]: 2}


def test_a_live_incident_needs_a_severity_gets_a_channel_and_is_announced(api):
    live = {"mode": "standard", "incident_status_id": api.status("Fixing")}
    assert api.refusals("/v2/incidents", api.payload(**live)) == {"severity_id": "is_required"}
    incident = api.create(**live, severity_id=api.severity("Minor"))
    assert incident["slack_channel_id"].startswith("C")
    assert incident["slack_channel_name"] == "inc-1"
    assert api.sandbox.journal().announcements == ("INC-1 was declared in mode standard",)


def test_without_a_status_a_standard_incident_is_in_triage(api):
    assert api.create(mode="test")["incident_status"]["category"] == "triage"


def test_a_retrospective_incident_keeps_its_given_channel(api):
    incident = api.create(
        retrospective_incident_options={"slack_channel_id": "C02AW36C1M5"},
        slack_channel_name_override="inc-old",
        slack_team_id="T02A1FSLE8J",
    )
    assert incident["slack_channel_id"] == "C02AW36C1M5"
    assert incident["slack_channel_name"] == "inc-old"
    assert incident["slack_team_id"] == "T02A1FSLE8J"
    assert api.sandbox.journal().announcements == ()


def test_a_channel_may_appear_unrequested(open_api):
    assert open_api(makes_slack_channels=True).create()["slack_channel_id"].startswith("C")


def test_an_edit_sets_what_is_given_and_leaves_the_rest(api, shown):
    incident = api.create(summary="before", severity_id=api.severity("Minor"))
    api.clock.sleep(5)
    edited = api.edit(
        incident["id"],
        {
            "name": "after",
            "call_url": "https://call.example.com",
            "incident_timestamp_values": [
                {"incident_timestamp_id": api.timestamp("Fixed at"), "value": "2023-01-01T00:00:00Z"}
            ],
            "incident_role_assignments": [
                {"incident_role_id": api.role("Scribe"), "assignee": {"email": "bob@example.com"}}
            ],
            "custom_field_entries": [api.entry("Legacy ID", [{"value_text": "J-1"}])],
        },
    )["incident"]
    assert (edited["name"], edited["summary"]) == ("after", "before")
    assert edited["call_url"] == "https://call.example.com"
    assert edited["severity"]["name"] == "Minor"
    assert edited["updated_at"] == "2023-11-14T22:13:25Z"
    assert edited["created_at"] == incident["created_at"]
    assert shown.timestamps(edited) == {"Fixed at": "2023-01-01T00:00:00Z"}
    cleared = api.edit(
        "1",
        {
            "incident_timestamp_values": [{"incident_timestamp_id": api.timestamp("Fixed at")}],
            "incident_role_assignments": [{"incident_role_id": api.role("Scribe"), "assignee": None}],
            "custom_field_entries": [api.entry("Legacy ID", [])],
            "call_url": "",
        },
    )["incident"]
    assert shown.timestamps(cleared) == {}
    assert shown.assignees(cleared) == {}
    assert shown.values(cleared, "Legacy ID") == []
    assert "call_url" not in cleared


def test_an_edit_must_set_whether_to_notify_and_is_announced_if_so(api):
    identifier = api.create()["id"]
    path = f"/v2/incidents/{identifier}/actions/edit"
    assert api.refusals(path, {"incident": {}}) == {"notify_incident_channel": "is_required"}
    api.edit(identifier, {"name": "x"})
    assert api.sandbox.journal().announcements == ()
    api.edit(identifier, {"name": "x"}, notify_incident_channel=True)
    assert len(api.sandbox.journal().announcements) == 1


def test_wrong_edits_are_refused_with_their_path(api):
    identifier = api.create()["id"]
    changes = {
        "name": "",
        "severity_id": "01X",
        "call_url": "call",
        "incident_status_id": "01Y",
        "incident_role_assignments": [
            {"incident_role_id": api.role("Reporter"), "assignee": {"email": "bob@example.com"}}
        ],
        "summary": 1,
    }
    body = {"incident": changes, "notify_incident_channel": False}
    assert set(api.refusals(f"/v2/incidents/{identifier}/actions/edit", body)) == {
        "incident.name",
        "incident.severity_id",
        "incident.call_url",
        "incident.incident_status_id",
        "incident.incident_role_assignments.0.incident_role_id",
        "incident.summary",
    }


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("Investigating", "Fixing", 200),
        ("Investigating", "Closed", 200),
        ("Triage", "Documenting", 200),
        ("Documenting", "Closed", 200),
        ("Closed", "Closed", 200),
        ("Closed", "Documenting", 422),
        ("Closed", "Investigating", 422),
        ("Documenting", "Fixing", 422),
        ("Declined", "Closed", 422),
    ],
)
def test_statuses_move_forward_only(api, before, after, status):
    mode = "standard" if before in {"Investigating", "Triage"} else "retrospective"
    incident = api.create(mode=mode, severity_id=api.severity("Minor"), incident_status_id=api.status(before))
    api.edit(incident["id"], {"incident_status_id": api.status(after)}, status)


def test_a_new_status_or_severity_creates_an_update(api):
    identifier = api.create()["id"]
    api.edit(identifier, {"name": "x"})
    api.edit(identifier, {"severity_id": api.severity("Major")})
    updates = api.get("/v2/incident_updates", incident_id=identifier)["incident_updates"]
    assert [update.get("new_severity", {}).get("name") for update in updates] == [None, "Major"]


def test_the_channel_of_an_incident_is_renamed_if_it_has_one(api):
    channel = {"slack_channel_id": "C1"}
    with_channel = api.create(retrospective_incident_options=channel)["id"]
    without = api.create()["id"]
    change = {"slack_channel_name_override": "inc-new"}
    assert api.edit(with_channel, change)["incident"]["slack_channel_name"] == "inc-new"
    assert "slack_channel_name" not in api.edit(without, change)["incident"]


def test_private_incidents_do_not_exist_for_keys_without_global_access(api):
    incident = api.create(visibility="private")
    blind = api.with_key("sandbox-no-private")
    assert blind.get("/v2/incidents")["incidents"] == []
    assert blind.http.get(f"/v2/incidents/{incident['id']}").status_code == 404
    blind.edit(incident["id"], {"name": "x"}, 404)
    own = blind.post("/v2/incidents", blind.payload(idempotency_key="own", visibility="private"), 200)
    assert blind.http.get(f"/v2/incidents/{own['incident']['id']}").status_code == 404
    assert len(api.get("/v2/incidents")["incidents"]) == 2


@pytest.mark.parametrize("identifier", ["2", "INC-1", "01X", "9" * 30, "²"])
def test_what_does_not_exist_is_404(api, identifier):
    api.create()
    answer = api.http.get(f"/v2/incidents/{identifier}")
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"code": "not_found", "message": "Resource not found"}]


def test_the_server_may_normalise_what_it_is_given(open_api, shown):
    api = open_api(normalises=True)
    teams = [
        {"value_catalog_entry_id": name}
        for name in ("team-payments", "team-platform", "team-data", "team-growth")
    ]
    incident = api.create(
        name=" Payments\r\nfailed ",
        custom_field_entries=[
            api.entry("Customers affected", [{"value_numeric": "1200.0"}]),
            api.entry("Legacy ID", [{"value_text": " J-1 "}]),
            api.entry("Affected teams", teams),
        ],
    )
    assert incident["name"] == "Payments\nfailed"
    assert shown.values(incident, "Customers affected") == [{"value_numeric": "1200"}]
    assert shown.values(incident, "Legacy ID") == [{"value_text": "J-1"}]
    names = [value["value_catalog_entry"]["name"] for value in shown.values(incident, "Affected teams")]
    assert sorted(names) == ["Data", "Growth", "Payments", "Platform"]
    assert names != ["Payments", "Platform", "Data", "Growth"]


def test_the_server_may_set_timestamps_by_itself(open_api, shown):
    api = open_api(sets_timestamps=True)
    reported = {"incident_timestamp_id": api.timestamp("Reported at"), "value": "2020-01-01T00:00:00Z"}
    now = "2023-11-14T22:13:20Z"
    assert shown.timestamps(api.create()) == {"Reported at": now, "Closed at": now}
    given = api.create(incident_timestamp_values=[reported])
    assert shown.timestamps(given) == {"Reported at": "2020-01-01T00:00:00Z", "Closed at": now}


def test_forms_may_be_enforced(open_api):
    api = open_api(enforces_forms=True)
    internal = api.payload(incident_type_id=api.incident_type("Internal"), name="")
    assert api.refusals("/v2/incidents", internal) == {
        "name": "is_required",
        "severity_id": "is_required",
        f"custom_field_entries.{api.field('Root cause')}": "is_required",
        f"incident_role_assignments.{api.role('Incident Lead')}": "is_required",
        f"incident_timestamp_values.{api.timestamp('Resolved at')}": "is_required",
    }
    assert api.create(severity_id=api.severity("Minor"))["reference"] == "INC-1"


def test_an_email_of_an_active_and_an_inactive_user_means_the_active_one(api, shown):
    tara = {"incident_role_id": api.role("Scribe"), "assignee": {"email": "tara@example.com"}}
    incident = api.create(incident_role_assignments=[tara])
    scribe = next(each for each in incident["incident_role_assignments"] if each["role"]["name"] == "Scribe")
    assert scribe["assignee"]["slack_user_id"] == "U02B1TQK7C2"
    sven = {"incident_role_id": api.role("Scribe"), "assignee": {"email": "sven@example.com"}}
    assert shown.assignees(api.create(incident_role_assignments=[sven])) == {"Scribe": "sven@example.com"}


def test_an_email_of_two_active_users_is_refused(api):
    uma = {"incident_role_id": api.role("Scribe"), "assignee": {"email": "uma@example.com"}}
    refused = api.refusals("/v2/incidents", api.payload(incident_role_assignments=[uma]))
    assert refused == {"incident_role_assignments.0.assignee.email": "invalid_value"}
