"""How fast plan and apply are beside the server: pytest tests/benchmarks/bench_throughput.py --benchmark-only.

Figures are of this process alone where `cpu` is said: the sandbox runs as a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

INCIDENTS = 10_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "importer", "sandbox", "--port", "0", "--rate-limit", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout
        found = re.search(r"INCIDENT_ENDPOINT=(\S+)", process.stdout.readline())
        assert found
        yield found[1]
        process.terminate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    rows = (
        f"K-{n},Incident number {n},Minor,2020-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z,API;Search,{n},lisa@example.com"
        for n in range(INCIDENTS)
    )
    header = (
        "key,name,severity,timestamps.Impact started at,custom_fields.Affected services,"
        "custom_fields.Customers affected,roles.Incident Lead"
    )
    (made / "incidents.csv").write_text("\n".join([header, *rows]) + "\n")
    return made


def importer(folder: Path, url: str, *words: str) -> tuple[float, float, int]:
    """Run a command; return its wall and CPU seconds, and its peak memory in MB."""
    environment = os.environ | {"INCIDENT_API_KEY": "sandbox-key", "INCIDENT_ENDPOINT": url}
    began = time.perf_counter()
    command = [sys.executable, "-m", "importer", *words]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def test_apply_and_plan_of_10000_incidents(benchmark: Any, server: str, folder: Path) -> None:
    wall, cpu, memory = importer(folder, server, "apply", "--auto-approve")
    benchmark.extra_info |= {
        "apply requests a second": round(INCIDENTS / wall),
        "apply cpu s": round(cpu, 1),
        "apply MB": memory,
    }
    wall, cpu, memory = benchmark.pedantic(importer, args=(folder, server, "plan"), rounds=3)
    benchmark.extra_info |= {"plan cpu s": round(cpu, 2), "plan MB": memory}


def test_help(benchmark: Any, tmp_path: Path) -> None:
    _, cpu, _ = benchmark.pedantic(importer, args=(tmp_path, "", "--help"), rounds=10, warmup_rounds=1)
    benchmark.extra_info |= {"cpu s": round(cpu, 3)}
