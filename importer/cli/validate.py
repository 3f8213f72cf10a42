"""`importer validate`: files in, all their problems out, offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from importer.cli.console import open_console
from importer.cli.context import CommandContext, open_context
from importer.cli.options import (
    FORMAT,
    CommonOptions,
    DiagnosticsFormat,
    EveryPlace,
    OutputFormat,
    Paths,
    RejectsPath,
    shown_places,
)
from importer.cli.parameters import define_command
from importer.cli.rejects import check_rejects_file, write_rejects
from importer.cli.rendering import diagnostics_json, format_annotations
from importer.model import Diagnostic, Severity
from importer.model.diagnostics import grouped
from importer.model.errors import ExitCode, InvalidInput
from importer.model.wording import numbered
from importer.workflow import load_declared


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    paths: Paths
    every_place: EveryPlace
    rejects: RejectsPath
    format: Annotated[DiagnosticsFormat, FORMAT]
    common: CommonOptions


@define_command(
    "validate",
    ValidateOptions,
    examples=("importer validate", "importer validate incidents/2023.yaml --format github"),
)
def command(options: ValidateOptions) -> int:
    """Check files offline: syntax, schema, dates, references between files.

    PATHS are files or folders; without them, the sources in importer.yaml are read, or else the current
    folder. The formats github, gitlab and sarif show each problem next to its line in a review.
    """
    places, form = shown_places(options.every_place), options.format
    context = _open_context(options.common, form)
    console = context.console
    check_rejects_file(options.rejects)
    loaded = load_declared(context.settings, options.paths, now=datetime.now(UTC))
    diagnostics = grouped(loaded.diagnostics, places)
    console.report(diagnostics, places=places)
    write_rejects(loaded, options.rejects)
    errors, incidents = _count(diagnostics, Severity.ERROR), len(loaded.incidents)
    warnings = numbered(_count(diagnostics, Severity.WARNING), "warning")
    match form:
        case OutputFormat.JSON:
            members = {"valid": not errors, "incidents": incidents}
            console.document({**members, **diagnostics_json(diagnostics)})
        case OutputFormat.TEXT:
            if errors:
                console.info(f"{numbered(errors, 'error')}, {warnings}.")
            else:
                console.output(f"{numbered(incidents, 'incident')}, no errors, {warnings}.")
        case annotation:
            console.output(format_annotations(diagnostics, annotation, context.settings.root))
    return ExitCode.ERROR if errors else ExitCode.DONE


def _open_context(common: CommonOptions, form: DiagnosticsFormat) -> CommandContext:
    """Read importer.yaml. Its problems are annotated like those of any other file."""
    try:
        return open_context(common)
    except InvalidInput as problem:
        if form is not OutputFormat.TEXT and form is not OutputFormat.JSON:
            root = common.config.parent if common.config else Path.cwd()
            console = open_console(plain=common.no_color)
            console.output(format_annotations(problem.diagnostics, form, root))
        raise


def _count(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    return sum(each.count for each in diagnostics if each.severity is severity)
