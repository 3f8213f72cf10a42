"""`importer plan`: files and the account in, what apply would do out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from importer.cli import github_output, options, outputs, rejects
from importer.cli.options import Common, shown_places, taken
from importer.cli.rendering import rendered
from importer.cli.session import Desk, open_desk, reading
from importer.model import Plan, Scope
from importer.model.diagnostics import grouped
from importer.model.errors import ExitCode, ImporterError, UsageError
from importer.model.settings import parse_rate
from importer.plan import file as planfile
from importer.plan.summary import summarise
from importer.workflow import load_declared, make_plan


@dataclass(frozen=True, slots=True)
class Wishes:
    """What plan's own options say."""

    paths: tuple[Path, ...]
    only: tuple[str, ...]
    limit: int | None
    rate: str | None
    max_wait: float
    out: Path | None
    json_out: Path | None
    rejects: Path | None
    detailed_exitcode: bool
    drift_only: bool

    @property
    def scope(self) -> Scope:
        return Scope(self.only, self.limit, drift_only=self.drift_only)


@click.command("plan")
@options.paths
@options.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file, for apply.")
@options.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@options.option(
    "--drift-only",
    is_flag=True,
    help="Report what was edited in incident.io, and nothing else. Exit with 2 where there is any.",
)
@options.only
@options.limit
@options.every_place
@options.rejects
@options.rate
@options.max_wait
@options.json_out
@options.plan_form
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Show what apply would do: creations, edits, and what cannot be done.

    Never writes to the account: a read-only API key is enough. PATHS are files or folders; without them
    importer.yaml names the sources, or this folder is read.
    """
    wishes, desk, places = taken(Wishes, context), open_desk(taken(Common, context)), shown_places(context)
    if wishes.drift_only and wishes.out:
        raise UsageError("--drift-only makes no plan to save", hint="--json-out keeps the report")
    outputs.check(wishes.out, wishes.json_out)
    rejects.check(wishes.rejects)
    made = _make(desk, wishes, places)
    console = desk.console
    console.complain(made.diagnostics, places=places)
    if wishes.json_out:
        planfile.write(made, wishes.json_out)
    console.result(rendered(made, context, console, desk.settings.root))
    github_output.tell(made, wishes.out)
    if made.errored:
        return ExitCode.ERROR
    if wishes.out:
        planfile.write(made, wishes.out)
        how = desk.common.again("apply", wishes.out)
        console.tell(f"\nSaved the plan to {wishes.out}. To do exactly this: {how}")
    changed = summarise(made).has_changes
    asked = wishes.detailed_exitcode or wishes.drift_only
    return ExitCode.CHANGES if asked and changed else ExitCode.DONE


def _make(desk: Desk, wishes: Wishes, places: int | None) -> Plan:
    """Load the files and compare them with the account; what is wrong with the files is told also where
    the account cannot be reached. The problems of the plan have so many places (None: all)."""
    ceiling = parse_rate(wishes.rate) if wishes.rate else None
    loaded = load_declared(desk.settings, wishes.paths, now=datetime.now(UTC))
    try:
        rejects.write(loaded, wishes.rejects)
        with reading(desk, rate=ceiling, max_wait=wishes.max_wait) as session:
            made = make_plan(session, loaded, wishes.scope)
    except ImporterError:
        desk.console.complain(loaded.diagnostics, places=places)
        raise
    return replace(made, diagnostics=grouped(made.diagnostics, places))
