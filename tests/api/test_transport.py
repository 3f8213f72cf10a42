"""The order of the policies, the machine's clock, and the network transport."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from importer.api.transport import ReadOnly, network, read_only_transport, read_write_transport
from importer.api.waiting import SystemClock
from importer.model.errors import Interrupted
from importer.model.settings import Rate
from tests.api.clocks import Waits


class Inner(httpx.BaseTransport):
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.method)
        return httpx.Response(200, json={})

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_a_read_only_transport_refuses_everything_but_get_before_sending(method: str) -> None:
    inner = Inner()
    with pytest.raises(RuntimeError, match="read-only command"):
        ReadOnly(inner).handle_request(httpx.Request(method, "https://x.example/"))

    assert inner.sent == []


def test_both_stacks_read_from_and_close_the_inner_transport() -> None:
    inner = Inner()
    for stack in (
        read_only_transport(inner, Waits().wait_policy, Rate()),
        read_write_transport(inner, Waits().wait_policy, Rate()),
    ):
        stack.handle_request(httpx.Request("GET", "https://x.example/v1/identity"))
        stack.close()

    assert inner.sent == ["GET", "GET"]
    assert inner.closed == 2


def test_each_attempt_is_paced() -> None:
    waits = Waits(random=0.0)
    answers = iter([httpx.Response(503), httpx.Response(200, json={})])
    stack = read_write_transport(
        httpx.MockTransport(lambda _: next(answers)), waits.wait_policy, Rate(per_minute=6)
    )
    stack.handle_request(httpx.Request("GET", "https://x.example/v1/identity"))

    assert waits.clock.seconds == pytest.approx(10)


def test_an_interrupt_ends_every_long_sleep_now_and_later() -> None:
    interrupted = threading.Event()
    clock = SystemClock(interrupted)
    threading.Timer(0.02, interrupted.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        clock.sleep(30)
    with pytest.raises(Interrupted):
        clock.sleep(30)

    assert time.monotonic() - began < 10


def test_a_short_sleep_is_completed_even_when_interrupted() -> None:
    interrupted = threading.Event()
    interrupted.set()
    clock = SystemClock(interrupted)
    before = clock.monotonic()
    clock.sleep(0.01)

    assert clock.monotonic() - before >= 0.01
    assert clock.now().utcoffset() is not None


@pytest.mark.parametrize("endpoint", ["https://api.example", "http://127.0.0.1:8080", "http://[::1]:80/p"])
def test_a_network_transport_can_be_opened_for_every_endpoint(endpoint: str) -> None:
    network(endpoint).close()
