"""What writing ahead costs an apply: pytest tests/benchmarks/bench_write_ahead.py --benchmark-only.

Compare the CPU of the ledger with that of one that lets requests leave unrecorded, and of one that keeps
nothing. The sandbox is a process of its own, so that the CPU seconds of this one are apply's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from importer.api.client import open_client
from importer.api.connection import Connection
from importer.api.transport import network, read_write_transport
from importer.api.waiting import SystemClock, WaitPolicy
from importer.apply.applier import Limits
from importer.model import Scope
from importer.model.settings import Rate, Settings
from importer.state.ledger import Ledger
from importer.state.ledger_file import open_file
from importer.workflow import Session, carry_out, load_declared, make_plan
from tests.rehearsal import KEY, Silent

INCIDENTS = 2_000


class NothingAhead(Ledger):
    """A ledger that lets requests leave unrecorded."""

    def sending(self, *words: Any, **more: Any) -> None: ...


class Nothing(NothingAhead):
    """A ledger that keeps nothing."""

    def confirmed(self, *words: Any, **more: Any) -> None: ...

    def settled(self, *words: Any, **more: Any) -> None: ...


def now() -> datetime:
    return datetime.now(UTC)


def applied(server: str, folder: Path, kept_by: type[Ledger]) -> dict[str, float]:
    """Apply a folder to an account that has nothing of it; return what that took."""
    state = folder / "state.db"
    stop = Event()
    wait_policy = WaitPolicy(SystemClock(stop), lambda: 0.5, lambda _: None)
    with (
        open_client(
            Connection(server, KEY), read_write_transport(network(server), wait_policy, Rate())
        ) as client,
        closing(kept_by(open_file(state), state, now)) as ledger,
    ):
        session = Session(
            Settings(root=folder, state=state), client.identity(), client, ledger, now, time.sleep, now()
        )
        made = make_plan(session, load_declared(session.settings, (), now=now()), Scope())
        assert len(made.changes) == INCIDENTS
        wall, cpu = time.perf_counter(), time.process_time()
        run = carry_out(session, made, limits=Limits(), observers=[Silent()], stop=stop)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert not run.error
    return {
        "requests a second": round(INCIDENTS / wall),
        "cpu ms each": round(cpu / INCIDENTS * 1000, 2),
    }


@pytest.mark.parametrize("kept_by", [Ledger, NothingAhead, Nothing])
def test_apply_records_what_it_sends(
    benchmark: Any, server: str, folder_of: Callable[[int], Path], kept_by: type[Ledger]
) -> None:
    folder = folder_of(INCIDENTS)
    benchmark.extra_info |= benchmark.pedantic(applied, args=(server, folder, kept_by))
