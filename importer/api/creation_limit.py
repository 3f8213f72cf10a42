"""Refused creations -> a pause that all creations share, and a slower pace after it.

incident.io limits how many incidents are created per hour, separately from its rate limit. The refusal does
not give a time, and the number is not published; the import guide says to wait a few minutes. So creations
pause for 60 s, then twice as long each time, up to 5 minutes. The number created in the past hour is the best
estimate of the limit: later creations are spread at that pace, and each success speeds it up by 5%, since the
estimate is too low if an earlier run used part of the hour. It is never slower than one per minute.
"""

from __future__ import annotations

import threading
from collections import deque

from importer.api.waiting import WaitPolicy

REASON = "limit on incidents created per hour"
_HOUR = 3600.0
_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 300.0
_SPEED_UP = 0.95


class CreationLimit:
    """Decides when the next creation may be sent. Thread-safe; all waits happen outside the lock."""

    def __init__(self, policy: WaitPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._created_at: deque[float] = deque()
        self._paused_at = float("-inf")
        self._next = float("-inf")
        self._interval = 0.0
        self._pause = _FIRST_PAUSE

    def wait_turn(self, until: float) -> float | None:
        """Wait until a creation may be sent; return the time on the monotonic clock, or None if that would be
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

    def record_success(self) -> None:
        """Count a creation that the server accepted."""
        with self._lock:
            self._created_at.append(self._policy.clock.monotonic())
            self._drop_old()
            self._interval *= _SPEED_UP
            self._pause = _FIRST_PAUSE

    def record_refusal(self, *, left_at: float) -> None:
        """Begin a pause, unless the refused creation was sent before the last pause began."""
        with self._lock:
            if left_at <= self._paused_at:
                return
            self._drop_old()
            self._paused_at = self._policy.clock.monotonic()
            self._next = self._paused_at + self._pause
            self._pause = min(_LONGEST_PAUSE, self._pause * 2)
            self._interval = min(_FIRST_PAUSE, _HOUR / max(1, len(self._created_at)))

    def _drop_old(self) -> None:
        hour_ago = self._policy.clock.monotonic() - _HOUR
        while self._created_at and self._created_at[0] <= hour_ago:
            self._created_at.popleft()
