"""What the benchmarks share: a sandbox in a process of its own, and a folder of many incidents."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Process

_HEADER = (
    "key,name,severity,timestamps.Impact started at,custom_fields.Affected services,"
    "custom_fields.Customers affected,roles.Incident Lead"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a sandbox whose limit nobody reaches."""
    command = [sys.executable, "-m", "importer", "sandbox", "--port", "0", "--rate-limit", "1000000"]
    with Process(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout
        found = re.search(r"INCIDENT_ENDPOINT=(\S+)", process.stdout.readline())
        assert found
        yield found[1]
        process.terminate()


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[int], Path]:
    """Return what makes a folder of so many incidents."""

    def make(count: int) -> Path:
        made = tmp_path / "work"
        made.mkdir()
        rows = (
            f"K-{n},Incident number {n},Minor,2020-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z,API;Search,{n},"
            "lisa@example.com"
            for n in range(count)
        )
        (made / "incidents.csv").write_text("\n".join([_HEADER, *rows]) + "\n")
        return made

    return make
