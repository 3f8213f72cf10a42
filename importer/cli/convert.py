"""`importer convert`: a legacy export in, YAML files for review out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from importer.cli import options, rejects, written
from importer.cli.options import Common, shown_places, taken
from importer.cli.session import Desk, open_desk
from importer.formats.yaml_writer import document
from importer.model import Diagnostic, Incident, Severity
from importer.model.diagnostics import Problem
from importer.model.errors import ExitCode, UsageError
from importer.model.settings import MappedSource, Settings
from importer.sources import Loaded, load

_UNDATED = "undated"
_STAMPS = {"month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What convert's own options say."""

    source: Path
    preset: str | None
    mapping: Path | None
    timezone: str | None
    encoding: str | None
    out: Path
    by: str
    rejects: Path | None
    force: bool


def _offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Return the presets that a shell completes."""
    from importer.mapping.mapping_file import preset_names  # noqa: PLC0415  it loads all formats

    return [each for each in preset_names() if each.startswith(incomplete)]


@click.command("convert")
@options.argument("source", type=click.Path(path_type=Path))
@options.option(
    "--preset", metavar="NAME", shell_complete=_offered, help="Read the export by a mapping that is shipped."
)
@options.option("--mapping", type=click.Path(path_type=Path), help="Read the export by this mapping.")
@options.option("--timezone", metavar="ZONE", help="The zone of its times without an offset.")
@options.option("--encoding", metavar="NAME", help="The encoding of a text that is not UTF-8.")
@options.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("incidents"),
    help="The folder to write to. [default: incidents]",
)
@options.option(
    "--by",
    type=click.Choice(["month", "year", "one"]),
    default="month",
    help="A file for each month or year of the first timestamps, or one in all. [default: month]",
)
@options.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="Leave out what cannot be read, and write it to this CSV with the reason.",
)
@options.every_place
@options.option("--force", is_flag=True, help="Overwrite files that were edited or made by others.")
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Turn an export of another tracker into YAML to review. Nothing is sent.

    SOURCE is a file or a folder. Without an error all incidents are written, else none; with --rejects the
    records that cannot be read are left out.
    """
    wishes, desk = taken(Wishes, context), open_desk(taken(Common, context))
    if (wishes.preset is None) == (wishes.mapping is None):
        raise UsageError(
            "convert needs one of --preset and --mapping",
            hint=f"`importer init --from {wishes.source}` writes a mapping to begin with",
        )
    loaded = load(_settings(wishes, desk))
    diagnostics = _forgiven(loaded, wishes)
    desk.console.complain(diagnostics, places=shown_places(context))
    if any(each.severity is Severity.ERROR for each in diagnostics):
        return ExitCode.ERROR
    _write(loaded, wishes)
    _tell(loaded, wishes, desk)
    return ExitCode.DONE


def _settings(wishes: Wishes, desk: Desk) -> Settings:
    """Return the settings with the export as their only source; defaults and time zone stay."""
    from importer.formats.text_file import check_encoding  # noqa: PLC0415  it loads all formats
    from importer.model import moments  # noqa: PLC0415  it reads the list of zones

    source = MappedSource(
        path=_from_here(wishes.source, desk),
        mapping=None if wishes.mapping is None else _from_here(wishes.mapping, desk),
        preset=wishes.preset,
        timezone=_checked_name(wishes.timezone, moments.zone),
        encoding=_checked_name(wishes.encoding, check_encoding),
    )
    return replace(desk.settings, path=None, sources=(source,))


def _from_here(path: Path, desk: Desk) -> str:
    """Return a path of the command line for the settings, whose paths are relative to their root."""
    return str(path if desk.settings.root == Path.cwd() else path.absolute())


def _checked_name(name: str | None, check: Callable[[str], object]) -> str | None:
    try:
        if name is not None:
            check(name)
    except Problem as problem:
        raise UsageError(problem.summary, hint=problem.hint) from None
    return name


def _forgiven(loaded: Loaded, wishes: Wishes) -> tuple[Diagnostic, ...]:
    """Return the problems; those of records that may be left out as warnings."""
    from importer.mapping.rejects import without_rejects  # noqa: PLC0415  it loads all formats

    if wishes.rejects is None:
        return loaded.diagnostics
    refused = [each for counts in loaded.record_counts.values() for each in counts.rejects]
    return without_rejects(loaded.diagnostics, refused)


def _write(loaded: Loaded, wishes: Wishes) -> None:
    """Write all files, or none where one of them must not be."""
    pages = {
        wishes.out / f"{name}.yaml": written.signed(
            document(incidents, schema=written.INCIDENT_SCHEMA), f"convert {wishes.source.name}"
        )
        for name, incidents in _divided(loaded.incidents, wishes.by).items()
    }
    if wishes.rejects is not None:
        pages[wishes.rejects] = rejects.page(loaded)
    written.check([path for path in pages if path != wishes.rejects], force=wishes.force)
    if not wishes.force:
        rejects.check(wishes.rejects)
    written.write(pages)
    written.write_schema(wishes.out)


def _divided(incidents: Iterable[Incident], by: str) -> dict[str, list[Incident]]:
    """Return the incidents of each file, by its name without the suffix."""
    files: dict[str, list[Incident]] = {}
    for incident in incidents:
        if by == "one":
            name = "incidents"
        else:
            name = incident.began.strftime(_STAMPS[by]) if incident.began else _UNDATED
        files.setdefault(name, []).append(incident)
    return dict(sorted(files.items()))


def _tell(loaded: Loaded, wishes: Wishes, desk: Desk) -> None:
    console, files = desk.console, _divided(loaded.incidents, wishes.by)
    console.table(f"{wishes.out / name}.yaml  {len(found)}" for name, found in files.items())
    read = sum(counts.read for counts in loaded.record_counts.values())
    filtered = sum(counts.filtered for counts in loaded.record_counts.values())
    merged = sum(counts.merged for counts in loaded.record_counts.values())
    rejected = sum(len(counts.rejects) for counts in loaded.record_counts.values())
    console.tell(
        f"{read} records read: {len(loaded.incidents)} incidents written, {filtered} left out by `where`, "
        f"{merged} one with another of the same key, {rejected} left out for their mistakes."
    )
    others = sorted(set(wishes.out.glob("*.yaml")) - {wishes.out / f"{name}.yaml" for name in files})
    earlier = [str(each) for each in others if written.is_own(each)]
    if earlier:
        console.tell(f"An earlier convert wrote {', '.join(earlier)}: remove what is there twice.")
    console.tell(f"Review them, then: {desk.common.again('validate', wishes.out)}")
