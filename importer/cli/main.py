"""The `importer` program: run a command, and turn every error into a message and an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from importer import __version__

_COMMANDS = {
    "init": "Set up a folder, or draft a mapping for an export.",
    "validate": "Check files offline: syntax, schema, rules.",
    "check": "Check the account: key, roles, endpoint, risky workflows.",
    "plan": "Show what apply would do. Never writes.",
    "apply": "Apply a saved plan, or plan and apply.",
    "show": "Show a saved plan in any format.",
    "convert": "Convert an export of another tracker to YAML for review.",
    "pull": "Write the account's incidents to YAML files.",
    "adopt": "Bind a key to an existing incident.",
    "state": "Inspect the state, forget a key, or move the state elsewhere.",
    "sandbox": "Serve a local sandbox of the incident.io API.",
    "schema": "Print the JSON Schema of a file format.",
    "completion": "Print a shell completion script.",
}


class _Commands(click.Group):
    """Import the module of a command only when it is used: `importer --help` needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module: Any = importlib.import_module(f"importer.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        matching = [each for each in _COMMANDS.items() if each[0].startswith(incomplete)]
        return [CompletionItem(name, help=text) for name, text in matching] + click.Command.shell_complete(
            self, ctx, incomplete
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_EPILOG = """\b
Environment:
  INCIDENT_API_KEY   the API key
  INCIDENT_ENDPOINT  the API URL, https://api.incident.io by default
  NO_COLOR           disable colour

\b
Exit codes:
  0    success
  1    error, and no request that writes was sent
  2    changes or drift (plan --detailed-exitcode, plan --drift-only)
  3    apply ended partially
  4    refused
  130  interrupted"""


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__, prog_name="importer", message="%(prog)s %(version)s")
def cli() -> None:
    """Backfill historical incidents into incident.io from files: plan, review, apply.

    \b
    Examples:
      importer plan --sandbox
      importer apply
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code. Every exception is reported here, without a traceback."""
    from importer.cli.failure import report  # noqa: PLC0415
    from importer.cli.interrupts import handle_termination  # noqa: PLC0415
    from importer.cli.invocation import Invocation  # noqa: PLC0415

    invocation = Invocation(arguments)
    try:
        with handle_termination():
            code = cli.main(args=arguments, prog_name="importer", standalone_mode=False, obj=invocation)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - the last handler
        return report(error, invocation)
    return code if isinstance(code, int) else 0
