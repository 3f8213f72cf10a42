"""Faults on demand, in process and on a socket, and the control requests."""

from __future__ import annotations

import httpx
import pytest

from importer.sandbox import (
    Fault,
    FaultKind,
    Faults,
    NoReply,
    NoReplyInTime,
    SandboxOptions,
    open_sandbox,
    serve,
)

CREATE = "POST /v2/incidents"


def troubled(api, kind, **more):
    api.sandbox.faults = Faults((Fault(kind, on=CREATE, nth=frozenset({1}), **more),))


@pytest.mark.parametrize(("kind", "made"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)])
def test_a_drop_leaves_no_answer_and_the_retry_makes_one_incident(api, kind, made):
    troubled(api, kind)
    payload = api.payload()
    with pytest.raises(NoReply) as dropped:
        api.http.post("/v2/incidents", json=payload)
    assert isinstance(dropped.value, ConnectionError)
    assert len(api.get("/v2/incidents")["incidents"]) == made
    api.post("/v2/incidents", payload, 200)
    assert len(api.get("/v2/incidents")["incidents"]) == 1
    assert api.sandbox.journal().requests[f"{CREATE} no reply"] == 1


@pytest.mark.parametrize(("kind", "made"), [(FaultKind.ERROR_BEFORE, 0), (FaultKind.ERROR_AFTER, 1)])
def test_an_error_comes_before_or_after_the_commit(api, kind, made):
    troubled(api, kind, status=502)
    answer = api.http.post("/v2/incidents", json=api.payload())
    assert (answer.status_code, answer.json()["type"]) == (502, "api_error")
    assert len(api.get("/v2/incidents")["incidents"]) == made


def test_a_hang_is_silence_and_then_a_time_out(api):
    troubled(api, FaultKind.HANG, seconds=30.0)
    with pytest.raises(NoReplyInTime):
        api.http.post("/v2/incidents", json=api.payload())
    assert api.clock.now == 1_700_000_030.0
    assert len(api.get("/v2/incidents")["incidents"]) == 1


def test_a_truncated_answer_is_half_of_it(api):
    troubled(api, FaultKind.TRUNCATED)
    answer = api.http.post("/v2/incidents", json=api.payload())
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"]) // 2
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        answer.json()


def test_an_html_page_may_replace_the_answer(api):
    troubled(api, FaultKind.HTML)
    answer = api.http.post("/v2/incidents", json=api.payload())
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (500, "text/html")
    assert api.get("/v2/incidents")["incidents"] == []


@pytest.mark.parametrize("limits", [{}, {"rate_limit": None}])
def test_a_429_may_come_at_any_time(open_api, limits):
    api = open_api(**limits)
    troubled(api, FaultKind.TOO_MANY_REQUESTS, seconds=7.0)
    answer = api.http.post("/v2/incidents", json=api.payload())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert api.sandbox.journal().too_many_requests == 1


def test_latency_delays_and_combines(api):
    api.sandbox.faults = Faults((Fault(FaultKind.LATENCY, seconds=0.25), Fault(FaultKind.HTML, on=CREATE)))
    assert api.http.post("/v2/incidents", json=api.payload()).status_code == 500
    api.get("/v1/severities")
    assert api.clock.now == 1_700_000_000.5
    assert api.sandbox.journal().faults == {"html": 1, "latency": 2}


def test_faults_are_reproducible_from_the_seed(api):
    def outcomes(seed):
        api.sandbox.faults = Faults((Fault(FaultKind.HTML, probability=0.5),), seed=seed)
        return [api.http.get("/v1/severities").status_code for _ in range(40)]

    first = outcomes(1)
    assert first == outcomes(1)
    assert set(first) == {200, 500}
    assert first != outcomes(2)


def test_faults_and_journal_are_controlled_by_requests(api):
    faults = {
        "seed": 3,
        "faults": [
            {"kind": "latency", "on": CREATE, "nth": [1, 2], "probability": 1, "seconds": 0.5, "status": 500}
        ],
    }
    assert api.http.put("/sandbox/faults", json=faults, headers={"Authorization": ""}).json() == {"faults": 1}
    expected = Fault(FaultKind.LATENCY, CREATE, frozenset({1, 2}), 1.0, 0.5, 500)
    assert api.sandbox.faults == Faults((expected,), 3)
    payload = api.payload()
    api.post("/v2/incidents", payload, 200)
    api.create(mode="test")
    journal = api.http.get("/sandbox/journal").json()
    assert journal["requests"] == {"POST /v2/incidents 200": 2}
    assert journal["creations"][payload["idempotency_key"]] == 1
    assert journal["announcements"] == ["INC-2 was declared in mode test"]
    assert journal["faults"] == {"latency": 2}
    empty = {"requests": {}, "too_many_requests": 0, "faults": {}, "creations": {}, "announcements": []}
    assert api.http.delete("/sandbox/journal").json() == empty
    assert api.post("/v2/incidents", payload, 200)["incident"]["reference"] == "INC-1"
    assert api.http.get("/sandbox/journal").json()["creations"] == {}


@pytest.mark.parametrize(
    ("faults", "field"),
    [
        ({}, "faults"),
        ({"faults": [{"kind": "sulk"}]}, "faults.0.kind"),
        ({"faults": [{"kind": "html", "seconds": -1}]}, "faults.0.seconds"),
        ({"faults": [{"kind": "html", "probability": "half"}]}, "faults.0.probability"),
    ],
)
def test_invalid_faults_are_refused(api, faults, field):
    answer = api.http.put("/sandbox/faults", json=faults)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"]["field"] == field


def test_only_this_machine_may_control_the_sandbox(api):
    stranger = httpx.WSGITransport(app=api.sandbox.app, remote_addr="192.0.2.1")
    with httpx.Client(transport=stranger, base_url="http://sandbox") as http:
        assert http.get("/sandbox/journal").status_code == 403


@pytest.fixture
def served():
    sandbox = open_sandbox(None)
    server = serve(sandbox, "127.0.0.1", 0)
    server.start()
    with httpx.Client(
        base_url=server.url, headers={"Authorization": "Bearer sandbox-key"}, timeout=5
    ) as http:
        yield http
    server.stop()
    sandbox.close()


def set_fault(http, **fault):
    http.put("/sandbox/faults", json={"faults": [{"on": CREATE, **fault}]}).raise_for_status()


PAYLOAD = {"idempotency_key": "k", "visibility": "public", "mode": "retrospective"}


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncated"])
def test_on_a_socket_the_connection_is_closed(served, kind):
    set_fault(served, kind=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        served.post("/v2/incidents", json=PAYLOAD)
    made = 0 if kind == "drop_before" else 1
    assert len(served.get("/v2/incidents").json()["incidents"]) == made


def test_on_a_socket_a_hang_outlasts_the_client_or_ends_in_a_close(served):
    set_fault(served, kind="hang", seconds=0.6)
    with pytest.raises(httpx.ReadTimeout):
        served.post("/v2/incidents", json=PAYLOAD, timeout=0.2)
    with pytest.raises(httpx.RemoteProtocolError):
        served.post("/v2/incidents", json=PAYLOAD)


def test_a_socket_keeps_its_connection_and_takes_chunked_bodies(served):
    body = b'{"idempotency_key":"k","visibility":"public","mode":"retrospective"}'
    answer = served.post("/v2/incidents", content=iter([body[:10], body[10:]]))
    assert answer.status_code == 200
    assert served.get("/v2/incidents").headers.get("Connection") != "close"
    assert served.get("/sandbox/journal").json()["requests"] == {
        "GET /v2/incidents 200": 1,
        "POST /v2/incidents 200": 1,
    }


def test_a_served_answer_has_the_one_date_of_the_account_s_clock():
    sandbox = open_sandbox(None, options=SandboxOptions(clock_offset=-3600.0), clock=lambda: 1_700_003_600.0)
    server = serve(sandbox, "127.0.0.1", 0)
    server.start()
    with httpx.Client(base_url=server.url) as http:
        dates = http.get("/v2/incidents").headers.get_list("Date")
    server.stop()
    sandbox.close()
    assert dates == ["Tue, 14 Nov 2023 22:13:20 GMT"]


def test_a_server_that_was_only_bound_frees_its_port():
    sandbox = open_sandbox(None)
    server = serve(sandbox, "127.0.0.1", 0)
    port = int(server.url.rpartition(":")[2])
    server.stop()
    again = serve(sandbox, "127.0.0.1", port)
    assert again.url == server.url
    again.stop()
    sandbox.close()


def test_too_large_a_body_is_answered_on_a_socket_too(served):
    answer = served.post("/v2/incidents", content=b"x" * 3_000_000)
    assert answer.status_code == 413
    assert served.get("/v1/severities").status_code == 200
