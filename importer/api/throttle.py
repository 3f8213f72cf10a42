"""Requests of many threads -> the same requests, paced so that the server does not have to refuse one.

Limits are token buckets on the server's side (API introduction, Rate Limits). The throttle keeps its own
estimate of each: it counts what it sends, refills with the clock, and is corrected by the headers of every
answer. So it bursts while the server allows it and then keeps the sustained rate of the limit.
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
this much, so it raises the estimate only if it is higher by more."""

_DOCUMENTED = {f"POST {paths.STATUS_PAGE_HISTORY}": frozenset({DEFAULT, Limit(300, 60)})}
"""Documented limits of single endpoints; others are learned from the first answer."""

_SPARE = 1.0
"""Tokens never spent in any bucket, as the server's clock and ours differ slightly."""

_SHORTEST_SLEEP = 1e-6
"""Seconds; shorter delays are not slept."""

_PREFIX = re.compile(r"^.*?(?=/v[0-9]+/)")
_IDENTITY = re.compile(r"/(?!v[0-9]+/)[^/]*[0-9][^/]*")


@dataclass(slots=True)
class Bucket:
    """An estimate of one token bucket. `level` counts every reservation, including those still waiting;
    `floor` is never spent. Not thread-safe: the throttle holds its lock."""

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
        """Return the seconds until this place may go, ignoring the places behind it."""
        behind = self.reserved - place
        return max(0.0, (self.floor - self.level - behind) / self.rate)

    def correct(self, remaining: int, *, finished_before: int) -> None:
        """Correct the level with the `remaining` of an answer.

        Requests in flight may not be counted in it yet, so the level is at most `remaining` minus those, and
        at least `remaining` minus all that could have been sent since it was counted and minus the lag.
        """
        left = min(float(remaining), self.quota)
        highest = left - (self.reserved - self.finished)
        lowest = left - max(0, self.reserved - finished_before - 1) - _LAG
        self.level = max(lowest, min(self.level, highest))


@dataclass(frozen=True, slots=True)
class _Reservation:
    """One request's place in a bucket's queue, and how many requests were answered when it was reserved."""

    bucket: Bucket
    number: int
    finished_before: int


class Throttle(httpx.BaseTransport):
    """Delays each request until every limit of its endpoint allows it, in order of arrival.

    An endpoint's first request goes alone, since its answer shows the endpoint's limits. A place is reserved
    under a lock and awaited outside it, so any number of threads may share one throttle.
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
            return tuple(_Reservation(each, each.reserve(), each.finished) for each in self._refilled(limits))

    def _refilled(self, limits: Iterable[Limit]) -> tuple[Bucket, ...]:
        now = self._clock.monotonic()
        found = [bucket for limit in limits for bucket in self._buckets_of(limit, now)]
        for bucket in (*found, *self._ceiling):
            bucket.refill(now)
        return (*found, *self._ceiling)

    def _buckets_of(self, limit: Limit, now: float) -> tuple[Bucket, ...]:
        """Return the server's bucket for a limit and, if --rate allows us only a share, one of our own, so
        that we do not exceed our share when others leave theirs unused."""
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
            if delay <= _SHORTEST_SLEEP:
                return
            self._clock.sleep(delay)

    def _finish(self, route: str, places: tuple[_Reservation, ...], response: httpx.Response | None) -> None:
        """Update from an answer. Without one, the next request to an unknown endpoint goes alone again."""
        with self._turn:
            for place in places:
                place.bucket.finished += 1
            if response is not None:
                self._update(route, places, response)
            self._asked.discard(route)
            self._turn.notify_all()

    def _update(self, route: str, places: tuple[_Reservation, ...], response: httpx.Response) -> None:
        allowed = allowance(response.headers)
        known = self._limits.get(route) or _DOCUMENTED.get(route, frozenset({DEFAULT}))
        self._limits[route] = allowed.limits or known
        if allowed.remaining is None:
            return
        if allowed.binding is not None:
            limiting = self._refilled({allowed.binding})[0]
        else:
            limiting = min((place.bucket for place in places), key=lambda bucket: bucket.level)
        before = [place.finished_before for place in places if place.bucket is limiting]
        limiting.correct(allowed.remaining, finished_before=before[0] if before else limiting.finished)


def _route(request: httpx.Request) -> str:
    """Return method and path without the endpoint's prefix; segments with a digit (IDs) become `:id`."""
    return f"{request.method} {_IDENTITY.sub('/:id', _PREFIX.sub('', request.url.path))}"
