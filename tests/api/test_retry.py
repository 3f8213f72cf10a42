"""Which requests are sent again, after how long, and when retrying ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import httpx
import pytest

from importer.api.retry import CONFLICT_IS_RACE, REPEATABLE, Retry
from importer.api.waiting import WaitPolicy
from importer.model.errors import ApiError, Interrupted, NoAnswer
from tests.api.clocks import Interrupting, Waits

CREATION = "https://api.example/v2/incidents"
Outcome = httpx.Response | Exception


class Script(httpx.BaseTransport):
    """Returns one outcome after the other, repeating the last, and records requests."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self.outcomes = list(outcomes)
        self.bodies: list[bytes] = []
        self.closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)

    def close(self) -> None:
        self.closed = True


def ok() -> httpx.Response:
    return httpx.Response(200, json={"incident": {}})


def refusal(**headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(429, json={"type": "rate_limit_reached"}, headers=named)


def send(
    script: Script,
    waits: Waits,
    *,
    method: str = "POST",
    url: str = CREATION,
    repeatable: bool | None = None,
    keyed: bool = True,
) -> httpx.Response:
    extensions = {CONFLICT_IS_RACE: keyed} | ({} if repeatable is None else {REPEATABLE: repeatable})
    request = httpx.Request(method, url, json={"name": "x"}, extensions=extensions)
    return Retry(script, waits.wait_policy).handle_request(request)


DOUBTFUL: dict[str, Callable[[], Outcome]] = {
    "read timeout": lambda: httpx.ReadTimeout("slow"),
    "protocol error": lambda: httpx.RemoteProtocolError("gone"),
    "connection reset": lambda: ConnectionResetError("gone"),
    "500 with a page": lambda: httpx.Response(500, text="<html><h1>Oops</h1>"),
    "502": lambda: httpx.Response(502),
    "408": lambda: httpx.Response(408),
    "broken JSON": lambda: httpx.Response(200, text='{"incident": {"id": '),
    "page instead of JSON": lambda: httpx.Response(200, text="<html>Log in</html>"),
    "list instead of an object": lambda: httpx.Response(200, json=["a list"]),
    "empty answer": lambda: httpx.Response(200),
}
every_doubt = pytest.mark.parametrize("doubtful", DOUBTFUL.values(), ids=DOUBTFUL)


@every_doubt
def test_after_a_lost_answer_the_same_bytes_are_sent_again(doubtful: Callable[[], Outcome]) -> None:
    script, waits = Script([doubtful(), ok()]), Waits()

    assert send(script, waits).status_code == 200
    assert script.bodies[0] == script.bodies[1] == b'{"name":"x"}'
    assert waits.clock.slept == [1.0]


@every_doubt
def test_a_request_that_could_create_a_duplicate_is_never_sent_again_in_doubt(
    doubtful: Callable[[], Outcome],
) -> None:
    script = Script([doubtful()])

    with pytest.raises(NoAnswer, match="not sent again"):
        send(script, Waits(), repeatable=False)

    assert len(script.bodies) == 1


@pytest.mark.parametrize("outcome", [httpx.ConnectError("no route"), httpx.ConnectTimeout(""), refusal()])
def test_any_request_that_never_reached_the_server_is_sent_again(outcome: Outcome) -> None:
    script = Script([outcome, ok()])

    assert send(script, Waits(), repeatable=False, url="https://x.example/v3/follow_ups").status_code == 200


def test_a_request_is_given_up_after_six_lost_answers() -> None:
    script, waits = Script([httpx.ReadTimeout("slow")]), Waits()

    with pytest.raises(NoAnswer, match="in 6 tries"):
        send(script, waits)

    assert len(script.bodies) == 6
    assert waits.clock.slept == [1, 2, 4, 8, 16]


def test_waits_have_jitter() -> None:
    waits = Waits(random=0.25)
    send(Script([httpx.Response(503), ok()]), waits)

    assert waits.clock.slept == [0.25]


def test_a_server_under_maintenance_gets_the_time_it_asks_for_within_limits() -> None:
    waits = Waits()
    busy = [httpx.Response(503, headers={"Retry-After": each}) for each in ("9", "9999")]
    send(Script([*busy, ok()]), waits)

    assert waits.clock.slept == [9, 30]


def test_an_html_error_page_is_never_shown_raw() -> None:
    page = "<html><script>alert(1)</script><h1>Bad\x1b[31m gateway</h1>" + "long " * 99
    with pytest.raises(NoAnswer) as caught:
        send(Script([httpx.Response(502, text=page)]), Waits())

    assert "Bad [31m gateway" in caught.value.summary
    assert "<" not in caught.value.summary
    assert "\x1b" not in caught.value.summary
    assert len(caught.value.summary) < 300


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 412, 413, 422, 301])
def test_a_refusal_is_final(status: int) -> None:
    script = Script([httpx.Response(status)])

    assert send(script, Waits()).status_code == status
    assert len(script.bodies) == 1


def test_a_creation_that_was_never_sent_is_refused_like_any_other() -> None:
    script = Script([httpx.ConnectError("no route"), httpx.Response(422)])

    assert send(script, Waits()).status_code == 422


def test_an_answer_without_content_is_an_answer() -> None:
    assert send(Script([httpx.Response(204)]), Waits()).status_code == 204


def test_a_conflict_is_retried_three_times_and_then_reported() -> None:
    script, waits = Script([httpx.Response(409)]), Waits()

    assert send(script, waits).status_code == 409
    assert len(script.bodies) == 4
    assert waits.clock.slept == [1, 2, 4]


def test_a_conflict_of_a_request_without_an_idempotency_key_is_reported_at_once() -> None:
    script = Script([httpx.Response(409)])

    assert send(script, Waits(), repeatable=False, keyed=False).status_code == 409
    assert len(script.bodies) == 1


@pytest.mark.parametrize("repeatable", [True, False])
def test_ctrl_c_after_a_conflict_leaves_a_creation_in_doubt(repeatable: bool) -> None:
    policy = WaitPolicy(Interrupting(), lambda: 1.0, lambda _: None)
    extensions = {CONFLICT_IS_RACE: True, REPEATABLE: repeatable}
    with pytest.raises(Interrupted) as interrupted:
        Retry(Script([httpx.Response(409)]), policy).handle_request(
            httpx.Request("POST", CREATION, extensions=extensions)
        )
    assert interrupted.value.was_sent is not repeatable


def test_a_rate_limit_wait_follows_the_servers_hint_and_is_announced() -> None:
    waits = Waits(random=0.0)
    send(Script([refusal(retry_after="7"), ok()]), waits)

    assert waits.clock.slept == [7]
    (recorded,) = waits.recorded
    assert (recorded.seconds, recorded.reason, recorded.scope) == (7, "rate limit", "requests")
    assert (recorded.until - waits.clock.now()).total_seconds() == 0


def test_a_useless_hint_does_not_hammer_the_server() -> None:
    script, waits = Script([refusal(retry_after="0")] * 12 + [ok()]), Waits(random=0.0)
    send(script, waits)

    assert sum(waits.clock.slept) > 60
    assert waits.clock.slept == sorted(waits.clock.slept)


def test_a_rate_limit_without_a_hint_backs_off_exponentially() -> None:
    waits = Waits()
    send(Script([refusal()] * 8 + [ok()]), waits, method="GET")

    assert waits.clock.slept == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_rate_limit_is_waited_out_up_to_the_longest_wait() -> None:
    script, waits = Script([refusal()]), Waits(max_wait=1000)

    assert send(script, waits, method="GET").status_code == 429
    assert waits.clock.seconds == 1000


def test_a_hint_longer_than_the_longest_wait_fails_at_once() -> None:
    waits = Waits(max_wait=1000)

    assert send(Script([refusal(retry_after="1001")]), waits).status_code == 429
    assert waits.clock.slept == []


def test_a_refused_creation_without_a_hint_waits_minutes() -> None:
    waits = Waits()
    send(Script([refusal()] * 5 + [ok()]), waits)

    assert waits.clock.slept == [60, 120, 240, 300, 300]
    assert {each.scope for each in waits.recorded} == {"creations"}


def test_a_refused_creation_is_given_up_after_the_longest_wait() -> None:
    waits = Waits(max_wait=3600)

    assert send(Script([refusal()]), waits).status_code == 429
    assert 3300 <= waits.clock.seconds <= 3600


def test_no_creation_waits_longer_than_allowed_when_others_were_refused() -> None:
    waits = Waits(max_wait=3)
    script = Script([refusal()])
    retry = Retry(script, waits.wait_policy)
    assert retry.handle_request(httpx.Request("POST", CREATION)).status_code == 429
    with pytest.raises(ApiError, match="not sent") as given_up:
        retry.handle_request(httpx.Request("POST", CREATION))
    assert (given_up.value.status, given_up.value.code) == (429, "creation-limit")
    assert not given_up.value.was_sent
    assert waits.clock.slept == []


def test_a_refused_creation_delays_no_other_request() -> None:
    waits = Waits()
    script = Script([refusal(), ok()])
    retry = Retry(script, waits.wait_policy)
    retry.handle_request(httpx.Request("POST", CREATION))
    before = waits.clock.seconds
    retry.handle_request(httpx.Request("GET", CREATION))
    retry.handle_request(httpx.Request("POST", f"{CREATION}/01A/actions/edit"))

    assert waits.clock.seconds == before


def test_creations_after_a_refusal_are_spread_over_the_hour() -> None:
    waits = Waits()
    script = Script([ok()] * 100 + [refusal(), ok()])
    retry = Retry(script, waits.wait_policy)
    for _ in range(101):
        retry.handle_request(httpx.Request("POST", CREATION))
    before = waits.clock.seconds
    retry.handle_request(httpx.Request("POST", CREATION))

    assert before == 60
    assert 30 < waits.clock.seconds - before <= 36


def test_closing_closes_the_connection() -> None:
    script = Script([ok()])
    Retry(script, Waits().wait_policy).close()

    assert script.closed
