"""The programs that tests start: they get signals as from a terminal, and none outlives a test that fails."""

from __future__ import annotations

import signal
import subprocess
from types import FrameType, TracebackType
from typing import AnyStr


def reset_signals() -> None:
    """Give each program that is started from now on its signals, whoever started the tests.

    A program inherits which signals are ignored (a shell does so with Ctrl-C for `tests &`, and nohup with
    the end of the terminal) and which are blocked, but no handler: one that does nothing keeps this process as
    it was, and lets its children be interrupted.
    """
    for each in signal.valid_signals():
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing, as was asked of this process."""


class Process(subprocess.Popen[AnyStr]):
    """A program that is killed where the block that it belongs to fails: waiting for its end would be for ever."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
