"""`importer sandbox`: options in, a served stand-in of the incident.io API out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from importer.cli import options
from importer.cli.console import open_console
from importer.cli.options import taken
from importer.model.errors import UsageError
from importer.sandbox import (
    Fault,
    FaultKind,
    Faults,
    Idempotency,
    RateLimit,
    RetryAfter,
    Sandbox,
    SandboxOptions,
    Server,
    open_sandbox,
    serve,
)
from importer.wire.paths import INCIDENTS

_FAULT = re.compile(r"(?P<kind>[a-z_]+)(=(?P<percent>\d+(\.\d+)?)%)?(@(?P<route>.+))?")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What sandbox's own options say."""

    host: str
    port: int
    data: Path | None
    rate_limit: int
    creations_per_hour: int | None
    idempotency: str
    retry_after: str
    normalises: bool
    sets_timestamps: bool
    makes_slack_channels: bool
    fault: tuple[str, ...]
    random_seed: int


@click.command("sandbox")
@options.option("--host", default="127.0.0.1", help="The address to serve on. [default: 127.0.0.1]")
@options.option(
    "--port", type=click.IntRange(0, 65535), default=8765, help="The port; 0: a free one. [default: 8765]"
)
@options.option(
    "--data", type=click.Path(path_type=Path), help="Keep the account in this file. [default: memory]"
)
@options.option(
    "--rate-limit",
    type=click.IntRange(min=0),
    default=1200,
    help="Requests a minute; 0: no limit. [default: 1200]",
)
@options.option("--creations-per-hour", type=click.IntRange(min=1), help="Limit incidents created an hour.")
@options.option(
    "--idempotency",
    type=click.Choice([each.value for each in Idempotency]),
    default=Idempotency.REPLAY.value,
    help="What a known idempotency key gets. [default: replay]",
)
@options.option(
    "--retry-after",
    type=click.Choice([each.value for each in RetryAfter]),
    default=RetryAfter.SECONDS.value,
    help="The form of the Retry-After header. [default: seconds]",
)
@options.option("--normalises", is_flag=True, help="Give texts, numbers and sets back in another form.")
@options.option("--sets-timestamps", is_flag=True, help="Fill in timestamps that were not sent.")
@options.option("--makes-slack-channels", is_flag=True, help="Open a channel for every incident.")
@options.option(
    "--fault",
    multiple=True,
    metavar="KIND[=P%][@ROUTE]",
    help=f"Misbehave: drop_after=5%, error_before=2%@POST {INCIDENTS}, ... Repeatable. Kinds: "
    + ", ".join(each.value for each in FaultKind),
)
@options.option(
    "--random-seed", type=int, default=0, help="Makes the faults of two runs the same. [default: 0]"
)
@click.pass_context
def command(context: click.Context) -> None:
    """Serve a stand-in of the incident.io API, to rehearse a migration in full before it is run.

    It has an account with severities, roles, custom fields and people of its own, and the rules, limits and
    errors of the real API as far as they are known. Ctrl-C ends it.
    """
    wishes, console = taken(Wishes, context), open_console()
    faults = Faults(tuple(_fault(each) for each in wishes.fault), wishes.random_seed)
    with opened(wishes.data, _options(wishes)) as sandbox:
        sandbox.faults = faults
        server = _bound(sandbox, wishes)
        console.result(f"export INCIDENT_ENDPOINT={server.url}\nexport INCIDENT_API_KEY=sandbox-key")
        console.tell("Serving; Ctrl-C ends it. The two lines above point importer at it.")
        try:
            server.run_forever()
        except KeyboardInterrupt:
            console.tell("Ended.")
        finally:
            server.stop()


@contextmanager
def opened(path: Path | None, choices: SandboxOptions | None = None) -> Iterator[Sandbox]:
    """Open the sandbox whose account is in a file; None: a new one in memory."""
    try:
        sandbox = open_sandbox(path, options=choices)
    except (ValueError, sqlite3.Error) as error:
        raise UsageError(
            f"the sandbox cannot keep its account in {path}: {error}",
            hint="name another file; or remove that one, if it is a sandbox's: it is made anew",
        ) from error
    try:
        yield sandbox
    finally:
        sandbox.close()


def _bound(sandbox: Sandbox, wishes: Wishes) -> Server:
    try:
        return serve(sandbox, wishes.host, wishes.port)
    except OSError as error:
        raise UsageError(
            f"cannot serve on {wishes.host}, port {wishes.port}: {error}", hint="--port 0 takes a free port"
        ) from error


def _options(wishes: Wishes) -> SandboxOptions:
    return SandboxOptions(
        rate_limit=RateLimit(limit=wishes.rate_limit) if wishes.rate_limit else None,
        creations_per_hour=wishes.creations_per_hour,
        retry_after=RetryAfter(wishes.retry_after),
        idempotency=Idempotency(wishes.idempotency),
        normalises=wishes.normalises,
        sets_timestamps=wishes.sets_timestamps,
        makes_slack_channels=wishes.makes_slack_channels,
    )


def _fault(words: str) -> Fault:
    found = _FAULT.fullmatch(words)
    if not found or found["kind"] not in list(FaultKind):
        kinds = ", ".join(each.value for each in FaultKind)
        raise UsageError(
            f"--fault {words} is not understood",
            hint=f"write KIND, KIND=5% or KIND=5%@POST {INCIDENTS}; the kinds are {kinds}",
        )
    share = float(found["percent"] or 100) / 100
    return Fault(FaultKind(found["kind"]), on=found["route"] or "", probability=share)
