"""`importer init`: a folder with the first files out; or an export in, the draft of its mapping out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from importer.cli import scaffold, written
from importer.cli.context import CommandContext, open_context
from importer.cli.options import CommonOptions
from importer.cli.parameters import ACCOUNT_VARIABLES, Argument, Option, define_command
from importer.cli.session import open_read_session
from importer.formats.atomic import write_shared
from importer.mapping.draft.inspection import inspect
from importer.mapping.draft.likely_preset import likely
from importer.mapping.draft.skeleton import SourceInfo, custom_field_name, open_questions, skeleton
from importer.mapping.model import TABLES
from importer.mapping.records import SourceProfile
from importer.model import Catalogue, Kind, Needs, Reference
from importer.model.errors import ExitCode, UsageError
from importer.model.wording import numbered
from importer.sources.columns import is_field
from importer.sources.profile import profile_source


@dataclass(frozen=True, slots=True)
class InitOptions:
    folder: Annotated[Path, Argument(metavar="[DIR]", default=Path())]
    source: Annotated[
        Path | None,
        Option("Draft a mapping for this export, a file or a folder, instead.", flag="--from"),
    ]
    common: CommonOptions


@define_command(
    "init",
    InitOptions,
    examples=("importer init", "importer init --from jira.csv"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: InitOptions) -> int:
    """Set up a folder, or draft a mapping for an export.

    Writes importer.yaml, an example incident, .gitignore and a CI workflow to DIR, or to the current folder;
    existing files are kept. With --from, it only drafts a mapping, with the account's names if an API key is
    set or --sandbox is given.
    """
    context = open_context(options.common)
    if options.source is None:
        _scaffold(options.folder, context)
    else:
        _mapping(options.source, options.folder, context)
    return ExitCode.DONE


def _scaffold(folder: Path, context: CommandContext) -> None:
    namespace = scaffold.own_namespace(folder.resolve().name, secrets.token_hex(3))
    pages = {folder / name: text for name, text in scaffold.files(namespace).items()}
    missing = {path: text for path, text in pages.items() if not path.exists()}
    for path, text in missing.items():
        write_shared(path, text)
    written.write_schema(folder, "config")
    written.write_schema(folder / "incidents", "incident")
    context.console.table(f"{'written' if path in missing else 'kept   '}  {path}" for path in pages)
    context.console.info(
        "\nNext, in that folder: `importer plan --sandbox` tries it without an account. Replace\n"
        "incidents/example.yaml before the first apply: incident.io cannot delete an incident.\n"
        "With an API key, `importer schema incident --account > incidents/.incident.schema.json` lets\n"
        "your editor complete and check the names of your account."
    )


def _mapping(path: Path, folder: Path, context: CommandContext) -> None:
    """Draft a mapping for an export. Raises UsageError if the file must not be overwritten, InvalidInput if
    the export cannot be read."""
    target, made_by = folder / f"{path.resolve().stem}.mapping.yaml", f"init --from {path.resolve().name}"
    _check_mapping(target, made_by)
    profile, records = profile_source(path, context.settings)
    if profile.format in TABLES and all(map(is_field, profile.columns)):
        how = context.common.command_line("plan", path)
        context.console.info(f"{path} already has importer's own columns and needs no mapping: {how}")
        return
    text, questions = _skeleton(profile, records, path.resolve().name, context)
    write_shared(target, written.signed(text, made_by))
    written.write_schema(folder, "mapping")
    details = "".join(f", {name} {value}" for name, value in profile.detected.items())
    context.console.table(
        [f"{path}  {profile.format}{details}, {numbered(profile.records, 'record')}", f"written  {target}"]
    )
    for question in questions:
        context.console.info(f"To decide: {question}.")
    _suggest_preset(profile, path, context)
    context.console.info(f"Next: {context.common.command_line('convert', path, '--mapping', target)}")


def _skeleton(
    profile: SourceProfile, records: str | None, name: str, context: CommandContext
) -> tuple[str, list[str]]:
    """Return the mapping of a source, and the questions that the user has to decide."""
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
        catalogue=_names(context, profile.columns),
    )
    return skeleton(findings, source), list(open_questions(findings))


def _suggest_preset(profile: SourceProfile, path: Path, context: CommandContext) -> None:
    if known := likely(profile.columns, profile.format):
        context.console.info(
            f"This looks like a known export: `extends: {' or '.join(known)}` imports more of it. Without a"
            f" mapping: {context.common.command_line('convert', path, '--preset', known[0])}"
        )


def _check_mapping(target: Path, made_by: str) -> None:
    """Raise UsageError if the mapping was edited, or is for another export."""
    written.check_unedited([target], force=False)
    if written.author(target) not in ("", written.signature_name(made_by)):
        raise UsageError(
            f"{target} is a mapping for another export: {written.author(target)}",
            hint="rename it, or choose another folder: importer init FOLDER --from ...",
        )


def _names(context: CommandContext, columns: Iterable[str]) -> Catalogue | None:
    """Return the account's names, with the options of custom fields named like a column; None if there is
    neither an API key nor --sandbox."""
    if not context.common.sandbox and not os.environ.get("INCIDENT_API_KEY"):
        return None
    fields = frozenset(Reference(Kind.CUSTOM_FIELD, custom_field_name(each)) for each in columns)
    with open_read_session(context, max_wait=60) as session:
        return session.api.catalogue(Needs(fields))
