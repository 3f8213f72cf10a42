"""`importer show`: a saved plan in, the same plan in another format out."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli import options
from importer.cli.console import open_console
from importer.cli.options import chosen_format, shown_places


@click.command("show")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--no-color", is_flag=True, help="No colour. [env: NO_COLOR]")
@options.every_place
@options.plan_form
@click.pass_context
def command(context: click.Context, plan_file: Path, no_color: bool) -> None:
    """Show a saved plan again, in another format. PLAN is what `plan --out` wrote."""
    from importer.cli.rendering import rendered  # noqa: PLC0415
    from importer.plan import file as planfile  # noqa: PLC0415

    console = open_console(plain=no_color)
    plan = planfile.read_plan(plan_file).plan
    if chosen_format(context) != "json":
        console.complain(plan.diagnostics, places=shown_places(context))
    console.result(rendered(plan, context, console, Path.cwd()))
