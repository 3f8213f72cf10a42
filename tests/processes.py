"""Programs started by tests: they get signals as from a terminal, and none outlives a failing test."""

from __future__ import annotations

import signal
import subprocess
from types import FrameType, TracebackType
from typing import AnyStr


def reset_signals() -> None:
    """Let programs started from now on receive signals, however the tests were started.

    A program inherits which signals are ignored (a shell ignores Ctrl-C for `tests &`, nohup the end of the
    terminal) and which are blocked, but not handlers: a handler that does nothing leaves this process as it
    was and lets its children be interrupted.
    """
    for each in signal.valid_signals():
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: this process ignores the signal."""


class Process(subprocess.Popen[AnyStr]):
    """A program that is killed if its `with` block fails; waiting for it could take for ever."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
