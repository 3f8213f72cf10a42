"""The command `importer`: finds the command, and turns every error into words and an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from importer import __version__

_COMMANDS = {
    "init": "Set up a folder: configuration, example, CI; or draft a mapping for an export.",
    "validate": "Check the files offline: syntax, schema, rules.",
    "check": "Check the account: key, roles, endpoint, risky workflows.",
    "plan": "Show what apply would do. Never writes.",
    "apply": "Apply a saved plan, or plan and apply.",
    "show": "Show a saved plan in any format.",
    "convert": "Convert an export of another tracker to YAML for review.",
    "pull": "Write the account's incidents to YAML files.",
    "adopt": "Bind a key to an existing incident.",
    "state": "Inspect the state, forget a key, or move the state to another machine.",
    "sandbox": "Serve a local sandbox of the incident.io API.",
    "schema": "Print the JSON Schema of a file format.",
    "completion": "Print a shell completion script.",
}


class _Commands(click.Group):
    """Loads a command's module only when it is called: `--help` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module: Any = importlib.import_module(f"importer.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        named = _COMMANDS.items()
        offered = [CompletionItem(name, help=text) for name, text in named if name.startswith(incomplete)]
        return offered + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 error and nothing written, 2 changes (plan --detailed-exitcode, "
    "--drift-only), 3 apply ended partially, 4 refused, 130 interrupted.",
)
@click.version_option(__version__, prog_name="importer", message="%(prog)s %(version)s")
def cli() -> None:
    """Backfill historical incidents into incident.io from files: plan, review, apply."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words))


def run(words: list[str]) -> int:
    """Run the command and return its exit code. No exception, and no traceback, passes this point."""
    from importer.cli.failure import report  # noqa: PLC0415

    try:
        code = cli.main(args=words, prog_name="importer", standalone_mode=False, obj=words)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - this is where all of them end
        return report(error, words)
    return code if isinstance(code, int) else 0
