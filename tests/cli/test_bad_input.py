"""Bad files, bad endpoints, bad keys, bad streams: one clear message, the right code, and nothing secret."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import COMMAND, KEY, Account, Folder, declared

CONTROL = [chr(code) for code in (*range(9), *range(11, 32), 127, *range(128, 160))]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\xff\xfe\x80",
        b"- key: [",
        b"\xff\xd8\xff",
        b"{" * 5000,
        b"key: A\nkey: B\n",
        b"&a [*a]",
    ],
)
@pytest.mark.parametrize("name", ["bad.yaml", "bad.json", "bad.csv", "bad.jsonl"])
def test_a_broken_file_is_named_and_ends_with_one(folder: Folder, content: bytes, name: str) -> None:
    (folder.path / name).write_bytes(content)
    result = folder.run("validate", name)
    assert result.code == 1
    assert name in result.err
    assert result.out == ""


def test_a_folder_without_incidents_is_an_error(folder: Folder) -> None:
    assert folder.run("validate").code == 1
    assert folder.run("plan", "--sandbox").code == 1
    assert folder.run("apply", "--sandbox", "--auto-approve").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(folder: Folder) -> None:
    folder.declare(declared("A"))
    (folder.path / "incidents.json").chmod(0)
    assert "incidents.json" in folder.run("validate").err


@pytest.mark.parametrize(
    "command", [["check"], ["plan"], ["apply", "--auto-approve"], ["adopt", "A", "INC-1"]]
)
def test_a_missing_key_hints_at_the_sandbox(folder: Folder, command: list[str]) -> None:
    folder.declare(declared("A"))
    result = folder.run(*command)
    assert result.code == 1
    assert "INCIDENT_API_KEY" in result.err
    assert "--sandbox" in result.err


def test_a_wrong_key_is_told_and_not_shown(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_API_KEY", "a-wrong-secret")
    folder.declare(declared("A"))
    result = folder.run("plan", "--log-level", "debug")
    assert result.code == 1
    assert "INCIDENT_API_KEY" in result.err
    assert "a-wrong-secret" not in result.err


class NoApi(BaseHTTPRequestHandler):
    """A web server that is no API."""

    def do_GET(self) -> None:
        status, body = (
            (200, b"<html>Welcome</html>") if "/welcome" in self.path else (404, b"<h1>Not here</h1>")
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def no_api() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NoApi) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_endpoint_that_is_no_api_is_told(folder: Folder, account: Account, no_api: str) -> None:
    folder.declare(declared("A"))
    result = folder.run("check", "--endpoint", no_api)
    assert result.code == 1
    assert "endpoint" in result.err


@pytest.mark.parametrize(
    "endpoint",
    ["http://example.com", "ftp://example.com", "example.com", "http://[::1", "https://a@example.com"],
)
def test_an_unsafe_endpoint_is_refused_before_anything_is_sent(
    folder: Folder, account: Account, endpoint: str
) -> None:
    assert folder.run("check", "--endpoint", endpoint).code == 1


def test_control_characters_never_reach_the_terminal(folder: Folder, account: Account) -> None:
    evil = "".join(CONTROL) + "\x1b]0;title\x07 \u202eback"
    account.create(f"Live {evil}")
    folder.declare(declared("KEY\x1b[2J", name=f"Name {evil}", severity="Sev\x1b[31m"), name="e\x1bvil.json")
    folder.declare(declared("A", name=f"Name {evil}"), name="good.json")
    runs = [
        folder.run("validate"),
        folder.run("plan"),
        folder.run("plan", "good.json"),
        folder.run("apply", "good.json", "--auto-approve"),
        folder.run("adopt", "K\x1b[2J", "INC-1"),
        folder.run("state", "list"),
        folder.run("state", "show", "A"),
        folder.run("state", "forget", "nope\x1b[2J"),
        folder.run("plan", "nope\x1b[2J"),
        folder.run("plan", "--only", "nope\x1b[2J"),
        folder.run("schema", "nope\x1b[2J"),
        folder.run("plan", "--nope\x1b[2J"),
        folder.run("nope\x1b[2J"),
    ]
    for result in runs:
        found = {each for each in result.out + result.err if each in CONTROL}
        assert not found, result


def test_the_key_is_in_no_output_and_in_no_file(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    account.sandbox.faults = Faults(
        (Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", nth=frozenset({2}), status=422),)
    )
    debug = ["--log-level", "debug"]
    results = [
        folder.call("check", *debug),
        folder.run("plan", "--out", "plan.json", "--json-out", "beside.json", *debug),
        folder.call("apply", "plan.json", "--report", "report.json", *debug, "--log-file", "log.txt"),
        folder.run("plan", "--endpoint", f"{account.url}/elsewhere", *debug),
        folder.run("state", "list", *debug),
        folder.run("adopt", "Z", "INC-9", *debug),
    ]
    written = [path for path in folder.path.rglob("*") if path.is_file()]
    assert {"plan.json", "report.json", "log.txt", "state.db", "beside.json"} <= {
        path.name for path in written
    }
    assert b"POST" in (folder.path / "log.txt").read_bytes()
    for text in [each.out + each.err for each in results]:
        assert KEY not in text
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path


def test_a_reader_that_goes_away_loses_nothing(folder: Folder, account: Account) -> None:
    folder.declare(*(declared(f"K-{number:03}") for number in range(40)))
    environment = folder.clean()
    line = f"set -o pipefail; {shlex.join(COMMAND)} apply --auto-approve --json | head -1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder.path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""
    assert len(account.creations()) == 40


def test_a_full_disk_behind_stdout_is_an_error(folder: Folder, account: Account) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    folder.declare(declared("A"))
    for mode in ([], ["--json"]):
        with Path("/dev/full").open("w") as full:
            result = folder.call("plan", *mode, stdout=full)
        assert result.code == 1
        assert "the output: No space left on device" in result.err


def test_closed_streams_are_no_error(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    for number in (1, 2):
        result = folder.call("plan", preexec_fn=lambda number=number: os.close(number))
        assert result.code == 0


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, False),
        ({"COLUMNS": "20"}, False),
        ({"COLUMNS": "1"}, False),
        ({"TERM": "dumb", "CI": "true"}, False),
    ],
)
def test_the_environment_decides_on_colour_and_width(
    folder: Folder, account: Account, environment: dict[str, str], coloured: bool
) -> None:
    folder.declare(declared("A", name="Ausfall in Köln 🔥"))
    result = folder.call("plan", environment=environment)
    assert result.code == 0
    assert ("\x1b[" in result.out) == coloured
    assert "K" in result.out


def test_a_folder_in_which_nothing_is_declared_is_no_success_without_a_word(
    folder: Folder, account: Account
) -> None:
    folder.write("jira.csv", "Issue key,Summary\nA-1,Down\n")
    result = folder.run("plan")
    assert "No changes: there are no incidents to compare." in result.out
    assert "importer init --from jira.csv" in " ".join(result.err.split())


def test_a_path_that_is_not_there_is_told_before_anybody_is_asked(folder: Folder, account: Account) -> None:
    result = folder.run("apply", "nosuch.json")
    assert (result.code, "there is no file or folder `nosuch.json`" in result.err) == (1, True)


def test_two_accounts_at_once_are_refused(folder: Folder) -> None:
    folder.declare(declared("A"))
    result = folder.run("plan", "--sandbox", "--endpoint", "https://api.example.com")
    assert result.code == 1
    assert "--sandbox and --endpoint" in result.err


def test_an_unknown_field_hides_no_other_mistake(folder: Folder) -> None:
    folder.write(
        "a.yaml",
        "- {key: A, name: a, severty: Minor, timestamps: {Resolved at: 2023-04-12 10:00}}\n- {key: A, name: b}\n",
    )
    codes = [each["code"] for each in folder.run("validate", "--json").json()["diagnostics"]]
    assert codes == ["unknown-field", "naive-datetime", "duplicate-key"]


def test_a_safety_limit_is_told_while_the_plan_is_reviewed(folder: Folder, account: Account) -> None:
    folder.write("importer.yaml", "version: 1\nsafety: {max_creates: 1}\n")
    folder.declare(declared("A"), declared("B"))
    result = folder.run("plan")
    assert result.code == 0
    assert "the plan has 2 incidents to create; safety.max_creates allows 1" in result.err
    assert folder.run("apply", "--auto-approve").code == 4
