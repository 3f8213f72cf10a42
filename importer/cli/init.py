"""`importer init`: nothing in, a folder to begin with out; or an export in, a mapping to begin with out."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options, scaffold, written
from importer.cli.options import Common, taken
from importer.cli.session import Desk, open_desk, reading
from importer.errors import ExitCode, InvalidInput, UsageError

if TYPE_CHECKING:
    from importer.mapping import Look
    from importer.model import Catalogue


@dataclass(frozen=True, slots=True)
class Wishes:
    """What init's own options say."""

    folder: Path
    source: Path | None


@click.command("init")
@options.argument("folder", metavar="[DIR]", default=Path(), type=click.Path(path_type=Path))
@options.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Look at this export and write a mapping for it instead.",
)
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Write a folder to begin with: importer.yaml, an example incident, .gitignore and a CI workflow.

    What is there already stays as it is.
    """
    wishes, desk = taken(Wishes, context), open_desk(taken(Common, context))
    if wishes.source is None:
        _scaffold(wishes.folder, desk)
    else:
        _mapping(wishes.source, wishes.folder, desk)
    return ExitCode.DONE


def _scaffold(folder: Path, desk: Desk) -> None:
    pages = {folder / name: text for name, text in scaffold.files().items()}
    missing = {path: text for path, text in pages.items() if not path.exists()}
    written.write(missing)
    written.write_schema(folder, "config")
    written.write_schema(folder / "incidents", "incident")
    desk.console.table(f"{'written' if path in missing else 'kept   '}  {path}" for path in pages)
    desk.console.tell(
        "\nNext, in that folder: `importer plan --sandbox` tries it without an account. Replace\n"
        "incidents/example.yaml before the first apply: incident.io cannot delete an incident."
    )


def _mapping(path: Path, folder: Path, desk: Desk) -> None:
    """Write a mapping for an export. Raises UsageError where the file is there, InvalidInput where the export
    cannot be read."""
    from importer.cli.mapping_skeleton import Source, open_questions, skeleton  # noqa: PLC0415
    from importer.inspection import inspect  # noqa: PLC0415  both load the readers of all formats
    from importer.mapping.model import TABLES  # noqa: PLC0415

    target = folder / f"{path.stem}.mapping.yaml"
    written.check([target], force=False)
    looked, records = _look(path)
    findings = inspect(looked.columns, values=looked.distinct, filled=looked.filled, records=looked.records)
    encoding = looked.said.get("encoding", "utf-8")
    source = Source(
        name=path.name,
        format=looked.format,
        encoding=None if encoding.startswith("utf-") else encoding,
        records=records,
        is_table=looked.format in TABLES,
        catalogue=_names(desk),
    )
    text = skeleton(findings, source)
    written.write({target: written.signed(text, f"init --from {path.name}")})
    written.write_schema(folder, "mapping")
    told = "".join(f", {name} {value}" for name, value in looked.said.items())
    desk.console.table([f"{path}  {looked.format}{told}, {looked.records} records", f"written  {target}"])
    for question in open_questions(findings):
        desk.console.tell(f"To decide: {question}.")
    desk.console.tell(f"Next: {desk.common.again('convert', path, '--mapping', target)}")


def _look(path: Path) -> tuple[Look, str | None]:
    """Look at an export; one object that has a single list of objects is looked into."""
    from importer.mapping import Mapping, look  # noqa: PLC0415  as above

    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="`--from` takes one file of the export")
    looked = look(path, shown=str(path))
    lists = [
        name
        for name, seen in looked.distinct.items()
        if name.endswith("[]") and any(" objects with " in each for each in seen)
    ]
    records = lists[0] if looked.records == 1 and len(lists) == 1 else None
    if records is not None:
        looked = look(path, shown=str(path), mapping=replace(Mapping(shown=str(path)), records=records))
    if looked.diagnostics.has_errors:
        raise InvalidInput(tuple(looked.diagnostics.found))
    return looked, records


def _names(desk: Desk) -> Catalogue | None:
    """Return the account's names; None where neither the sandbox nor a key is at hand."""
    from importer.model import Needs  # noqa: PLC0415

    if not desk.common.sandbox and not os.environ.get("INCIDENT_API_KEY"):
        return None
    with reading(desk, max_wait=60) as session:
        return session.api.catalogue(Needs())
