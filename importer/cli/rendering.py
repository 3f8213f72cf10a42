"""A plan -> the form of it that the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass

import click

from importer import planfile
from importer.cli.console import Console
from importer.cli.options import chosen_format, taken
from importer.model import Plan


@dataclass(frozen=True, slots=True)
class Form:
    """What the options of `options.plan_form` say."""

    full: bool
    max_bytes: int
    show_private: bool


def rendered(plan: Plan, context: click.Context, console: Console) -> str:
    """Return a plan in the chosen format."""
    form = taken(Form, context)
    match chosen_format(context):
        case "json":
            return planfile.text(plan)
        case "markdown":
            from importer.renderers import markdown  # noqa: PLC0415

            audience = markdown.Audience(form.show_private, shown_creations(full=form.full))
            return markdown.plan(plan, audience=audience, max_bytes=form.max_bytes)
        case "html":
            from importer.renderers import html  # noqa: PLC0415 - it loads a template engine

            return html.plan(plan, show_private=form.show_private)
        case _:
            return as_text(plan, console, full=form.full)


def as_text(plan: Plan, console: Console, *, full: bool) -> str:
    """Return a plan as text that fits the console."""
    from importer.renderers import text  # noqa: PLC0415

    most = shown_creations(full=full)
    return text.plan(plan, width=console.width, colour=console.out_colour, most=most)


def shown_creations(*, full: bool) -> int | None:
    """Return up to how many creations are shown one by one."""
    from importer.renderers.creations import MANY  # noqa: PLC0415

    return None if full else MANY
