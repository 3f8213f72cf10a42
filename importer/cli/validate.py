"""`importer validate`: files in, every problem of theirs out; offline."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from importer.cli import options, rejects
from importer.cli.options import Common, shown_places, taken
from importer.cli.session import open_desk
from importer.errors import ExitCode


@click.command("validate")
@options.paths
@options.every_place
@options.rejects
@options.output_format("text", "json")
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Check files offline: syntax, schema, dates, references between files.

    PATHS are files or folders; without them importer.yaml names the sources, or this folder is read.
    """
    from importer.diagnostics import grouped  # noqa: PLC0415
    from importer.model import Severity  # noqa: PLC0415
    from importer.planfile import diagnostic_json  # noqa: PLC0415
    from importer.workflow import declare  # noqa: PLC0415

    desk, places, target = open_desk(taken(Common, context)), shown_places(context), context.obj["rejects"]
    rejects.check(target)
    loaded = declare(desk.settings, context.obj["paths"], now=datetime.now(UTC))
    diagnostics = grouped(loaded.diagnostics, places)
    desk.console.complain(diagnostics, places=places)
    rejects.write(loaded, target)
    errors = sum(each.count for each in diagnostics if each.severity is Severity.ERROR)
    warnings = sum(each.count for each in diagnostics if each.severity is Severity.WARNING)
    if options.chosen_format(context) == "json":
        document = {
            "format_version": "1.0",
            "valid": not errors,
            "incidents": len(loaded.incidents),
            "errored": bool(errors),
            "diagnostics": [diagnostic_json(each) for each in diagnostics],
        }
        desk.console.result(json.dumps(document, indent=2, ensure_ascii=False))
    elif errors:
        desk.console.tell(f"{_many(errors, 'error')}, {_many(warnings, 'warning')}.")
    else:
        desk.console.result(
            f"{_many(len(loaded.incidents), 'incident')}, no errors, {_many(warnings, 'warning')}."
        )
    return ExitCode.ERROR if errors else ExitCode.DONE


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
