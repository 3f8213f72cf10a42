"""`importer adopt`: a key and a reference in, a binding in the state out; the account is only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from importer.cli.context import open_context
from importer.cli.options import CommonOptions
from importer.cli.parameters import ACCOUNT_VARIABLES, Argument, define_command
from importer.cli.session import open_locked_read_session
from importer.workflow import adopt


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    key: Annotated[str, Argument()]
    reference: Annotated[str, Argument()]
    common: CommonOptions


@define_command(
    "adopt",
    AdoptOptions,
    examples=(
        "importer adopt JIRA-1042 INC-48",
        "importer adopt JIRA-1042 INC-48 --config import/importer.yaml",
    ),
    environment=ACCOUNT_VARIABLES,
)
def command(options: AdoptOptions) -> None:
    """Bind a key to an existing incident.

    KEY is the key of an incident in your files, REFERENCE the incident in incident.io, such as INC-48. Only
    the state changes; the next plan shows what apply would edit.
    """
    context = open_context(options.common)
    with open_locked_read_session(context, max_wait=600) as session:
        live = adopt(session, options.key, options.reference)
    context.console.info(
        f"Bound '{options.key}' to {live.reference}: {live.name}\n"
        f"To see what apply would edit: {options.common.command_line('plan')}"
    )
