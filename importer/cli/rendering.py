"""A plan -> the form of it that the command line asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from importer.cli.console import Console
from importer.cli.options import chosen_format, taken
from importer.model import Diagnostic, Plan
from importer.plan import file as planfile
from importer.sources.revision import git_prefix


@dataclass(frozen=True, slots=True)
class Form:
    """What the options of `options.plan_form` say."""

    full: bool
    max_bytes: int
    show_private: bool


def rendered(plan: Plan, context: click.Context, console: Console, root: Path) -> str:
    """Return a plan in the chosen format. Places in it begin in the folder `root`."""
    form = taken(Form, context)
    match chosen_format(context):
        case "json":
            return "".join(planfile.plan_chunks(plan))
        case "markdown":
            from importer.renderers import markdown  # noqa: PLC0415

            audience = markdown.Audience(form.show_private, shown_creations(full=form.full))
            return markdown.render_plan(plan, audience=audience, max_bytes=form.max_bytes)
        case "html":
            from importer.renderers import html  # noqa: PLC0415 - it loads a template engine

            return html.render_plan(plan, show_private=form.show_private)
        case "text":
            return as_text(plan, console, full=form.full)
        case annotations:
            return annotated(plan.diagnostics, annotations, root)


def annotated(diagnostics: Sequence[Diagnostic], form: str, root: Path) -> str:
    """Return problems as a code host shows them; their places begin in the folder `root`."""
    from importer.renderers.annotations import FORMATS  # noqa: PLC0415

    return FORMATS[form](diagnostics, git_prefix(root))


def as_text(plan: Plan, console: Console, *, full: bool) -> str:
    """Return a plan as text that fits the console."""
    from importer.renderers import text  # noqa: PLC0415

    most = shown_creations(full=full)
    return text.render_plan(plan, width=console.width, colour=console.out_colour, most=most)


def shown_creations(*, full: bool) -> int | None:
    """Return up to how many creations are shown one by one."""
    from importer.renderers.creations import MANY  # noqa: PLC0415

    return None if full else MANY
