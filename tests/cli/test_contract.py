"""Exit codes, and what goes to which stream: the same for every command, in both output modes."""

from __future__ import annotations

import json
import tempfile

import pytest

from importer.cli.failure import report
from importer.cli.invocation import Invocation
from tests.cli.conftest import Account, Folder, declared

READY = [
    ("validate", 0),
    ("plan", 0),
    ("plan --detailed-exitcode", 2),
    ("check", 0),
    ("apply --auto-approve", 0),
]


@pytest.mark.parametrize(("command", "code"), READY)
@pytest.mark.parametrize("mode", ["", " --json", " --format json"])
def test_a_command_ends_with_the_same_code_in_every_mode(
    folder: Folder, account: Account, command: str, code: int, mode: str
) -> None:
    folder.declare(declared("A"))
    result = folder.run(*(command + mode).split())
    assert result.code == code, result.err
    assert result.out
    if mode:
        for line in result.out.splitlines() if command.startswith("apply") else [result.out]:
            json.loads(line)


@pytest.mark.parametrize(
    "line",
    [
        "plan --nope",
        "apply --nope",
        "validate --format xml",
        "check extra",
        "state list --nope",
        "state nope",
        "nope",
        "show",
        "show absent.json",
        "schema nope",
        "plan absent.yaml",
        "validate absent.yaml",
        "apply absent.yaml",
        "apply --parallelism 0",
        "plan --limit 0",
        "plan --rate fast",
        "plan --only NO-SUCH-KEY",
        "plan --config absent.yaml",
        "plan --endpoint http://example.com",
        "plan --log-file absent/log",
        "plan --json-out absent/plan.json",
        "plan --out absent/plan.json",
        "state show NO-SUCH-KEY",
    ],
)
def test_an_error_is_words_on_stderr_and_json_or_nothing_on_stdout(
    folder: Folder, account: Account, line: str
) -> None:
    folder.declare(declared("A"))
    plain, as_json = folder.run(*line.split()), folder.run(*line.split(), "--json")
    assert plain.code == as_json.code == 1
    assert plain.err.startswith("Error: ")
    assert plain.out == "" or plain.out.startswith("Planning failed")
    documents = (
        [json.loads(each) for each in as_json.out.splitlines()]
        if line.startswith("apply")
        else [as_json.json()]
    )
    assert documents
    assert account.incidents() == []


def test_no_command_at_all_names_help(folder: Folder) -> None:
    for words in ([], ["state"]):
        result = folder.run(*words)
        assert (result.code, result.out) == (1, "")
        assert "--help" in result.err


@pytest.mark.parametrize(
    "command",
    ["", "validate", "check", "plan", "apply", "show", "adopt", "state", "sandbox", "schema", "completion"],
)
def test_help_is_data_and_succeeds(folder: Folder, command: str) -> None:
    result = folder.run(*command.split(), "--help")
    assert result.code == 0
    assert result.out.startswith("Usage: importer")
    assert result.err == ""


def test_the_version_is_told(folder: Folder) -> None:
    assert folder.run("--version").out.startswith("importer ")


@pytest.mark.parametrize("name", ["incident", "config", "plan"])
def test_a_schema_is_one_json_document(folder: Folder, name: str) -> None:
    assert folder.run("schema", name).json()["$schema"]


def test_a_plan_with_an_error_is_complete_json_and_fails(folder: Folder, account: Account) -> None:
    folder.declare(declared("A", severity="Catastrophic"))
    result = folder.run("plan", "--json")
    assert result.code == 1
    assert result.json()["errored"] is True
    assert "Catastrophic" in result.err
    assert folder.run("apply", "--auto-approve").code == 1
    assert account.incidents() == []


def test_validate_needs_no_account(folder: Folder) -> None:
    folder.declare(declared("A"), declared("A"))
    result = folder.run("validate")
    assert (result.code, result.out) == (1, "")
    assert "1 error, 0 warnings." in result.err
    folder.declare(declared("A"))
    assert folder.run("validate").out == "1 incident, no errors, 0 warnings.\n"


def test_a_mistake_in_the_configuration_is_told_with_its_place(folder: Folder) -> None:
    folder.write("importer.yaml", "version: 1\nrat: 80%\n")
    result = folder.run("validate", "--json")
    assert result.code == 1
    assert result.json()["diagnostics"][0]["file"] == "importer.yaml"


def test_the_embedded_sandbox_needs_no_account_and_keeps_its_state_apart(folder: Folder) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--sandbox", "--auto-approve").code == 0
    assert folder.run("plan", "--sandbox", "--detailed-exitcode").code == 0
    assert (folder.path / ".importer/sandbox/state.db").exists()
    assert not (folder.path / ".importer/state.db").exists()
    assert "add --sandbox" in folder.run("state", "list").err


def test_a_mistake_of_our_own_is_kept_in_a_file_and_shows_no_traceback(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder.path))
    code = report(KeyError("an inner word"), Invocation(["plan"]))
    err = folder.capture.readouterr().err
    assert code == 1
    assert "internal error (a bug in importer): KeyError" in err
    assert "Traceback" not in err
    (kept,) = folder.path.glob("importer-bug-*.txt")
    assert "an inner word" in kept.read_text()


def test_a_state_that_cannot_be_kept_is_refused_before_anything_is_sent(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A"))
    for mode in ([], ["--json"]):
        result = folder.run("apply", "--auto-approve", "--state", "incidents.json/state.db", *mode)
        assert result.code in (1, 4)
        assert "incidents.json" in result.err
    assert account.incidents() == []
