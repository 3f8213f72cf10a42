"""`importer apply`: a saved plan, or files and an approval, in; a changed account and a count out."""

from __future__ import annotations

from datetime import UTC, datetime

from importer.cli.apply_run import ApplyOptions, ApplyRun
from importer.cli.console import can_ask
from importer.cli.context import CommandContext, open_context
from importer.cli.interrupts import Interrupts
from importer.cli.invocation import current_invocation
from importer.cli.options import OutputFormat
from importer.cli.outputs import check_outputs, open_lines
from importer.cli.parameters import ACCOUNT_VARIABLES, define_command
from importer.cli.progress import ApplyOutput, apply_output
from importer.cli.session import open_write_session
from importer.model import Plan, Scope
from importer.model.errors import UsageError
from importer.plan import file as planfile
from importer.plan.file import SavedPlan
from importer.workflow import load_declared, make_plan


@define_command(
    "apply",
    ApplyOptions,
    examples=("importer apply plan.json", "importer apply --canary --report failed.csv"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: ApplyOptions) -> int:
    """Apply changes so that the account matches the files.

    With a PLAN that `plan --out` saved, apply does exactly what was reviewed. Otherwise it plans PATHS, or
    the sources in importer.yaml, shows the plan and asks for approval: only `yes` approves. With --reviewed
    it does not ask, and refuses any change that the saved plan does not have. After an interruption, run the
    same command again to continue.
    """
    output_format = options.format
    _require_files(options)
    saved = _saved(options)
    reviewed = planfile.read_plan(options.reviewed).plan if options.reviewed else None
    _require_approval(
        options, is_json=output_format is OutputFormat.JSON, is_approved=bool(saved or reviewed)
    )
    check_outputs(options.report, options.json_out)
    context = open_context(options.common, adopt_matching=options.adopt_matching)
    with open_lines(options.json_out) as keep:
        return _apply(context, options, saved, reviewed, apply_output(context.console, output_format, keep))


def _apply(
    context: CommandContext,
    options: ApplyOptions,
    saved: SavedPlan | None,
    reviewed: Plan | None,
    output: ApplyOutput,
) -> int:
    """Apply the saved plan, or make a plan and apply it."""
    interrupts, invocation = Interrupts(output.info), current_invocation()
    output.stop = interrupts.stop
    with open_write_session(
        context,
        rate=options.pace.ceiling,
        max_wait=options.pace.max_wait,
        max_outage=options.max_outage,
        stop=interrupts.stop,
        written=invocation.written,
        notify=output.waiting,
    ) as session:
        if saved:
            chosen, plan_hash = saved.plan, saved.plan_hash
        else:
            loaded = load_declared(context.settings, options.paths, now=datetime.now(UTC))
            chosen, plan_hash = make_plan(session, loaded, options.scope.scope()), ""
        run = ApplyRun(context, session, options, output, interrupts, plan_hash, reviewed, invocation)
        return run.run(chosen)


def _require_files(options: ApplyOptions) -> None:
    for path in options.paths:
        if not path.exists():
            raise UsageError(f"there is no file or folder `{path}`", hint="check the path")


def _saved(options: ApplyOptions) -> SavedPlan | None:
    """Return the saved plan, if the command line names one."""
    if not any(planfile.is_plan(path) for path in options.paths):
        return None
    if len(options.paths) > 1 or options.scope.scope() != Scope():
        raise UsageError(
            "a saved plan cannot be combined with other paths, --only or --limit",
            hint="apply the plan alone, or make a new plan",
        )
    if options.reviewed:
        raise UsageError(
            "a saved plan cannot be combined with --reviewed, which plans the files anew",
            hint=f"leave out {options.paths[0]}, or --reviewed",
        )
    return planfile.read_plan(options.paths[0])


def _require_approval(options: ApplyOptions, *, is_json: bool, is_approved: bool) -> None:
    """Raise UsageError if nobody can be asked: now, rather than after minutes of planning."""
    asks = options.canary or not (is_approved or options.auto_approve)
    if asks and is_json:
        raise UsageError(
            "--json cannot ask for approval",
            hint="apply a saved plan, or add --reviewed or --auto-approve, without --canary",
        )
    if asks and not can_ask():
        raise UsageError(
            "cannot ask for approval without a terminal",
            hint="leave out --canary, which asks for approval after one incident"
            if options.canary
            else "apply a saved plan, or add --reviewed or --auto-approve",
        )
