"""Children of an incident, and status page incidents."""

from __future__ import annotations

import pytest

from importer.sandbox import default_seed

PUBLISHED = [
    {"published_at": "2023-01-01T10:00:00Z", "incident_status": "investigating", "message": "We look."},
    {"published_at": "2023-01-01T11:00:00Z", "incident_status": "resolved", "message": "Done."},
]


@pytest.fixture
def incident_id(api):
    return api.create()["id"]


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_follow_up_begins_outstanding_and_is_completed_by_an_edit(api, incident_id, version):
    path = f"/{version}/follow_ups"
    bob = api.id_of("/v2/users", "Bob Okafor")
    body = {"incident_id": incident_id, "title": "Add an alert", "assignee_id": bob, "labels": ["db"]}
    made = api.post(path, {**body, "assignee_team_id": api.id_of("/v3/teams", "Data")})["follow_up"]
    assert made["status"] == "outstanding"
    assert made["assignee"]["email"] == "bob@example.com"
    assert made["assignee_team"]["name"] == "Data"
    assert "completed_at" not in made
    api.clock.sleep(60)
    change = {"status": "completed", "title": "Add two alerts", "assignee_id": None, "assignee_team_id": None}
    answer = api.http.put(f"{path}/{made['id']}", json=change)
    assert answer.status_code == 200
    changed = answer.json()["follow_up"]
    assert changed["completed_at"] == "2023-11-14T22:14:20Z"
    assert (changed["title"], changed["labels"]) == ("Add two alerts", ["db"])
    assert "assignee" not in changed
    assert "assignee_team" not in changed
    assert api.get(f"{path}/{made['id']}")["follow_up"] == changed
    assert api.get(path, incident_id=incident_id)["follow_ups"] == [changed]
    reopened = api.http.put(f"{path}/{made['id']}", json={"status": "not_doing", "title": "x"}).json()
    assert "completed_at" not in reopened["follow_up"]


def test_a_follow_up_keeps_what_an_edit_leaves_out(api, incident_id):
    body = {"incident_id": incident_id, "title": "x", "description": "y"}
    made = api.post("/v2/follow_ups", body)["follow_up"]
    edited = api.http.put(f"/v2/follow_ups/{made['id']}", json={"title": "z"}).json()["follow_up"]
    assert edited == {**made, "title": "z"}
    assert api.refusals("/v2/follow_ups", {**body, "title": ""}) == {"title": "is_required"}


def test_every_create_of_a_follow_up_adds_another_one(api, incident_id):
    for _ in range(2):
        api.post("/v3/follow_ups", {"incident_id": incident_id, "title": "Add an alert"})
    assert len(api.get("/v2/follow_ups", incident_id=incident_id)["follow_ups"]) == 2
    page = api.get("/v3/follow_ups", page_size=1)
    assert len(page["follow_ups"]) == 1
    rest = api.get("/v3/follow_ups", after=page["pagination_meta"]["after"])
    assert "after" not in rest["pagination_meta"]


def test_follow_ups_are_filtered(api, incident_id):
    test = api.create(mode="test")["id"]
    team = api.id_of("/v3/teams", "Data")
    api.post("/v3/follow_ups", {"incident_id": test, "title": "of a test"})
    api.post("/v3/follow_ups", {"incident_id": incident_id, "title": "of a team", "assignee_team_id": team})
    api.clock.sleep(86_400)
    api.post("/v3/follow_ups", {"incident_id": incident_id, "title": "later"})

    def titles(**query):
        return [each["title"] for each in api.get("/v3/follow_ups", **query)["follow_ups"]]

    assert titles() == ["of a team", "later"]
    assert titles(incident_mode="test") == ["of a test"]
    assert titles(assignee_team_id=team) == ["of a team"]
    assert titles(**{"created_at[gte]": "2023-11-15"}) == ["later"]
    assert titles(**{"updated_at[lte]": "2023-11-15"}) == ["of a team"]
    assert api.http.get("/v3/follow_ups", params={"created_at[gte]": "x"}).status_code == 422


def test_a_filter_by_reference_finds_nothing(api, incident_id):
    api.post("/v3/follow_ups", {"incident_id": incident_id, "title": "x"})
    assert api.get("/v3/follow_ups", incident_id="1")["follow_ups"] == []


def test_what_a_follow_up_names_must_exist(api, incident_id):
    body = {
        "incident_id": incident_id,
        "title": "x",
        "assignee_id": "01X",
        "assignee_team_id": "01X",
        "follow_up_priority_option_id": "01X",
        "follow_up_category_id": "01X",
        "external_issue_reference_id": "01X",
    }
    assert set(api.refusals("/v3/follow_ups", body)) == set(body) - {"incident_id", "title"}
    assert api.refusals("/v3/follow_ups", {"incident_id": "01X", "title": "x"}) == {
        "incident_id": "invalid_value"
    }
    made = api.post("/v3/follow_ups", {"incident_id": incident_id, "title": "x"})["follow_up"]
    deleted = api.http.put(f"/v3/follow_ups/{made['id']}", json={"status": "deleted", "title": "x"})
    assert deleted.status_code == 422


def test_a_follow_up_keeps_its_priority(open_api):
    seed = {**default_seed(), "follow_up_priorities": [{"name": "Urgent", "id": "01PRIORITY"}]}
    api = open_api(seed=seed)
    body = {"incident_id": api.create()["id"], "title": "x", "follow_up_priority_option_id": "01PRIORITY"}
    priority = api.post("/v3/follow_ups", body)["follow_up"]["priority"]
    assert priority == {"id": "01PRIORITY", "name": "Urgent", "rank": 1}


def test_an_action_is_outstanding(api, incident_id):
    bob = api.id_of("/v2/users", "Bob Okafor")
    body = {"incident_id": incident_id, "description": "Roll back", "assignee_id": bob}
    made = api.post("/v2/actions", body)["action"]
    assert made["status"] == "outstanding"
    assert api.get("/v2/actions", incident_id=incident_id)["actions"] == [made]
    unassigned = api.post("/v2/actions", {"incident_id": incident_id, "description": "Wait"})["action"]
    assert "assignee" not in unassigned
    assert api.refusals("/v2/actions", {**body, "assignee_id": "01X"}) == {"assignee_id": "invalid_value"}


def test_attachments_are_listed_by_incident_or_by_resource(api, incident_id):
    link = {"resource_type": "arbitrary_url", "url": "https://example.com/a", "title": "A", "emoji": "link"}
    ticket = {"resource_type": "jira_issue", "url": "https://jira.example.com/browse/OPS-1"}
    page = {"resource_type": "pager_duty_incident", "external_id": "P1"}
    made = [
        api.post("/v1/incident_attachments", {"incident_id": incident_id, "resource": each})[
            "incident_attachment"
        ]
        for each in (link, ticket, page)
    ]
    assert [each["resource"]["external_id"] for each in made] == ["https://example.com/a", "OPS-1", "P1"]
    assert [each["resource"]["title"] for each in made] == ["A", "OPS-1", "P1"]
    assert made[2]["resource"]["permalink"].endswith("/P1")
    listed = api.get("/v1/incident_attachments", incident_id=incident_id)["incident_attachments"]
    assert listed == made
    query = {"resource_type": "jira_issue", "external_id": "OPS-1"}
    assert api.get("/v1/incident_attachments", **query)["incident_attachments"] == [made[1]]
    assert api.http.get("/v1/incident_attachments").status_code == 422


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        ({"resource_type": "arbitrary_url", "url": "https://a.example", "external_id": "1"}, "resource"),
        ({"resource_type": "jira_issue"}, "resource"),
        ({"resource_type": "arbitrary_url", "external_id": "1"}, "resource.url"),
        ({"resource_type": "jira_issue", "url": "OPS-1"}, "resource.url"),
        ({"resource_type": "jira_issue", "external_id": "OPS-1", "title": "x"}, "resource.title"),
        ({"resource_type": "slack_file", "external_id": "F1"}, "resource.resource_type"),
        ({"resource_type": "unheard_of", "external_id": "F1"}, "resource.resource_type"),
    ],
)
def test_an_attachment_that_the_account_cannot_take_is_refused(api, incident_id, resource, field):
    assert list(
        api.refusals("/v1/incident_attachments", {"incident_id": incident_id, "resource": resource})
    ) == [field]


def test_a_timeline_item_is_created_once_per_key_and_sorted_by_time(api, incident_id):
    path = "/v2/incident_timeline_items"
    later = {
        "idempotency_key": "b",
        "incident_id": incident_id,
        "timestamp": "2023-01-02T00:00:00Z",
        "title": "later",
    }
    earlier = {
        **later,
        "idempotency_key": "a",
        "timestamp": "2023-01-01T00:00:00.250+01:00",
        "title": "earlier",
    }
    made = api.post(path, later)["incident_timeline_item"]
    api.post(path, {**earlier, "description": "**words**"})
    assert api.post(path, {**later, "title": "again"})["incident_timeline_item"] == made
    items = api.get(path, incident_id=incident_id)["incident_timeline_items"]
    assert [item["title"] for item in items] == ["earlier", "later"]
    assert items[0]["timestamp"] == "2022-12-31T23:00:00.25Z"
    page = api.get(path, incident_id=incident_id, page_size=1)
    rest = api.get(path, incident_id=incident_id, after=page["pagination_meta"]["after"])
    assert rest["incident_timeline_items"] == [made]
    change = {"description": "", "timestamp": "2023-01-03T00:00:00Z"}
    changed = api.http.patch(f"{path}/{items[0]['id']}", json=change).json()["incident_timeline_item"]
    assert "description" not in changed
    assert (changed["title"], changed["timestamp"]) == ("earlier", "2023-01-03T00:00:00Z")
    assert api.http.get(path).status_code == 422
    assert api.http.get(path, params={"incident_id": incident_id, "after": "01X"}).status_code == 422
    assert api.http.patch(f"{path}/01X", json=change).status_code == 404
    assert list(api.refusals(path, {**later, "idempotency_key": "c", "timestamp": "yesterday"})) == [
        "timestamp"
    ]


def test_only_private_incidents_have_members_and_each_only_once(api, incident_id):
    path = "/v1/incident_memberships"
    bob, lisa = api.id_of("/v2/users", "Bob Okafor"), api.id_of("/v2/users", "Lisa Karlsson")
    assert api.refusals(path, {"incident_id": incident_id, "user_id": bob}) == {
        "incident_id": "invalid_value"
    }
    private = api.create(visibility="private")["id"]
    made = [
        api.post(path, {"incident_id": private, "user_id": user})["incident_membership"]
        for user in (bob, lisa, bob)
    ]
    assert made[0] == made[2] != made[1]
    assert api.refusals(path, {"incident_id": private, "user_id": "01X"}) == {"user_id": "invalid_value"}


def test_every_import_of_a_postmortem_adds_a_document(api, incident_id):
    path = f"/v2/incidents/{incident_id}/actions/import_postmortem_document"
    first, second = (
        api.post(path, {"content": "# Why", "title": "Why"})["postmortem_document"] for _ in range(2)
    )
    assert first["type"] == "in_app"
    incident = api.get(f"/v2/incidents/{incident_id}")["incident"]
    assert incident["postmortem_document_ids"] == [first["id"], second["id"]]
    assert incident["postmortem_document_url"] == first["document_url"]
    listed = api.get("/v1/postmortem_documents", incident_id=incident_id)["postmortem_documents"]
    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    oldest = api.get("/v1/postmortem_documents", sort_by="created_at_oldest_first")["postmortem_documents"]
    assert [each["id"] for each in oldest] == [first["id"], second["id"]]
    assert api.get(f"/v1/postmortem_documents/{first['id']}/content") == {"markdown": "# Why"}
    done = api.http.put(f"/v1/postmortem_documents/{first['id']}", json={"status": "completed"})
    assert done.json()["postmortem_document"]["status"] == "completed"
    assert api.get(f"/v1/postmortem_documents/{first['id']}") == done.json()
    attach = {"incident_id": incident_id, "permalink": "https://docs.example.com/1"}
    assert api.refusals("/v1/postmortem_documents/actions/attach", attach) == {"incident_id": "invalid_value"}


def test_attaching_again_replaces_the_link(api, incident_id):
    path = "/v1/postmortem_documents/actions/attach"
    urls = ["https://docs.example.com/1", "https://docs.example.com/2"]
    made = [
        api.post(path, {"incident_id": incident_id, "permalink": url})["postmortem_document"] for url in urls
    ]
    assert made[0]["id"] == made[1]["id"]
    assert api.get(f"/v2/incidents/{incident_id}")["incident"]["postmortem_document_url"] == urls[1]
    assert len(api.get("/v1/postmortem_documents", incident_id=incident_id)["postmortem_documents"]) == 1
    assert api.http.get(f"/v1/postmortem_documents/{made[0]['id']}/content").status_code == 404
    assert list(api.refusals(path, {"incident_id": incident_id, "permalink": "x"})) == ["permalink"]


def test_children_of_private_incidents_are_private_too(api):
    private = api.create(visibility="private")["id"]
    made = api.post("/v3/follow_ups", {"incident_id": private, "title": "x"})["follow_up"]
    blind = api.with_key("sandbox-no-private")
    assert blind.get("/v2/follow_ups")["follow_ups"] == []
    assert blind.http.get(f"/v2/follow_ups/{made['id']}").status_code == 404
    assert list(blind.refusals("/v3/follow_ups", {"incident_id": private, "title": "x"})) == ["incident_id"]


def test_there_are_no_relationships(api, incident_id):
    answer = api.get("/v1/incident_relationships", incident_id=incident_id)
    assert answer == {"incident_relationships": [], "pagination_meta": {"page_size": 25}}
    assert api.http.get("/v1/incident_relationships").status_code == 422


@pytest.fixture
def page_id(api):
    return api.id_of("/v2/status_pages", "Acme status")


@pytest.fixture
def components(api, page_id):
    items = api.get(f"/v2/status_page_structures/{page_id}")["current_structure"]["items"]
    return {
        "API": items[0]["component"]["component_id"],
        "Europe": items[2]["group"]["components"][0]["component_id"],
        "Partner API": items[3]["sub_page"]["items"][0]["component"]["component_id"],
    }


def test_a_past_outage_becomes_a_status_page_incident_once(api, page_id, components):
    path = "/v2/status_page_retrospective_incidents"
    states = [
        [("API", "partial_outage"), ("Europe", "full_outage")],
        [("API", "degraded_performance"), ("Europe", "full_outage")],
        [("API", "operational"), ("Partner API", "operational")],
    ]
    hours = ("10", "11", "12")
    updates = [
        {
            "published_at": f"2023-01-01T{hour}:00:00Z",
            "incident_status": "resolved" if hour == "12" else "identified",
            "message": "words",
            "component_statuses": [
                {"component_id": components[name], "component_status": state} for name, state in of_hour
            ],
        }
        for hour, of_hour in zip(hours, states, strict=True)
    ]
    body = {"idempotency_key": "k", "name": "Outage", "status_page_id": page_id, "updates": updates}
    made = api.post(path, body)["status_page_incident"]
    assert api.post(path, {**body, "name": "again"})["status_page_incident"] == made
    assert made["incident_status"] == "resolved"
    impacts = [
        (each["component_id"], each["component_status"], each["start_at"][11:13], each["end_at"][11:13])
        for each in made["component_impacts"]
    ]
    assert impacts == [
        (components["API"], "partial_outage", "10", "11"),
        (components["API"], "degraded_performance", "11", "12"),
        (components["Europe"], "full_outage", "10", "12"),
    ]
    query = {"status_page_id": page_id}
    assert api.get("/v2/status_page_incidents", **query)["status_page_incidents"] == [made]
    of_api = api.get("/v2/status_page_incidents", component_id=components["API"], **query)
    assert of_api["status_page_incidents"] == [made]
    of_partner = api.get("/v2/status_page_incidents", component_id=components["Partner API"], **query)
    assert of_partner["status_page_incidents"] == []
    assert api.http.get("/v2/status_page_incidents").status_code == 422
    assert api.http.get("/v2/status_page_incidents", params={**query, "start_at": "x"}).status_code == 422
    assert api.http.get("/v2/status_page_structures/01X").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"updates": []}, "updates"),
        ({"updates": PUBLISHED[:1]}, "updates.0.incident_status"),
        ({"updates": [{**PUBLISHED[0], "published_at": "2023-01-01T12:00:00Z"}, PUBLISHED[1]]}, "updates"),
        ({"updates": [{**PUBLISHED[1], "published_at": "2033-01-01T12:00:00Z"}]}, "updates.0.published_at"),
        ({"updates": [{**PUBLISHED[1], "message": "x" * 4097}]}, "updates.0.message"),
        ({"name": "x" * 201}, "name"),
        ({"status_page_id": "01X"}, "status_page_id"),
        (
            {
                "updates": [
                    {
                        **PUBLISHED[1],
                        "component_statuses": [{"component_id": "01X", "component_status": "operational"}],
                    }
                ]
            },
            "updates.0.component_statuses.0.component_id",
        ),
    ],
)
def test_an_invalid_past_outage_is_refused(api, page_id, change, field):
    body = {"idempotency_key": "k", "name": "Outage", "status_page_id": page_id, "updates": PUBLISHED}
    assert list(api.refusals("/v2/status_page_retrospective_incidents", {**body, **change})) == [field]
