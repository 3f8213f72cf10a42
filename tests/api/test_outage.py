"""What a server that is gone does to the requests of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from importer.api.client import open_client
from importer.api.connection import Connection
from importer.api.outage import Outage, ServerGone, WriteWatch
from importer.api.retry import REPEATABLE, Retry
from importer.api.transport import read_write_transport
from importer.api.waiting import Pause, WaitPolicy
from importer.model.errors import Interrupted, NoAnswer
from importer.model.settings import Rate
from tests.api.clocks import Interrupting, Waits

GONE = httpx.ConnectError("refused")
SLOW = httpx.ReadTimeout("slow")
DOWN = httpx.Response(503, json={})
FINE = httpx.Response(200, json={"identity": {"name": "key", "dashboard_url": "u", "roles": []}})
Answer = httpx.Response | Exception | Callable[[], httpx.Response]


class Server(httpx.BaseTransport):
    """Answers in order, repeating the last answer."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else httpx.Response(answer.status_code, content=answer.content)

    @property
    def asked(self) -> list[str]:
        return [f"{each.method} {each.url.path}" for each in self.seen]


def outage(server: Server, waits: Waits, *, has_written: bool = True) -> Outage:
    written = threading.Event()
    if has_written:
        written.set()
    return Outage(server, waits.wait_policy, written)


def post(to: httpx.BaseTransport, path: str = "/v2/incidents") -> int | str:
    """Send a request, and return the status or the name of the error."""
    request = httpx.Request(
        "POST", f"https://api.example/prefix{path}", json={"a": 1}, headers={"Authorization": "Bearer s3cret"}
    )
    try:
        return to.handle_request(request).status_code
    except (httpx.HTTPError, Interrupted) as error:
        return type(error).__name__


@pytest.mark.parametrize("failure", [GONE, SLOW, DOWN])
def test_after_five_failures_in_a_row_one_get_probes_until_the_server_answers(failure: Answer) -> None:
    waits = Waits()
    server = Server(FINE, *[failure] * 5, GONE, DOWN, SLOW, FINE, FINE)
    under = outage(server, waits)
    found = [post(under) for _ in range(6)]
    probes = ["GET /prefix/v1/identity"] * 4
    assert found[0] == 200
    assert server.asked == ["POST /prefix/v2/incidents"] * 6 + probes
    assert waits.clock.slept == [1, 2, 4, 8]
    assert server.seen[-1].headers["authorization"] == "Bearer s3cret"
    assert server.seen[-1].read() == b""
    assert waits.pauses == [Pause(300.0, "the server does not answer")]
    assert waits.recorded == []
    assert post(under) == 200


def test_a_server_that_does_not_come_back_ends_every_later_request_unsent() -> None:
    waits = Waits()
    server = Server(FINE, GONE)
    under = outage(server, waits)
    for _ in range(6):
        post(under)
    sent = len(server.seen)
    assert waits.clock.seconds == 300
    assert post(under) == "ServerGone"
    assert len(server.seen) == sent


def test_an_answer_between_failures_is_no_outage() -> None:
    waits = Waits()
    four: list[Answer] = [GONE, GONE, GONE, GONE, FINE]
    server = Server(FINE, *four * 5)
    under = outage(server, waits)
    for _ in range(26):
        post(under)
    assert waits.clock.slept == []


def test_nothing_is_paused_before_something_was_written() -> None:
    waits = Waits()
    server = Server(FINE, GONE)
    under = outage(server, waits, has_written=False)
    assert [post(under) for _ in range(20)] == [200, *["ConnectError"] * 19]
    assert waits.clock.slept == []


@pytest.mark.parametrize("failure", [GONE, SLOW, DOWN])
def test_a_server_that_never_answered_ends_a_run_within_half_a_minute(failure: Answer) -> None:
    waits = Waits()
    server = Server(failure)
    client = open_client(
        Connection("https://api.example", "s3cret"),
        read_write_transport(server, waits.wait_policy, Rate()),
    )
    with pytest.raises(NoAnswer, match="no answer within 12 s"):
        client.identity()
    assert waits.clock.seconds <= 30
    assert len(server.seen) <= 6
    assert server.seen[0].extensions["timeout"]["read"] <= 12


def test_requests_of_other_threads_wait_while_the_server_is_probed_and_then_go_on() -> None:
    waits, ready, back = Waits(), threading.Event(), threading.Event()

    def probed() -> httpx.Response:
        ready.set()
        back.wait(10)
        return httpx.Response(200)

    server = Server(FINE, *[GONE] * 5, probed, FINE)
    under = outage(server, waits)
    for _ in range(5):
        post(under)
    leader = threading.Thread(target=post, args=(under,))
    leader.start()
    assert ready.wait(10)
    found: list[int | str] = []
    other = threading.Thread(target=lambda: found.append(post(under)))
    other.start()
    other.join(0.1)
    assert found == []
    back.set()
    leader.join()
    other.join()
    assert found == [200]


def test_ctrl_c_ends_the_pause_of_all_requests_and_none_of_them_was_sent() -> None:
    waits = Waits()
    waits.wait_policy = WaitPolicy(Interrupting(), lambda: 1.0, lambda _: None)
    under = outage(Server(FINE, GONE), waits)
    assert [post(under) for _ in range(7)] == [200, *["ConnectError"] * 5, "Interrupted"]
    with pytest.raises(Interrupted) as interrupted:
        under.handle_request(httpx.Request("GET", "https://api.example/v1/identity"))
    assert not interrupted.value.was_sent


@pytest.mark.parametrize("lost", [SLOW, DOWN])
def test_ctrl_c_while_the_server_is_probed_does_not_hide_that_a_creation_was_sent(lost: Answer) -> None:
    policy = WaitPolicy(Interrupting(), lambda: 1.0, lambda _: None)
    written = threading.Event()
    written.set()
    under = Outage(Server(FINE, *[GONE] * 4, lost), policy, written)
    for _ in range(5):
        post(under)
    creation = httpx.Request("POST", "https://api.example/v2/incidents", extensions={REPEATABLE: False})
    with pytest.raises(NoAnswer) as error:
        Retry(under, policy).handle_request(creation)
    assert error.value.was_sent


@pytest.mark.parametrize(
    ("method", "answer", "left"),
    [
        ("GET", FINE, False),
        ("POST", FINE, True),
        ("POST", DOWN, True),
        ("POST", SLOW, True),
        ("POST", GONE, False),
    ],
)
def test_a_request_that_writes_has_left_unless_it_found_no_server(
    method: str, answer: Answer, left: bool
) -> None:
    written = threading.Event()
    watch = WriteWatch(Server(answer), written)
    request = httpx.Request(method, "https://api.example/v2/incidents")
    if isinstance(answer, Exception):
        with pytest.raises(type(answer)):
            watch.handle_request(request)
    else:
        watch.handle_request(request)
    assert written.is_set() == left


@pytest.mark.parametrize(("answers", "was_sent"), [([GONE], False), ([SLOW, GONE], True)])
def test_a_request_that_never_left_was_not_sent(answers: list[Answer], was_sent: bool) -> None:
    waits = Waits()
    stack = read_write_transport(Server(FINE, *answers), waits.wait_policy, Rate())
    get = httpx.Request("GET", "https://api.example/v1/identity")
    stack.handle_request(get)
    with pytest.raises(NoAnswer) as error:
        stack.handle_request(get)
    assert error.value.was_sent == was_sent


def test_a_server_that_is_gone_is_not_tried_again() -> None:
    waits = Waits()
    server = Server(FINE, ServerGone("the server is gone: no answer for 300 s (--max-outage)"))
    stack = read_write_transport(server, waits.wait_policy, Rate())
    get = httpx.Request("GET", "https://api.example/v1/identity")
    stack.handle_request(get)
    with pytest.raises(NoAnswer, match="no answer for 300 s") as error:
        stack.handle_request(get)
    assert not error.value.was_sent
    assert len(server.seen) == 2
