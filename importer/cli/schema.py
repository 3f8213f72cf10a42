"""`importer schema`: the name of a file format in, its JSON Schema out."""

from __future__ import annotations

import json

import click

from importer.cli.console import open_console
from importer.errors import UsageError


@click.command("schema")
@click.argument("name")
def command(name: str) -> None:
    """Print the JSON Schema of a file format, for editors: incident, config, mapping, plan."""
    from importer import schemas  # noqa: PLC0415

    if name not in schemas.names():
        raise UsageError(f"there is no schema '{name}'", hint=f"the schemas are {', '.join(schemas.names())}")
    open_console().result(json.dumps(schemas.read(name), indent=2, ensure_ascii=False))
