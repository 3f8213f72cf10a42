"""`importer sandbox`: options in, a server that stands in for the incident.io API out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from importer.cli.console import open_console
from importer.cli.parameters import Option, define_command
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
class ServeOptions:
    host: Annotated[str, Option("The address to serve on.", default="127.0.0.1")]
    port: Annotated[
        int,
        Option("The port; 0 picks a free one.", within=(0, 65535), default=8765),
    ]
    data: Annotated[Path | None, Option("Store the account in this file. [default: in memory]")]
    rate_limit: Annotated[
        int,
        Option("Requests per minute; 0 means no limit.", within=(0, None), default=1200),
    ]
    creations_per_hour: Annotated[
        int | None, Option("Limit the incidents created per hour.", within=(1, None))
    ]
    idempotency: Annotated[
        Idempotency,
        Option("How a repeated idempotency key is answered.", default=Idempotency.REPLAY),
    ]
    retry_after: Annotated[
        RetryAfter,
        Option("The format of the Retry-After header.", default=RetryAfter.SECONDS),
    ]
    normalises: Annotated[bool, Option("Return text, numbers and sets in another form than they were sent.")]
    sets_timestamps: Annotated[bool, Option("Fill in timestamps that were not sent.")]
    makes_slack_channels: Annotated[bool, Option("Open a Slack channel for every incident.")]
    fault: Annotated[
        tuple[str, ...],
        Option(
            f"Inject faults: drop_after=5%, error_before=2%@POST {INCIDENTS}, ... Repeatable. Kinds: "
            + ", ".join(each.value for each in FaultKind),
            metavar="KIND[=P%][@ROUTE]",
        ),
    ]
    random_seed: Annotated[int, Option("The seed of the faults, to repeat a run.", default=0, metavar="N")]


@define_command(
    "sandbox",
    ServeOptions,
    examples=("importer sandbox --data sandbox.db", "importer sandbox --port 0 --fault drop_after=5%"),
)
def command(options: ServeOptions) -> None:
    """Serve a local sandbox of the incident.io API, to rehearse a migration.

    It has an account of its own, with severities, roles, custom fields and users, and follows the rules,
    limits and errors of the real API as far as they are known. Ctrl-C stops it.
    """
    console = open_console()
    faults = Faults(tuple(_fault(each) for each in options.fault), options.random_seed)
    with open_sandbox_file(options.data, _sandbox_options(options)) as sandbox:
        sandbox.faults = faults
        server = _bound(sandbox, options)
        console.output(f"export INCIDENT_ENDPOINT={server.url}\nexport INCIDENT_API_KEY=sandbox-key")
        console.info("Serving until Ctrl-C. The two lines above point importer at it.")
        try:
            server.run_forever()
        except KeyboardInterrupt:
            console.info("Stopped.")
        finally:
            server.stop()


@contextmanager
def open_sandbox_file(path: Path | None, choices: SandboxOptions | None = None) -> Iterator[Sandbox]:
    """Open the sandbox whose account is in a file, or a new one in memory if `path` is None."""
    try:
        sandbox = open_sandbox(path, options=choices)
    except (ValueError, sqlite3.Error) as error:
        raise UsageError(
            f"the sandbox cannot store its account in {path}: {error}",
            hint="choose another file, or remove this one if it belongs to a sandbox: it is created again",
        ) from error
    try:
        yield sandbox
    finally:
        sandbox.close()


def _bound(sandbox: Sandbox, options: ServeOptions) -> Server:
    try:
        return serve(sandbox, options.host, options.port)
    except OSError as error:
        raise UsageError(
            f"cannot serve on {options.host}, port {options.port}: {error}", hint="--port 0 picks a free port"
        ) from error


def _sandbox_options(options: ServeOptions) -> SandboxOptions:
    return SandboxOptions(
        rate_limit=RateLimit(limit=options.rate_limit) if options.rate_limit else None,
        creations_per_hour=options.creations_per_hour,
        retry_after=options.retry_after,
        idempotency=options.idempotency,
        normalises=options.normalises,
        sets_timestamps=options.sets_timestamps,
        makes_slack_channels=options.makes_slack_channels,
    )


def _fault(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if not match or match["kind"] not in list(FaultKind):
        kinds = ", ".join(each.value for each in FaultKind)
        raise UsageError(
            f"invalid --fault {text}",
            hint=f"write KIND, KIND=5% or KIND=5%@POST {INCIDENTS}; the kinds are {kinds}",
        )
    probability = float(match["percent"] or 100) / 100
    return Fault(FaultKind(match["kind"]), on=match["route"] or "", probability=probability)
