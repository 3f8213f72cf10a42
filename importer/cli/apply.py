"""`importer apply`: a saved plan, or files and an approval, in; the account changed and a count out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from importer.cli import options, outputs
from importer.cli.application import Application, Voices, Wishes
from importer.cli.console import can_ask
from importer.cli.interrupts import Interrupts
from importer.cli.options import Common, chosen_format, taken
from importer.cli.progress import Emit, teller
from importer.cli.session import Desk, open_desk, writing
from importer.model import Scope
from importer.model.errors import UsageError
from importer.model.settings import parse_rate
from importer.plan import file as planfile
from importer.plan.file import SavedPlan
from importer.workflow import load_declared, make_plan


@click.command("apply")
@options.argument("paths", nargs=-1, metavar="[PLAN | PATHS]...", type=click.Path(path_type=Path))
@options.option("--auto-approve", is_flag=True, help="Do not ask.")
@options.option("--canary", is_flag=True, help="Create one incident, show it, and ask before the rest.")
@options.option(
    "--parallelism", type=click.IntRange(1, 16), default=8, help="Changes in flight. [default: 8]"
)
@options.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@options.option("--max-failures", type=click.IntRange(min=1), help="Stop after so many failures.")
@options.option(
    "--report", type=click.Path(path_type=Path), help="Write what failed to this CSV or JSON file."
)
@options.only
@options.limit
@options.rate
@options.max_wait
@options.json_out
@options.full
@options.output_format("text", "json")
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Make the account what the files say.

    With a PLAN that `plan --out` saved, does exactly what was reviewed. With PATHS, or nothing, plans, shows
    the plan and asks; only `yes` is approval. The same command again goes on where it ended.
    """
    wishes, output = taken(Wishes, context), chosen_format(context)
    _require_files(wishes)
    saved = _saved(wishes)
    _require_approval(wishes, output=output, is_saved=saved is not None)
    outputs.check(wishes.report, wishes.json_out)
    desk = open_desk(taken(Common, context))
    with outputs.lines_to(wishes.json_out) as keep:
        emit = _to_all(desk.console.result if output == "json" else None, keep)
        voices = Voices(output, teller(desk.console, output=output, emit=emit), emit)
        return _apply(desk, wishes, saved, voices)


def _apply(desk: Desk, wishes: Wishes, saved: SavedPlan | None, voices: Voices) -> int:
    """Carry out the saved plan, or one that is made now."""
    ceiling = parse_rate(wishes.rate) if wishes.rate else None
    interrupts = Interrupts(voices.teller.tell)
    with writing(
        desk, rate=ceiling, max_wait=wishes.max_wait, stop=interrupts.stop, notify=voices.teller.waiting
    ) as session:
        if saved:
            chosen, plan_hash = saved.plan, saved.plan_hash
        else:
            loaded = load_declared(desk.settings, wishes.paths, now=datetime.now(UTC))
            chosen, plan_hash = make_plan(session, loaded, wishes.scope), ""
        return Application(desk, session, wishes, voices, interrupts, plan_hash).run(chosen)


def _to_all(*takers: Emit | None) -> Emit | None:
    """Return what gives an event to all who take events, if anybody does."""
    every = [each for each in takers if each]

    def emit(event: str) -> None:
        for each in every:
            each(event)

    return emit if every else None


def _require_files(wishes: Wishes) -> None:
    for path in wishes.paths:
        if not path.exists():
            raise UsageError(f"there is no file or folder {path}", hint="check the path")


def _saved(wishes: Wishes) -> SavedPlan | None:
    """Return the saved plan, where that is what was given."""
    if not any(planfile.is_plan(path) for path in wishes.paths):
        return None
    if len(wishes.paths) > 1 or wishes.scope != Scope():
        raise UsageError(
            "a saved plan is applied alone and as it was reviewed",
            hint="leave out the other paths, --only and --limit, or make another plan",
        )
    return planfile.read(wishes.paths[0])


def _require_approval(wishes: Wishes, *, output: str, is_saved: bool) -> None:
    """See at once that somebody can be asked, rather than after minutes of planning."""
    asks = wishes.canary or not (is_saved or wishes.auto_approve)
    if asks and output == "json":
        raise UsageError(
            "--json cannot ask", hint="apply a saved plan, or add --auto-approve, without --canary"
        )
    if asks and not can_ask():
        raise UsageError(
            "there is no terminal to ask for approval",
            hint="leave out --canary, which asks after its incident"
            if wishes.canary
            else "apply a saved plan, or add --auto-approve",
        )
