"""`importer schema`: the name of a file format in, its JSON Schema out, perhaps with an account's names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import click

from importer.account.editor_schema import narrowed
from importer.cli.console import open_console
from importer.cli.options import CommonOptions
from importer.cli.parameters import ACCOUNT_VARIABLES, Argument, Option, define_command
from importer.formats import schemas
from importer.model import Catalogue, Kind, Needs, Reference
from importer.model.errors import UsageError

if TYPE_CHECKING:
    from importer.workflow import Session


def _complete_name(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a schema."""
    return [each for each in schemas.names() if each.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class SchemaOptions:
    name: Annotated[str, Argument(shell_complete=_complete_name)]
    account: Annotated[bool, Option("Narrow the incident schema to the account's names.")]
    common: CommonOptions


@define_command(
    "schema",
    SchemaOptions,
    examples=(
        "importer schema config",
        "importer schema incident --account > incidents/.incident.schema.json",
    ),
    environment=ACCOUNT_VARIABLES,
)
def command(options: SchemaOptions) -> None:
    """Print the JSON Schema of a file format.

    NAME is incident, config, mapping, plan, event or state. Editors use the schema to complete and check
    files. Only --account needs an API key; it never writes to the account.
    """
    name, is_narrowed = options.name, options.account
    if name not in schemas.names():
        raise UsageError(f"unknown schema '{name}'", hint=f"the schemas are {', '.join(schemas.names())}")
    if is_narrowed and name != "incident":
        raise UsageError(
            f"--account is only for the incident schema, not for '{name}'",
            hint="importer schema incident --account",
        )
    schema = schemas.read(name)
    printed = _of_account(schema, options.common) if is_narrowed else schema
    open_console().output(json.dumps(printed, indent=2, ensure_ascii=False))


def _of_account(schema: dict[str, Any], common: CommonOptions) -> dict[str, Any]:
    # Only --account needs these.
    from importer.cli.context import open_context  # noqa: PLC0415
    from importer.cli.session import open_read_session  # noqa: PLC0415

    context = open_context(common)
    with open_read_session(context, max_wait=60) as session:
        return narrowed(schema, _catalogue(session), context.settings, session.account)


def _catalogue(session: Session) -> Catalogue:
    """Return the account's entities, with the options and catalog entries of every custom field."""
    fields = session.api.catalogue(Needs()).custom_fields
    every = frozenset(Reference(Kind.CUSTOM_FIELD, each.entity.id, "id") for each in fields)
    return session.api.catalogue(Needs(every))
