"""Turn requests and time into an allowance: token buckets and the X-RateLimit headers (API introduction,
"Rate Limits")."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from importer.sandbox import moments
from importer.sandbox.choices import RetryAfter
from importer.sandbox.options import RateLimit
from importer.sandbox.records import Wire


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bucket's decision on one request. `remaining` is counted after it; `wait` and `full_in` are seconds
    until a request would pass and until the bucket is full again."""

    granted: bool
    limit: RateLimit
    remaining: int
    wait: float
    full_in: float


class Limiter:
    """The buckets of one limit, one per API key. `clock` returns seconds since 1970."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> Allowance:
        """Take one request from the key's bucket, if one is left."""
        rate = self._limit.limit / self._limit.window
        with self._lock:
            now = self._clock()
            level, since = self._levels.get(key, (float(self._limit.limit), now))
            level = min(float(self._limit.limit), level + max(0.0, now - since) * rate)
            granted = level >= 1
            level -= 1 if granted else 0
            self._levels[key] = (level, now)
        return Allowance(
            granted=granted,
            limit=self._limit,
            remaining=int(level),
            wait=max(0.0, (1 - level) / rate),
            full_in=(self._limit.limit - level) / rate,
        )


def headers(allowances: list[Allowance], now: float) -> dict[str, str]:
    """Return the X-RateLimit headers: the allowance with the fewest remaining binds, all are listed."""
    if not allowances:
        return {}
    binding = min(allowances, key=lambda allowance: allowance.remaining)
    limits = [f"{each.limit.limit};window={each.limit.window}" for each in allowances]
    return {
        "X-RateLimit-Limit": ", ".join([str(binding.limit.limit), *limits]),
        "X-RateLimit-Remaining": str(binding.remaining),
        "X-RateLimit-Used": str(binding.limit.limit - binding.remaining),
        "X-RateLimit-Reset": str(math.ceil(now + binding.full_in)),
    }


def retry_after(wait: float, now: float, form: RetryAfter) -> str:
    """Return the Retry-After header for a client that may retry in `wait` seconds."""
    if form is RetryAfter.HTTP_DATE:
        return formatdate(math.ceil(now + wait), usegmt=True)
    return str(max(1, math.ceil(wait)))


def body_part(allowance: Allowance, key_name: str, now: float) -> Wire:
    """Return the `rate_limit` object of a 429's envelope."""
    return {
        "name": key_name,
        "limit": allowance.limit.limit,
        "remaining": allowance.remaining,
        "retry_after": moments.to_text(math.ceil(now + allowance.wait) * 1000),
    }
