"""Refused creations -> a pause that all creations share, and a pace for those after it.

incident.io limits how many incidents are created in an hour, apart from its rate limit. That refusal names no
time, and the number is not published; the import guide says to wait a few minutes. So creations pause for
60 s, then twice as long each time, up to 5 minutes. Those of the past hour are the best estimate of the
limit: later creations are spread at that pace, which each success quickens by 5%, since the estimate is too
low where an earlier run used part of the hour. No pace is slower than one pause, which does as well.
"""

from __future__ import annotations

import threading
from collections import deque

from importer.api.waiting import WaitPolicy

REASON = "limit on incidents created an hour"
_HOUR = 3600.0
_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 300.0
_QUICKER = 0.95


class CreationLimit:
    """Decides when the next creation may leave. Thread-safe; every wait is made outside the lock."""

    def __init__(self, policy: WaitPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._made: deque[float] = deque()
        self._paused_at = float("-inf")
        self._next = float("-inf")
        self._interval = 0.0
        self._pause = _FIRST_PAUSE

    def wait_turn(self, until: float) -> float | None:
        """Return when a creation may leave, with that moment on the monotonic clock; None where that would be
        after `until`."""
        while (delay := self._take_turn()) > 0:
            if self._policy.clock.monotonic() + delay > until:
                return None
            self._policy.wait(delay, reason=REASON, scope="creations")
        return self._policy.clock.monotonic()

    def _take_turn(self) -> float:
        with self._lock:
            now = self._policy.clock.monotonic()
            if now < self._next:
                return self._next - now
            self._next = now + self._interval
            return 0.0

    def made(self) -> None:
        """Count a creation that the server accepted."""
        with self._lock:
            self._made.append(self._policy.clock.monotonic())
            self._forget()
            self._interval *= _QUICKER
            self._pause = _FIRST_PAUSE

    def refused(self, *, left_at: float) -> None:
        """Begin a pause, unless the refused creation left before the last pause began: it is no news."""
        with self._lock:
            if left_at <= self._paused_at:
                return
            self._forget()
            self._paused_at = self._policy.clock.monotonic()
            self._next = self._paused_at + self._pause
            self._pause = min(_LONGEST_PAUSE, self._pause * 2)
            self._interval = min(_FIRST_PAUSE, _HOUR / max(1, len(self._made)))

    def _forget(self) -> None:
        hour_ago = self._policy.clock.monotonic() - _HOUR
        while self._made and self._made[0] <= hour_ago:
            self._made.popleft()
