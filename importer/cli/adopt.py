"""`importer adopt`: a key and a reference in, a binding in the state out. Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Annotated

from importer.cli.context import open_context
from importer.cli.options import CommonOptions
from importer.cli.parameters import Argument, define_command
from importer.cli.progress import WaitNotices
from importer.cli.session import open_write_session
from importer.workflow import adopt


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    key: Annotated[str, Argument()]
    reference: Annotated[str, Argument()]
    common: CommonOptions


@define_command("adopt", AdoptOptions)
def command(options: AdoptOptions) -> None:
    """Declare that an existing incident is the one with this KEY.

    REFERENCE is as incident.io shows it, like INC-48. Nothing is sent: the next plan shows what apply would
    edit to make the incident what the files say.
    """
    context = open_context(options.common)
    notify = WaitNotices(context.console.info).waiting
    with open_write_session(context, max_wait=600, stop=Event(), notify=notify) as session:
        live = adopt(session, options.key, options.reference)
    context.console.info(
        f"'{options.key}' is {live.reference} now: {live.name}\n"
        f"To see what apply would edit: {options.common.command_line('plan')}"
    )
