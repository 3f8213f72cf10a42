"""apply is killed (SIGKILL) at each request, before or after the server carries it out, and run again."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from importer.sandbox import SandboxOptions, open_sandbox
from importer.sandbox.serve import Server

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FILES = """
key: A
name: The first
severity: Minor
call_url: https://meet.example.com/a
timestamps: {Impact started at: 2020-01-01T00:00:00Z}
timeline: [{at: 2020-01-01T00:00:00Z, title: Began}]
follow_ups: [{title: Add an alert, status: completed}]
attachments: [{resource_type: arbitrary_url, url: https://example.com/x, title: X}]
---
key: B
name: The second
severity: Major
timestamps: {Impact started at: 2021-01-01T00:00:00Z}
postmortem: {url: https://docs.example.com/b}
"""


class Killer:
    """A WSGI app that kills the client at its nth write, before or after passing it on."""

    def __init__(self, app: WSGIApplication, *, nth: int, when: str) -> None:
        self._app = app
        self._nth = nth
        self._when = when
        self._lock = threading.Lock()
        self.writes = 0
        self.kill: Callable[[], None] = lambda: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self._app(environ, start_response)
        with self._lock:
            self.writes += 1
            is_it = self.writes == self._nth
        if is_it and self._when == "before":
            self.kill()
            raise ConnectionResetError("the client is gone")
        answer = self._app(environ, start_response)
        if is_it:
            self.kill()
        return answer


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def apply(folder: Path, url: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"INCIDENT_API_KEY": "sandbox-key", "INCIDENT_ENDPOINT": url}
    command = [sys.executable, "-m", "importer", "apply", "--auto-approve", "--parallelism", "2"]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def account(url: str) -> dict[str, Any]:
    """Return the contents of the account without IDs and times: counts by name."""
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer sandbox-key"}) as client:
        incidents = client.get("/v2/incidents", params={"page_size": 250}).json()["incidents"]
        found: dict[str, Any] = {
            "incidents": Counter(each["name"] for each in incidents),
            "calls": Counter(each.get("call_url") for each in incidents),
            "documents": Counter(each.get("postmortem_document_url") for each in incidents),
        }
        first = next(each["id"] for each in incidents if each["name"] == "The first")
        query = {"incident_id": first}
        items = client.get("/v2/incident_timeline_items", params=query).json()["incident_timeline_items"]
        follow_ups = client.get("/v3/follow_ups", params=query).json()["follow_ups"]
        attachments = client.get("/v1/incident_attachments", params=query).json()["incident_attachments"]
        return found | {
            "timeline": Counter(each["title"] for each in items),
            "follow_ups": Counter((each["title"], each["status"]) for each in follow_ups),
            "attachments": Counter(each["resource"]["title"] for each in attachments),
        }


def pretend_a_minute_passed(folder: Path) -> None:
    """Move the journal back in time: before that, a child without an idempotency key is not sent again."""
    with closing(sqlite3.connect(folder / ".importer" / "state.db")) as database, database:
        for (at,) in database.execute("SELECT DISTINCT at FROM entry").fetchall():
            earlier = datetime.fromisoformat(at) - timedelta(minutes=1)
            database.execute("UPDATE entry SET at = ? WHERE at = ?", (earlier.isoformat(), at))


WRITES = 7
"""Two creations, an edit for the call, a timeline item, a follow-up, its status, an attachment."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_a_kill_at_any_request_leaves_one_incident_per_key(tmp_path: Path, nth: int, when: str) -> None:
    (tmp_path / "incidents.yaml").write_text(FILES)
    sandbox = open_sandbox(None, options=SandboxOptions())
    killer = Killer(sandbox.app, nth=nth, when=when)
    with served(killer) as url:
        process = apply(tmp_path, url)
        killer.kill = lambda: os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"write {nth} was never sent"
        pretend_a_minute_passed(tmp_path)
        again = apply(tmp_path, url)
        said, _ = again.communicate(timeout=60)
        assert again.returncode == 0, said.decode()
        assert account(url) == {
            "incidents": {"The first": 1, "The second": 1},
            "calls": {"https://meet.example.com/a": 1, None: 1},
            "documents": {"https://docs.example.com/b": 1, None: 1},
            "timeline": {"Began": 1},
            "follow_ups": {("Add an alert", "completed"): 1},
            "attachments": {"X": 1},
        }
        writes = killer.writes
        third = apply(tmp_path, url)
        said, _ = third.communicate(timeout=60)
        assert third.returncode == 0, said.decode()
        assert killer.writes == writes, "there was something left to do"


def _with_little_room() -> None:
    """Limit the files of this process to 60 kB, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))


def test_a_disk_that_fills_up_during_a_run_loses_nothing(tmp_path: Path) -> None:
    incidents = "".join(f"- {{key: K{n}, name: Number {n}, severity: Minor}}\n" for n in range(60))
    (tmp_path / "incidents.yaml").write_text(incidents)
    sandbox = open_sandbox(None, options=SandboxOptions())
    with served(sandbox.app) as url:
        # Coverage could not write its data either, and would fail in place of importer.
        unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        environment = unmeasured | {"INCIDENT_API_KEY": "sandbox-key", "INCIDENT_ENDPOINT": url}
        command = [sys.executable, "-m", "importer", "apply", "--auto-approve"]
        cut = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            preexec_fn=_with_little_room,
            check=False,
        )
        said = cut.stderr.decode()
        assert cut.returncode in (1, 3, 4), said
        assert "state.db cannot be used" in " ".join(said.split()) + " ".join(cut.stdout.decode().split())
        assert b"Traceback" not in cut.stderr
        made = len(sandbox.journal().creations)
        assert 0 < made < 60, "the disk was not full in the middle"
        again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert again.returncode == 0, again.stderr.decode()
        assert sorted(sandbox.journal().creations.values()) == [1] * 60
