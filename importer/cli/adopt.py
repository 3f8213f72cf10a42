"""`importer adopt`: a key and a reference in, a binding in the state out. Nothing is sent."""

from __future__ import annotations

import threading

import click

from importer.cli import options
from importer.cli.options import Common, taken
from importer.cli.session import open_desk, writing


@click.command("adopt")
@click.argument("key")
@click.argument("reference")
@options.common
@click.pass_context
def command(context: click.Context, key: str, reference: str) -> None:
    """Declare that an existing incident is the one with this KEY.

    REFERENCE is as incident.io shows it, like INC-48. Nothing is sent: the next plan shows what apply would
    edit to make the incident what the files say.
    """
    from importer.cli.progress import Waits  # noqa: PLC0415
    from importer.workflow import adopt  # noqa: PLC0415

    desk = open_desk(taken(Common, context))
    notify = Waits(desk.console.tell).tell
    with writing(desk, max_wait=600, stop=threading.Event(), notify=notify) as session:
        live = adopt(session, key, reference)
    desk.console.tell(
        f"'{key}' is {live.reference} now: {live.name}\n"
        f"To see what apply would edit: {desk.common.again('plan')}"
    )
