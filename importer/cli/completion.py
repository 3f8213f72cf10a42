"""`importer completion`: the name of a shell in, the script that lets it complete importer's words out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from importer.cli.console import open_console
from importer.cli.parameters import Argument, define_command

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_VARIABLE = "_IMPORTER_COMPLETE"
"""By which the script asks the program; click derives the same name from the program's."""


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    shell: Annotated[Literal["bash", "zsh", "fish"], Argument()]


@define_command("completion", CompletionOptions)
def command(options: CompletionOptions) -> None:
    """Print the script that lets SHELL complete commands, options and their values.

    \b
    bash  (4.4 or later)  source <(importer completion bash)        in ~/.bashrc
    zsh   source <(importer completion zsh)                         in ~/.zshrc, after compinit
    fish  importer completion fish > ~/.config/fish/completions/importer.fish
    """
    root = click.get_current_context().find_root().command
    script = _SHELLS[options.shell](root, {}, "importer", _VARIABLE)
    # click's own source() starts bash, to look at its version: what is printed must not depend on that.
    open_console().output(script.source_template % script.source_vars())
