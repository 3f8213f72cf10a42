"""`importer sandbox`: options in, a server that stands in for the incident.io API out."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from importer.cli.console import open_console
from importer.cli.interrupts import handle_termination
from importer.cli.parameters import Option, define_command
from importer.cli.sandbox_flags import SandboxFlags
from importer.model.errors import UsageError
from importer.sandbox import (
    ENDPOINTS,
    Fault,
    FaultKind,
    Faults,
    Sandbox,
    SandboxOptions,
    Server,
    open_sandbox,
    serve,
)
from importer.wire.paths import FOLLOW_UPS, INCIDENTS, TIMELINE

_KINDS = ", ".join(each.value for each in FaultKind)
_FAULT = re.compile(
    r"(?P<kind>[a-z_]+)(:(?P<status>[45]\d\d))?(#(?P<nth>[1-9]\d*))?"
    r"(=(?P<percent>\d+(\.\d+)?)%)?(@(?P<route>.+))?"
)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    host: Annotated[str, Option("The address to serve on.", default="127.0.0.1")]
    port: Annotated[
        int,
        Option("The port; 0 picks a free one.", within=(0, 65535), default=8765),
    ]
    data: Annotated[Path | None, Option("Store the account in this file. [default: in memory]")]
    fault: Annotated[
        tuple[str, ...],
        Option(
            f"Inject faults: drop_after=5%, error_before:500=2%@POST {INCIDENTS}, drop_after#3 (the third"
            f" request), ... Repeatable. Kinds: {_KINDS}",
            metavar="KIND[:STATUS][#N][=P%][@ROUTE]",
        ),
    ]
    random_seed: Annotated[int, Option("The seed of the faults, to repeat a run.", default=0, metavar="N")]
    behaviour: Annotated[SandboxOptions, SandboxFlags()]


@define_command(
    "sandbox",
    ServeOptions,
    examples=("importer sandbox --data sandbox.db", "importer sandbox --port 0 --fault drop_after=5%"),
)
def command(options: ServeOptions) -> None:
    """Serve a local sandbox of the incident.io API, to rehearse a migration.

    It has an account of its own, with severities, roles, custom fields and users, and follows the rules,
    limits and errors of the real API as far as they are known. Ctrl-C stops it, SIGTERM ends it at once.
    """
    console = open_console()
    _check_folder(options.data)
    _check_missing(options.behaviour.missing)
    faults = Faults(tuple(_fault(each) for each in options.fault), options.random_seed)
    # Stopping takes as long as the slowest client. Ctrl-C waits for that; SIGTERM does not, as whoever sends
    # it may not wait either. What was answered is in the account's file.
    with open_sandbox_file(options.data, options.behaviour) as sandbox, handle_termination(signal.SIG_DFL):
        sandbox.faults = faults
        server = _start(sandbox, options)
        try:
            console.output(f"export INCIDENT_ENDPOINT={server.url}\nexport INCIDENT_API_KEY=sandbox-key")
            console.info("Serving until Ctrl-C. The two lines above point importer at it.")
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


def _start(sandbox: Sandbox, options: ServeOptions) -> Server:
    try:
        return serve(sandbox, options.host, options.port)
    except OSError as error:
        raise UsageError(
            f"cannot serve on {options.host}, port {options.port}: {error}", hint="--port 0 picks a free port"
        ) from error


def _check_folder(path: Path | None) -> None:
    if path is not None and not path.parent.is_dir():
        raise UsageError(
            f"cannot store the account in {path}: {path.parent} is not a folder",
            hint="create the folder first, or choose another file",
        )


def _check_missing(missing: frozenset[str]) -> None:
    known = {word for label in ENDPOINTS for word in (label, label.partition(" ")[2])}
    for each in sorted(missing - known):
        raise UsageError(
            f"invalid --missing {each}: no such endpoint",
            hint=f"write a path as in the API's documentation, such as {TIMELINE} or POST {FOLLOW_UPS}",
        )


def _fault(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if not match or match["kind"] not in list(FaultKind):
        raise UsageError(
            f"invalid --fault {text}",
            hint=f"write KIND, KIND=5% or KIND=5%@POST {INCIDENTS}; the kinds are {_KINDS}",
        )
    kind, percent, route = FaultKind(match["kind"]), float(match["percent"] or 100), match["route"] or ""
    if percent > 100:
        raise UsageError(f"invalid --fault {text}", hint="a share of requests is at most 100%")
    if route and route not in ENDPOINTS:
        raise UsageError(
            f"invalid --fault {text}: no such endpoint",
            hint=f"write its method and path as in the API's documentation, such as POST {INCIDENTS}",
        )
    if match["status"] and kind not in {FaultKind.ERROR_BEFORE, FaultKind.ERROR_AFTER}:
        raise UsageError(f"invalid --fault {text}", hint="only error_before and error_after take a status")
    return Fault(
        kind,
        on=route,
        nth=frozenset({int(match["nth"])} if match["nth"] else ()),
        probability=percent / 100,
        status=int(match["status"] or 503),
    )
