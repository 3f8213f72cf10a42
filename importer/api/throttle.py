"""Requests of many threads -> the same requests, spread so that the server never has to refuse one.

Limits are token buckets on the server's side (API introduction, Rate Limits). The throttle keeps its own
estimate of each: it counts what it sends, refills by the clock, and corrects itself by the headers of every
answer. So it bursts while the server allows it and then keeps the rate that the window gives.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from importer.api.rate_limits import DEFAULT, Limit, allowance
from importer.api.waiting import Clock
from importer.model.settings import Rate
from importer.wire import paths

_LAG = 16
"""X-RateLimit-Remaining "may lag by a small number of requests under high concurrency": it may be too high by
as much, so it raises the estimate only where it is higher by more."""

_DOCUMENTED = {f"POST {paths.STATUS_PAGE_HISTORY}": frozenset({DEFAULT, Limit(300, 60)})}
"""Limits of single endpoints that the API pages give; the others are learned from the first answer."""

_SPARE = 1.0
"""Tokens left in every bucket: the server's clock and ours never agree to the last digit."""

_INSTANT = 1e-6
"""Seconds that are not worth a sleep."""

_PREFIX = re.compile(r"^.*?(?=/v[0-9]+/)")
_IDENTITY = re.compile(r"/(?!v[0-9]+/)[^/]*[0-9][^/]*")


@dataclass(slots=True)
class Bucket:
    """An estimate of one token bucket. `level` counts every reservation, those still asleep included;
    `floor` is what stays unspent. Not thread-safe: the throttle holds its lock."""

    quota: float
    rate: float
    floor: float = 0.0
    level: float = field(init=False)
    at: float = 0.0
    reserved: int = 0
    finished: int = 0

    def __post_init__(self) -> None:
        self.level = self.quota

    def refill(self, now: float) -> None:
        self.level = min(self.quota, self.level + (now - self.at) * self.rate)
        self.at = now

    def reserve(self) -> int:
        """Take the next place in the queue and return its number."""
        self.reserved += 1
        self.level -= 1
        return self.reserved

    def delay(self, place: int) -> float:
        """Return the seconds until a place may go, as if those behind it were not there."""
        behind = self.reserved - place
        return max(0.0, (self.floor - self.level - behind) / self.rate)

    def correct(self, remaining: int, *, finished_before: int) -> None:
        """Correct the level by what an answer says remains.

        Requests under way may not be counted in it yet, so it holds at most `remaining` less those; and at
        least `remaining` less all that could have been sent since it was counted, and less the lag.
        """
        left = min(float(remaining), self.quota)
        highest = left - (self.reserved - self.finished)
        lowest = left - max(0, self.reserved - finished_before - 1) - _LAG
        self.level = max(lowest, min(self.level, highest))


@dataclass(frozen=True, slots=True)
class _Reservation:
    """One request's places in the queues of its buckets, and how many had been answered when it left."""

    bucket: Bucket
    number: int
    finished_before: int


class Throttle(httpx.BaseTransport):
    """Holds each request back until every limit of its endpoint allows it; first come, first served.

    An endpoint's first request goes alone, since its answer tells the endpoint's limits. A place is reserved
    under a lock and waited for outside it, so any number of threads may share one throttle.
    """

    def __init__(self, inner: httpx.BaseTransport, *, clock: Clock, ceiling: Rate) -> None:
        self._inner = inner
        self._clock = clock
        self._share = min(1.0, max(0.01, ceiling.share))
        self._turn = threading.Condition()
        self._buckets: dict[Limit, tuple[Bucket, ...]] = {}
        self._limits: dict[str, frozenset[Limit]] = {}
        self._asked: set[str] = set()
        self._ceiling: tuple[Bucket, ...] = ()
        if ceiling.per_minute is not None:
            rate = ceiling.per_minute / 60
            self._ceiling = (Bucket(max(1.0, rate), rate, at=clock.monotonic()),)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = _route(request)
        places = self._reserve(route)
        response = None
        try:
            self._wait(places)
            response = self._inner.handle_request(request)
        finally:
            self._finish(route, places, response)
        return response

    def close(self) -> None:
        self._inner.close()

    def _reserve(self, route: str) -> tuple[_Reservation, ...]:
        with self._turn:
            self._turn.wait_for(lambda: route in self._limits or route not in self._asked)
            self._asked.add(route)
            limits = self._limits.get(route) or _DOCUMENTED.get(route, frozenset({DEFAULT}))
            return tuple(_Reservation(each, each.reserve(), each.finished) for each in self._of(limits))

    def _of(self, limits: Iterable[Limit]) -> tuple[Bucket, ...]:
        now = self._clock.monotonic()
        found = [bucket for limit in limits for bucket in self._buckets_of(limit, now)]
        for bucket in (*found, *self._ceiling):
            bucket.refill(now)
        return (*found, *self._ceiling)

    def _buckets_of(self, limit: Limit, now: float) -> tuple[Bucket, ...]:
        """Return the server's bucket of a limit and, where only a share of it is ours, our own beside it:
        what others leave of the server's bucket is no reason to go faster than our share."""
        if limit not in self._buckets:
            ours = limit.quota * self._share
            server = Bucket(limit.quota, limit.rate, floor=limit.quota - ours + _SPARE, at=now)
            own = () if self._share == 1.0 else (Bucket(ours, limit.rate * self._share, at=now),)
            self._buckets[limit] = (server, *own)
        return self._buckets[limit]

    def _wait(self, places: tuple[_Reservation, ...]) -> None:
        while True:
            with self._turn:
                now = self._clock.monotonic()
                for place in places:
                    place.bucket.refill(now)
                delay = max(place.bucket.delay(place.number) for place in places)
            if delay <= _INSTANT:
                return
            self._clock.sleep(delay)

    def _finish(self, route: str, places: tuple[_Reservation, ...], response: httpx.Response | None) -> None:
        """Learn from an answer. Without one, the next request of an unknown endpoint goes alone again."""
        with self._turn:
            for place in places:
                place.bucket.finished += 1
            if response is not None:
                self._learn(route, places, response)
            self._asked.discard(route)
            self._turn.notify_all()

    def _learn(self, route: str, places: tuple[_Reservation, ...], response: httpx.Response) -> None:
        allowed = allowance(response.headers)
        known = self._limits.get(route) or _DOCUMENTED.get(route, frozenset({DEFAULT}))
        self._limits[route] = allowed.limits or known
        if allowed.remaining is None:
            return
        if allowed.binding is not None:
            limiting = self._of({allowed.binding})[0]
        else:
            limiting = min((place.bucket for place in places), key=lambda bucket: bucket.level)
        before = [place.finished_before for place in places if place.bucket is limiting]
        limiting.correct(allowed.remaining, finished_before=before[0] if before else limiting.finished)


def _route(request: httpx.Request) -> str:
    """Return method and path without the endpoint's prefix, with IDs (what has a digit) made alike."""
    return f"{request.method} {_IDENTITY.sub('/:id', _PREFIX.sub('', request.url.path))}"
