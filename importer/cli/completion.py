"""`importer completion`: the name of a shell in, its completion script out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from importer.cli.console import open_console
from importer.cli.parameters import Argument, define_command

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_VARIABLE = "_IMPORTER_COMPLETE"
"""Set by the script when it calls the program; click derives the same name."""


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    shell: Annotated[Literal["bash", "zsh", "fish"], Argument(metavar="SHELL")]


@define_command(
    "completion",
    CompletionOptions,
    examples=(
        "source <(importer completion bash)",
        "importer completion fish > ~/.config/fish/completions/importer.fish",
    ),
)
def command(options: CompletionOptions) -> None:
    """Print a shell completion script.

    SHELL is bash (4.4 or later), zsh or fish. The script completes commands, options and their values. Source
    it in ~/.bashrc, or in ~/.zshrc after compinit; fish reads it from a file.
    """
    root = click.get_current_context().find_root().command
    script = _SHELLS[options.shell](root, {}, "importer", _VARIABLE)
    # click's own source() runs bash to check its version; the output must not depend on that.
    open_console().output(script.source_template % script.source_vars())
