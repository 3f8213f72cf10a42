"""`importer state`: the state file in; its bindings out, or changed, or moved to another machine."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
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
from importer.model import Attribute, Binding, Entity, Remembered, number_of
from importer.model.codec import encode_record
from importer.model.errors import UsageError
from importer.model.normalise import folded
from importer.model.plain import plain
from importer.model.wording import numbered
from importer.renderers.values import shown
from importer.state import export as exports
from importer.state.ledger import JournalEntry, Ledger
from importer.state.merge import without_private
from importer.workflow import load_declared


@click.group("state", no_args_is_help=False)
def command() -> None:
    """Inspect the state, forget a key, or move the state elsewhere.

    The state binds each key to its incident in incident.io. These commands do not contact the account.

    \b
    Examples:
      importer state list
      importer state export state.json
    """


@define_command(
    "list", FormatOptions, command, examples=("importer state list", "importer state list --json")
)
def list_(options: FormatOptions) -> None:
    """List all keys with their incidents, and pending creations."""
    context = open_context(options.common)
    with _read_ledger(context) as ledger:
        bindings, pending = ledger.bindings(), ledger.pending()
    if options.format is OutputFormat.JSON:
        document = {"bindings": [encode_record(each) for each in bindings], "pending": list(pending)}
        context.console.document(document)
        return
    rows = [(each.key, each.reference, each.incident_id) for each in bindings]
    rows += [(key, "?", "sent, not answered; the next apply looks for it") for key in pending]
    width = max((len(key) for key, _, _ in rows), default=0)
    context.console.table(f"{key:{width}}  {reference:>8}  {rest}" for key, reference, rest in rows)


@dataclass(frozen=True, slots=True)
class StateShowOptions:
    key: Annotated[str, Argument()]
    format: Annotated[TextOrJson, FORMAT]
    common: CommonOptions


@define_command(
    "show",
    StateShowOptions,
    command,
    examples=("importer state show JIRA-1042", "importer state show JIRA-1042 --json"),
)
def show(options: StateShowOptions) -> None:
    """Show what the state knows about a key.

    That is its binding, its journal, and the values last declared; --json adds the values that the account
    answered.
    """
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
    lines = [
        f"{key} is bound to {binding.reference} ({binding.incident_id})" if binding else f"{key} is not bound"
    ]
    lines += [f"  {each.at}  {each.status:9}  {each.step}  {each.detail or ''}".rstrip() for each in entries]
    lines += [f"  {attribute.label} = {shown(each.declared)}" for attribute, each in fields]
    context.console.table(lines)


@dataclass(frozen=True, slots=True)
class StateForgetOptions:
    key: Annotated[str, Argument()]
    common: CommonOptions


@define_command(
    "forget",
    StateForgetOptions,
    command,
    examples=("importer state forget JIRA-1042", "importer state forget JIRA-1042 --sandbox"),
)
def forget(options: StateForgetOptions) -> None:
    """Forget a key.

    The incident in incident.io stays as it is. With a marker field, the next plan finds it again; otherwise a
    declared key waits until it is adopted, or is created again. The command says which.
    """
    key, context = options.key, open_context(options.common)
    _require_state(context)
    with context.lock_ledger(_now) as ledger:
        binding, _ = _known(ledger, key)
        remembered = ledger.remembered(key)
        ledger.forget(key)
    bound = f", which was bound to {binding.reference}" if binding else ""
    context.console.info(f"Forgot '{key}'{bound}. {_after_forgetting(context, key, binding, remembered)}")


def _after_forgetting(
    context: CommandContext, key: str, binding: Binding | None, remembered: Mapping[Attribute, Remembered]
) -> str:
    """Return what a plan will do with the key, if a file declares it."""
    field = context.settings.marker_field
    if not field:
        return _without_marker(context, key, binding)
    marked = {folded(each.key.name) for each in remembered if isinstance(each.key, Entity)}
    if binding is None:
        return f"If it was created, the next plan finds it by the marker field {field!r}."
    if folded(field) in marked:
        return f"The next plan finds {binding.reference} again by the marker field {field!r}."
    found = f"If the marker field {field!r} of {binding.reference} has the key, the next plan finds it again."
    return f"{found} Otherwise: {_without_marker(context, key, binding)}"


def _without_marker(context: CommandContext, key: str, binding: Binding | None) -> str:
    again = "sends its creation again, with the same idempotency key: if incident.io has forgotten that key,"
    if binding is None:
        return f"If a file declares it, the next apply {again} and the first one arrived, there are two."
    number = _declared_number(context, key)
    if number is not None and number == number_of(binding.reference):
        adoption = f"importer adopt {shlex.quote(key)} {binding.reference}"
        return f"The next plan blocks it, because {binding.reference} exists, until you adopt it: {adoption}"
    return f"If a file declares it, the next apply {again} that makes a duplicate of {binding.reference}."


def _declared_number(context: CommandContext, key: str) -> int | None:
    """Return the external_id that the files declare for a key."""
    try:
        loaded = load_declared(context.settings, (), now=_now())
    except UsageError:
        return None
    return next((each.external_id for each in loaded.incidents if each.key == key), None)


@dataclass(frozen=True, slots=True)
class StateExportOptions:
    """The options of state export. Without a file, the export goes to stdout."""

    file: Annotated[Path | None, Argument()]
    show_private: Annotated[bool, Option("Include the values of incidents that are or may be private.")]
    common: CommonOptions


@define_command(
    "export",
    StateExportOptions,
    command,
    examples=("importer state export state.json", "importer state export --show-private > state.json"),
)
def export(options: StateExportOptions) -> None:
    """Export the state as JSON, to FILE or to stdout.

    The JSON is sorted and stable, so that it can be committed. It leaves out the values of incidents that are
    not known to be public, and keeps their keys and references.
    """
    context = open_context(options.common)
    check_outputs(options.file)
    with _read_ledger(context) as ledger:
        state = ledger.state()
    left_out = 0 if options.show_private else sum(not each.is_public for each in state.bound.values())
    text = exports.export_text(state if options.show_private else without_private(state))
    if options.file:
        write_private(options.file, [text])
    else:
        context.console.output(text)
    bindings = numbered(len(state.bound), "binding")
    unanswered = numbered(len(state.unanswered), "unanswered creation")
    private = f"{numbered(left_out, 'incident')} that {'is' if left_out == 1 else 'are'} or may be private"
    without = f", without the values of {private} (--show-private includes them)" if left_out else ""
    context.console.info(f"Exported {bindings} and {unanswered}{without}.")


@dataclass(frozen=True, slots=True)
class StateImportOptions:
    file: Annotated[Path, Argument()]
    common: CommonOptions


@define_command(
    "import",
    StateImportOptions,
    command,
    examples=("importer state import state.json", "importer state import state.json --sandbox"),
)
def import_(options: StateImportOptions) -> None:
    """Add a state export to the state.

    FILE is what `state export` wrote. If it contradicts the state, nothing is added.
    """
    context = open_context(options.common)
    imported = exports.read_export(options.file)
    with context.lock_ledger(_now) as ledger:
        result = ledger.merge(imported)
    account = imported.account
    of = f" The state belongs to {account.dashboard_url} at {account.endpoint}." if account else ""
    context.console.info(
        f"{numbered(result.bound, 'binding')} added, {result.renewed} updated,"
        f" {numbered(result.unanswered, 'unanswered creation')} added.{of}"
    )


def _read_ledger(context: CommandContext) -> AbstractContextManager[Ledger]:
    _require_state(context)
    return context.read_ledger(_now)


def _require_state(context: CommandContext) -> None:
    """Raise UsageError, which names the expected path, if there is no state file."""
    path = context.settings.state
    if not path.exists():
        sandbox = "" if context.common.sandbox else "; the embedded sandbox has its own: add --sandbox"
        raise UsageError(f"there is no state file at {path}", hint=f"apply creates it{sandbox}")


def _known(ledger: Ledger, key: str) -> tuple[Binding | None, tuple[JournalEntry, ...]]:
    """Return the binding and the journal of a key. Raises UsageError if it has neither."""
    binding, entries = ledger.binding(key), ledger.entries(key)
    if binding is None and not entries:
        near = difflib.get_close_matches(key, [each.key for each in ledger.bindings()], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`importer state list` shows all keys"
        raise UsageError(f"the state has no entry for '{key}'", hint=hint)
    return binding, entries


def _now() -> datetime:
    return datetime.now(UTC)
