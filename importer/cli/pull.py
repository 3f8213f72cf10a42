"""`importer pull`: the account's incidents in, YAML files that plan empty out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.account.rules import SEES_PRIVATE
from importer.cli import options, written
from importer.cli.options import Common, taken
from importer.cli.session import Desk, claiming, open_desk, reading
from importer.formats.yaml_writer import document
from importer.model import Field
from importer.model.errors import ExitCode, UsageError
from importer.model.settings import parse_rate
from importer.model.wording import numbered
from importer.plan.estimate import of_requests
from importer.pull import CATEGORIES, MODES, PULLED_CHILDREN, Declared, Filters, without_numbers
from importer.renderers.view import effort
from importer.workflow import bind_pulled, find_incidents, read_declared

if TYPE_CHECKING:
    from importer.workflow import PullSelection, Session

_STAMPS = {"year": "%Y", "month": "%Y/%m"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What pull's own options say."""

    folder: Path
    since: str | None
    mode: tuple[str, ...]
    status_category: tuple[str, ...]
    severity: tuple[str, ...]
    children: tuple[str, ...]
    by: str
    key_field: str | None
    drop_external_id: bool
    adopt: bool
    force: bool
    rate: str | None
    max_wait: float

    @property
    def filters(self) -> Filters:
        """Raises UsageError for a `--since` that is no date."""
        return Filters(
            since=_moment(self.since) if self.since else None,
            modes=frozenset(self.mode or MODES),
            categories=frozenset(self.status_category or CATEGORIES),
            severities=self.severity,
        )


@click.command("pull")
@options.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("incidents"))
@options.option("--since", metavar="DATE", help="Only what began then or later: 2023-01-01.")
@options.option("--mode", multiple=True, type=click.Choice(MODES), help="Only these modes. Repeatable.")
@options.option(
    "--status-category", multiple=True, type=click.Choice(CATEGORIES), help="Only these. Repeatable."
)
@options.option("--severity", multiple=True, metavar="NAME", help="Only these severities. Repeatable.")
@options.option(
    "--with",
    "children",
    multiple=True,
    type=click.Choice([each.value for each in PULLED_CHILDREN]),
    help="These children too, for a request or more an incident. Repeatable.",
)
@options.option(
    "--by",
    type=click.Choice(list(_STAMPS)),
    default="year",
    help="A file for each year (2023.yaml) or month (2023/04.yaml). [default: year]",
)
@options.option("--key-field", metavar="NAME", help="A custom field that has the keys of an older import.")
@options.option("--drop-external-id", is_flag=True, help="Leave out the numbers, for another account.")
@options.option(
    "--adopt", is_flag=True, help="Take the incidents over: later edits of the files are applied."
)
@options.option("--force", is_flag=True, help="Overwrite files that were edited or made by others.")
@options.rate
@options.max_wait
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Write the incidents of the account to YAML files in DIR, which plan as unchanged.

    Sends nothing but GET. With the key of another account, the files plan a copy. DIR is `incidents` unless
    it is given.
    """
    wishes, desk = taken(Wishes, context), open_desk(taken(Common, context))
    filters = wishes.filters
    ceiling = parse_rate(wishes.rate) if wishes.rate else None
    opened = claiming if wishes.adopt else reading
    with opened(desk, rate=ceiling, max_wait=wishes.max_wait) as session:
        found = find_incidents(session, filters, wishes.key_field)
        kinds = frozenset(Field(each) for each in wishes.children)
        _tell_cost(found, kinds, desk)
        declared = read_declared(session, found, kinds)
        desk.console.complain(found.tally.diagnostics())
        files = _divided(without_numbers(declared) if wishes.drop_external_id else declared, wishes.by)
        _write(files, wishes)
        adopted = bind_pulled(session, declared) if wishes.adopt else None
        _tell(files, wishes, desk, session)
    if adopted is not None:
        desk.console.tell(f"{adopted} taken over: the state knows which incident each key is.")
    desk.console.tell(f"To compare them with an account: {desk.common.again('plan', wishes.folder)}")
    return ExitCode.DONE


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write a date like 2023-01-01, or a moment like 2023-01-01T09:00:00Z"
        raise UsageError(f"--since {text} is no date", hint=hint) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _divided(declared: Iterable[Declared], by: str) -> dict[str, list[Declared]]:
    """Return the incidents of each file, by its name without the suffix."""
    files: dict[str, list[Declared]] = {}
    for each in declared:
        moment = each.incident.began or each.live.created_at
        files.setdefault(moment.strftime(_STAMPS[by]), []).append(each)
    return dict(sorted(files.items()))


def _write(files: dict[str, list[Declared]], wishes: Wishes) -> None:
    """Write all files, or none where one of them must not be."""
    up = {"year": "", "month": "../"}[wishes.by]
    pages = {
        _path(wishes, name): written.signed(
            document((each.incident for each in found), schema=f"{up}{written.INCIDENT_SCHEMA}"), "pull"
        )
        for name, found in files.items()
    }
    written.check(pages, force=wishes.force)
    written.write(pages)
    written.write_schema(wishes.folder)


def _path(wishes: Wishes, name: str) -> Path:
    return wishes.folder / f"{name}.yaml"


def _tell_cost(found: PullSelection, kinds: frozenset[Field], desk: Desk) -> None:
    requests = len(found.incidents) * len(kinds)
    if requests:
        read = f"Reading {', '.join(sorted(kinds))} of {numbered(len(found.incidents), 'incident')}."
        desk.console.tell(f"{read} {effort(of_requests(requests))}")


def _tell(files: dict[str, list[Declared]], wishes: Wishes, desk: Desk, session: Session) -> None:
    console, roles = desk.console, session.account.roles
    console.table(f"{_path(wishes, name)}  {len(found)}" for name, found in files.items())
    pulled = numbered(sum(map(len, files.values())), "incident")
    console.tell(f"{pulled} pulled from {session.account.dashboard_url}.")
    if roles and SEES_PRIVATE not in roles:
        console.tell(
            f"This key lacks the role {SEES_PRIVATE}: private incidents that it does not see are missing."
        )
    earlier = _written_earlier(wishes.folder, [_path(wishes, name) for name in files])
    if earlier:
        console.tell(f"An earlier run wrote {', '.join(earlier)}: remove what is there twice.")


def _written_earlier(folder: Path, now: Sequence[Path]) -> list[str]:
    return [str(each) for each in sorted(set(folder.rglob("*.yaml")) - set(now)) if written.is_own(each)]
