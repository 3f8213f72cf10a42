"""What the tests of the command line share: a folder to work in, a served sandbox, and ways to run a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from importer.cli.main import run
from importer.sandbox import Sandbox, Server, open_sandbox
from tests.processes import Process

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEY = "sandbox-key"
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
COMMAND = [sys.executable, "-m", "importer"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what stdout holds, which must be one JSON document."""
        return json.loads(self.out)

    def events(self) -> list[dict[str, Any]]:
        """Return what stdout holds, which must be a JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def summary(self) -> dict[str, Any]:
        """Return the last event."""
        last = self.events()[-1]
        assert last["type"] == "apply_summary"
        return last


def declared(key: str, **attributes: Any) -> dict[str, Any]:
    """Return an incident as a file declares it."""
    known = {"name": f"Incident {key}", "severity": "Major"}
    moments = {"timestamps": {"Impact started at": "2021-03-01T10:00:00Z"}}
    return {"key": key} | known | moments | attributes


@dataclass
class Folder:
    """A working directory, and commands that run in it."""

    path: Path
    capture: pytest.CaptureFixture[str]
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, content: Any) -> Path:
        """Write a file; what is no text becomes JSON."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def declare(self, *incidents: dict[str, Any], name: str = "incidents.json") -> None:
        self.write(name, {"incidents": list(incidents)})

    def run(self, *words: str) -> Result:
        """Run a command in this process."""
        self.capture.readouterr()
        code = run(list(words))
        captured = self.capture.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return Result(code, captured.out, captured.err)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command in a process of its own, in a session of its own."""
        environment = self.clean() | options.pop("environment", {})
        streams: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return Process(
            [*COMMAND, *words], cwd=self.path, env=environment, start_new_session=True, **(streams | options)
        )

    def call(self, *words: str, **options: Any) -> Result:
        """Run a command in a process of its own to its end."""
        with self.start(*words, **options) as process:
            out, err = process.communicate(timeout=60)
            result = Result(process.returncode, (out or b"").decode(), (err or b"").decode())
        assert "Traceback" not in result.err + result.out
        return result

    def clean(self) -> dict[str, str]:
        """Return an environment that says nothing about terminals or accounts but what the test set."""
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")
        }
        roots = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        return kept | {"PYTHONPATH": os.pathsep.join(roots)} | self.environment


@dataclass
class Account:
    """A served sandbox and what is in it."""

    sandbox: Sandbox
    url: str

    def incidents(self) -> list[dict[str, Any]]:
        """Return all incidents, oldest first."""
        path = "/v2/incidents?page_size=250&sort_by=created_at_oldest_first"
        found: list[dict[str, Any]] = self.get(path)["incidents"]
        return found

    def creations(self) -> Mapping[str, int]:
        """Return how many incidents each idempotency key made."""
        return self.sandbox.journal().creations

    def get(self, path: str) -> Any:
        return (
            httpx.get(self.url + path, headers={"Authorization": f"Bearer {KEY}"}).raise_for_status().json()
        )

    def post(self, path: str, body: Any) -> Any:
        answer = httpx.post(self.url + path, json=body, headers={"Authorization": f"Bearer {KEY}"})
        return answer.raise_for_status().json()

    def edit(self, incident: dict[str, Any], **fields: Any) -> None:
        """Edit an incident as somebody in incident.io would."""
        path = f"/v2/incidents/{incident['id']}/actions/edit"
        self.post(path, {"incident": fields, "notify_incident_channel": False})

    def create(self, name: str, **fields: Any) -> dict[str, Any]:
        """Create an incident that no file declares."""
        body = {
            "idempotency_key": f"by hand {name}",
            "visibility": "public",
            "mode": "retrospective",
            "name": name,
        }
        severity = self.get("/v1/severities")["severities"][0]["id"]
        made: dict[str, Any] = self.post("/v2/incidents", {"severity_id": severity} | body | fields)[
            "incident"
        ]
        return made


@dataclass
class Stage:
    """A server that is started once, and the sandbox that it shows now: stopping one takes half a second."""

    server: Server
    sandboxes: list[Sandbox]

    @contextmanager
    def account(self) -> Iterator[Account]:
        with closing(open_sandbox(None)) as sandbox:
            self.sandboxes[:] = [sandbox]
            yield Account(sandbox, self.server.url)


@contextmanager
def staged() -> Iterator[Stage]:
    sandboxes: list[Sandbox] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return sandboxes[0].app(environ, start)

    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield Stage(server, sandboxes)
    server.stop()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with staged() as one:
        yield one


@pytest.fixture(scope="session")
def other_stage() -> Iterator[Stage]:
    with staged() as other:
        yield other


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    """A working directory without an account."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in ("INCIDENT_API_KEY", "INCIDENT_ENDPOINT", "INCIDENT_API_URL", "COLUMNS", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return Folder(work, capsys)


@pytest.fixture
def account(folder: Folder, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A served sandbox that the environment of the commands points at."""
    with stage.account() as known:
        folder.environment |= {"INCIDENT_API_KEY": KEY, "INCIDENT_ENDPOINT": known.url}
        for name, value in folder.environment.items():
            monkeypatch.setenv(name, value)
        yield known


@pytest.fixture
def other_account(other_stage: Stage) -> Iterator[Account]:
    with other_stage.account() as known:
        yield known
