"""Either side of what is unknown of children of incidents."""

from __future__ import annotations

import pytest

from importer.sandbox import identifiers
from importer.sandbox.choices import Deleted, RepeatedGrant

FOLLOW_UPS = "/v3/follow_ups"
HIGH = identifiers.named("follow_up_priorities", "High")
PROCESS = identifiers.named("follow_up_categories", "Process")


def follow_up(api, status=201, **more):
    body = {"incident_id": api.create()["id"], "title": "Fix it", **more}
    return api.post(FOLLOW_UPS, body, status).get("follow_up")


def put(api, made, **more):
    answer = api.http.put(f"{FOLLOW_UPS}/{made['id']}", json={"title": "x", "status": "outstanding", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["follow_up"]


def listed(api):
    return api.get(FOLLOW_UPS)["follow_ups"]


def test_a_follow_up_has_a_category_in_version_3_only(api):
    made = follow_up(api, follow_up_category_id=PROCESS)
    assert made["category"]["name"] == listed(api)[0]["category"]["name"] == "Process"
    assert "category" not in api.get(f"/v2/follow_ups/{made['id']}")["follow_up"]
    assert "category" not in api.get("/v2/follow_ups")["follow_ups"][0]


@pytest.mark.parametrize("ignores", [False, True])
def test_empty_text_and_labels_may_change_nothing(open_api, ignores):
    api = open_api(ignores_empty=ignores)
    left = put(api, follow_up(api, description="words", labels=["a"]), description="", labels=[])
    assert (left["description"], left["labels"]) == (("words", ["a"]) if ignores else ("", []))


@pytest.mark.parametrize("clears", [False, True])
def test_null_may_clear_a_priority_and_a_category(open_api, clears):
    api = open_api(null_clears=clears)
    made = follow_up(api, follow_up_priority_option_id=HIGH, follow_up_category_id=PROCESS)
    left = put(api, made, follow_up_priority_option_id=None, follow_up_category_id=None)
    assert ({"priority", "category"} <= left.keys()) is not clears


@pytest.mark.parametrize(("deleted", "statuses"), [(Deleted.VANISHES, []), (Deleted.STAYS, ["deleted"])])
def test_a_deleted_follow_up_may_stay_in_lists(open_api, deleted, statuses):
    api = open_api(deleted=deleted)
    path = f"{FOLLOW_UPS}/{follow_up(api)['id']}"
    gone = api.http.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert [each["status"] for each in listed(api)] == statuses
    assert api.http.get(path).status_code == (200 if statuses else 404)


@pytest.mark.parametrize("deleted", list(Deleted))
@pytest.mark.parametrize("status", [404, 204])
def test_a_second_delete_may_succeed(open_api, deleted, status):
    api = open_api(deleted=deleted, second_delete=status)
    made = follow_up(api)
    link = {"resource_type": "arbitrary_url", "url": "https://example.com"}
    body = {"incident_id": made["incident_id"], "resource": link}
    attachment = api.post("/v1/incident_attachments", body)["incident_attachment"]
    for path in (f"{FOLLOW_UPS}/{made['id']}", f"/v1/incident_attachments/{attachment['id']}"):
        assert [api.http.delete(path).status_code for _ in range(2)] == [204, status]
    assert api.get("/v1/incident_attachments", incident_id=made["incident_id"])["incident_attachments"] == []


def test_deleting_needs_its_scope(api):
    path = f"{FOLLOW_UPS}/{follow_up(api)['id']}"
    assert api.with_key("sandbox-read-only").http.delete(path).status_code == 403
    assert len(listed(api)) == 1


@pytest.mark.parametrize(("requires", "status"), [(False, 201), (True, 422)])
def test_a_follow_up_without_an_owner_may_be_refused(open_api, requires, status):
    api = open_api(requires_owner=requires)
    follow_up(api, status)
    follow_up(api, assignee_id=api.id_of("/v2/users", "Bob Okafor"))


@pytest.mark.parametrize("sets", [False, True])
def test_a_follow_up_may_get_a_priority_that_nobody_sent(open_api, sets):
    api = open_api(sets_priority=sets)
    assert follow_up(api).get("priority", {}).get("name") == ("Urgent" if sets else None)
    assert follow_up(api, follow_up_priority_option_id=HIGH)["priority"]["name"] == "High"


def attach(api, incident):
    body = {"incident_id": incident["id"], "permalink": "https://a.example/x"}
    return api.post("/v1/postmortem_documents/actions/attach", body)["postmortem_document"]


@pytest.mark.parametrize(("keeps", "url"), [(False, "https://a.example/x"), (True, None)])
def test_attaching_a_post_mortem_may_leave_the_incident_as_it_is(open_api, keeps, url):
    api = open_api(attach_keeps_url=keeps)
    made = api.create()
    attach(api, made)
    read = api.get(f"/v2/incidents/{made['id']}")["incident"]
    assert read.get("postmortem_document_url") == url


@pytest.mark.parametrize(("refuses", "status"), [(False, 200), (True, 422)])
def test_the_status_of_an_attached_post_mortem_may_be_fixed(open_api, refuses, status):
    api = open_api(refuses_external_status=refuses)
    incident = api.create()
    imported = api.post(
        f"/v2/incidents/{api.create()['id']}/actions/import_postmortem_document",
        {"title": "x", "content": "y"},
    )["postmortem_document"]
    attached = attach(api, incident)
    for document, expected in ((attached, status), (imported, 200)):
        path = f"/v1/postmortem_documents/{document['id']}"
        assert api.http.put(path, json={"status": "completed"}).status_code == expected


@pytest.mark.parametrize(("accepts", "status"), [(False, 422), (True, 201)])
def test_public_incidents_may_have_memberships(open_api, accepts, status):
    api = open_api(public_memberships=accepts)
    member = {"incident_id": api.create()["id"], "user_id": api.id_of("/v2/users", "Bob Okafor")}
    api.post("/v1/incident_memberships", member, status)


@pytest.mark.parametrize(("repeated", "status"), [(RepeatedGrant.REPLAY, 201), (RepeatedGrant.CONFLICT, 409)])
def test_a_repeated_membership_may_be_a_conflict(open_api, repeated, status):
    api = open_api(repeated_grant=repeated)
    incident = api.create(visibility="private")
    member = {"incident_id": incident["id"], "user_id": api.id_of("/v2/users", "Bob Okafor")}
    api.post("/v1/incident_memberships", member)
    api.post("/v1/incident_memberships", member, status)


def outage(api, updates):
    update = {"published_at": "2023-01-01T00:00:00Z", "incident_status": "resolved", "message": "x"}
    page = api.id_of("/v2/status_pages", "Acme status")
    return {"idempotency_key": "k", "name": "Down", "status_page_id": page, "updates": [update] * updates}


@pytest.mark.parametrize(("limits", "status"), [(False, 201), (True, 422)])
def test_a_status_page_incident_may_have_at_most_100_updates(open_api, limits, status):
    api = open_api(limits_updates=limits)
    api.post("/v2/status_page_retrospective_incidents", outage(api, 101), status)
    api.post("/v2/status_page_retrospective_incidents", {**outage(api, 100), "idempotency_key": "l"})


def test_a_status_page_incident_is_renamed_in_place(api):
    made = api.post("/v2/status_page_retrospective_incidents", outage(api, 2))["status_page_incident"]
    path = f"/v2/status_page_incidents/{made['id']}"
    renamed = api.http.put(path, json={"name": "Up"}).json()["status_page_incident"]
    assert renamed == api.get(path)["status_page_incident"] == {**made, "name": "Up"}
    assert api.http.put(path, json={"name": "x" * 201}).status_code == 422
    assert api.http.get("/v2/status_page_incidents/01HZZZZZZZZZZZZZZZZZZZZZZZ").status_code == 404
