"""`importer show`: a saved plan in, the same plan in any format out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from importer.cli.console import open_console
from importer.cli.options import EveryPlace, NoColorFlag, OutputFormat, PlanOutputOptions, shown_places
from importer.cli.parameters import Argument, define_command
from importer.cli.rendering import format_plan
from importer.plan import file as planfile


@dataclass(frozen=True, slots=True)
class ShowOptions:
    plan_file: Annotated[Path, Argument(metavar="PLAN")]
    no_color: NoColorFlag
    every_place: EveryPlace
    output: PlanOutputOptions


@define_command(
    "show",
    ShowOptions,
    examples=("importer show plan.json", "importer show plan.json --format html > plan.html"),
)
def command(options: ShowOptions) -> None:
    """Show a saved plan in any format.

    PLAN is a file that `plan --out` wrote. The account is not read again.
    """
    console = open_console(plain=options.no_color)
    plan = planfile.read_plan(options.plan_file).plan
    if options.output.format is not OutputFormat.JSON:
        console.report(plan.diagnostics, places=shown_places(options.every_place))
    console.output(format_plan(plan, options.output, console, Path.cwd()))
