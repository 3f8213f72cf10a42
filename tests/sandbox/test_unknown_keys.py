"""Either side of what is unknown of idempotency keys, numbers and the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from importer.sandbox import CreatesAs, Idempotency, OtherContent
from tests.sandbox.conftest import NOON

CREATE = "/v2/incidents"
TIMELINE = "/v2/incident_timeline_items"
HISTORY = "/v2/status_page_retrospective_incidents"


def references(api):
    return [each["reference"] for each in api.get(CREATE)["incidents"]]


def item_of(api, incident, **more):
    base = {"idempotency_key": "k", "timestamp": "2023-01-01T00:00:00Z", "title": "Paged"}
    return {**base, "incident_id": incident["id"], **more}


def outage(api, **more):
    update = {"published_at": "2023-01-01T00:00:00Z", "incident_status": "resolved", "message": "x"}
    page = api.id_of("/v2/status_pages", "Acme status")
    return {"idempotency_key": "k", "name": "Down", "status_page_id": page, "updates": [update], **more}


def test_a_known_key_with_the_same_content_may_be_unprocessable(open_api):
    api = open_api(idempotency=Idempotency.UNPROCESSABLE)
    payload = api.payload()
    api.post(CREATE, payload, 200)
    assert api.refusals(CREATE, payload) == {"idempotency_key": "invalid_value"}
    assert references(api) == ["INC-1"]


def test_other_content_under_a_known_key_gets_the_old_incident_by_default(api):
    payload = api.payload()
    first = api.post(CREATE, payload, 200)["incident"]
    second = api.post(CREATE, {**payload, "name": "Other"}, 200)["incident"]
    assert (second["id"], second["name"]) == (first["id"], "Payments failed")


@pytest.mark.parametrize(
    ("answer", "status"), [(OtherContent.CONFLICT, 409), (OtherContent.UNPROCESSABLE, 422)]
)
def test_other_content_under_a_known_key_may_be_refused(open_api, answer, status):
    api = open_api(other_content=answer)
    payload = api.payload()
    first = api.post(CREATE, payload, 200)["incident"]
    api.post(CREATE, {**payload, "name": "Other"}, status)
    assert api.post(CREATE, payload, 200)["incident"]["id"] == first["id"]
    item = item_of(api, first)
    api.post(TIMELINE, item)
    api.post(TIMELINE, item)
    api.post(TIMELINE, {**item, "description": "x"}, status)
    api.post(HISTORY, outage(api))
    api.post(HISTORY, outage(api))
    api.post(HISTORY, outage(api, name="Up"), status)


def test_other_content_under_a_known_key_may_be_another_object(open_api):
    api = open_api(other_content=OtherContent.NEW)
    payload = api.payload()
    first = api.post(CREATE, payload, 200)["incident"]
    second = api.post(CREATE, {**payload, "name": "Other"}, 200)["incident"]
    assert (first["reference"], second["reference"]) == ("INC-1", "INC-2")
    assert api.post(CREATE, payload, 200)["incident"]["id"] == first["id"]
    for title in ("Paged", "Called", "Paged"):
        api.post(TIMELINE, item_of(api, first, title=title))
    assert len(api.get(TIMELINE, incident_id=first["id"])["incident_timeline_items"]) == 2


def test_a_property_that_the_api_does_not_know_is_content_too(open_api):
    api = open_api(other_content=OtherContent.CONFLICT)
    payload = api.payload()
    api.post(CREATE, payload, 200)
    api.post(CREATE, {**payload, "unknown": None}, 409)


def test_keys_may_be_forgotten_after_some_seconds(open_api):
    api = open_api(keys_kept=60)
    payload, page_incident = api.payload(), outage(api)
    first = api.post(CREATE, payload, 200)["incident"]
    item = item_of(api, first)
    api.post(TIMELINE, item)
    api.post(HISTORY, page_incident)
    api.clock.sleep(59)
    assert api.post(CREATE, payload, 200)["incident"]["id"] == first["id"]
    api.clock.sleep(1)
    assert api.post(CREATE, payload, 200)["incident"]["id"] != first["id"]
    api.post(TIMELINE, item)
    api.post(HISTORY, page_incident)
    assert len(api.get(TIMELINE, incident_id=first["id"])["incident_timeline_items"]) == 2
    listed = api.get("/v2/status_page_incidents", status_page_id=page_incident["status_page_id"])
    assert len(listed["status_page_incidents"]) == 2


def test_keys_of_children_may_never_be_kept_either(open_api):
    api = open_api(idempotency=Idempotency.EXPIRED)
    incident = api.create()
    ids = {api.post(TIMELINE, item_of(api, incident))["incident_timeline_item"]["id"] for _ in range(2)}
    ids |= {api.post(HISTORY, outage(api))["status_page_incident"]["id"] for _ in range(2)}
    assert len(ids) == 4


@pytest.mark.parametrize("idempotency", [Idempotency.CONFLICT, Idempotency.UNPROCESSABLE])
def test_a_keyed_child_is_answered_as_documented_whatever_holds_for_incidents(open_api, idempotency):
    api = open_api(idempotency=idempotency)
    item = item_of(api, api.create())
    assert api.post(TIMELINE, item) == api.post(TIMELINE, item)


@pytest.mark.parametrize(("first", "status"), [(False, 200), (True, 422)])
def test_a_taken_number_may_be_refused_before_the_key_is_looked_at(open_api, first, status):
    api = open_api(external_id_first=first)
    payload = api.payload(retrospective_incident_options={"external_id": 7})
    api.post(CREATE, payload, 200)
    api.post(CREATE, payload, status)


@pytest.mark.parametrize(
    ("creates_as", "shown"),
    [
        (CreatesAs.AS_SENT, ("retrospective", "private", "INC-7")),
        (CreatesAs.LIVE, ("standard", "private", "INC-7")),
        (CreatesAs.PUBLIC, ("retrospective", "public", "INC-7")),
        (CreatesAs.RENUMBERED, ("retrospective", "private", "INC-8")),
    ],
)
def test_an_incident_may_come_into_being_otherwise_than_sent(open_api, creates_as, shown):
    api = open_api(creates_as=creates_as)
    made = api.create(visibility="private", retrospective_incident_options={"external_id": 7})
    assert (made["mode"], made["visibility"], made["reference"]) == shown
    assert bool(api.sandbox.journal().announcements) == (creates_as is CreatesAs.LIVE)
    assert api.get(f"/v2/incidents/{made['id']}")["incident"]["reference"] == shown[2]


@pytest.mark.parametrize("offset", [0.0, -5.0, 3600.0])
def test_the_server_s_clock_may_be_off(open_api, offset):
    api = open_api(clock_offset=offset)
    answer = api.http.post(CREATE, json=api.payload())
    expected = datetime.fromtimestamp(NOON + offset, UTC)
    assert datetime.fromisoformat(answer.json()["incident"]["created_at"]) == expected
    assert parsedate_to_datetime(answer.headers["Date"]) == expected


def test_the_date_header_may_be_off_from_created_at(open_api):
    api = open_api(date_offset=-120.0)
    answer = api.http.post(CREATE, json=api.payload())
    assert datetime.fromisoformat(answer.json()["incident"]["created_at"]).timestamp() == NOON
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == NOON - 120


def test_every_answer_has_a_date(api):
    answers = [api.http.get("/nowhere"), api.http.get(CREATE, headers={"Authorization": ""})]
    assert all(parsedate_to_datetime(each.headers["Date"]).timestamp() == NOON for each in answers)
