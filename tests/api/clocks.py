"""Clocks that advance only in sleep."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from importer.api.waiting import Pause, Wait, WaitPolicy
from importer.model.errors import Interrupted

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Counter:
    """A clock for one thread, which advances only in sleep."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Interrupting(Counter):
    """A clock on which Ctrl-C ends every sleep."""

    def sleep(self, seconds: float) -> None:
        raise Interrupted("Ctrl-C")


class Waits:
    """A wait policy that does not really wait and records its announcements."""

    def __init__(self, *, random: float = 1.0, max_wait: float = 4 * 3600.0) -> None:
        self.clock = Counter()
        self.recorded: list[Wait] = []
        self.pauses: list[Pause] = []
        self.wait_policy = WaitPolicy(self.clock, lambda: random, self._record, max_wait)

    def _record(self, notice: Wait | Pause) -> None:
        if isinstance(notice, Wait):
            self.recorded.append(notice)
        else:
            self.pauses.append(notice)


class Threads:
    """A clock for many threads: when all of them sleep, the first to wake runs alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0
        self._running = 0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._order = 0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        woken = threading.Event()
        with self._lock:
            self._order += 1
            heapq.heappush(self._sleepers, (self._now + seconds, self._order, woken))
            self._running -= 1
            self._wake_next()
        woken.wait()

    def run(self, count: int, work: Callable[[], None]) -> float:
        """Run work in this many threads and return the seconds that passed on this clock."""
        began = self._now
        self._running = count
        threads = [threading.Thread(target=self._run, args=(work,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._now - began

    def _run(self, work: Callable[[], None]) -> None:
        self.sleep(0.0)
        try:
            work()
        finally:
            with self._lock:
                self._running -= 1
                self._wake_next()

    def _wake_next(self) -> None:
        if self._running == 0 and self._sleepers:
            at, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            self._running += 1
            woken.set()
