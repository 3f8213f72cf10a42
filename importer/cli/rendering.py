"""A plan or diagnostics -> the output format that the command line asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from importer.cli.console import Console
from importer.cli.options import AnnotationFormat, OutputFormat, PlanOutputOptions
from importer.model import Diagnostic, Plan, Severity
from importer.plan import file as planfile
from importer.renderers import html, markdown, text
from importer.renderers.annotations import github, gitlab, sarif
from importer.renderers.creations import MANY
from importer.sources.revision import git_prefix


def format_plan(plan: Plan, options: PlanOutputOptions, console: Console, root: Path) -> str:
    """Return a plan in the chosen format. Its locations are relative to the folder `root`."""
    match options.format:
        case OutputFormat.JSON:
            return "".join(planfile.plan_chunks(plan))
        case OutputFormat.MARKDOWN:
            audience = markdown.Audience(options.show_private, _shown_creations(full=options.full))
            return markdown.render_plan(plan, audience=audience, max_bytes=options.max_bytes)
        case OutputFormat.HTML:
            return html.render_plan(plan, show_private=options.show_private)
        case OutputFormat.TEXT:
            return format_text(plan, console, full=options.full)
        case annotation:
            return format_annotations(plan.diagnostics, annotation, root)


def format_annotations(diagnostics: Sequence[Diagnostic], form: AnnotationFormat, root: Path) -> str:
    """Return problems as a code host shows them. Their locations are relative to the folder `root`."""
    folder = git_prefix(root)
    match form:
        case OutputFormat.GITHUB:
            return github(diagnostics, folder)
        case OutputFormat.GITLAB:
            return gitlab(diagnostics, folder)
        case OutputFormat.SARIF:
            return sarif(diagnostics, folder)
        case other:
            assert_never(other)


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    """Return the members of a JSON document that hold the problems."""
    errored = any(each.severity is Severity.ERROR for each in diagnostics)
    return {"errored": errored, "diagnostics": [planfile.diagnostic_json(each) for each in diagnostics]}


def format_text(plan: Plan, console: Console, *, full: bool) -> str:
    """Return a plan as text for the console."""
    most = _shown_creations(full=full)
    return text.render_plan(plan, width=console.width, colour=console.out_colour, most=most)


def _shown_creations(*, full: bool) -> int | None:
    """Return the number of creations above which they are counted; None means never."""
    return None if full else MANY
