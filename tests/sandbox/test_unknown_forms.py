"""Either side of what is unknown of lists, of the form of what is stored, and of children."""

from __future__ import annotations

import pytest

from importer.sandbox import Rewrite

FOLLOW_UPS = "/v3/follow_ups"
TIMELINE = "/v2/incident_timeline_items"
STATUS_PAGES = "/v2/status_page_incidents"
URL = "https://Docs.Example.com/Runbook/?v=1#top"


def with_children(api):
    """Return an incident with one child of each listed kind, and the queries that list them."""
    incident = api.create()
    of_incident = {"incident_id": incident["id"]}
    api.post(FOLLOW_UPS, {**of_incident, "title": "it's  a fix"})
    resource = {"resource_type": "arbitrary_url", "url": URL, "title": "the  doc"}
    api.post("/v1/incident_attachments", {**of_incident, "resource": resource})
    item = {"idempotency_key": "k", "timestamp": "2023-01-01T00:00:00Z", "title": "it's  paged"}
    api.post(TIMELINE, {**of_incident, **item})
    api.post(
        f"/v2/incidents/{incident['id']}/actions/import_postmortem_document",
        {"title": "it's  why", "content": "x  y"},
    )
    page = api.id_of("/v2/status_pages", "Acme status")
    update = {"published_at": "2023-01-01T00:00:00Z", "incident_status": "resolved", "message": "x"}
    outage = {"idempotency_key": "k", "name": "it's  down", "status_page_id": page, "updates": [update]}
    api.post("/v2/status_page_retrospective_incidents", outage)
    return incident, [
        (FOLLOW_UPS, of_incident),
        ("/v1/incident_attachments", of_incident),
        (TIMELINE, of_incident),
        ("/v1/postmortem_documents", of_incident),
        (STATUS_PAGES, {"status_page_id": page}),
    ]


def listed(api, path, query):
    (found,) = (value for name, value in api.get(path, **query).items() if name != "pagination_meta")
    return found


def test_lists_may_lag_while_a_get_does_not(open_api):
    api = open_api(list_lag=5)
    incident, lists = with_children(api)
    assert all(listed(api, path, query) == [] for path, query in lists)
    incidents = api.get("/v2/incidents")
    assert (incidents["incidents"], incidents["pagination_meta"]["total_record_count"]) == ([], 0)
    assert api.get(f"/v2/incidents/{incident['id']}")["incident"]["id"] == incident["id"]
    assert api.get("/v2/incidents/1")["incident"]["id"] == incident["id"]
    api.clock.sleep(5)
    assert [len(listed(api, path, query)) for path, query in lists] == [1] * 5
    assert api.get("/v2/incidents")["pagination_meta"]["total_record_count"] == 1


def test_a_child_that_was_listed_stays_listed_when_it_is_edited(open_api):
    api = open_api(list_lag=5)
    _, lists = with_children(api)
    api.clock.sleep(5)
    (item,) = listed(api, *lists[2])
    api.http.patch(f"{TIMELINE}/{item['id']}", json={"title": "x"})
    assert [each["title"] for each in listed(api, *lists[2])] == ["x"]


def test_lists_do_not_lag_by_default(api):
    _, lists = with_children(api)
    assert [len(listed(api, path, query)) for path, query in lists] == [1] * 5


def titles(api, lists):
    shown = [listed(api, path, query)[0] for path, query in lists]
    return [each.get("title") or each.get("name") or each["resource"]["title"] for each in shown]


@pytest.mark.parametrize(
    ("rewrites", "expected"),
    [
        ((), ["it's  a fix", "the  doc", "it's  paged", "it's  why", "it's  down"]),
        ([Rewrite.SPACES], ["it's a fix", "the doc", "it's paged", "it's why", "it's down"]),
        ([Rewrite.QUOTES], ["it’s  a fix", "the  doc", "it’s  paged", "it’s  why", "it’s  down"]),
        ([Rewrite.CASE], ["It's  a fix", "The  doc", "It's  paged", "It's  why", "It's  down"]),
        (list(Rewrite), ["It’s a fix", "The doc", "It’s paged", "It’s why", "It’s down"]),
    ],
)
def test_titles_may_be_kept_in_another_form(open_api, rewrites, expected):
    api = open_api(rewrites=frozenset(rewrites))
    _, lists = with_children(api)
    assert titles(api, lists) == expected


@pytest.mark.parametrize(
    ("rewrites", "expected"),
    [
        ((), URL),
        ([Rewrite.CASE], "https://docs.example.com/Runbook/?v=1#top"),
        ([Rewrite.SLASH], "https://Docs.Example.com/Runbook?v=1#top"),
        ([Rewrite.QUERY], "https://Docs.Example.com/Runbook/#top"),
        (list(Rewrite), "https://docs.example.com/Runbook#top"),
    ],
)
def test_links_may_be_kept_in_another_form(open_api, shown, rewrites, expected):
    api = open_api(rewrites=frozenset(rewrites))
    made = api.create(
        custom_field_entries=[
            api.entry("Runbook", [{"value_link": URL}]),
            api.entry("Legacy ID", [{"value_text": "it's  J-1"}]),
        ],
        retrospective_incident_options={"postmortem_document_url": URL},
    )
    attached = {"incident_id": made["id"], "resource": {"resource_type": "arbitrary_url", "url": URL}}
    resource = api.post("/v1/incident_attachments", attached)["incident_attachment"]["resource"]
    document = api.post(
        "/v1/postmortem_documents/actions/attach", {"incident_id": made["id"], "permalink": URL}
    )
    assert shown.values(made, "Runbook") == [{"value_link": expected}]
    assert shown.values(made, "Legacy ID") == [{"value_text": "it's  J-1"}]
    assert made["postmortem_document_url"] == expected
    assert {resource[name] for name in ("permalink", "external_id", "title")} == {expected}
    assert document["postmortem_document"]["document_url"] == expected


@pytest.mark.parametrize("rewrites_on", ["write", "read"])
def test_the_answer_to_a_write_may_show_what_was_sent(open_api, rewrites_on):
    api = open_api(rewrites=frozenset(Rewrite), rewrites_on=rewrites_on)
    made = api.create(name="it's  down")
    item = {"idempotency_key": "k", "timestamp": "2023-01-01T00:00:00Z", "title": "it's  paged"}
    child = api.post(TIMELINE, {"incident_id": made["id"], **item})["incident_timeline_item"]
    edited = api.edit(made["id"], {"summary": "x"})["incident"]
    read = api.get(f"/v2/incidents/{made['id']}")["incident"]
    as_sent = rewrites_on == "read"
    assert made["name"] == ("it's  down" if as_sent else "It’s down")
    assert child["title"] == ("it's  paged" if as_sent else "It’s paged")
    assert read["name"] == edited["name"] == "It’s down"
    assert listed(api, TIMELINE, {"incident_id": made["id"]})[0]["title"] == "It’s paged"


def test_a_new_incident_s_timeline_may_have_items_already(open_api):
    api = open_api(promotes_timeline=True)
    made = api.create()
    items = listed(api, TIMELINE, {"incident_id": made["id"]})
    promoted = [each for each in items if "activity_log_id" in each]
    streams = [each for each in items if each["incident_id"] != made["id"]]
    assert [each["title"] for each in promoted] == ["Incident reported", "Update"]
    assert [each["title"] for each in streams] == ["Update"]
    moved = api.http.patch(f"{TIMELINE}/{promoted[0]['id']}", json={"timestamp": "2023-01-01T00:00:00Z"})
    assert moved.status_code == 422


def test_a_new_incident_s_timeline_is_empty_by_default(api):
    assert listed(api, TIMELINE, {"incident_id": api.create()["id"]}) == []


@pytest.mark.parametrize("replaces", [False, True])
def test_a_put_of_a_follow_up_may_clear_what_it_leaves_out(open_api, replaces):
    api = open_api(put_replaces=replaces)
    details = {
        "description": "x",
        "labels": ["a"],
        "assignee_id": api.id_of("/v2/users", "Bob Okafor"),
        "assignee_team_id": api.id_of("/v3/teams", "Data"),
        "follow_up_priority_option_id": next(iter(api.sandbox._account.catalogue.follow_up_priorities)),
    }
    made = api.post(FOLLOW_UPS, {"incident_id": api.create()["id"], "title": "Fix it", **details})[
        "follow_up"
    ]
    answer = api.http.put(f"{FOLLOW_UPS}/{made['id']}", json={"title": "Fix it", "status": "completed"})
    left = answer.json()["follow_up"]
    cleared = {"description", "assignee", "assignee_team", "priority"} - left.keys()
    assert cleared == ({"description", "assignee", "assignee_team", "priority"} if replaces else set())
    assert left["labels"] == ([] if replaces else ["a"])
    assert left["status"] == "completed"


@pytest.mark.parametrize("rewrites_on", ["write", "read"])
def test_texts_may_be_escaped_and_moments_cut(open_api, rewrites_on):
    options = {"rewrites": frozenset({Rewrite.ESCAPES, Rewrite.MILLISECONDS}), "rewrites_on": rewrites_on}
    api = open_api(**options)
    reported = api.id_of("/v2/incident_timestamps", "Reported at")
    at = {"incident_timestamp_id": reported, "value": "2023-01-01T00:00:00.25Z"}
    made = api.create(name="a_b", summary=r"c & d\_e &amp; f", incident_timestamp_values=[at])
    read = api.get(f"/v2/incidents/{made['id']}")["incident"]
    for shown, is_stored in ((made, rewrites_on == "write"), (read, True)):
        expected = (r"a\_b", r"c &amp; d\_e &amp; f") if is_stored else ("a_b", r"c & d\_e &amp; f")
        assert (shown["name"], shown["summary"]) == expected
    values = {
        each["incident_timestamp"]["id"]: each.get("value") for each in read["incident_timestamp_values"]
    }
    assert values[reported]["value"] == "2023-01-01T00:00:00Z"


def test_lists_may_begin_with_an_empty_page_whose_cursor_goes_on(open_api):
    api = open_api(empty_pages=True)
    of_incident = {"incident_id": api.create()["id"]}
    api.post(FOLLOW_UPS, {**of_incident, "title": "x"})
    for path, query in (("/v2/incidents", {}), (FOLLOW_UPS, of_incident), ("/v2/users", {})):
        first = api.get(path, **query)
        assert [value for name, value in first.items() if name != "pagination_meta"] == [[]]
        assert listed(api, path, {**query, "after": first["pagination_meta"]["after"]})
