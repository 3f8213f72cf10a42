"""Plan -> outcomes: changes start oldest first, a few at a time, until all are done or the run is stopped.

It reads only the plan: what was reviewed is what is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from importer.apply.completion import RunEnded
from importer.apply.execution import Execution
from importer.model import Change, Failed, NotAttempted, Outcome, Plan, Unknown
from importer.model.errors import ImporterError, Interrupted
from importer.model.wording import numbered
from importer.plan.changes import is_acting

_SAME_CAUSE = 3
"""After this many refusals with one code and no success, the cause is not in the incidents."""


class Observer(Protocol):
    """Watches a run; called from one thread."""

    def started(self, change: Change) -> None: ...
    def ended(self, change: Change, outcome: Outcome) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How many changes to apply at once, and after how many failures to stop, if ever."""

    parallelism: int = 8
    max_failures: int | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The outcomes in the plan's order, and why the run ended early, if it did."""

    outcomes: tuple[Outcome, ...]
    stopped: str = ""
    error: ImporterError | None = None


def apply(
    plan: Plan, execution: Execution, *, limits: Limits, observers: Sequence[Observer], stop: Event
) -> ApplyResult:
    """Carry out a plan: first the missing options, then the changes. Once `stop` is set, changes in flight
    finish and no more are started."""
    scheduler = Scheduler(execution, limits, observers, stop)
    try:
        execution.create_options(plan, stop)
    except ImporterError as error:
        scheduler.end(error)
    else:
        scheduler.run(plan.changes)
    outcomes = tuple(
        scheduler.outcomes.get(change.incident.key)
        or NotAttempted(change.incident.key, change.incident.location)
        for change in plan.changes
        if is_acting(change)
    )
    return ApplyResult(outcomes, scheduler.reason, scheduler.error)


@dataclass(slots=True)
class Scheduler:
    """Starts changes and collects their outcomes by key. `reason` and `error` say why the run ended early."""

    execution: Execution
    limits: Limits
    observers: Sequence[Observer]
    stop: Event
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    reason: str = ""
    error: ImporterError | None = None
    _failures: int = 0
    _in_a_row: int = 0
    _last_code: str = ""
    _succeeded: bool = False

    def run(self, changes: tuple[Change, ...]) -> None:
        running: dict[Future[Outcome | None], Change] = {}
        with ThreadPoolExecutor(max_workers=self.limits.parallelism) as pool:
            for change in changes:
                if len(running) == self.limits.parallelism:
                    self._collect(running)
                if self.stop.is_set():
                    break
                if not is_acting(change):
                    self._note_unchanged(change)
                    continue
                for each in self.observers:
                    each.started(change)
                running[pool.submit(self.execution.carry_out, change)] = change
            while running:
                self._collect(running)

    def _note_unchanged(self, change: Change) -> None:
        try:
            self.execution.carry_out(change)
        except RunEnded as ended:
            self.end(ended.error)

    def end(self, error: ImporterError) -> None:
        """Start nothing more, because of an error that concerns the whole run. Ctrl-C has its own words."""
        if not isinstance(error, Interrupted):
            self.error = self.error or error
            self._stop(f"{error.summary}; the rest was not attempted")

    def _collect(self, running: dict[Future[Outcome | None], Change]) -> None:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            change = running.pop(future)
            outcome = self._outcome(change, future)
            self.outcomes[change.incident.key] = outcome
            self._count(outcome)
            for each in self.observers:
                each.ended(change, outcome)

    def _outcome(self, change: Change, future: Future[Outcome | None]) -> Outcome:
        """Return the outcome of a change; an error that affects the whole run stops it."""
        try:
            return future.result() or NotAttempted(change.incident.key, change.incident.location)
        except RunEnded as ended:
            self.end(ended.error)
            return ended.outcome

    def _count(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Failed):
            self._succeeded = self._succeeded or not isinstance(outcome, Unknown | NotAttempted)
            self._in_a_row = 0
            return
        self._failures += 1
        self._in_a_row = self._in_a_row + 1 if outcome.code == self._last_code else 1
        self._last_code = outcome.code
        if not self._succeeded and self._in_a_row >= _SAME_CAUSE:
            self._stop(f"{self._in_a_row} in a row were refused for the same reason: {outcome.message}")
        if self.limits.max_failures is not None and self._failures >= self.limits.max_failures:
            failures = numbered(self._failures, "failure")
            self._stop(f"{failures}, the limit set with --max-failures or --fail-fast")

    def _stop(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.stop.set()
