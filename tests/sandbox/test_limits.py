"""Rate limits: headers, both kinds of 429, the endpoint's own limit."""

from __future__ import annotations

from importer.sandbox import RateLimit, RetryAfter


def test_every_answer_to_a_key_shows_the_remaining_quota(api):
    answer = api.http.get("/v1/severities")
    assert answer.headers["X-RateLimit-Limit"] == "1200, 1200;window=60"
    assert answer.headers["X-RateLimit-Remaining"] == "1199"
    assert answer.headers["X-RateLimit-Used"] == "1"
    assert answer.headers["X-RateLimit-Reset"] == str(int(api.clock()) + 1)
    assert api.http.post("/v2/incidents", json={}).headers["X-RateLimit-Remaining"] == "1198"


def test_an_empty_bucket_answers_429_until_it_has_refilled(open_api):
    api = open_api(rate_limit=RateLimit(limit=2, window=60))
    assert [api.http.get("/v1/severities").status_code for _ in range(3)] == [200, 200, 429]
    answer = api.http.get("/v1/severities")
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"] == str(int(api.clock()) + 60)
    assert answer.json()["type"] == "too_many_requests"
    assert answer.json()["rate_limit"] == {
        "name": "Sandbox",
        "limit": 2,
        "remaining": 0,
        "retry_after": "2023-11-14T22:13:50Z",
    }
    assert api.sandbox.journal().too_many_requests == 2
    api.clock.sleep(30)
    assert api.http.get("/v1/severities").status_code == 200
    assert api.http.get("/v1/severities").status_code == 429


def test_each_key_has_its_own_bucket(open_api):
    api = open_api(rate_limit=RateLimit(limit=1, window=60))
    assert api.http.get("/v1/severities").status_code == 200
    assert api.with_key("sandbox-read-only").http.get("/v1/severities").status_code == 200


def test_retry_after_may_be_a_date(open_api):
    api = open_api(rate_limit=RateLimit(limit=1, window=60), retry_after=RetryAfter.HTTP_DATE)
    api.http.get("/v1/severities")
    assert api.http.get("/v1/severities").headers["Retry-After"] == "Tue, 14 Nov 2023 22:14:20 GMT"


def test_there_may_be_no_limit_and_no_headers(open_api):
    api = open_api(rate_limit=None)
    answers = [api.http.get("/v1/severities") for _ in range(5)]
    assert not any("X-RateLimit-Limit" in answer.headers for answer in answers)


def test_creations_per_hour_are_limited_without_a_hint(open_api):
    api = open_api(creations_per_hour=2)
    payloads = [api.payload() for _ in range(3)]
    for payload in payloads[:2]:
        api.post("/v2/incidents", payload, 200)
    answer = api.http.post("/v2/incidents", json=payloads[2])
    assert answer.status_code == 429
    assert answer.json()["type"] == "rate_limit_reached"
    assert "rate_limit" not in answer.json()
    assert "Retry-After" not in answer.headers
    assert int(answer.headers["X-RateLimit-Remaining"]) > 1000
    api.post("/v2/incidents", payloads[0], 200)
    api.clock.sleep(3601)
    assert api.post("/v2/incidents", payloads[2], 200)["incident"]["reference"] == "INC-3"


def test_status_page_history_has_a_limit_of_its_own(api):
    answer = api.http.post("/v2/status_page_retrospective_incidents", json={})
    assert answer.status_code == 422
    assert answer.headers["X-RateLimit-Limit"] == "300, 1200;window=60, 300;window=60"
    assert answer.headers["X-RateLimit-Remaining"] == "299"
    for _ in range(299):
        api.http.post("/v2/status_page_retrospective_incidents", json={})
    assert api.http.post("/v2/status_page_retrospective_incidents", json={}).status_code == 429
    assert api.http.get("/v2/status_pages").status_code == 200
