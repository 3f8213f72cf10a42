"""`importer completion`: the name of a shell in, the script that lets it complete importer's words out."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from importer.cli import options
from importer.cli.console import open_console

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_VARIABLE = "_IMPORTER_COMPLETE"
"""By which the script asks the program; click derives the same name from the program's."""


@click.command("completion")
@options.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def command(context: click.Context) -> None:
    """Print the script that lets SHELL complete commands, options and their values.

    \b
    bash  (4.4 or later)  source <(importer completion bash)        in ~/.bashrc
    zsh   source <(importer completion zsh)                         in ~/.zshrc, after compinit
    fish  importer completion fish > ~/.config/fish/completions/importer.fish
    """
    script = _SHELLS[context.obj["shell"]](context.find_root().command, {}, "importer", _VARIABLE)
    # click's own source() starts bash, to look at its version: what is printed must not depend on that.
    open_console().result(script.source_template % script.source_vars())
