"""`importer plan`: files and the account in, what apply would do out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from importer.cli.context import CommandContext, open_context
from importer.cli.github_output import write_step_outputs
from importer.cli.options import (
    AdoptMatchingFlag,
    CommonOptions,
    EveryPlace,
    JsonOutPath,
    Paths,
    PlanOutputOptions,
    RateOptions,
    RejectsPath,
    ScopeOptions,
    shown_places,
)
from importer.cli.outputs import check_outputs
from importer.cli.parameters import ACCOUNT_VARIABLES, Option, define_command
from importer.cli.rejects import check_rejects_file, write_rejects
from importer.cli.rendering import format_plan
from importer.cli.session import open_read_session
from importer.model import Plan
from importer.model.diagnostics import grouped
from importer.model.errors import ExitCode, ImporterError, UsageError
from importer.plan import file as planfile
from importer.plan.summary import summarise
from importer.workflow import load_declared, make_plan


@dataclass(frozen=True, slots=True)
class PlanOptions:
    paths: Paths
    out: Annotated[Path | None, Option("Save the plan to this file, for apply.")]
    detailed_exitcode: Annotated[bool, Option("Exit with 2 if there are changes.")]
    drift_only: Annotated[
        bool,
        Option("Report edits made in incident.io, and nothing else. Exit with 2 if there are any."),
    ]
    scope: ScopeOptions
    adopt_matching: AdoptMatchingFlag
    every_place: EveryPlace
    rejects: RejectsPath
    pace: RateOptions
    json_out: JsonOutPath
    output: PlanOutputOptions
    common: CommonOptions


@define_command(
    "plan",
    PlanOptions,
    examples=("importer plan --out plan.json", "importer plan incidents/2023.yaml --only 'JIRA-*'"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: PlanOptions) -> int:
    """Show what apply would do. Never writes to the account.

    PATHS are files or folders; without them, the sources in importer.yaml are read, or else the current
    folder. A read-only API key is enough.
    """
    context = open_context(options.common, adopt_matching=options.adopt_matching)
    places = shown_places(options.every_place)
    if options.drift_only and options.out:
        raise UsageError(
            "--drift-only makes a report, which cannot be saved as a plan",
            hint="use --json-out to save the report",
        )
    check_outputs(options.out, options.json_out)
    check_rejects_file(options.rejects)
    plan = _make_plan(context, options, places)
    console = context.console
    console.report(plan.diagnostics, places=places)
    if options.json_out:
        planfile.write_plan(plan, options.json_out)
    console.output(format_plan(plan, options.output, console, context.settings.root))
    write_step_outputs(plan, options.out)
    if plan.errored:
        return ExitCode.ERROR
    if options.out:
        planfile.write_plan(plan, options.out)
        apply = options.common.command_line("apply", options.out)
        console.info(f"\nSaved the plan to {options.out}. To apply exactly this plan: {apply}")
    signals_changes = options.detailed_exitcode or options.drift_only
    return ExitCode.CHANGES if signals_changes and summarise(plan).has_changes else ExitCode.DONE


def _make_plan(context: CommandContext, options: PlanOptions, places: int | None) -> Plan:
    """Load the files and compare them with the account. Problems in the files are reported even if the
    account cannot be reached. Each problem of the plan has at most `places` locations (None: all)."""
    rate, scope = options.pace.ceiling, options.scope.scope(drift_only=options.drift_only)
    loaded = load_declared(context.settings, options.paths, now=datetime.now(UTC))
    try:
        write_rejects(loaded, options.rejects)
        with open_read_session(context, rate=rate, max_wait=options.pace.max_wait) as session:
            plan = make_plan(session, loaded, scope)
    except ImporterError:
        context.console.report(loaded.diagnostics, places=places)
        raise
    return replace(plan, diagnostics=grouped(plan.diagnostics, places))
