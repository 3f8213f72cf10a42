"""Pacing against a server with exact buckets, on a clock that advances only in sleep."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import httpx
import pytest

from importer.api.rate_limits import Limit
from importer.api.throttle import Throttle
from importer.model.errors import Interrupted
from importer.model.settings import Rate
from tests.api.clocks import Counter, Threads

URL = "https://api.example/v2/incidents"
Clock = Counter | Threads


class Server(httpx.BaseTransport):
    """Token buckets per path, as the API introduction describes them, with latency and lagging headers."""

    def __init__(self, clock: Clock, *, latency: float = 0.0, lag: int = 0, level: float = 1200) -> None:
        self.clock = clock
        self.latency = latency
        self.lag = lag
        self.general = Limit(1200, 60)
        self.levels = {self.general: level}
        self.own: dict[str, Limit] = {}
        self.at = clock.monotonic()
        self.seen: list[tuple[float, str]] = []
        self.refused = 0
        self.counted: list[int] = []
        self.headers: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers
        self._chance = random.Random(7)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = self.latency * self._chance.random()
        if self.latency:
            self.clock.sleep(there)
        response = self._answer(request)
        if self.latency:
            self.clock.sleep(self.latency - there)
        return response

    def spend(self, tokens: float) -> None:
        self.levels[self.general] -= tokens

    def _answer(self, request: httpx.Request) -> httpx.Response:
        now = self.clock.monotonic()
        limits = [self.general, *filter(None, [self.own.get(request.url.path)])]
        for limit in {self.general, *self.own.values()}:
            level = self.levels.setdefault(limit, float(limit.quota))
            self.levels[limit] = min(limit.quota, level + (now - self.at) * limit.rate)
        self.at = now
        self.seen.append((now, request.url.path))
        refused = any(self.levels[limit] < 1 for limit in limits)
        if refused:
            self.refused += 1
        else:
            for limit in limits:
                self.levels[limit] -= 1
        binding = min(limits, key=lambda limit: self.levels[limit])
        self.counted.append(int(self.levels[binding]))
        shown = self.counted[-1 - min(self.lag, len(self.counted) - 1)] if self.lag else self.counted[-1]
        listed = "".join(f", {limit.quota};window={limit.window}" for limit in limits)
        headers = {
            "X-RateLimit-Limit": f"{binding.quota}{listed}",
            "X-RateLimit-Remaining": str(shown),
            "X-RateLimit-Used": str(binding.quota - shown),
        }
        return httpx.Response(429 if refused else 200, headers=self.headers(headers), json={})


def work(throttle: Throttle, requests: int, url: str = URL, method: str = "GET") -> Callable[[], None]:
    """Return the work of each thread: send requests from a shared supply until it is empty."""
    left = iter(range(requests))
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            throttle.handle_request(httpx.Request(method, url))

    return run


def share_out(clock: Threads, throttle: Throttle, requests: int, *, threads: int = 8) -> float:
    """Send one request, so that the endpoint is known, then the rest from many threads; return the seconds."""
    return clock.run(1, work(throttle, 1)) + clock.run(threads, work(throttle, requests - 1))


@pytest.mark.parametrize("threads", [1, 16])
@pytest.mark.parametrize("lag", [0, 8])
@pytest.mark.parametrize("level", [300, 3])
def test_the_whole_allowance_is_used_and_nothing_is_ever_refused(threads: int, lag: int, level: int) -> None:
    clock = Threads()
    server = Server(clock, latency=0.02, lag=lag, level=level)
    throttle = Throttle(server, clock=clock, ceiling=Rate())
    requests = level + 500

    seconds = share_out(clock, throttle, requests, threads=threads)

    assert server.refused == 0
    assert requests / (level + 20 * seconds) > 0.94


def test_slow_and_uneven_answers_cost_no_throughput() -> None:
    clock = Threads()
    server = Server(clock, latency=0.3)
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    seconds = share_out(clock, throttle, 4000, threads=16)

    assert server.refused == 0
    assert 4000 / (1200 + 20 * seconds) > 0.95


def test_requests_of_other_keys_are_noticed_before_ours_are_refused() -> None:
    clock = Threads()
    server = Server(clock, latency=0.02)
    throttle = Throttle(server, clock=clock, ceiling=Rate())
    share_out(clock, throttle, 100)
    server.spend(900)

    share_out(clock, throttle, 900)

    assert server.refused == 0


def test_a_bucket_thought_empty_is_used_again_when_the_server_reports_more() -> None:
    clock = Counter()
    server = Server(clock)
    throttle = Throttle(server, clock=clock, ceiling=Rate())
    server.headers = lambda headers: {**headers, "X-RateLimit-Remaining": "0"}
    work(throttle, 1)()
    server.headers = lambda headers: headers

    work(throttle, 500)()

    assert clock.seconds < 2


def test_a_share_leaves_the_rest_of_the_bucket_and_of_the_rate_to_others() -> None:
    clock = Threads()
    server = Server(clock, latency=0.02)
    throttle = Throttle(server, clock=clock, ceiling=Rate(share=0.5))

    seconds = share_out(clock, throttle, 1200)

    assert server.levels[server.general] >= 599
    assert 600 / 10 * 0.95 < seconds < 600 / 10 * 1.05


def test_our_share_is_kept_when_others_have_nearly_emptied_the_bucket() -> None:
    clock = Threads()
    server = Server(clock, latency=0.02, level=500)
    throttle = Throttle(server, clock=clock, ceiling=Rate(share=0.8))

    share_out(clock, throttle, 400)

    assert server.levels[server.general] >= 239


def test_a_rate_in_requests_a_minute_holds_in_every_minute() -> None:
    clock = Threads()
    server = Server(clock, latency=0.02)
    throttle = Throttle(server, clock=clock, ceiling=Rate(per_minute=60))

    share_out(clock, throttle, 181)

    times = sorted(at for at, _ in server.seen)
    assert max(sum(1 for each in times if start <= each < start + 60) for start in times) <= 61


def test_a_lower_limit_of_one_endpoint_slows_only_that_endpoint() -> None:
    clock = Counter()
    server = Server(clock)
    server.own = {"/v2/slow": Limit(60, 60)}
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 90, "https://api.example/v2/slow")()
    slow = clock.seconds
    work(throttle, 500)()

    assert server.refused == 0
    assert 29 < slow < 32
    assert clock.seconds == slow


def test_a_nearly_spent_limit_of_one_endpoint_is_learned_by_one_request() -> None:
    clock = Counter()
    server = Server(clock)
    server.own = {"/v2/slow": Limit(60, 60)}
    server.levels[Limit(60, 60)] = 1
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 3, "https://api.example/v2/slow")()

    assert server.refused == 0


def test_the_first_request_of_an_endpoint_goes_alone() -> None:
    entered, release = threading.Semaphore(0), threading.Event()
    inside: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        inside.append(1)
        entered.release()
        release.wait(5)
        return httpx.Response(200)

    throttle = Throttle(httpx.MockTransport(answer), clock=Counter(), ceiling=Rate())
    threads = [threading.Thread(target=work(throttle, 1)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.acquire(timeout=5)
    alone = not entered.acquire(timeout=0.1)
    release.set()
    for thread in threads:
        thread.join()

    assert alone
    assert len(inside) == 4


def test_a_lost_first_answer_lets_the_next_request_try() -> None:
    answers = iter((httpx.ReadTimeout("lost"), httpx.Response(200)))

    def answer(request: httpx.Request) -> httpx.Response:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    throttle = Throttle(httpx.MockTransport(answer), clock=Counter(), ceiling=Rate())
    with pytest.raises(httpx.ReadTimeout):
        throttle.handle_request(httpx.Request("GET", URL))

    assert throttle.handle_request(httpx.Request("GET", URL)).status_code == 200


def test_status_page_history_keeps_its_documented_limit_without_any_header() -> None:
    clock = Counter()
    server = Server(clock)
    server.headers = lambda headers: {}
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 350, "https://x.example/prefix/v2/status_page_retrospective_incidents", "POST")()

    assert 9.9 < clock.seconds < 10.3


def test_without_headers_the_documented_limit_of_a_key_is_kept() -> None:
    clock = Counter()
    server = Server(clock)
    server.headers = lambda headers: {}
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 1300)()

    assert server.refused == 0
    assert 4.9 < clock.seconds < 5.2


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "-3"},
        {"X-RateLimit-Limit": "9, 0;window=0, 5;window=x", "X-RateLimit-Remaining": "1e9"},
        {"X-RateLimit-Limit": "7, 1200;window=60", "X-RateLimit-Remaining": "99999999"},
        {"X-RateLimit-Limit": "", "X-RateLimit-Used": "none"},
    ],
)
def test_garbage_in_headers_neither_blocks_nor_unthrottles_requests(headers: dict[str, str]) -> None:
    clock = Counter()
    server = Server(clock)
    server.headers = lambda _: headers
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 60)()

    assert server.refused == 0
    assert clock.seconds < 400


def test_the_remaining_quota_applies_to_the_tightest_limit_if_none_is_named() -> None:
    clock = Counter()
    server = Server(clock)
    server.headers = lambda _: {"X-RateLimit-Remaining": "0"}
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    work(throttle, 3)()

    assert 0.15 < clock.seconds < 0.25


def test_paths_that_differ_in_ids_or_prefix_are_one_endpoint() -> None:
    clock = Counter()
    server = Server(clock)
    server.own = {f"/p/v2/incidents/01ABC{n}/actions/edit": Limit(60, 60) for n in range(70)}
    throttle = Throttle(server, clock=clock, ceiling=Rate())

    for n in range(70):
        throttle.handle_request(
            httpx.Request("POST", f"https://x.example/p/v2/incidents/01ABC{n}/actions/edit")
        )

    assert server.refused == 0
    assert clock.seconds > 9


def test_an_interrupted_wait_sends_nothing() -> None:
    class Stopped(Counter):
        def sleep(self, seconds: float) -> None:
            raise Interrupted("stopped")

    clock = Stopped()
    server = Server(clock, level=1)
    throttle = Throttle(server, clock=clock, ceiling=Rate())
    throttle.handle_request(httpx.Request("GET", URL))

    with pytest.raises(Interrupted):
        work(throttle, 40)()

    assert server.refused == 0


def test_closing_closes_the_connection() -> None:
    closed: list[bool] = []

    class Inner(httpx.BaseTransport):
        def close(self) -> None:
            closed.append(True)

    Throttle(Inner(), clock=Counter(), ceiling=Rate()).close()

    assert closed == [True]
