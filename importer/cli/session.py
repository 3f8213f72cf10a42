"""A command's context -> a workflow.Session that can only read, or one that may write."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from threading import Event

from importer.api.client import open_client
from importer.api.connection import Connection, connection
from importer.api.transport import Transport, in_process, network, read_only_transport, read_write_transport
from importer.api.waiting import Pause, SystemClock, Wait, WaitPolicy
from importer.cli.context import SANDBOX_FOLDER, CommandContext
from importer.cli.progress import WaitNotices
from importer.model.settings import Rate
from importer.state.ledger import Ledger
from importer.workflow import Session

_SANDBOX_ENDPOINT = "http://sandbox.localhost"
_SANDBOX_KEY = "sandbox-key"


@contextmanager
def open_read_session(
    context: CommandContext, *, rate: Rate | None = None, max_wait: float
) -> Iterator[Session]:
    """Open a session that writes neither to the account nor to the state file."""
    policy = _read_policy(context, max_wait)
    with _open_session(context, read_only_transport, policy, rate, context.read_ledger) as session:
        yield session


@contextmanager
def open_locked_read_session(
    context: CommandContext, *, rate: Rate | None = None, max_wait: float
) -> Iterator[Session]:
    """Open a session that cannot write to the account, and hold the lock of the state file.

    Raises Refused if the state file belongs to another account.
    """
    policy = _read_policy(context, max_wait)
    with _open_session(context, read_only_transport, policy, rate, context.lock_ledger) as session:
        session.ledger.bind_account(session.account)
        yield session


@contextmanager
def open_write_session(
    context: CommandContext,
    *,
    rate: Rate | None,
    max_wait: float,
    max_outage: float,
    stop: Event,
    written: Event,
    notify: Callable[[Wait | Pause], None],
) -> Iterator[Session]:
    """Open a session that may write, and hold the lock of the state file. Setting `stop` ends long waits;
    `written` is set as soon as a request that writes has left."""
    policy = WaitPolicy(SystemClock(stop), random.random, notify, max_wait, max_outage)
    stack = partial(read_write_transport, written=written)
    with _open_session(context, stack, policy, rate, context.lock_ledger) as session:
        yield session


def _read_policy(context: CommandContext, max_wait: float) -> WaitPolicy:
    notify = WaitNotices(context.console.info).waiting
    return WaitPolicy(SystemClock(Event()), random.random, notify, max_wait)


@contextmanager
def _open_session(
    context: CommandContext,
    stack: Callable[[Transport, WaitPolicy, Rate], Transport],
    policy: WaitPolicy,
    rate: Rate | None,
    open_ledger: Callable[[Callable[[], datetime]], AbstractContextManager[Ledger]],
) -> Iterator[Session]:
    now = policy.clock.now
    with (
        _transport(context) as (known, inner),
        open_client(known, stack(inner, policy, rate or context.settings.rate)) as client,
        open_ledger(now) as ledger,
    ):
        yield Session(context.settings, client.identity(), client, ledger, now, policy.clock.sleep, now())


@contextmanager
def _transport(context: CommandContext) -> Iterator[tuple[Connection, Transport]]:
    """Yield the connection to the account: over the network, or to the sandbox in this process."""
    if not context.common.sandbox:
        known = connection(os.environ, context.common.endpoint)
        yield known, network(known.endpoint)
        return
    from importer.cli.sandbox import open_sandbox_file  # noqa: PLC0415 - only --sandbox needs its server

    folder = context.settings.root / SANDBOX_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with open_sandbox_file(folder / "account.db") as sandbox:
        yield Connection(_SANDBOX_ENDPOINT, _SANDBOX_KEY), in_process(sandbox.app)
