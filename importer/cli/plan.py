"""`importer plan`: files and the account in, what apply would do out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from importer import planfile
from importer.cli import options, outputs
from importer.cli.options import Common, chosen_format, taken
from importer.cli.session import Desk, open_desk, reading
from importer.config import parse_rate
from importer.errors import ExitCode, ImporterError
from importer.model import Plan
from importer.renderers import text, view
from importer.workflow import Selection, declare, plan


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
    detailed_exitcode: bool


@click.command("plan")
@options.paths
@options.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file, for apply.")
@options.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@options.only
@options.limit
@options.rate
@options.max_wait
@options.json_out
@options.output_format("text", "json")
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Show what apply would do: creations, edits, and what cannot be done.

    Never writes to the account: a read-only API key is enough. PATHS are files or folders; without them
    importer.yaml names the sources, or this folder is read.
    """
    wishes, desk = taken(Wishes, context), open_desk(taken(Common, context))
    outputs.check(wishes.out, wishes.json_out)
    made = _make(desk, wishes)
    console = desk.console
    console.complain(made.diagnostics)
    if wishes.json_out:
        planfile.write(made, wishes.json_out)
    if chosen_format(context) == "json":
        console.result(planfile.text(made))
    else:
        console.result(text.plan(made, width=console.width, colour=console.out_colour))
    if made.errored:
        return ExitCode.ERROR
    if wishes.out:
        planfile.write(made, wishes.out)
        how = desk.common.again("apply", wishes.out)
        console.tell(f"\nSaved the plan to {wishes.out}. To do exactly this: {how}")
    changed = view.summarise(made).has_changes
    return ExitCode.CHANGES if wishes.detailed_exitcode and changed else ExitCode.DONE


def _make(desk: Desk, wishes: Wishes) -> Plan:
    """Load the files and compare them with the account; what is wrong with the files is told also where
    the account cannot be reached."""
    ceiling = parse_rate(wishes.rate) if wishes.rate else None
    loaded = declare(desk.settings, wishes.paths, now=datetime.now(UTC))
    try:
        with reading(desk, rate=ceiling, max_wait=wishes.max_wait) as session:
            return plan(session, loaded, Selection(wishes.only, wishes.limit))
    except ImporterError:
        desk.console.complain(loaded.diagnostics)
        raise
