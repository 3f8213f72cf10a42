"""One apply, from a plan that was made or read to the count at its end, and the exit code."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from importer import __version__
from importer.apply.applier import ApplyResult, Limits
from importer.apply.summary import ApplySummary
from importer.cli.interrupts import Interrupts, heeded
from importer.cli.progress import Emit, Teller
from importer.cli.rendering import as_text
from importer.cli.session import Desk
from importer.model import (
    Adopted,
    Applied,
    Create,
    Diagnostic,
    Failed,
    NoOp,
    NotAttempted,
    Outcome,
    Pending,
    Plan,
    Scope,
    Unknown,
)
from importer.model.diagnostics import grouped
from importer.model.errors import AuthenticationFailed, ExitCode, Refused
from importer.plan.changes import is_acting, only_keys, without_keys
from importer.plan.planner import exceeded
from importer.plan.summary import summarise
from importer.renderers import events, report
from importer.renderers.outcomes import outcomes
from importer.workflow import Session, carry_out, mark_applied, refuse_stale, remaining_changes


@dataclass(frozen=True, slots=True)
class Wishes:
    """What apply's own options say; `words` is the whole command line."""

    words: list[str]
    paths: tuple[Path, ...]
    only: tuple[str, ...]
    limit: int | None
    rate: str | None
    max_wait: float
    auto_approve: bool
    canary: bool
    parallelism: int
    fail_fast: bool
    full: bool
    max_failures: int | None
    report: Path | None
    json_out: Path | None

    @property
    def scope(self) -> Scope:
        return Scope(self.only, self.limit)

    @property
    def limits(self) -> Limits:
        return Limits(self.parallelism, 1 if self.fail_fast else self.max_failures)


@dataclass(frozen=True, slots=True)
class Voices:
    """How an apply speaks: stdout's format, who watches, and who takes events (None: nobody)."""

    output: str
    teller: Teller
    emit: Emit | None


@dataclass(frozen=True, slots=True)
class Application:
    """What an apply works with. `plan_hash` is that of a saved plan; empty: the plan was made just now."""

    desk: Desk
    session: Session
    wishes: Wishes
    voices: Voices
    interrupts: Interrupts
    plan_hash: str

    def run(self, plan: Plan) -> int:
        """Show the plan, see that it may be carried out, do it, and return the exit code."""
        if self.plan_hash:
            plan = self._still_to_do(plan)
        self._show(plan)
        if plan.errored:
            return ExitCode.ERROR
        self._refuse_too_many(plan)
        if _acting(plan) and not (self.plan_hash or self.wishes.auto_approve):
            if not self._approved("Do you want to make these changes?"):
                self.desk.console.tell("\nApply cancelled: nothing was written.")
                return ExitCode.INTERRUPTED if self.interrupts.came else ExitCode.ERROR
            refuse_stale(self.session, plan)
        run = self._in_two(plan) if self.wishes.canary else self._carry_out(plan)
        if self.plan_hash:
            mark_applied(self.session, run, self.plan_hash)
        self._conclude(plan, run)
        return _exit_code(plan, run, interrupted=self.interrupts.came)

    def _still_to_do(self, plan: Plan) -> Plan:
        refuse_stale(self.session, plan, self.plan_hash)
        left = remaining_changes(self.session, plan, self.plan_hash)
        made = len(_acting(plan)) - len(_acting(left))
        if made:
            self.desk.console.tell(f"An earlier run made {made} of the {len(_acting(plan))} changes already.")
        return left

    def _show(self, plan: Plan) -> None:
        console = self.desk.console
        console.complain(plan.diagnostics)
        if self.voices.output != "json":
            console.result(as_text(plan, console, full=self.wishes.full))
        if self.voices.emit:
            for event in self._planned(plan):
                self.voices.emit(event)

    def _planned(self, plan: Plan) -> Iterator[str]:
        now = self.session.now
        yield events.version(__version__, at=now())
        for each in grouped(plan.diagnostics):
            yield events.diagnostic(each, at=now())
        for change in plan.changes:
            if not isinstance(change, NoOp):
                yield events.planned_change(change, at=now())

    def _refuse_too_many(self, plan: Plan) -> None:
        summary = summarise(plan)
        too_many = exceeded({"create": summary.create, "update": summary.update}, self.session.settings)
        if too_many:
            raise Refused(
                too_many,
                hint="raise the limit in importer.yaml, or apply a part with --limit N or --only KEY",
                code="safety-limit",
            )

    def _approved(self, question: str) -> bool:
        try:
            return self.desk.console.approves(question)
        except KeyboardInterrupt:
            self.interrupts.came = True
            return False

    def _carry_out(self, plan: Plan) -> ApplyResult:
        with heeded(self.interrupts):
            self.voices.teller.begin(len(_acting(plan)))
            try:
                return carry_out(
                    self.session,
                    plan,
                    limits=self.wishes.limits,
                    observer=self.voices.teller,
                    stop=self.interrupts.stop,
                    plan_hash=self.plan_hash,
                )
            finally:
                self.voices.teller.end()

    def _in_two(self, plan: Plan) -> ApplyResult:
        """Create the oldest incident alone, read it back, and go on only if a person likes what they see."""
        created = [each.incident.key for each in plan.changes if isinstance(each, Create | Pending)]
        if not created:
            return self._carry_out(plan)
        first = created[0]
        canary, rest = self._carry_out(only_keys(plan, first)), without_keys(plan, frozenset({first}))
        (outcome,) = canary.outcomes
        if not isinstance(outcome, Applied | Adopted):
            return _joined(canary, _not_attempted(rest, canary.stopped or "the canary was not made"))
        self._show_canary(outcome)
        if not _acting(rest) or self._goes_on():
            return _joined(canary, self._carry_out(rest))
        return _joined(canary, _not_attempted(rest, "the canary was not approved"))

    def _goes_on(self) -> bool:
        """Ask about the canary, unless Ctrl-C while it was made has answered that."""
        return not self.interrupts.came and self._approved("Does it look right? Go on with the rest?")

    def _show_canary(self, outcome: Applied | Adopted) -> None:
        live = self.session.api.incident(outcome.live.id) or outcome.live
        self.voices.teller.tell(f"{live.reference} {live.name}\n{live.permalink}")
        self.desk.console.complain(outcome.warnings)

    def _conclude(self, plan: Plan, run: ApplyResult) -> None:
        console, warnings, summary = self.desk.console, _warnings(run), summarise(plan)
        console.complain(warnings)
        ending = ApplySummary(
            run.outcomes, summary.unchanged, summary.blocked, run.stopped, self._next_command(run)
        )
        if self.voices.emit:
            for each in warnings:
                self.voices.emit(events.diagnostic(each, at=self.session.now()))
            self.voices.emit(events.apply_summary(ending, at=self.session.now()))
        if self.voices.output != "json":
            console.result(outcomes(ending, width=console.width, colour=console.out_colour))
        if self.wishes.report:
            render = report.to_json if self.wishes.report.suffix == ".json" else report.to_csv
            self.wishes.report.write_text(render(run.outcomes), encoding="utf-8")

    def _next_command(self, run: ApplyResult) -> str:
        """Return what to run now: the same again while something is left, else a plan to see that nothing is.
        What a saved plan was refused for can only be corrected in another plan."""
        common, paths = self.desk.common, self.wishes.paths
        if self.plan_hash and any(isinstance(outcome, Failed) for outcome in run.outcomes):
            return common.again("plan", "--out", paths[0])
        if all(map(_is_done, run.outcomes)):
            return common.again("plan", *([] if self.plan_hash else paths))
        return shlex.join(["importer", *self.wishes.words])


def _acting(plan: Plan) -> tuple[str, ...]:
    return tuple(each.incident.key for each in plan.changes if is_acting(each))


def _not_attempted(plan: Plan, reason: str) -> ApplyResult:
    outcomes: tuple[Outcome, ...] = tuple(
        NotAttempted(each.incident.key, each.incident.location) for each in plan.changes if is_acting(each)
    )
    return ApplyResult(outcomes, reason)


def _joined(one: ApplyResult, other: ApplyResult) -> ApplyResult:
    return ApplyResult(one.outcomes + other.outcomes, one.stopped or other.stopped, one.error or other.error)


def _warnings(run: ApplyResult) -> list[Diagnostic]:
    done = [outcome for outcome in run.outcomes if isinstance(outcome, Applied | Adopted)]
    return [each for outcome in done for each in outcome.warnings]


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Applied | Adopted)


def _exit_code(plan: Plan, run: ApplyResult, *, interrupted: bool) -> int:
    done = sum(map(_is_done, run.outcomes))
    if interrupted and done < len(run.outcomes):
        return ExitCode.INTERRUPTED
    doubtful = any(isinstance(outcome, Unknown) for outcome in run.outcomes)
    if isinstance(run.error, AuthenticationFailed) and not done and not doubtful:
        return ExitCode.ERROR
    if done < len(run.outcomes) or summarise(plan).blocked:
        return ExitCode.PARTIAL
    return ExitCode.DONE
