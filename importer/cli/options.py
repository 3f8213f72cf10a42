"""Options: declared once where several commands share them, and gathered into one value for each command.

A command takes the click context and asks for `taken(Wishes, context)`: a dataclass whose field names are
the names of its options.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from importer.model.diagnostics import SHOWN_LOCATIONS

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Common:
    """What every command that meets files or the account takes."""

    config: Path | None
    endpoint: str | None
    sandbox: bool
    state: Path | None
    lock_timeout: float
    no_color: bool
    log_level: str
    log_file: Path | None

    def again(self, *words: str | Path) -> str:
        """Return the command line of another command on the same account, configuration and state."""
        told = (("--config", self.config), ("--endpoint", self.endpoint), ("--state", self.state))
        line = ["importer", *map(str, words)]
        for name, value in told:
            line += [name, str(value)] if value else []
        return shlex.join([*line, "--sandbox"] if self.sandbox else line)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.ensure_object(dict)[parameter.name] = value


option = partial(click.option, expose_value=False, callback=_keep)
argument = partial(click.argument, expose_value=False, callback=_keep)


def taken(wishes: type[T], context: click.Context) -> T:
    """Gather the options that a dataclass names from what the command line gave."""
    return wishes(**{each.name: context.obj[each.name] for each in fields(wishes)})  # type: ignore[arg-type]


_COMMON = (
    option("--config", type=_PATH, help="The importer.yaml to use instead of the one in this folder."),
    option("--endpoint", help="The API's URL. [env: INCIDENT_ENDPOINT]"),
    option("--sandbox", is_flag=True, help="Use the embedded sandbox: no account, no network."),
    option("--state", type=_PATH, help="The state file. [default: .importer/state.db]"),
    option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=0.0,
        help="Seconds to wait for another run to end. [default: 0]",
    ),
    option("--no-color", is_flag=True, help="No colour. [env: NO_COLOR]"),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="warning",
        help="How much goes into the log. [default: warning]",
    ),
    option("--log-file", type=_PATH, help="Append the log to this file instead of stderr."),
)


def common(command: F) -> F:
    """Add the options of Common."""
    for each in reversed(_COMMON):
        command = each(command)
    return command


paths = argument("paths", nargs=-1, type=_PATH)

only = option(
    "--only", multiple=True, metavar="KEY|GLOB", help="Only the incidents with these keys. Repeatable."
)
limit = option("--limit", type=click.IntRange(min=1), help="At most so many changes, oldest first.")
rate = option("--rate", metavar="N/min|P%", help="Stay below this rate. [default: 100%]")
max_wait = option(
    "--max-wait",
    type=click.FloatRange(min=0),
    default=14400.0,
    show_default=True,
    help="Seconds that a request waits for the server's rate limit before it counts as failed.",
)
json_out = option("--json-out", type=_PATH, help="Write the JSON to this file too.")


every_place = option("--all", is_flag=True, help="Show every place of each problem, not the first few.")
rejects = option(
    "--rejects",
    type=_PATH,
    help="Write the records of a mapped source that are wrong to this CSV, with the reason.",
)


def shown_places(context: click.Context) -> int | None:
    """Return how many places of a problem the command line asks for; None is all."""
    return None if context.obj["all"] else SHOWN_LOCATIONS


def output_format(*formats: str) -> Callable[[F], F]:
    """Add --format and --json; `chosen_format` gives the one that was chosen."""

    def add(command: F) -> F:
        command = option("--json", is_flag=True, help="The same as --format json.")(command)
        return option(
            "--format",
            type=click.Choice(formats),
            default="text",
            help="The form of the output. [default: text]",
        )(command)

    return add


full = option("--full", is_flag=True, help="Show each creation, however many there are.")

ANNOTATIONS = ("github", "gitlab", "sarif")
"""Formats that put diagnostics beside the lines that they are about; renderers.annotations makes them."""

_FORM = (
    output_format("text", "json", "markdown", "html", *ANNOTATIONS),
    full,
    option(
        "--max-bytes",
        type=click.IntRange(min=1000),
        default=60000,
        show_default=True,
        help="How long the Markdown may be.",
    ),
    option(
        "--show-private",
        is_flag=True,
        help="Show what private incidents say in Markdown and HTML.",
    ),
)


def plan_form(command: F) -> F:
    """Add the options that say how a plan is shown; cli.rendering.Form takes them."""
    for each in reversed(_FORM):
        command = each(command)
    return command


def chosen_format(context: click.Context) -> str:
    """Return the output format that the command line asks for."""
    return "json" if context.obj["json"] else str(context.obj["format"])
