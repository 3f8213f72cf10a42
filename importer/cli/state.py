"""`importer state`: what importer knows of its incidents; to look at, to forget, to carry elsewhere."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from importer.cli import options, outputs
from importer.cli.options import Common, chosen_format, taken
from importer.cli.session import Desk, open_desk
from importer.model import Binding
from importer.model.errors import UsageError
from importer.state.ledger import JournalEntry, Ledger, read_ledger


@click.group("state", no_args_is_help=False)
def command() -> None:
    """Look at what importer knows of its incidents, make it forget one, carry it to another machine."""


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
    from importer.model.plain import plain  # noqa: PLC0415
    from importer.renderers.values import shown  # noqa: PLC0415

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
    from importer.state.lock import locked_ledger  # noqa: PLC0415

    desk = open_desk(taken(Common, context))
    path, console = _existing(desk), desk.console
    with locked_ledger(path, timeout=desk.common.lock_timeout, now=_now, tell=console.tell) as ledger:
        binding, _ = _known(ledger, key)
        ledger.forget(key)
    was = f": it was {binding.reference}" if binding else ""
    console.tell(f"'{key}' is forgotten{was}. If it is declared, apply would send its creation again.")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What export's own options say. Without a file the export goes to stdout."""

    file: Path | None
    show_private: bool


@command.command("export")
@options.argument("file", required=False, type=click.Path(path_type=Path))
@options.option(
    "--show-private", is_flag=True, help="Also the values of incidents that are or may be private."
)
@options.common
@click.pass_context
def export(context: click.Context) -> None:
    """Write what other machines need to go on as JSON that can be committed, to FILE or to stdout.

    Of incidents that are not known to be public there are only key and reference in it.
    """
    from importer.formats import atomic  # noqa: PLC0415
    from importer.state import export  # noqa: PLC0415
    from importer.state.merge import without_private  # noqa: PLC0415

    wishes, desk = taken(Wishes, context), open_desk(taken(Common, context))
    outputs.check(wishes.file)
    with _reading(desk) as ledger:
        state = ledger.state()
    hidden = 0 if wishes.show_private else sum(not each.is_public for each in state.bound.values())
    text = export.text(state if wishes.show_private else without_private(state))
    if wishes.file:
        atomic.write(wishes.file, [text])
    else:
        desk.console.result(text)
    desk.console.tell(
        f"{len(state.bound)} bindings, {len(state.unanswered)} unanswered creations"
        + (
            f"; without the values of {hidden} that are or may be private: --show-private adds them"
            if hidden
            else ""
        )
    )


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@options.common
@click.pass_context
def import_(context: click.Context, file: Path) -> None:
    """Add what an export knows to the state: all of it, or nothing where the two contradict each other."""
    from importer.state import export  # noqa: PLC0415
    from importer.state.lock import locked_ledger  # noqa: PLC0415

    desk = open_desk(taken(Common, context))
    given, console = export.read(file), desk.console
    with locked_ledger(
        desk.settings.state, timeout=desk.common.lock_timeout, now=_now, tell=console.tell
    ) as ledger:
        gain = ledger.merge(given)
    console.tell(
        f"{gain.bound} bindings added, {gain.renewed} brought up to date, {gain.unanswered} unanswered"
        " creations added."
    )


def _reading(desk: Desk) -> closing[Ledger]:
    return closing(read_ledger(_existing(desk), now=_now))


def _existing(desk: Desk) -> Path:
    """Return where the state is; say where it would be if there is none."""
    path = desk.settings.state
    if not path.exists():
        sandbox = "" if desk.common.sandbox else "; the embedded sandbox has its own: add --sandbox"
        raise UsageError(f"there is no state at {path}", hint=f"apply makes it{sandbox}")
    return path


def _known(ledger: Ledger, key: str) -> tuple[Binding | None, tuple[JournalEntry, ...]]:
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
