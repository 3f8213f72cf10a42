"""One apply at a time on a state file: the lock names its holder, and ends with its process.

The operating system holds the lock, so that a killed process leaves none behind; the name of the holder is in
the state file.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from importer.model.errors import Refused
from importer.state.ledger import Ledger, open_ledger, read_ledger
from importer.state.ledger_file import readable_errors

if TYPE_CHECKING:
    from filelock import BaseFileLock

_HOLDER = "holder"


@contextmanager
def locked_ledger(
    path: Path, *, timeout: float, now: Callable[[], datetime], tell: Callable[[str], None]
) -> Iterator[Ledger]:
    """Open the state file for a single writer, waiting up to `timeout` seconds for another one to end.

    Raises Refused, naming the holder, if it takes longer. `tell` gets a message if the last run did not
    finish."""
    lock = _acquired(path, timeout, now)
    try:
        ledger = open_ledger(path, now=now)
        try:
            predecessor = ledger.meta(_HOLDER)
            if predecessor:
                tell(f"the previous run of {predecessor} did not finish; continuing from its state")
            ledger.set_meta(_HOLDER, f"{_holder()} since {now():%Y-%m-%d %H:%M:%S} UTC")
            try:
                yield ledger
            finally:
                ledger.set_meta(_HOLDER, "")
        finally:
            ledger.close()
    finally:
        lock.release()


def _acquired(path: Path, timeout: float, now: Callable[[], datetime]) -> BaseFileLock:
    from filelock import FileLock, Timeout  # noqa: PLC0415

    with readable_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path.resolve()}.lock", timeout=timeout)
        try:
            lock.acquire()
        except Timeout as timed_out:
            raise Refused(
                f"the state {path} is locked by another run: {_known_holder(path, now)}",
                hint="try again when it has ended, or let this run wait with --lock-timeout SECONDS",
                code="locked",
            ) from timed_out
    return lock


def _holder() -> str:
    # Not getpass: it raises if the user of a container has no name.
    user = os.environ.get("USER") or os.environ.get("USERNAME") or "somebody"
    return f"{user}@{socket.gethostname()} (pid {os.getpid()})"


def _known_holder(path: Path, now: Callable[[], datetime]) -> str:
    ledger = read_ledger(path, now=now)
    try:
        return ledger.meta(_HOLDER) or "unknown"
    finally:
        ledger.close()
