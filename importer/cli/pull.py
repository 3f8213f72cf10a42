"""`importer pull`: the account's incidents in, YAML files that plan empty out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from importer.account.rules import SEES_PRIVATE
from importer.cli import written
from importer.cli.context import CommandContext, open_context
from importer.cli.options import CommonOptions, RateOptions
from importer.cli.parameters import ACCOUNT_VARIABLES, Argument, Option, define_command
from importer.cli.session import open_locked_read_session, open_read_session
from importer.formats.atomic import write_shared
from importer.formats.yaml_writer import to_yaml
from importer.model import Field
from importer.model.errors import ExitCode, UsageError
from importer.model.wording import numbered
from importer.plan.estimate import of_requests
from importer.pull import CATEGORIES, MODES, PULLED_CHILDREN, Declared, Filters, without_numbers
from importer.renderers.view import format_estimate
from importer.workflow import PullSelection, Session, bind_pulled, find_incidents, read_declared

_STAMPS = {"year": "%Y", "month": "%Y/%m"}


@dataclass(frozen=True, slots=True)
class PullOptions:
    folder: Annotated[Path, Argument(metavar="[DIR]", default=Path("incidents"))]
    since: Annotated[
        str | None,
        Option("Only incidents that began on or after this date, such as 2023-01-01.", metavar="DATE"),
    ]
    mode: Annotated[tuple[str, ...], Option("Only these modes. Repeatable.", choices=MODES)]
    status_category: Annotated[
        tuple[str, ...], Option("Only these status categories. Repeatable.", choices=CATEGORIES)
    ]
    severity: Annotated[tuple[str, ...], Option("Only these severities. Repeatable.", metavar="NAME")]
    children: Annotated[
        tuple[Field, ...],
        Option(
            "Also pull these children; takes one or more requests per incident. Repeatable.",
            flag="--with",
            choices=PULLED_CHILDREN,
        ),
    ]
    by: Annotated[
        Literal["year", "month"],
        Option("Write one file per year (2023.yaml) or month (2023/04.yaml).", default="year"),
    ]
    key_field: Annotated[
        str | None, Option("A custom field that holds the keys of an earlier import.", metavar="NAME")
    ]
    drop_external_id: Annotated[
        bool, Option("Leave out the numbers, to copy the incidents to another account.")
    ]
    adopt: Annotated[bool, Option("Adopt the incidents, so that later edits of the files are applied.")]
    force: Annotated[bool, Option("Overwrite files that were edited, or that importer did not write.")]
    pace: RateOptions
    common: CommonOptions

    @property
    def filters(self) -> Filters:
        """Return the filters. Raises UsageError if `--since` is not a date."""
        return Filters(
            since=_moment(self.since) if self.since else None,
            modes=frozenset(self.mode or MODES),
            categories=frozenset(self.status_category or CATEGORIES),
            severities=self.severity,
        )


@define_command(
    "pull",
    PullOptions,
    examples=("importer pull", "importer pull incidents --since 2023-01-01 --with timeline"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: PullOptions) -> int:
    """Write the account's incidents to YAML files that plan as unchanged.

    DIR is `incidents` by default. Never writes to the account. To copy the incidents, plan the files with the
    API key of another account.
    """
    context, filters, rate = open_context(options.common), options.filters, options.pace.ceiling
    console, kinds = context.console, frozenset(options.children)
    open_session = open_locked_read_session if options.adopt else open_read_session
    with open_session(context, rate=rate, max_wait=options.pace.max_wait) as session:
        found = find_incidents(session, filters, options.key_field)
        _report_cost(found, kinds, context)
        declared = read_declared(session, found, kinds)
        console.report(found.tally.diagnostics())
        kept = without_numbers(declared) if options.drop_external_id else declared
        files = written.group_by_file(kept, lambda each: _file_name(each, options.by))
        pages = {options.folder / f"{name}.yaml": incidents for name, incidents in files.items()}
        _write(pages, options)
        adopted = bind_pulled(session, declared) if options.adopt else None
        _report(pages, options, context, session)
    if adopted is not None:
        console.info(f"{numbered(adopted, 'incident')} adopted: the state binds each key to its incident.")
    console.info(f"To compare them with an account: {options.common.command_line('plan', options.folder)}")
    return ExitCode.DONE


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write a date such as 2023-01-01, or a time such as 2023-01-01T09:00:00Z"
        raise UsageError(f"--since {text} is not a date", hint=hint) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _file_name(declared: Declared, by: str) -> str:
    return (declared.incident.began or declared.live.created_at).strftime(_STAMPS[by])


def _write(pages: Mapping[Path, Sequence[Declared]], options: PullOptions) -> None:
    """Write all files, or none if one of them must not be overwritten."""
    schema = {"year": "", "month": "../"}[options.by] + written.INCIDENT_SCHEMA
    texts = {
        path: written.signed(to_yaml((each.incident for each in found), schema=schema), "pull")
        for path, found in pages.items()
    }
    written.check_unedited(texts, force=options.force)
    for path, text in texts.items():
        write_shared(path, text)
    written.write_schema(options.folder)


def _report_cost(found: PullSelection, kinds: frozenset[Field], context: CommandContext) -> None:
    requests = len(found.incidents) * len(kinds)
    if requests:
        reading = f"Reading {', '.join(sorted(kinds))} for {numbered(len(found.incidents), 'incident')}."
        context.console.info(f"{reading} {format_estimate(of_requests(requests))}")


def _report(
    pages: Mapping[Path, Sequence[Declared]], options: PullOptions, context: CommandContext, session: Session
) -> None:
    console, roles = context.console, session.account.roles
    console.table(f"{path}  {len(found)}" for path, found in pages.items())
    pulled = numbered(sum(map(len, pages.values())), "incident")
    console.info(f"{pulled} pulled from {session.account.dashboard_url}.")
    if roles and SEES_PRIVATE not in roles:
        console.info(
            f"The API key lacks the role {SEES_PRIVATE}: private incidents that it cannot see are missing."
        )
    if earlier := written.written_before(options.folder.rglob("*.yaml"), pages):
        console.info(f"An earlier pull wrote {earlier}: remove incidents that are now in two files.")
