"""A folder, a sandbox and a state file: the whole importer in one process, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import httpx

from importer.api.client import open_client
from importer.api.connection import Connection
from importer.api.transport import read_only_transport, read_write_transport
from importer.api.waiting import WaitPolicy
from importer.apply.applier import ApplyResult, Limits
from importer.model import Change, Field, Outcome, Plan, Scope
from importer.model.settings import Rate, Settings
from importer.plan.file import SavedPlan
from importer.pull import Declared, Filters
from importer.sandbox import Sandbox
from importer.state.ledger import open_ledger, read_ledger
from importer.workflow import (
    Session,
    bind_pulled,
    carry_out,
    find_incidents,
    load_declared,
    make_plan,
    read_declared,
    refuse_stale,
    remaining_changes,
)

KEY = "sandbox-key"
ALL = Filters()


class Clock:
    """A clock that starts at the real time and advances only in sleep, but for a tick at each look, so that
    no two moments are equal."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = datetime.now(UTC)
        self._looks = count()

    def now(self) -> datetime:
        return self._started + timedelta(seconds=self.seconds, milliseconds=next(self._looks))

    def time(self) -> float:
        """Return the seconds since 1970, as a sandbox wants them."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Silent:
    """Observes a run and reports nothing."""

    def started(self, change: Change) -> None: ...

    def ended(self, change: Change, outcome: Outcome) -> None: ...


@dataclass
class Recorder(httpx.BaseTransport):
    """Records the writes that pass through it: method, path and body."""

    inner: httpx.BaseTransport
    writes: list[tuple[str, str, str]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            self.writes.append((request.method, request.url.path, request.read().decode("ascii")))
        return self.inner.handle_request(request)


@dataclass
class Rehearsal:
    """One account and one folder; every call does what a command would do."""

    folder: Path
    sandbox: Sandbox
    settings: Settings
    key: str = KEY
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def plan(self, *paths: Path, only: tuple[str, ...] = (), limit: int | None = None) -> Plan:
        with self._session(read_only_transport, read_ledger) as session:
            return self._plan(session, paths, Scope(only, limit))

    def apply(self, *paths: Path, parallelism: int = 1, limit: int | None = None) -> ApplyResult:
        with self._session(read_write_transport, open_ledger) as session:
            made = self._plan(session, paths, Scope((), limit))
            assert not made.errored, made.diagnostics
            return carry_out(session, made, limits=Limits(parallelism), observers=[Silent()], stop=Event())

    def apply_saved(self, saved: SavedPlan) -> ApplyResult:
        with self._session(read_write_transport, open_ledger) as session:
            refuse_stale(session, saved.plan, saved.plan_hash)
            left = remaining_changes(session, saved.plan, saved.plan_hash)
            limits, digest = Limits(1), saved.plan_hash
            return carry_out(
                session, left, limits=limits, observers=[Silent()], stop=Event(), plan_hash=digest
            )

    def pull(
        self, filters: Filters = ALL, kinds: frozenset[Field] = frozenset(), *, adopting: bool = False
    ) -> tuple[Declared, ...]:
        """Return what `importer pull` would write."""
        with self._session(read_only_transport, open_ledger if adopting else read_ledger) as session:
            declared = read_declared(session, find_incidents(session, filters, None), kinds)
            if adopting:
                bind_pulled(session, declared)
            return declared

    def incidents(self) -> list[dict[str, Any]]:
        """Return all incidents of the account as the API shows them, oldest first."""
        with httpx.Client(
            transport=httpx.WSGITransport(app=self.sandbox.app),
            base_url="http://sandbox.localhost",
            headers={"Authorization": f"Bearer {KEY}"},
        ) as client:
            query = {"page_size": "250", "sort_by": "created_at_oldest_first"}
            found: list[dict[str, Any]] = client.get("/v2/incidents", params=query).json()["incidents"]
            return found

    def _plan(self, session: Session, paths: tuple[Path, ...], scope: Scope) -> Plan:
        return make_plan(session, load_declared(self.settings, paths, now=session.now()), scope)

    @contextmanager
    def _session(self, stack: Callable[..., Any], opened: Callable[..., Any]) -> Iterator[Session]:
        clock = self.clock
        recorder = Recorder(httpx.WSGITransport(app=self.sandbox.app), self.writes)
        wait_policy = WaitPolicy(clock, lambda: 0.5, lambda _: None)
        connection = Connection("http://sandbox.localhost", self.key)
        with open_client(connection, stack(recorder, wait_policy, Rate())) as client:
            ledger = opened(self.settings.state, now=clock.now)
            try:
                yield Session(
                    self.settings, client.identity(), client, ledger, clock.now, clock.sleep, clock.now()
                )
            finally:
                ledger.close()
