"""One apply: from a plan, made or saved, to the count at its end and the exit code."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from importer import __version__
from importer.apply.applier import ApplyResult, Limits
from importer.apply.summary import ApplySummary, missing
from importer.cli.context import CommandContext
from importer.cli.interrupts import Interrupts, handle_signals
from importer.cli.invocation import Invocation
from importer.cli.options import (
    FORMAT,
    AdoptMatchingFlag,
    CommonOptions,
    FullFlag,
    JsonOutPath,
    OutputFormat,
    RateOptions,
    ScopeOptions,
    TextOrJson,
)
from importer.cli.parameters import Argument, Option
from importer.cli.progress import ApplyOutput
from importer.cli.rendering import format_text
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
)
from importer.model.diagnostics import grouped
from importer.model.errors import ExitCode, ImporterError, Refused
from importer.model.wording import first_few, numbered
from importer.plan.agreement import compare_plans
from importer.plan.changes import is_acting, only_keys, without_keys
from importer.plan.planner import exceeded
from importer.plan.preflight import refuse_powerless
from importer.plan.summary import summarise
from importer.plan.unreviewed import refuse_unreviewed
from importer.renderers import events, report
from importer.renderers.outcomes import outcomes
from importer.renderers.view import SHOWN_KEYS
from importer.workflow import Session, carry_out, mark_applied, refuse_stale, remaining_changes


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    paths: Annotated[tuple[Path, ...], Argument(metavar="[PLAN | PATHS]...")]
    reviewed: Annotated[
        Path | None,
        Option("Apply without asking if this saved plan has every change of the new plan.", metavar="PLAN"),
    ]
    auto_approve: Annotated[bool, Option("Skip the approval prompt.")]
    canary: Annotated[bool, Option("Create one incident, show it, and ask before creating the rest.")]
    parallelism: Annotated[
        int,
        Option("Apply up to N changes at the same time.", within=(1, 16), default=8),
    ]
    fail_fast: Annotated[bool, Option("Stop at the first failure.")]
    max_failures: Annotated[int | None, Option("Stop after N failures.", within=(1, None))]
    report: Annotated[Path | None, Option("Write what was not applied to this CSV or JSON file.")]
    scope: ScopeOptions
    adopt_matching: AdoptMatchingFlag
    pace: RateOptions
    max_outage: Annotated[
        float,
        Option(
            "How long an apply that has begun waits for a server that is gone.",
            within=(0, None),
            default=300.0,
            metavar="SECONDS",
        ),
    ]
    json_out: JsonOutPath
    full: FullFlag
    format: Annotated[TextOrJson, FORMAT]
    common: CommonOptions

    @property
    def limits(self) -> Limits:
        return Limits(self.parallelism, 1 if self.fail_fast else self.max_failures)


@dataclass(frozen=True, slots=True)
class ApplyRun:
    """What an apply works with. `plan_hash` is empty unless the plan was saved; `reviewed` is only compared
    with."""

    context: CommandContext
    session: Session
    options: ApplyOptions
    output: ApplyOutput
    interrupts: Interrupts
    plan_hash: str
    reviewed: Plan | None
    invocation: Invocation

    def run(self, plan: Plan) -> int:
        """Show the plan, check that it may be applied, apply it, and return the exit code."""
        if self.plan_hash:
            plan = self._remaining(plan)
        self._show(plan)
        if plan.errored:
            return ExitCode.ERROR
        if self.reviewed:
            self._refuse_unreviewed(self.reviewed, plan)
        self._refuse_too_many(plan)
        refuse_powerless(self.session.account, plan.changes)
        if _acting_keys(plan) and not (self.plan_hash or self.reviewed or self.options.auto_approve):
            if not self._confirmed(_question(plan)):
                self.context.console.info("\nApply cancelled: nothing was written.")
                return ExitCode.INTERRUPTED if self.interrupts.received else ExitCode.ERROR
            refuse_stale(self.session, plan)
        run = self._apply_canary_first(plan) if self.options.canary else self._carry_out(plan)
        try:
            self._conclude(plan, run)
        finally:  # after the counts, which are shown even if the state file cannot be written
            if self.plan_hash:
                mark_applied(self.session, run, self.plan_hash)
        return self._exit_code(plan, run)

    def _remaining(self, plan: Plan) -> Plan:
        refuse_stale(self.session, plan, self.plan_hash)
        left = remaining_changes(self.session, plan, self.plan_hash)
        total = len(_acting_keys(plan))
        done = total - len({each.incident.key for each in left.changes} & {*_acting_keys(plan)})
        if done:
            self.context.console.info(f"An earlier run already made {done} of {numbered(total, 'change')}.")
        return left

    def _show(self, plan: Plan) -> None:
        console = self.context.console
        console.report(plan.diagnostics)
        if self.output.format is OutputFormat.TEXT:
            console.output(format_text(plan, console, full=self.options.full))
        if self.output.emit:
            for event in self._plan_events(plan):
                self.output.emit(event)

    def _plan_events(self, plan: Plan) -> Iterator[str]:
        now = self.session.now
        yield events.version(__version__, at=now())
        for each in grouped(plan.diagnostics):
            yield events.diagnostic(each, at=now())
        for change in () if plan.errored else plan.changes:
            if not isinstance(change, NoOp):
                yield events.planned_change(change, at=now())

    def _refuse_unreviewed(self, reviewed: Plan, plan: Plan) -> None:
        agreement = compare_plans(reviewed, plan)
        refuse_unreviewed(agreement)
        if agreement.gone:
            keys = first_few(agreement.gone, SHOWN_KEYS, ", ")
            self.output.info(f"Reviewed, but not in the new plan: {keys}.")
        if self.output.emit:
            left = len(_acting_keys(plan))
            self.output.emit(events.plan_reviewed(left=left, gone=agreement.gone, at=self.session.now()))

    def _refuse_too_many(self, plan: Plan) -> None:
        summary = summarise(plan)
        too_many = exceeded({"create": summary.create, "update": summary.update}, self.session.settings)
        if too_many:
            raise Refused(
                too_many,
                hint="raise the limit in importer.yaml, or apply fewer changes with --limit N or --only KEY",
                code="safety-limit",
            )

    def _confirmed(self, question: str) -> bool:
        try:
            return self.context.console.confirm(question)
        except KeyboardInterrupt:
            self.interrupts.received = True
            return False

    def _carry_out(self, plan: Plan) -> ApplyResult:
        with handle_signals(self.interrupts), self.output.progress(len(_acting_keys(plan))):
            return carry_out(
                self.session,
                plan,
                limits=self.options.limits,
                observers=self.output.reporters,
                stop=self.interrupts.stop,
                plan_hash=self.plan_hash,
            )

    def _apply_canary_first(self, plan: Plan) -> ApplyResult:
        """Create the oldest incident, read it back, and continue only if that is approved."""
        created = [each.incident.key for each in plan.changes if isinstance(each, Create | Pending)]
        if not created:
            return self._carry_out(plan)
        first = created[0]
        canary, rest = self._carry_out(only_keys(plan, first)), without_keys(plan, frozenset({first}))
        (outcome,) = canary.outcomes
        if canary.stopped or not isinstance(outcome, Applied | Adopted):
            return _joined(canary, _not_attempted(rest, canary.stopped or "the canary was not created"))
        self._show_canary(outcome)
        if not _acting_keys(rest) or self._continues_after_canary():
            return _joined(canary, self._carry_out_rest(rest))
        return _joined(canary, _not_attempted(rest, "the canary was not approved"))

    def _carry_out_rest(self, rest: Plan) -> ApplyResult:
        """Make the changes after the canary. An error before the first of them does not hide the canary's
        outcome."""
        try:
            return self._carry_out(rest)
        except ImporterError as error:
            return replace(_not_attempted(rest, error.summary), error=error)

    def _continues_after_canary(self) -> bool:
        """Ask whether to continue, unless Ctrl-C has answered that already."""
        return not self.interrupts.received and self._confirmed("Does it look right? Continue with the rest?")

    def _show_canary(self, outcome: Applied | Adopted) -> None:
        live = outcome.live
        with handle_signals(self.interrupts), suppress(ImporterError):
            live = self.session.api.incident(live.id) or live
        self.output.info(f"{live.reference} {live.name}\n{live.permalink}")
        self.context.console.report(outcome.warnings)

    def _conclude(self, plan: Plan, run: ApplyResult) -> None:
        console, warnings, summary = self.context.console, _warnings(run), summarise(plan)
        console.report(warnings)
        ending = ApplySummary(
            run.outcomes,
            summary.unchanged,
            summary.blocked,
            run.stopped,
            self._next_command(run),
            plan.scope,
        )
        if self.output.emit:
            for each in warnings:
                self.output.emit(events.diagnostic(each, at=self.session.now()))
            self.output.emit(events.apply_summary(ending, at=self.session.now()))
        if self.output.format is OutputFormat.TEXT or self.output.failure:
            self._print(outcomes(ending, width=console.width, colour=console.out_colour))
        if self.options.report:
            _write_report(self.options.report, plan, run)

    def _print(self, text: str) -> None:
        """Write the counts to stdout, or to stderr if stdout cannot be written."""
        console = self.context.console
        try:
            if not self.output.failure:
                console.output(text)
                return
        except OSError as error:
            self.output.failure = error
        if self.output.failure:
            console.info(text.rstrip())
            console.info(f"Error: the output cannot be written: {self.output.failure.strerror}")

    def _exit_code(self, plan: Plan, run: ApplyResult) -> int:
        """Return the exit code: 1 only if no request that writes was sent."""
        is_whole = all(map(_is_done, run.outcomes)) and not any(map(missing, run.outcomes))
        if self.interrupts.received and not is_whole:
            return ExitCode.INTERRUPTED
        if self.output.failure:
            return self.invocation.exit_code(ExitCode.ERROR)
        if is_whole and not summarise(plan).blocked:
            return ExitCode.DONE
        if run.error and not self.invocation.written.is_set():
            return run.error.exit_code
        return ExitCode.PARTIAL

    def _next_command(self, run: ApplyResult) -> str:
        """Return the command to run next: the same one while changes are left, else a plan to verify that
        none are. A saved plan with failures needs a new plan."""
        common, paths = self.options.common, self.options.paths
        if self.plan_hash and any(isinstance(outcome, Failed) for outcome in run.outcomes):
            return common.command_line("plan", "--out", paths[0])
        if all(map(_is_done, run.outcomes)):
            return common.command_line("plan", *([] if self.plan_hash else paths))
        return shlex.join(["importer", *self.invocation.arguments])


def _write_report(file: Path, plan: Plan, run: ApplyResult) -> None:
    render = report.to_json if file.suffix == ".json" else report.to_csv
    file.write_text(render(run.outcomes, plan.changes), encoding="utf-8")


def _question(plan: Plan) -> str:
    part = ", a part of what the files declare" if plan.scope.left_out else ""
    return f"Do you want to make these changes{part}?"


def _acting_keys(plan: Plan) -> tuple[str, ...]:
    return tuple(each.incident.key for each in plan.changes if is_acting(each))


def _not_attempted(plan: Plan, reason: str) -> ApplyResult:
    outcomes: tuple[Outcome, ...] = tuple(
        NotAttempted(each.incident.key, each.incident.location) for each in plan.changes if is_acting(each)
    )
    return ApplyResult(outcomes, reason)


def _joined(one: ApplyResult, other: ApplyResult) -> ApplyResult:
    return ApplyResult(one.outcomes + other.outcomes, one.stopped or other.stopped, one.error or other.error)


def _warnings(run: ApplyResult) -> list[Diagnostic]:
    done = [each for each in run.outcomes if isinstance(each, Applied | Adopted)]
    warnings = [each for outcome in done for each in outcome.warnings]
    return [*warnings, *(each for outcome in run.outcomes for each in missing(outcome))]


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Applied | Adopted)
