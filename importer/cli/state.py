"""`importer state`: what importer knows of its incidents."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from importer.cli import options
from importer.cli.options import Common, chosen_format, taken
from importer.cli.session import Desk, open_desk
from importer.errors import UsageError
from importer.ledger import Entry, Ledger, read_ledger
from importer.model import Binding


@click.group("state", no_args_is_help=False)
def command() -> None:
    """Look at what importer knows of its incidents; make it forget one."""


@command.command("list")
@options.output_format("text", "json")
@options.common
@click.pass_context
def list_(context: click.Context) -> None:
    """List every known pair of key and incident, and what is pending."""
    desk = open_desk(taken(Common, context))
    with _reading(desk) as ledger:
        bindings, pending = ledger.bindings(), ledger.pending()
    if chosen_format(context) == "json":
        document = {
            "format_version": "1.0",
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
        desk.console.result(json.dumps(document, indent=2, ensure_ascii=False))
        return
    rows = [(each.key, each.reference, each.incident_id) for each in bindings]
    rows += [(key, "?", "sent, not answered; apply settles it") for key in pending]
    width = max((len(key) for key, _, _ in rows), default=0)
    desk.console.table(f"{key:{width}}  {reference:>8}  {rest}" for key, reference, rest in rows)


@command.command("show")
@click.argument("key")
@options.output_format("text", "json")
@options.common
@click.pass_context
def show(context: click.Context, key: str) -> None:
    """Show the binding of one KEY, its journal, and the values last declared and answered."""
    from importer.renderers.values import plain, shown  # noqa: PLC0415

    desk = open_desk(taken(Common, context))
    with _reading(desk) as ledger:
        binding, entries = _known(ledger, key)
        fields = sorted(ledger.remembered(key).items(), key=lambda pair: pair[0].label)
    if chosen_format(context) == "json":
        document = {
            "format_version": "1.0",
            "key": key,
            "incident_id": binding.incident_id if binding else None,
            "reference": binding.reference if binding else None,
            "journal": [asdict(each) for each in entries],
            "fields": {
                attribute.label: {"declared": plain(each.declared), "answered": plain(each.answered)}
                for attribute, each in fields
            },
        }
        desk.console.result(json.dumps(document, indent=2, ensure_ascii=False))
        return
    lines = [f"{key} is {binding.reference} ({binding.incident_id})" if binding else f"{key} is not bound"]
    lines += [f"  {each.at}  {each.status:9}  {each.step}  {each.detail or ''}".rstrip() for each in entries]
    lines += [f"  {attribute.label} = {shown(each.declared)}" for attribute, each in fields]
    desk.console.table(lines)


@command.command("forget")
@click.argument("key")
@options.common
@click.pass_context
def forget(context: click.Context, key: str) -> None:
    """Forget one KEY. Its incident stays as it is; the next plan looks for it anew."""
    from importer.lock import locked_ledger  # noqa: PLC0415

    desk = open_desk(taken(Common, context))
    path, console = _existing(desk), desk.console
    with locked_ledger(path, timeout=desk.common.lock_timeout, now=_now, tell=console.tell) as ledger:
        binding, _ = _known(ledger, key)
        ledger.forget(key)
    was = f": it was {binding.reference}" if binding else ""
    console.tell(f"'{key}' is forgotten{was}. If it is declared, apply would send its creation again.")


def _reading(desk: Desk) -> closing[Ledger]:
    return closing(read_ledger(_existing(desk), now=_now))


def _existing(desk: Desk) -> Path:
    """Return where the state is; say where it would be if there is none."""
    path = desk.settings.state
    if not path.exists():
        sandbox = "" if desk.common.sandbox else "; the embedded sandbox has its own: add --sandbox"
        raise UsageError(f"there is no state at {path}", hint=f"apply makes it{sandbox}")
    return path


def _known(ledger: Ledger, key: str) -> tuple[Binding | None, tuple[Entry, ...]]:
    """Return all that the state knows of a key. Raises UsageError where that is nothing."""
    binding, entries = ledger.binding(key), ledger.entries(key)
    if binding is None and not entries:
        import difflib  # noqa: PLC0415

        near = difflib.get_close_matches(key, [each.key for each in ledger.bindings()], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`importer state list` shows what is known"
        raise UsageError(f"the state knows nothing of '{key}'", hint=hint)
    return binding, entries


def _now() -> datetime:
    return datetime.now(UTC)
