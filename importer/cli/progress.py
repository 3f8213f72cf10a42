"""What a run tells while it goes on: a bar on a terminal, a line every ten seconds elsewhere, or events."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from importer.apply.applier import Observer
from importer.cli.console import Console
from importer.model import Change, Failed, Outcome
from importer.renderers import events
from importer.renderers.values import sanitised

if TYPE_CHECKING:
    from importer.api.waiting import Wait

Emit = Callable[[str], None]
"""Takes an event, a line of JSON."""

_EVERY = 10.0
"""Seconds between two lines of progress."""

_NOTICED = 5.0
"""Seconds from which on a wait is worth a word."""


class Teller(Observer, Protocol):
    """Watches a run of `begin`'s many changes, and is told of waits and of other words."""

    def begin(self, total: int) -> None: ...

    def end(self) -> None: ...

    def waiting(self, wait: Wait) -> None: ...

    def tell(self, words: str) -> None: ...


class _Pace:
    """How far a run of `total` changes is, and when ten seconds are over since that was told last."""

    def __init__(self, total: int, monotonic: Callable[[], float]) -> None:
        self.total = total
        self.done = 0
        self._monotonic = monotonic
        self._began = self._told = monotonic()

    def advance(self) -> bool:
        """Count one change, and say whether it is time for a word."""
        self.done += 1
        now = self._monotonic()
        if now - self._told < _EVERY:
            return False
        self._told = now
        return True

    @property
    def seconds_left(self) -> float:
        return (self._told - self._began) / self.done * (self.total - self.done)


class Lines:
    """A line every ten seconds: for logs."""

    def __init__(self, console: Console, monotonic: Callable[[], float]) -> None:
        self._console = console
        self._monotonic = monotonic
        self._pace = _Pace(0, monotonic)
        self._failed = 0
        self._waits = Waits(self.tell)

    def begin(self, total: int) -> None:
        self._pace = _Pace(total, self._monotonic)

    def end(self) -> None:
        """Nothing is left to be cleared."""

    def started(self, change: Change) -> None:
        """A change that only began is not worth a line."""

    def ended(self, change: Change, outcome: Outcome) -> None:
        self._failed += isinstance(outcome, Failed)
        if isinstance(outcome, Failed):
            self.tell(_failure(change, outcome))
        if self._pace.advance():
            failed = f", {self._failed} failed" if self._failed else ""
            left = _duration(self._pace.seconds_left)
            self.tell(f"{self._pace.done} of {self._pace.total} done{failed}; about {left} left")

    def waiting(self, wait: Wait) -> None:
        self._waits.tell(wait)

    def tell(self, words: str) -> None:
        self._console.tell(words)


class Bar:
    """A bar with the time that is left: for a terminal."""

    def __init__(self, console: Console) -> None:
        from rich.console import Console as Terminal  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._terminal = Terminal(file=console.err, no_color=not console.err_colour, highlight=False)
        self._progress = Progress(
            TextColumn("applying"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None)
        self._waits = Waits(self.tell)

    def begin(self, total: int) -> None:
        self._progress.reset(self._task, total=total)
        self._progress.start()

    def end(self) -> None:
        self._progress.stop()

    def started(self, change: Change) -> None:
        """A change that only began does not move the bar."""

    def ended(self, change: Change, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self.tell(_failure(change, outcome))
        self._progress.advance(self._task)

    def waiting(self, wait: Wait) -> None:
        self._waits.tell(wait)

    def tell(self, words: str) -> None:
        lines = "\n".join(sanitised(line) for line in words.split("\n"))
        self._terminal.print(lines, markup=False, emoji=False, soft_wrap=True)


class Events:
    """A JSON object a line, each given to `emit`: for programs. Words go to `tell`."""

    def __init__(
        self,
        emit: Emit,
        tell: Callable[[str], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._emit = emit
        self._tell = tell
        self._now = now
        self._monotonic = monotonic
        self._pace = _Pace(0, monotonic)

    def begin(self, total: int) -> None:
        self._pace = _Pace(total, self._monotonic)

    def end(self) -> None:
        """The summary says that a run ended."""

    def started(self, change: Change) -> None:
        self._emit(events.apply_start(change, at=self._now()))

    def ended(self, change: Change, outcome: Outcome) -> None:  # noqa: ARG002 - an event is told by its outcome
        self._emit(events.ended(outcome, at=self._now()))
        if self._pace.advance():
            pace, left = self._pace, round(self._pace.seconds_left)
            event = events.apply_progress(done=pace.done, total=pace.total, seconds_left=left, at=self._now())
            self._emit(event)

    def waiting(self, wait: Wait) -> None:
        event = events.rate_limited(until=wait.until, reason=wait.reason, scope=wait.scope, at=self._now())
        self._emit(event)

    def tell(self, words: str) -> None:
        self._tell(words)


class Both:
    """A run told to a person and, as events, to programs."""

    def __init__(self, person: Teller, programs: Teller) -> None:
        self._person = person
        self._both = (person, programs)

    def begin(self, total: int) -> None:
        for each in self._both:
            each.begin(total)

    def end(self) -> None:
        for each in self._both:
            each.end()

    def started(self, change: Change) -> None:
        for each in self._both:
            each.started(change)

    def ended(self, change: Change, outcome: Outcome) -> None:
        for each in self._both:
            each.ended(change, outcome)

    def waiting(self, wait: Wait) -> None:
        for each in self._both:
            each.waiting(wait)

    def tell(self, words: str) -> None:
        self._person.tell(words)


def teller(console: Console, *, output: str, emit: Emit | None) -> Teller:
    """Return what suits the output mode, the terminal and whoever takes events."""
    if emit is not None:
        programs = Events(emit, console.tell, lambda: datetime.now(UTC), time.monotonic)
        return programs if output == "json" else Both(_person(console), programs)
    return _person(console)


def _person(console: Console) -> Teller:
    return Bar(console) if console.is_live else Lines(console, time.monotonic)


class Waits:
    """Tells of waits that a person would notice; of those of several changes for one thing once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = ""

    def tell(self, wait: Wait) -> None:
        words = f"waiting until {wait.until.astimezone():%H:%M:%S}: {wait.reason}"
        if wait.seconds >= _NOTICED and words != self._told:
            self._told = words
            self._tell(words)


def _failure(change: Change, outcome: Failed) -> str:
    return f"{change.incident.location}: '{outcome.key}' failed: {outcome.message}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
