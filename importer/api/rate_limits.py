"""The rate-limit headers and body of an answer -> limits, what remains of them, and seconds to wait.

Source: the API's introduction, Rate Limits. Any header may be absent, may lag, or may be garbage.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LIMIT = re.compile(r"([0-9]{1,9}) *; *window *= *([0-9]{1,9})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: it holds `quota` requests and refills in `window` seconds."""

    quota: int
    window: int

    @property
    def rate(self) -> float:
        """The sustained rate, in requests per second."""
        return self.quota / self.window


DEFAULT = Limit(1200, 60)
"""The documented limit of a key, used until an answer shows another."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits that applied to one answer, the binding one, and what remains of that one."""

    limits: frozenset[Limit]
    binding: Limit | None
    remaining: int | None


def allowance(headers: Mapping[str, str]) -> Allowance:
    """Read X-RateLimit-Limit (the binding quota, then each limit with its window), -Remaining and -Used."""
    first, *listed = headers.get("x-ratelimit-limit", "").split(",")
    limits = frozenset(
        Limit(int(match[1]), int(match[2]))
        for each in listed
        if (match := _LIMIT.fullmatch(each.strip())) and int(match[1]) and int(match[2])
    )
    quota = _whole(first)
    if quota and not limits:
        limits = frozenset({Limit(quota, DEFAULT.window)})
    binding = min((each for each in limits if each.quota == quota), key=lambda each: each.rate, default=None)
    remaining = _whole(headers.get("x-ratelimit-remaining", ""))
    if remaining is None and quota and (used := _whole(headers.get("x-ratelimit-used", ""))) is not None:
        remaining = max(0, quota - used)
    return Allowance(limits, binding, remaining)


def retry_after(headers: Mapping[str, str], body: str, *, now: datetime) -> float | None:
    """Return the seconds to wait before the next try, or None if the server gives none.

    In order: Retry-After as seconds (below zero is zero) or as a date, the body's rate_limit.retry_after, and
    X-RateLimit-Reset if nothing remains. Dates are compared with the answer's own Date header, as our clock
    may be wrong.
    """
    raw = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(raw.removeprefix("-")):
        return max(0.0, float(raw))
    server_now = date(headers.get("date", "")) or now
    until = date(raw) or date(_body_hint(body)) or _reset(headers)
    return None if until is None else max(0.0, (until - server_now).total_seconds())


def date(raw: str) -> datetime | None:
    """Return the instant of an HTTP date (GMT or UTC) or an RFC 3339 text, in UTC, or None."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = read(raw)
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _body_hint(body: str) -> str:
    try:
        hint = json.loads(body)["rate_limit"]["retry_after"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return hint if isinstance(hint, str) else ""


def _reset(headers: Mapping[str, str]) -> datetime | None:
    raw = headers.get("x-ratelimit-reset", "").strip()
    if _whole(headers.get("x-ratelimit-remaining", "")) != 0 or not _NUMBER.fullmatch(raw):
        return None
    seconds = math.ceil(float(raw))
    return datetime.fromtimestamp(seconds, UTC) if seconds < 2**33 else None


def _whole(raw: str) -> int | None:
    digits = raw.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None
