"""`importer schema`: the name of a file format in, its JSON Schema out, with an account's names if wanted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.console import open_console
from importer.cli.options import Common, taken
from importer.model.errors import UsageError

if TYPE_CHECKING:
    from importer.model import Catalogue
    from importer.workflow import Session


def _offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Return the names that a shell completes."""
    from importer.formats import schemas  # noqa: PLC0415

    return [each for each in schemas.names() if each.startswith(incomplete)]


@click.command("schema")
@options.argument("name", shell_complete=_offered)
@options.option(
    "--account",
    is_flag=True,
    help="Narrow the incident schema to the account's names.",
)
@options.common
@click.pass_context
def command(context: click.Context) -> None:
    """Print the JSON Schema of a file format, for editors: incident, config, mapping, plan, event, state.

    With --account it sends nothing but GET.
    """
    from importer.formats import schemas  # noqa: PLC0415

    name, narrow = context.obj["name"], context.obj["account"]
    if name not in schemas.names():
        raise UsageError(f"there is no schema '{name}'", hint=f"the schemas are {', '.join(schemas.names())}")
    if narrow and name != "incident":
        raise UsageError(
            f"--account does not narrow the schema '{name}': only incidents have names of an account",
            hint="importer schema incident --account",
        )
    schema = schemas.read(name)
    printed = _of_account(schema, taken(Common, context)) if narrow else schema
    open_console().result(json.dumps(printed, indent=2, ensure_ascii=False))


def _of_account(schema: dict[str, Any], common: Common) -> dict[str, Any]:
    from importer.account.editor_schema import narrowed  # noqa: PLC0415
    from importer.cli.session import open_desk, reading  # noqa: PLC0415  the other schemas need no account

    desk = open_desk(common)
    with reading(desk, max_wait=60) as session:
        return narrowed(schema, _catalogue(session), desk.settings, session.account)


def _catalogue(session: Session) -> Catalogue:
    """Return the account's things, with the options and entries of every custom field."""
    from importer.model import Kind, Needs, Reference  # noqa: PLC0415

    fields = session.api.catalogue(Needs()).custom_fields
    every = frozenset(Reference(Kind.CUSTOM_FIELD, each.entity.id, "id") for each in fields)
    return session.api.catalogue(Needs(every))
