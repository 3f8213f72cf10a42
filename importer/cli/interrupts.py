"""Ctrl-C during an apply: the first lets the changes in flight finish, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from importer.model.errors import ExitCode

_SHOW_CURSOR = b"\x1b[?25h"
"""Undoes what the progress bar does."""


class Interrupts:
    """`stop` is set to end the run; `received` is whether a signal did that."""

    def __init__(self, info: Callable[[str], None]) -> None:
        self.stop = threading.Event()
        self.received = False
        self._info = info

    def receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        if self.received:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), _SHOW_CURSOR)
            # Every request was recorded before it was sent, so the next run settles what this one leaves.
            os._exit(ExitCode.INTERRUPTED)
        self.received = True
        self.stop.set()
        with suppress(RuntimeError):  # the signal interrupted a write to the same stream
            self._info(
                "Interrupted: finishing the changes in flight. Ctrl-C again stops at once; the next run"
                " settles what is left."
            )


@contextmanager
def handle_termination(
    action: Callable[[int, FrameType | None], Any] | signal.Handlers = signal.default_int_handler,
) -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, or by another action, while the context lasts."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGTERM, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def handle_signals(interrupts: Interrupts) -> Iterator[None]:
    """Handle SIGINT and SIGTERM while the context lasts."""
    before = {each: signal.signal(each, interrupts.receive) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
