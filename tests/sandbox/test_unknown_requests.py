"""Either side of what is unknown of keys, limits, lists and endpoints."""

from __future__ import annotations

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from importer.sandbox.choices import LargePages, LastCursor, NumberForm, TooLong

CREATE = "/v2/incidents"
LABEL = "POST /v2/incidents"


@pytest.mark.parametrize(("seconds", "status"), [(0.0, 200), (5.0, 409)])
def test_a_key_may_be_in_flight_for_some_seconds(open_api, seconds, status):
    api = open_api(keys_in_flight=seconds)
    payload = api.payload()
    api.post(CREATE, payload, 200)
    api.clock.sleep(4)
    api.post(CREATE, payload, status)
    api.clock.sleep(1)
    api.post(CREATE, payload, 200)


@pytest.mark.parametrize(("own", "incidents"), [(False, 1), (True, 2)])
def test_a_key_may_hold_for_one_api_key_only(open_api, own, incidents):
    api = open_api(keys_per_api_key=own)
    payload = api.payload()
    api.post(CREATE, payload, 200)
    api.with_key("sandbox-no-private").post(CREATE, payload, 200)
    assert len(api.get(CREATE)["incidents"]) == incidents


@pytest.mark.parametrize(("burns", "status"), [(False, 200), (True, 422)])
def test_the_key_of_a_refused_creation_may_be_burned(open_api, burns, status):
    api = open_api(burns_keys=burns)
    payload = api.payload()
    refused = api.post(CREATE, {**payload, "severity_id": "nothing"}, 422)
    answer = api.post(CREATE, payload, status)
    assert status == 200 or answer["errors"] == refused["errors"]
    api.create()


@pytest.mark.parametrize(("longest", "status"), [(None, 200), (20, 422)])
def test_a_long_key_may_be_refused(open_api, longest, status):
    api = open_api(longest_key=longest)
    api.post(CREATE, {**api.payload(), "idempotency_key": "k" * 21}, status)
    api.post(CREATE, {**api.payload(), "idempotency_key": "k" * 20}, 200)


@pytest.mark.parametrize(("counts", "status"), [(False, 200), (True, 429)])
def test_retries_may_count_against_the_hourly_limit(open_api, counts, status):
    api = open_api(creations_per_hour=3, counts_retries=counts)
    payload = api.payload()
    api.post(CREATE, payload, 200)
    api.post(CREATE, payload, 200)
    api.create()
    api.post(CREATE, payload, status)
    api.post(CREATE, api.payload(), status)
    api.clock.sleep(3600)
    api.post(CREATE, payload, 200)


@pytest.mark.parametrize("kind", ["rate_limit_reached", "too_many_requests"])
@pytest.mark.parametrize(("tells", "hint"), [(False, None), (True, "3000")])
def test_the_429_beyond_the_hourly_limit_has_a_type_and_may_have_a_hint(open_api, kind, tells, hint):
    api = open_api(creations_per_hour=1, hourly_type=kind, hourly_retry_after=tells)
    api.create()
    api.clock.sleep(600)
    answer = api.http.post(CREATE, json=api.payload())
    assert (answer.status_code, answer.json()["type"]) == (429, kind)
    assert answer.headers.get("Retry-After") == hint
    api.clock.sleep(3000)
    api.create()


@pytest.mark.parametrize(
    ("last_cursor", "expected"),
    [(LastCursor.ABSENT, "absent"), (LastCursor.NULL, None), (LastCursor.EMPTY, "")],
)
def test_the_last_page_has_the_cursor_of_the_account(open_api, last_cursor, expected):
    api = open_api(last_cursor=last_cursor)
    api.create()
    for path in (CREATE, "/v2/users"):
        assert api.get(path, page_size=250)["pagination_meta"].get("after", "absent") == expected


@pytest.mark.parametrize("path", [CREATE, "/v2/incident_updates"])
def test_an_empty_page_may_follow_the_last(open_api, path):
    api = open_api(last_cursor=LastCursor.EXTRA)
    api.create()
    meta = api.get(path)["pagination_meta"]
    name = path.rpartition("/")[2]
    empty = api.get(path, after=meta["after"])
    assert (empty[name], "after" in empty["pagination_meta"]) == ([], False)


@pytest.mark.parametrize(("large", "status"), [(LargePages.CLAMPED, 200), (LargePages.REFUSED, 422)])
def test_too_large_a_page_may_be_refused(open_api, large, status):
    api = open_api(large_pages=large)
    assert api.http.get(CREATE, params={"page_size": 251}).status_code == status
    assert api.http.get(CREATE, params={"page_size": 250}).status_code == 200


@pytest.mark.parametrize(("skips", "references"), [(False, ["INC-2", "INC-1"]), (True, [])])
def test_incidents_of_one_moment_may_be_skipped_across_pages(open_api, skips, references):
    api = open_api(skips_ties=skips)
    made = [api.create() for _ in range(3)]
    rest = api.get(CREATE, after=made[-1]["id"], page_size=2)["incidents"]
    assert [each["reference"] for each in rest] == references


@pytest.mark.parametrize("status", [404, 405, 410, 403])
def test_an_account_may_lack_an_endpoint(open_api, status):
    api = open_api(missing=frozenset({"/v3/incident_forms", "POST /v3/follow_ups"}), missing_status=status)
    answers = [api.http.get("/v3/incident_forms"), api.http.post("/v3/follow_ups", json={})]
    assert [each.status_code for each in answers] == [status, status]
    assert [each.json()["status"] for each in answers] == [status, status]
    assert api.http.get("/v3/follow_ups").status_code == 200


def test_a_409_may_be_a_lost_race_on_the_nth_request(api):
    api.sandbox.faults = Faults((Fault(FaultKind.CONFLICT, on=LABEL, nth=frozenset({2})),))
    statuses = [api.http.post(CREATE, json=api.payload()) for _ in range(3)]
    assert [each.status_code for each in statuses] == [200, 409, 200]
    assert statuses[1].json()["type"] == "conflict"
    assert len(api.get(CREATE)["incidents"]) == 2


@pytest.mark.parametrize(
    ("too_long", "status", "kept"), [(TooLong.REFUSED, 422, None), (TooLong.CUT, 200, ("n" * 5, "s" * 9))]
)
def test_texts_may_have_a_greatest_length(open_api, too_long, status, kept):
    api = open_api(longest_name=5, longest_text=9, too_long=too_long)
    answer = api.post(CREATE, api.payload(name="n" * 6, summary="s" * 10), status)
    if kept is None:
        assert [each["source"]["field"] for each in answer["errors"]] == ["name", "summary"]
    else:
        assert (answer["incident"]["name"], answer["incident"]["summary"]) == kept
    fields = [api.entry("Legacy ID", [{"value_text": "t" * 10}])]
    api.post(CREATE, api.payload(name="n", custom_field_entries=fields), status)
    api.create(name="n" * 5, summary="s" * 9)


def test_texts_have_no_greatest_length_by_default(api):
    assert len(api.create(name="n" * 10_000)["name"]) == 10_000


@pytest.mark.parametrize(
    ("options", "sent", "stored"),
    [
        ({}, "5.0", "5.0"),
        ({"numbers": NumberForm.PLAIN}, "5.0", "5"),
        ({"numbers": NumberForm.PLAIN}, "1200", "1200"),
        ({"numbers": NumberForm.DECIMAL}, "5", "5.0"),
        ({"numbers": NumberForm.DECIMAL}, "5.50", "5.5"),
        ({"normalises": True}, "5.0", "5"),
        ({"normalises": True, "numbers": NumberForm.DECIMAL}, "5", "5.0"),
    ],
)
def test_numbers_may_be_stored_in_another_form(open_api, shown, options, sent, stored):
    api = open_api(**options)
    made = api.create(custom_field_entries=[api.entry("Customers affected", [{"value_numeric": sent}])])
    assert shown.values(made, "Customers affected") == [{"value_numeric": stored}]


@pytest.mark.parametrize(("rewrites_on", "expected"), [("write", "a\nb"), ("read", " a\r\nb ")])
def test_texts_may_be_normalised_for_later_reads_only(open_api, rewrites_on, expected):
    api = open_api(normalises=True, rewrites_on=rewrites_on)
    made = api.create(summary=" a\r\nb ")
    assert made["summary"] == expected
    assert api.get(f"/v2/incidents/{made['id']}")["incident"]["summary"] == "a\nb"
