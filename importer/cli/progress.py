"""The progress of an apply: a bar on a terminal, a line every ten seconds in a log, events for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import assert_never

from importer.api.waiting import Pause, Wait
from importer.cli.console import Console
from importer.cli.options import OutputFormat, TextOrJson
from importer.model import Change, Failed, Outcome
from importer.renderers import events
from importer.renderers.values import sanitised

Emit = Callable[[str], None]
"""Takes an event as a line of JSON."""

_INTERVAL = 10.0
"""Seconds between two progress reports."""

_NOTICEABLE = 5.0
"""Seconds; a shorter wait is not reported."""


class ProgressReporter:
    """Follows a run of changes."""

    def begin(self, total: int) -> None:
        """Start a run of `total` changes."""

    def end(self) -> None:
        """Remove what should not stay on the screen."""

    def started(self, change: Change) -> None:
        """Note that a change has started."""

    def ended(self, change: Change, outcome: Outcome) -> None:
        """Note the outcome of a change."""


class _PacedReporter(ProgressReporter):
    """Counts changes, and decides when to report again."""

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
        if now - self._reported < _INTERVAL:
            return False
        self._reported = now
        return True

    def _seconds_left(self) -> float:
        return (self._reported - self._began) / self._done * (self._total - self._done)


class ProgressLines(_PacedReporter):
    """Prints a line every ten seconds, for logs."""

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
    """Shows a bar and the time left, for a terminal. `info` writes above it."""

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

    def info(self, text: str) -> None:
        lines = "\n".join(sanitised(line) for line in text.split("\n"))
        self._terminal.print(lines, markup=False, emoji=False, soft_wrap=True)


class EventStream(_PacedReporter):
    """Passes each event to `emit` as a line of JSON, for programs."""

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

    def waiting(self, notice: Wait | Pause) -> None:
        match notice:
            case Wait(until=until, reason=reason, scope=scope):
                event = events.rate_limited(until=until, reason=reason, scope=scope, at=self._now())
            case Pause(max_seconds=max_seconds, reason=reason):
                event = events.paused(max_seconds=max_seconds, reason=reason, at=self._now())
            case _:
                assert_never(notice)
        self._emit(event)


class WaitNotices:
    """Reports waits that a person would notice, and the same wait of several changes once; every pause is
    reported, as all changes share it."""

    def __init__(self, info: Callable[[str], None]) -> None:
        self._info = info
        self._last = ""

    def waiting(self, notice: Wait | Pause) -> None:
        match notice:
            case Wait():
                self._report_wait(notice)
            case Pause(max_seconds=max_seconds, reason=reason):
                self._info(f"{reason}: all requests are paused for at most {_duration(max_seconds)}")
            case _:
                assert_never(notice)

    def _report_wait(self, wait: Wait) -> None:
        message = f"waiting until {wait.until.astimezone():%H:%M:%S}: {wait.reason}"
        if wait.seconds >= _NOTICEABLE and message != self._last:
            self._last = message
            self._info(message)


@dataclass(slots=True)
class ApplyOutput:
    """Where an apply writes its result, messages, events (None: nobody reads them) and progress. If events
    cannot be written, `failure` says why, and `stop` is set: no other change starts."""

    format: TextOrJson
    info: Callable[[str], None]
    emitters: tuple[Emit, ...]
    stop: Event = field(default_factory=Event)
    reporters: list[ProgressReporter] = field(default_factory=list)
    wait_reporters: list[Callable[[Wait | Pause], None]] = field(default_factory=list)
    failure: OSError | None = None

    @property
    def emit(self) -> Emit | None:
        return self._emit if self.emitters else None

    def _emit(self, event: str) -> None:
        for each in self.emitters:
            try:
                each(event)
            except OSError as error:
                self.failure = self.failure or error
                self.stop.set()

    def waiting(self, notice: Wait | Pause) -> None:
        for report in self.wait_reporters:
            report(notice)

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """Report the progress of a run of `total` changes while the context lasts."""
        for each in self.reporters:
            each.begin(total)
        try:
            yield
        finally:
            for each in self.reporters:
                each.end()


def apply_output(console: Console, output_format: TextOrJson, keep: Emit | None) -> ApplyOutput:
    """Return the output for a format and a terminal; `keep` receives events too."""
    is_json = output_format is OutputFormat.JSON
    emitters = (*([console.output] if is_json else []), *([keep] if keep else []))
    output = ApplyOutput(output_format, console.info, emitters)
    if not is_json:
        reporter = ProgressBar(console) if console.is_live else ProgressLines(console.info, time.monotonic)
        output.info = reporter.info
        output.reporters.append(reporter)
        output.wait_reporters.append(WaitNotices(reporter.info).waiting)
    if output.emit:
        stream = EventStream(output.emit, lambda: datetime.now(UTC), time.monotonic)
        output.reporters.append(stream)
        output.wait_reporters.append(stream.waiting)
    return output


def _failure(change: Change, outcome: Failed) -> str:
    return f"{change.incident.location}: '{outcome.key}' failed: {outcome.message}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
