"""A saved plan of 100,000 creations: CPU, the most memory that a process held, and megabytes on disk.

Run with --benchmark-only; the figures are in the extra_info of --benchmark-json.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from importer.model import (
    Account,
    Attribute,
    Create,
    Entity,
    Field,
    FollowUp,
    Incident,
    Input,
    Kind,
    Location,
    Plan,
    TimelineItem,
)
from importer.model.identity import idempotency_key
from importer.plan import file as planfile

MANY = 100_000
BEGAN = datetime(2015, 1, 1, tzinfo=UTC)
SUMMARY = "A deploy opened a connection for every request, and the pool ran out of them.\n\n" * 4
ROOT = Path(__file__).parents[2]


def plan_of(number: int) -> Plan:
    """A plan that creates so many incidents of about 1 kB each."""
    account = Account("https://api.incident.io", "https://app.incident.io/acme")
    changes = tuple(map(_creation, range(number)))
    made_at = datetime(2026, 3, 1, tzinfo=UTC)
    return Plan(account, made_at, "0.1.0", (Input("incidents.csv", "0" * 64),), None, changes)


def _creation(number: int) -> Create:
    began = BEGAN + timedelta(minutes=number)
    fields = {name: Entity(Kind.CUSTOM_FIELD, f"01FIELD{name:>019}", name) for name in ("Teams", "Customers")}
    attributes: dict[Attribute, Any] = {
        Attribute(Field.NAME): f"Payments API returned 500s, number {number}",
        Attribute(Field.SUMMARY): SUMMARY,
        Attribute(Field.SEVERITY): Entity(Kind.SEVERITY, "01SEVERITY0000000000000000", "Major"),
        Attribute(
            Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "01STARTED00000000000000000", "Impact started at")
        ): began,
        Attribute(Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "01RESOLVED0000000000000000", "Resolved at")): began
        + timedelta(hours=2),
        Attribute(Field.ROLE, Entity(Kind.ROLE, "01LEAD00000000000000000000", "Incident Lead")): Entity(
            Kind.USER, "01LISA00000000000000000000", "Lisa Karlsson"
        ),
        Attribute(Field.CUSTOM_FIELD, fields["Teams"]): (
            Entity(Kind.OPTION, "01PAYMENTS0000000000000000", "Payments"),
            Entity(Kind.OPTION, "01PLATFORM0000000000000000", "Platform"),
        ),
        Attribute(Field.CUSTOM_FIELD, fields["Customers"]): Decimal(number),
        Attribute(Field.FOLLOW_UP, "Add an alert"): FollowUp("Because nobody saw it.", status="completed"),
        Attribute(Field.TIMELINE, "Rolled back"): TimelineItem(began + timedelta(hours=1)),
    }
    key = f"JIRA-{number}"
    incident = Incident(key, None, attributes, Location("incidents.csv", number + 2))
    defaults: dict[Attribute, Any] = {
        Attribute(Field.VISIBILITY): "public",
        Attribute(Field.STATUS): Entity(Kind.STATUS, "01CLOSED000000000000000000", "Closed"),
    }
    return Create(incident, idempotency_key(namespace="acme", key=key), {**attributes, **defaults})


def in_a_process_of_its_own(path: Path, what: str) -> tuple[float, float]:
    """Write or read the plan; return the CPU seconds, and the most memory in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_plan_file", str(path), what]
    process = os.posix_spawn(sys.executable, command, {**os.environ, "PYTHONPATH": str(ROOT)})
    _, status, used = os.wait4(process, 0)
    assert status == 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan") / "plan.json"


@pytest.mark.parametrize("what", ["make", "write", "read"])
def test_a_plan_of_100_000_creations(benchmark: BenchmarkFixture, path: Path, what: str) -> None:
    """`write` makes the plan first: what that alone takes is `make`."""
    seconds, megabytes = benchmark.pedantic(in_a_process_of_its_own, (path, what), rounds=1)
    benchmark.extra_info["CPU seconds"] = round(seconds, 1)
    benchmark.extra_info["MB of memory"] = round(megabytes)
    if what != "make":
        benchmark.extra_info["MB on disk"] = round(path.stat().st_size / 1e6)


if __name__ == "__main__":
    saved, step = Path(sys.argv[1]), sys.argv[2]
    if step == "read":
        assert len(planfile.read_plan(saved).plan.changes) == MANY
    else:
        made = plan_of(MANY)
        if step == "write":
            planfile.write_plan(made, saved)
