"""Common options -> settings, and a workflow.Session that reads, or one that may write."""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from importer.cli.console import Console, open_console
from importer.cli.options import Common
from importer.model.diagnostics import Diagnostics
from importer.model.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from importer.api.client import Client
    from importer.api.connection import Connection
    from importer.api.transport import Transport
    from importer.api.waiting import Wait, WaitPolicy
    from importer.model.settings import Rate, Settings
    from importer.workflow import Session

_SANDBOX_ENDPOINT = "http://sandbox.localhost"
_SANDBOX_KEY = "sandbox-key"
_SANDBOX_FOLDER = Path(".importer/sandbox")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with: the options, the settings, and where words go."""

    common: Common
    settings: Settings
    console: Console


def open_desk(common: Common) -> Desk:
    """Read importer.yaml and set up the log. Raises InvalidInput with every problem of importer.yaml."""
    from importer.sources.settings_file import load_settings  # noqa: PLC0415

    console = open_console(plain=common.no_color)
    if common.sandbox and common.endpoint:
        raise UsageError("--sandbox and --endpoint are two accounts", hint="leave out one of them")
    _open_log(common)
    problems = Diagnostics()
    settings = load_settings(common.config, Path.cwd(), problems)
    if problems.has_errors:
        raise InvalidInput(tuple(problems.found))
    console.complain(problems.found)
    return Desk(common, replace(settings, state=_state(common, settings)), console)


@contextmanager
def reading(desk: Desk, *, rate: Rate | None = None, max_wait: float) -> Iterator[Session]:
    """Open a session that cannot write to the account and leaves the state file as it is."""
    from importer.api.transport import read_only_transport as stack  # noqa: PLC0415
    from importer.cli.progress import Waits  # noqa: PLC0415
    from importer.state.ledger import read_ledger  # noqa: PLC0415
    from importer.workflow import Session  # noqa: PLC0415

    patience = _patience(threading.Event(), Waits(desk.console.tell).tell, max_wait)
    with _client(desk, stack, patience, rate) as client:
        ledger = read_ledger(desk.settings.state, now=patience.clock.now)
        try:
            yield Session(desk.settings, client.identity(), client, ledger, patience.clock.now)
        finally:
            ledger.close()


@contextmanager
def claiming(desk: Desk, *, rate: Rate | None = None, max_wait: float) -> Iterator[Session]:
    """Open a session that cannot write to the account, holding the lock of its state file.

    Raises Refused where the state file belongs to another account.
    """
    from importer.api.transport import read_only_transport as stack  # noqa: PLC0415
    from importer.cli.progress import Waits  # noqa: PLC0415
    from importer.state.lock import locked_ledger  # noqa: PLC0415
    from importer.workflow import Session  # noqa: PLC0415

    tell = desk.console.tell
    patience = _patience(threading.Event(), Waits(tell).tell, max_wait)
    now = patience.clock.now
    with (
        _client(desk, stack, patience, rate) as client,
        locked_ledger(desk.settings.state, timeout=desk.common.lock_timeout, now=now, tell=tell) as ledger,
    ):
        account = client.identity()
        ledger.bind_account(account)
        yield Session(desk.settings, account, client, ledger, now)


@contextmanager
def writing(
    desk: Desk,
    *,
    rate: Rate | None = None,
    max_wait: float,
    stop: threading.Event,
    notify: Callable[[Wait], None],
) -> Iterator[Session]:
    """Open a session that may write, holding the lock of the state file. Setting `stop` ends long waits."""
    from importer.api.transport import read_write_transport as stack  # noqa: PLC0415
    from importer.state.lock import locked_ledger  # noqa: PLC0415
    from importer.workflow import Session  # noqa: PLC0415

    patience = _patience(stop, notify, max_wait)
    now, tell = patience.clock.now, desk.console.tell
    with (
        _client(desk, stack, patience, rate) as client,
        locked_ledger(desk.settings.state, timeout=desk.common.lock_timeout, now=now, tell=tell) as ledger,
    ):
        yield Session(desk.settings, client.identity(), client, ledger, now)


def _state(common: Common, settings: Settings) -> Path:
    """Keep the sandbox's state apart: a rehearsal must not bind the state of the real account."""
    if common.state:
        return common.state
    if common.sandbox:
        return settings.root / _SANDBOX_FOLDER / "state.db"
    return settings.state


def _patience(stop: threading.Event, notify: Callable[[Wait], None], max_wait: float) -> WaitPolicy:
    from importer.api.waiting import SystemClock, WaitPolicy  # noqa: PLC0415

    return WaitPolicy(SystemClock(stop), random.random, notify, max_wait)


@contextmanager
def _client(
    desk: Desk,
    stack: Callable[[Transport, WaitPolicy, Rate], Transport],
    patience: WaitPolicy,
    rate: Rate | None,
) -> Iterator[Client]:
    from importer.api.client import open_client  # noqa: PLC0415

    with (
        _inner(desk) as (connection, inner),
        open_client(connection, stack(inner, patience, rate or desk.settings.rate)) as client,
    ):
        yield client


@contextmanager
def _inner(desk: Desk) -> Iterator[tuple[Connection, Transport]]:
    """Return the way to the account: the network, or the sandbox inside this process."""
    from importer.api.connection import Connection, connection  # noqa: PLC0415
    from importer.api.transport import in_process, network  # noqa: PLC0415

    if not desk.common.sandbox:
        known = connection(os.environ, desk.common.endpoint)
        yield known, network(known.endpoint)
        return
    from importer.cli.sandbox import opened  # noqa: PLC0415

    folder = desk.settings.root / _SANDBOX_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with opened(folder / "account.db") as sandbox:
        yield Connection(_SANDBOX_ENDPOINT, _SANDBOX_KEY), in_process(sandbox.app)


def _open_log(common: Common) -> None:
    """Send the log where the options say. Only our own words and httpx's request lines go there: the layers
    below would write headers, and so the key."""
    handler = (
        logging.FileHandler(common.log_file, encoding="utf-8") if common.log_file else logging.StreamHandler()
    )
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = lambda seconds: datetime.fromtimestamp(seconds or 0, UTC).timetuple()
    handler.setFormatter(formatter)
    for name in ("importer", "httpx"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(common.log_level.upper())
        logger.propagate = False
