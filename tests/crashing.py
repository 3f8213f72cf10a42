"""Processes that end at a chosen write, in one process: a rehearsal whose runs may crash."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from importer.api.transport import read_write_transport
from importer.model.errors import Refused
from importer.state.ledger import Ledger, open_ledger, read_ledger
from importer.workflow import Session
from tests.rehearsal import Rehearsal


class Crash(BaseException):
    """The process ends here."""


@dataclass
class CrashPoint:
    """Ends the process at the nth write to the account or the ledger, before or after it."""

    at: int | None = None
    when: str = "before"
    count: int = 0
    last_words: Callable[[], None] = lambda: None

    def meet(self, work: Callable[[], Any]) -> Any:
        is_it, self.count = self.count == self.at, self.count + 1
        if is_it and self.when == "before":
            self._end()
        answer = work()
        if is_it:
            self._end()
        return answer

    def _end(self) -> None:
        self.last_words()
        raise Crash


@dataclass
class CrashingTransport(httpx.BaseTransport):
    """A transport to the account on which the process may end."""

    inner: httpx.BaseTransport
    crash_point: CrashPoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        def send() -> httpx.Response:
            return self.inner.handle_request(request)

        answer: httpx.Response = send() if request.method == "GET" else self.crash_point.meet(send)
        return answer


@dataclass
class CrashingLedger:
    """A ledger on whose writes the process may end."""

    ledger: Ledger
    crash_point: CrashPoint

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.ledger, name)
        if name in ("planned", "sending", "confirmed", "failed", "settled", "finished", "belong_to", "adopt"):
            return lambda *arguments, **named: self.crash_point.meet(partial(found, *arguments, **named))
        return found


@dataclass
class World(Rehearsal):
    """A rehearsal in which any process may end early."""

    generation: int = 0
    copies: list[Path] = field(default_factory=list)

    def go(self, work: Callable[[Session], Any], crash_point: CrashPoint) -> Any:
        """Do work in a session that may write; return None if the process ended in it."""
        after = self.folder / str(self.generation + 1)
        crash_point.last_words = lambda: self.copy(self.settings.state.parent, after)

        def fatal(inner: httpx.BaseTransport, *stack: Any) -> httpx.BaseTransport:
            return read_write_transport(CrashingTransport(inner, crash_point), *stack)

        try:
            with self._session(fatal, open_ledger) as session:
                ledger: Any = CrashingLedger(session.ledger, crash_point)
                return work(replace(session, ledger=ledger))
        except Crash:
            self.live_on_in(after)
            return None
        except Refused:
            return None

    def live_on_in(self, folder: Path) -> None:
        """Continue with the state in another folder."""
        self.generation += 1
        self.settings = replace(self.settings, state=folder / "state.db")

    def next_folder(self) -> Path:
        return self.folder / str(self.generation + 1)

    def copy(self, state: Path, to: Path) -> None:
        """Copy a state as a crash leaves it, without SQLite's shared memory."""
        to.mkdir(parents=True)
        for each in state.glob("state.db*"):
            if each.suffix != ".db-shm":
                shutil.copy(each, to)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        found = read_ledger(self.settings.state, now=self.clock.now)
        try:
            yield found
        finally:
            found.close()
