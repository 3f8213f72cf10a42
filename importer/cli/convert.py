"""`importer convert`: a legacy export in, YAML files for review out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import click

from importer.cli import written
from importer.cli.context import CommandContext, open_context
from importer.cli.options import CommonOptions, EveryPlace, shown_places
from importer.cli.parameters import Argument, Option, define_command
from importer.cli.rejects import check_rejects_file, rejects_table
from importer.formats.atomic import write_shared
from importer.formats.text_file import check_encoding
from importer.formats.yaml_writer import to_yaml
from importer.mapping.mapping_file import preset_names
from importer.mapping.rejects import without_rejects
from importer.model import Diagnostic, Incident, Severity, moments
from importer.model.diagnostics import Problem
from importer.model.errors import ExitCode, UsageError
from importer.model.settings import MappedSource, Settings
from importer.model.wording import numbered
from importer.sources import Loaded, load

_UNDATED = "undated"
_STAMPS = {"month": "%Y-%m", "year": "%Y"}


def _complete_preset(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a preset."""
    return [each for each in preset_names() if each.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    source: Annotated[Path, Argument()]
    preset: Annotated[
        str | None,
        Option("Read the export with a built-in mapping.", metavar="NAME", shell_complete=_complete_preset),
    ]
    mapping: Annotated[Path | None, Option("Read the export with this mapping file.")]
    timezone: Annotated[str | None, Option("The time zone of times without an offset.", metavar="ZONE")]
    encoding: Annotated[str | None, Option("The encoding of a file that is not UTF-8.", metavar="NAME")]
    out: Annotated[Path, Option("The folder to write to.", default=Path("incidents"))]
    by: Annotated[
        Literal["month", "year", "one"],
        Option("Write one file per month or year of the earliest timestamp, or one file.", default="month"),
    ]
    rejects: Annotated[
        Path | None,
        Option("Leave out records that cannot be read, and write them to this CSV with the reason."),
    ]
    every_place: EveryPlace
    force: Annotated[bool, Option("Overwrite files that were edited, or that importer did not write.")]
    common: CommonOptions


@define_command(
    "convert",
    ConvertOptions,
    examples=(
        "importer convert jira.csv --preset jira",
        "importer convert export.json --mapping export.mapping.yaml --out incidents",
    ),
)
def command(options: ConvertOptions) -> int:
    """Convert an export of another tracker to YAML files for review.

    SOURCE is a file or a folder, read with a built-in --preset or your own --mapping. Nothing is sent. An
    error means that nothing is written; with --rejects, records that cannot be read are left out instead.
    """
    context = open_context(options.common)
    if (options.preset is None) == (options.mapping is None):
        raise UsageError(
            "convert needs either --preset or --mapping",
            hint=f"`importer init --from {options.source}` drafts a mapping",
        )
    loaded = load(_settings(options, context))
    diagnostics = _without_rejected(loaded, options)
    context.console.report(diagnostics, places=shown_places(options.every_place))
    if any(each.severity is Severity.ERROR for each in diagnostics):
        return ExitCode.ERROR
    files = written.group_by_file(loaded.incidents, lambda each: _file_name(each, options.by))
    pages = {options.out / f"{name}.yaml": incidents for name, incidents in files.items()}
    _write(loaded, pages, options)
    _report(loaded, pages, options, context)
    return ExitCode.DONE


def _settings(options: ConvertOptions, context: CommandContext) -> Settings:
    """Return the settings with the export as their only source, and the same defaults."""
    source = MappedSource(
        path=_from_here(options.source, context),
        mapping=None if options.mapping is None else _from_here(options.mapping, context),
        preset=options.preset,
        timezone=_checked_name(options.timezone, moments.zone),
        encoding=_checked_name(options.encoding, check_encoding),
    )
    return replace(context.settings, path=None, sources=(source,))


def _from_here(path: Path, context: CommandContext) -> str:
    """Return a path of the command line as the settings need it: relative to their root, or absolute."""
    return str(path if context.settings.root == Path.cwd() else path.absolute())


def _checked_name(name: str | None, check: Callable[[str], object]) -> str | None:
    try:
        if name is not None:
            check(name)
    except Problem as problem:
        raise UsageError(problem.summary, hint=problem.hint) from None
    return name


def _without_rejected(loaded: Loaded, options: ConvertOptions) -> tuple[Diagnostic, ...]:
    """Return the problems, as warnings if their record may be left out."""
    if options.rejects is None:
        return loaded.diagnostics
    rejects = [each for counts in loaded.record_counts.values() for each in counts.rejects]
    return without_rejects(loaded.diagnostics, rejects)


def _write(loaded: Loaded, pages: Mapping[Path, Sequence[Incident]], options: ConvertOptions) -> None:
    """Write all files, or none if one of them must not be overwritten."""
    by = f"convert {options.source.name}"
    texts = {
        path: written.signed(to_yaml(incidents, schema=written.INCIDENT_SCHEMA), by)
        for path, incidents in pages.items()
    }
    if options.rejects is not None:
        texts[options.rejects] = rejects_table(loaded)
    written.check_unedited([path for path in texts if path != options.rejects], force=options.force)
    if not options.force:
        check_rejects_file(options.rejects)
    for path, text in texts.items():
        write_shared(path, text)
    written.write_schema(options.out)


def _file_name(incident: Incident, by: str) -> str:
    if by == "one":
        return "incidents"
    return incident.began.strftime(_STAMPS[by]) if incident.began else _UNDATED


def _report(
    loaded: Loaded, pages: Mapping[Path, Sequence[Incident]], options: ConvertOptions, context: CommandContext
) -> None:
    console, counts = context.console, loaded.record_counts.values()
    console.table(f"{path}  {len(incidents)}" for path, incidents in pages.items())
    read, filtered = sum(each.read for each in counts), sum(each.filtered for each in counts)
    merged, dropped = sum(each.merged for each in counts), sum(each.dropped for each in counts)
    rejected = sum(len(each.rejects) for each in counts)
    parts = [
        f"{numbered(read, 'record')} read",
        f"{numbered(len(loaded.incidents), 'incident')} written",
        *([f"{filtered} excluded by `where`"] if filtered else []),
        *([f"{numbered(merged, 'duplicate')} merged"] if merged else []),
        *([f"{numbered(dropped, 'duplicate')} dropped"] if dropped else []),
        *([f"{rejected} rejected"] if rejected else []),
    ]
    console.info(f"{', '.join(parts)}.")
    if earlier := written.written_before(options.out.glob("*.yaml"), pages):
        console.info(f"An earlier convert wrote {earlier}: remove incidents that are now in two files.")
    console.info(f"Review the files, then run: {options.common.command_line('validate', options.out)}")
