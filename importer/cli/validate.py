"""`importer validate`: files in, every problem of theirs out; offline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from importer.cli import options, rejects
from importer.cli.console import open_console
from importer.cli.options import ANNOTATIONS, Common, chosen_format, shown_places, taken
from importer.cli.rendering import annotated
from importer.cli.session import Desk, open_desk
from importer.model import Diagnostic, Severity
from importer.model.diagnostics import grouped
from importer.model.errors import ExitCode, InvalidInput
from importer.model.wording import numbered
from importer.plan.file import diagnostic_json
from importer.workflow import load_declared


@click.command("validate")
@options.paths
@options.every_place
@options.rejects
@options.output_format("text", "json", *ANNOTATIONS)
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Check files offline: syntax, schema, dates, references between files.

    PATHS are files or folders; without them importer.yaml names the sources, or this folder is read.
    github, gitlab and sarif put each problem beside its line in a review.
    """
    places, target, form = shown_places(context), context.obj["rejects"], chosen_format(context)
    desk = _desk(taken(Common, context), form)
    rejects.check(target)
    loaded = load_declared(desk.settings, context.obj["paths"], now=datetime.now(UTC))
    diagnostics = grouped(loaded.diagnostics, places)
    desk.console.complain(diagnostics, places=places)
    rejects.write(loaded, target)
    errors = _count(diagnostics, Severity.ERROR)
    warnings = numbered(_count(diagnostics, Severity.WARNING), "warning")
    if form == "json":
        desk.console.result(_document(diagnostics, incidents=len(loaded.incidents), errors=errors))
    elif form in ANNOTATIONS:
        desk.console.result(annotated(diagnostics, form, desk.settings.root))
    elif errors:
        desk.console.tell(f"{numbered(errors, 'error')}, {warnings}.")
    else:
        desk.console.result(f"{numbered(len(loaded.incidents), 'incident')}, no errors, {warnings}.")
    return ExitCode.ERROR if errors else ExitCode.DONE


def _desk(common: Common, form: str) -> Desk:
    """Read importer.yaml. Its mistakes are annotated like those of all other files."""
    try:
        return open_desk(common)
    except InvalidInput as problem:
        if form in ANNOTATIONS:
            root = common.config.parent if common.config else Path.cwd()
            open_console(plain=common.no_color).result(annotated(problem.diagnostics, form, root))
        raise


def _document(diagnostics: Sequence[Diagnostic], *, incidents: int, errors: int) -> str:
    document = {
        "format_version": "1.0",
        "valid": not errors,
        "incidents": incidents,
        "errored": bool(errors),
        "diagnostics": [diagnostic_json(each) for each in diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _count(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    return sum(each.count for each in diagnostics if each.severity is severity)
