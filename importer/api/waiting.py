"""A clock, a source of randomness and a callback for each wait: what every waiting policy needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from importer.model.errors import Interrupted


class Clock(Protocol):
    """Time as the policies see it. `now` is in UTC, `monotonic` counts seconds from an arbitrary start, and
    `sleep` may raise Interrupted; all three are called from many threads."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


_SHORT = 5.0
"""Seconds a request in flight may still wait after Ctrl-C, so that it can finish."""


class SystemClock:
    """The machine's clock. Once `interrupted` is set, every long sleep raises Interrupted at once."""

    def __init__(self, interrupted: threading.Event) -> None:
        self._interrupted = interrupted

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds <= _SHORT:
            time.sleep(seconds)
        elif self._interrupted.wait(seconds):
            raise Interrupted("interrupted while a request was waiting for its turn")


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that begins now. `scope` is requests or creations."""

    until: datetime
    seconds: float
    reason: str
    scope: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of all requests that begins now, for a `reason` other than a limit. It ends as soon as the
    reason does, and after `max_seconds` at the latest."""

    max_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How to wait. `random` returns numbers from 0 to 1; `max_wait` is the longest time, in seconds, that
    rate-limit refusals may delay one request, `max_outage` the longest that a run waits for a server that is
    gone."""

    clock: Clock
    random: Callable[[], float]
    notify: Callable[[Wait | Pause], None]
    max_wait: float = 4 * 3600.0
    max_outage: float = 300.0

    def wait(self, seconds: float, *, reason: str, scope: str) -> None:
        """Announce a wait, then wait."""
        until = self.clock.now() + timedelta(seconds=seconds)
        self.notify(Wait(until, seconds, reason, scope))
        self.clock.sleep(seconds)
