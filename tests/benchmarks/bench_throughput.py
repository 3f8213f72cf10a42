"""How fast plan and apply are beside the server: pytest tests/benchmarks/bench_throughput.py --benchmark-only.

Figures are of this process alone where `cpu` is said: the sandbox runs as a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

INCIDENTS = 10_000


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


def test_apply_and_plan_of_10000_incidents(
    benchmark: Any, server: str, folder_of: Callable[[int], Path]
) -> None:
    folder = folder_of(INCIDENTS)
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
