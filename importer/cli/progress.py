"""The progress of an apply: a bar on a terminal, a line every ten seconds elsewhere, events for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from importer.cli.console import Console
from importer.cli.options import OutputFormat, TextOrJson
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


class ProgressReporter:
    """Watches a run of `begin`'s many changes."""

    def begin(self, total: int) -> None:
        """Begin again with other changes."""

    def end(self) -> None:
        """Clear what is not to stay."""

    def started(self, change: Change) -> None:
        """Note that a change is under way."""

    def ended(self, change: Change, outcome: Outcome) -> None:
        """Note what became of a change."""


class _PacedReporter(ProgressReporter):
    """Counts changes, and knows when ten seconds are over since it last reported."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.begin(0)

    def begin(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began = self._reported = self._monotonic()

    def _advance(self) -> bool:
        """Count one change, and return whether it is time to report."""
        self._done += 1
        now = self._monotonic()
        if now - self._reported < _EVERY:
            return False
        self._reported = now
        return True

    def _seconds_left(self) -> float:
        return (self._reported - self._began) / self._done * (self._total - self._done)


class ProgressLines(_PacedReporter):
    """A line every ten seconds: for logs."""

    def __init__(self, info: Callable[[str], None], monotonic: Callable[[], float]) -> None:
        super().__init__(monotonic)
        self.info = info
        self._failed = 0

    def ended(self, change: Change, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self._failed += 1
            self.info(_failure(change, outcome))
        if self._advance():
            failed = f", {self._failed} failed" if self._failed else ""
            left = _duration(self._seconds_left())
            self.info(f"{self._done} of {self._total} done{failed}; about {left} left")


class ProgressBar(ProgressReporter):
    """A bar with the time that is left: for a terminal. `info` writes above it."""

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

    def begin(self, total: int) -> None:
        self._progress.reset(self._task, total=total)
        self._progress.start()

    def end(self) -> None:
        self._progress.stop()

    def ended(self, change: Change, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self.info(_failure(change, outcome))
        self._progress.advance(self._task)

    def info(self, words: str) -> None:
        lines = "\n".join(sanitised(line) for line in words.split("\n"))
        self._terminal.print(lines, markup=False, emoji=False, soft_wrap=True)


class EventStream(_PacedReporter):
    """A JSON object a line, each given to `emit`: for programs."""

    def __init__(self, emit: Emit, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        super().__init__(monotonic)
        self._emit = emit
        self._now = now

    def started(self, change: Change) -> None:
        self._emit(events.apply_start(change, at=self._now()))

    def ended(self, change: Change, outcome: Outcome) -> None:  # noqa: ARG002 - the event is about the outcome
        self._emit(events.ended(outcome, at=self._now()))
        if self._advance():
            left = round(self._seconds_left())
            event = events.apply_progress(
                done=self._done, total=self._total, seconds_left=left, at=self._now()
            )
            self._emit(event)

    def waiting(self, wait: Wait) -> None:
        event = events.rate_limited(until=wait.until, reason=wait.reason, scope=wait.scope, at=self._now())
        self._emit(event)


class WaitNotices:
    """Reports waits that a person would notice; those of several changes for one thing once."""

    def __init__(self, info: Callable[[str], None]) -> None:
        self._info = info
        self._last = ""

    def waiting(self, wait: Wait) -> None:
        words = f"waiting until {wait.until.astimezone():%H:%M:%S}: {wait.reason}"
        if wait.seconds >= _NOTICED and words != self._last:
            self._last = words
            self._info(words)


@dataclass(frozen=True, slots=True)
class ApplyOutput:
    """Where an apply writes: the format of stdout, words for a person, events (None: nobody takes them), and
    who reports its progress."""

    format: TextOrJson
    info: Callable[[str], None]
    emit: Emit | None
    reporters: tuple[ProgressReporter, ...]
    notices: tuple[Callable[[Wait], None], ...]

    def waiting(self, wait: Wait) -> None:
        for notice in self.notices:
            notice(wait)

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """Report the progress of a run of so many changes while this lasts."""
        for each in self.reporters:
            each.begin(total)
        try:
            yield
        finally:
            for each in self.reporters:
                each.end()


def apply_output(console: Console, output_format: TextOrJson, keep: Emit | None) -> ApplyOutput:
    """Return what suits the output format and the terminal; `keep` takes events too."""
    info: Callable[[str], None] = console.info
    reporters: list[ProgressReporter] = []
    notices: list[Callable[[Wait], None]] = []
    emitters = [keep] if keep else []
    if output_format is OutputFormat.JSON:
        emitters.insert(0, console.output)
    else:
        person = ProgressBar(console) if console.is_live else ProgressLines(info, time.monotonic)
        info = person.info
        reporters.append(person)
        notices.append(WaitNotices(info).waiting)

    def emit(event: str) -> None:
        for each in emitters:
            each(event)

    if emitters:
        stream = EventStream(emit, lambda: datetime.now(UTC), time.monotonic)
        reporters.append(stream)
        notices.append(stream.waiting)
    return ApplyOutput(output_format, info, emit if emitters else None, tuple(reporters), tuple(notices))


def _failure(change: Change, outcome: Failed) -> str:
    return f"{change.incident.location}: '{outcome.key}' failed: {outcome.message}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
