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
from importer.model import Change, Entity, Failed, NewOption, NotAttempted, Outcome, Plan, Unknown
from importer.model.errors import ImporterError, Interrupted, NoAnswer
from importer.model.steps import CreateOption
from importer.model.wording import numbered
from importer.plan.changes import is_acting
from importer.plan.steps import option_steps
from importer.wire.requests import Request, request

_SAME_CAUSE = 3
"""After this many refusals with one code and no success, the cause is not in the incidents."""


class OptionWriter(Protocol):
    """What creating missing options requires of the account."""

    def options(self, custom_field_id: str) -> tuple[Entity, ...]: ...
    def create_option(self, step: CreateOption, request: Request, /) -> Entity: ...


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
    """Carry out a plan. Once `stop` is set, changes in flight finish and no more are started."""
    scheduler = Scheduler(execution, limits, observers, stop)
    scheduler.work(plan.changes)
    outcomes = tuple(
        scheduler.outcomes.get(change.incident.key)
        or NotAttempted(change.incident.key, change.incident.location)
        for change in plan.changes
        if is_acting(change)
    )
    return ApplyResult(outcomes, scheduler.reason, scheduler.error)


def create_options(plan: Plan, api: OptionWriter) -> dict[NewOption, Entity]:
    """Create the select options that the plan needs and the account lacks, and return all of them."""
    created: dict[NewOption, Entity] = {}
    known: dict[str, dict[str, Entity]] = {}
    for step in option_steps(plan.changes):
        option, field_id = step.option, step.option.custom_field.id
        if field_id not in known:
            known[field_id] = {each.name: each for each in api.options(field_id)}
        created[option] = known[field_id].get(option.name) or _create_option(step, api)
    return created


def _create_option(step: CreateOption, api: OptionWriter) -> Entity:
    """Create an option. It is not journaled: the server refuses a second one of the same name, and the list
    shows whether the first was created."""
    option = step.option
    try:
        return api.create_option(step, request(step))
    except NoAnswer:
        for each in api.options(option.custom_field.id):
            if each.name == option.name:
                return each
        raise


@dataclass(slots=True)
class Scheduler:
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

    def work(self, changes: tuple[Change, ...]) -> None:
        running: dict[Future[Outcome | None], Change] = {}
        with ThreadPoolExecutor(max_workers=self.limits.parallelism) as pool:
            for change in changes:
                if not is_acting(change):
                    self.execution.carry_out(change)
                    continue
                if len(running) == self.limits.parallelism:
                    self._collect(running)
                if self.stop.is_set():
                    break
                for each in self.observers:
                    each.started(change)
                running[pool.submit(self.execution.carry_out, change)] = change
            while running:
                self._collect(running)

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
            if not isinstance(ended.error, Interrupted):  # it has its own words
                self.error = self.error or ended.error
                self._stop(f"{ended.error.summary}; the rest was not attempted")
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
