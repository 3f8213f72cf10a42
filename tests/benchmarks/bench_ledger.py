"""What the ledger costs each incident: `sending` and `confirmed`, both on the disk. Run with --benchmark-only."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from importer.model import Unanswered
from importer.model.steps import CREATE
from importer.state.ledger import open_ledger
from tests.plans import FULL, live

COUNT = 400
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ATTRIBUTES = {attribute: value for attribute, value in FULL.items() if not attribute.is_child}


@pytest.mark.parametrize("threads", [1, 8])
def test_a_creation_is_recorded(benchmark: BenchmarkFixture, tmp_path: Path, threads: int) -> None:
    ledger = open_ledger(tmp_path / "state.db", now=lambda: NOW)
    numbers = itertools.count()

    def record(number: int) -> None:
        key, made = f"JIRA-{number}", live(number, ATTRIBUTES)
        ledger.sending(key, CREATE, Unanswered(key), plan_hash="")
        ledger.confirmed(key, CREATE, live=made, declared=ATTRIBUTES, answered=ATTRIBUTES)
        ledger.settled(key, made.id, made.reference, plan_hash="")

    with ThreadPoolExecutor(threads) as pool:
        benchmark(lambda: list(pool.map(record, itertools.islice(numbers, COUNT))))
    ledger.close()
