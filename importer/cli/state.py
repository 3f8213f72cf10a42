"""`importer state`: what importer knows of its incidents; to look at, to forget, to carry elsewhere."""

from __future__ import annotations

import difflib
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import click

from importer.cli.context import CommandContext, open_context
from importer.cli.options import FORMAT, CommonOptions, FormatOptions, OutputFormat, TextOrJson
from importer.cli.outputs import check_outputs
from importer.cli.parameters import Argument, Option, define_command
from importer.formats.atomic import write_private
from importer.model import Binding
from importer.model.errors import UsageError
from importer.model.plain import plain
from importer.renderers.values import shown
from importer.state import export as exports
from importer.state.ledger import JournalEntry, Ledger
from importer.state.merge import without_private


@click.group("state", no_args_is_help=False)
def command() -> None:
    """Look at what importer knows of its incidents, make it forget one, carry it to another machine."""


@define_command("list", FormatOptions, command)
def list_(options: FormatOptions) -> None:
    """List every known pair of key and incident, and what is pending."""
    context = open_context(options.common)
    with _read_ledger(context) as ledger:
        bindings, pending = ledger.bindings(), ledger.pending()
    if options.format is OutputFormat.JSON:
        document = {
            "bindings": [
                {
                    "key": each.key,
                    "incident_id": each.incident_id,
                    "reference": each.reference,
                    "settled": each.settled,
                }
                for each in bindings
            ],
            "pending": list(pending),
        }
        context.console.document(document)
        return
    rows = [(each.key, each.reference, each.incident_id) for each in bindings]
    rows += [(key, "?", "sent, not answered; the next apply settles it") for key in pending]
    width = max((len(key) for key, _, _ in rows), default=0)
    context.console.table(f"{key:{width}}  {reference:>8}  {rest}" for key, reference, rest in rows)


@dataclass(frozen=True, slots=True)
class StateShowOptions:
    key: Annotated[str, Argument()]
    format: Annotated[TextOrJson, FORMAT]
    common: CommonOptions


@define_command("show", StateShowOptions, command)
def show(options: StateShowOptions) -> None:
    """Show the binding of one KEY, its journal, and the values last declared and answered."""
    key, context = options.key, open_context(options.common)
    with _read_ledger(context) as ledger:
        binding, entries = _known(ledger, key)
        fields = sorted(ledger.remembered(key).items(), key=lambda pair: pair[0].label)
    if options.format is OutputFormat.JSON:
        document = {
            "key": key,
            "incident_id": binding.incident_id if binding else None,
            "reference": binding.reference if binding else None,
            "journal": [asdict(each) for each in entries],
            "fields": {
                attribute.label: {"declared": plain(each.declared), "answered": plain(each.answered)}
                for attribute, each in fields
            },
        }
        context.console.document(document)
        return
    lines = [f"{key} is {binding.reference} ({binding.incident_id})" if binding else f"{key} is not bound"]
    lines += [f"  {each.at}  {each.status:9}  {each.step}  {each.detail or ''}".rstrip() for each in entries]
    lines += [f"  {attribute.label} = {shown(each.declared)}" for attribute, each in fields]
    context.console.table(lines)


@dataclass(frozen=True, slots=True)
class StateForgetOptions:
    key: Annotated[str, Argument()]
    common: CommonOptions


@define_command("forget", StateForgetOptions, command)
def forget(options: StateForgetOptions) -> None:
    """Forget one KEY. Its incident stays as it is; the next plan looks for it anew."""
    key, context = options.key, open_context(options.common)
    _require_state(context)
    with context.lock_ledger(_now) as ledger:
        binding, _ = _known(ledger, key)
        ledger.forget(key)
    was = f": it was {binding.reference}" if binding else ""
    context.console.info(
        f"'{key}' is forgotten{was}. If it is declared, apply would send its creation again."
    )


@dataclass(frozen=True, slots=True)
class StateExportOptions:
    """The options of state export. Without a file the export goes to stdout."""

    file: Annotated[Path | None, Argument()]
    show_private: Annotated[bool, Option("Include the values of incidents that are or may be private.")]
    common: CommonOptions


@define_command("export", StateExportOptions, command)
def export(options: StateExportOptions) -> None:
    """Write what other machines need to go on as JSON that can be committed, to FILE or to stdout.

    Of incidents that are not known to be public there are only key and reference in it.
    """
    context = open_context(options.common)
    check_outputs(options.file)
    with _read_ledger(context) as ledger:
        state = ledger.state()
    hidden = 0 if options.show_private else sum(not each.is_public for each in state.bound.values())
    text = exports.export_text(state if options.show_private else without_private(state))
    if options.file:
        write_private(options.file, [text])
    else:
        context.console.output(text)
    context.console.info(
        f"{len(state.bound)} bindings, {len(state.unanswered)} unanswered creations"
        + (
            f"; without the values of {hidden} that are or may be private: --show-private adds them"
            if hidden
            else ""
        )
    )


@dataclass(frozen=True, slots=True)
class StateImportOptions:
    file: Annotated[Path, Argument()]
    common: CommonOptions


@define_command("import", StateImportOptions, command)
def import_(options: StateImportOptions) -> None:
    """Add what an export knows to the state: all of it, or nothing where the two contradict each other."""
    context = open_context(options.common)
    given = exports.read_export(options.file)
    with context.lock_ledger(_now) as ledger:
        gain = ledger.merge(given)
    context.console.info(
        f"{gain.bound} bindings added, {gain.renewed} brought up to date, {gain.unanswered} unanswered"
        " creations added."
    )


def _read_ledger(context: CommandContext) -> AbstractContextManager[Ledger]:
    _require_state(context)
    return context.read_ledger(_now)


def _require_state(context: CommandContext) -> None:
    """Raise UsageError, with the place where it would be, where there is no state."""
    path = context.settings.state
    if not path.exists():
        sandbox = "" if context.common.sandbox else "; the embedded sandbox has its own: add --sandbox"
        raise UsageError(f"there is no state file at {path}", hint=f"apply creates it{sandbox}")


def _known(ledger: Ledger, key: str) -> tuple[Binding | None, tuple[JournalEntry, ...]]:
    """Return all that the state knows of a key. Raises UsageError where that is nothing."""
    binding, entries = ledger.binding(key), ledger.entries(key)
    if binding is None and not entries:
        near = difflib.get_close_matches(key, [each.key for each in ledger.bindings()], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`importer state list` shows all keys"
        raise UsageError(f"the state has no entry for '{key}'", hint=hint)
    return binding, entries


def _now() -> datetime:
    return datetime.now(UTC)
