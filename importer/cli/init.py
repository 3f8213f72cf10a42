"""`importer init`: nothing in, a folder to begin with out; or an export in, a mapping to begin with out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options, scaffold, written
from importer.cli.options import Common, taken
from importer.cli.session import Desk, open_desk, reading
from importer.model.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from importer.mapping.records import SourceProfile
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
    help="Look at this export, a file or a folder, and write a mapping for it instead.",
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
        "incidents/example.yaml before the first apply: incident.io cannot delete an incident.\n"
        "With a key, `importer schema incident --account > incidents/.incident.schema.json` lets\n"
        "your editor complete and check the names of your account."
    )


def _mapping(path: Path, folder: Path, desk: Desk) -> None:
    """Write a mapping for an export. Raises UsageError where the file is there, InvalidInput where the export
    cannot be read."""
    from importer.mapping.model import TABLES  # noqa: PLC0415
    from importer.sources.columns import is_field  # noqa: PLC0415
    from importer.sources.profile import profile_source  # noqa: PLC0415  it loads the readers of all formats

    target, made_by = folder / f"{path.resolve().stem}.mapping.yaml", f"init --from {path.resolve().name}"
    _check_mapping(target, made_by)
    profile, records = profile_source(path, desk.settings)
    if profile.format in TABLES and all(map(is_field, profile.columns)):
        how = desk.common.again("plan", path)
        desk.console.tell(f"{path} has the columns of importer itself and needs no mapping: {how}")
        return
    text, questions = _skeleton(profile, records, path.resolve().name, desk)
    written.write({target: written.signed(text, made_by)})
    written.write_schema(folder, "mapping")
    told = "".join(f", {name} {value}" for name, value in profile.detected.items())
    desk.console.table([f"{path}  {profile.format}{told}, {profile.records} records", f"written  {target}"])
    for question in questions:
        desk.console.tell(f"To decide: {question}.")
    _tell_what_is_known(profile, path, desk)
    desk.console.tell(f"Next: {desk.common.again('convert', path, '--mapping', target)}")


def _skeleton(profile: SourceProfile, records: str | None, name: str, desk: Desk) -> tuple[str, list[str]]:
    """Return the mapping of a source, and what a person has to decide about it."""
    from importer.mapping.draft.inspection import inspect  # noqa: PLC0415
    from importer.mapping.draft.skeleton import SourceInfo, open_questions, skeleton  # noqa: PLC0415
    from importer.mapping.model import TABLES  # noqa: PLC0415

    findings = inspect(
        profile.columns, values=profile.distinct, filled=profile.filled, records=profile.records
    )
    encoding = profile.detected.get("encoding", "utf-8")
    source = SourceInfo(
        name=name,
        format=profile.format,
        encoding=None if encoding.startswith("utf-") else encoding,
        records=records,
        is_table=profile.format in TABLES,
        catalogue=_names(desk, profile.columns),
    )
    return skeleton(findings, source), list(open_questions(findings))


def _tell_what_is_known(profile: SourceProfile, path: Path, desk: Desk) -> None:
    from importer.mapping.draft.likely_preset import likely  # noqa: PLC0415

    if known := likely(profile.columns, profile.format):
        desk.console.tell(
            f"It looks like an export that is known: `extends: {' or '.join(known)}` carries more. Without a"
            f" mapping: {desk.common.again('convert', path, '--preset', known[0])}"
        )


def _check_mapping(target: Path, made_by: str) -> None:
    """Raise UsageError where a mapping is there that somebody edited, or that is for another export."""
    written.check([target], force=False)
    if written.author(target) not in ("", written.plain(made_by)):
        raise UsageError(
            f"{target} is the mapping of another export: {written.author(target)}",
            hint="rename that one, or name a folder for this one: importer init FOLDER --from ...",
        )


def _names(desk: Desk, columns: Iterable[str]) -> Catalogue | None:
    """Return the account's names, with the options of custom fields that are called like a column; None where
    neither the sandbox nor a key is at hand."""
    from importer.mapping.draft.skeleton import custom_field_name  # noqa: PLC0415
    from importer.model import Kind, Needs, Reference  # noqa: PLC0415

    if not desk.common.sandbox and not os.environ.get("INCIDENT_API_KEY"):
        return None
    fields = frozenset(Reference(Kind.CUSTOM_FIELD, custom_field_name(each)) for each in columns)
    with reading(desk, max_wait=60) as session:
        return session.api.catalogue(Needs(fields))
