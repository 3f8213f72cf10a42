"""Apply: only `yes` is approval, nothing is lost when a part is refused, and the end says how to go on."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import Account, Folder, Result, declared


def apply(folder: Folder, *words: str) -> Result:
    return folder.run("apply", "--auto-approve", "--parallelism", "1", *words)


def refusing(*nth: int, status: int = 422) -> Faults:
    return Faults(
        (Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", nth=frozenset(nth), status=status),)
    )


@pytest.mark.parametrize("words", [[], ["--canary"], ["--canary", "--auto-approve"], ["--json"]])
def test_without_a_terminal_it_fails_at_once(folder: Folder, account: Account, words: list[str]) -> None:
    folder.declare(declared("A"))
    result = folder.run("apply", *words)
    assert result.code == 1
    assert ("--canary" if "--canary" in words else "--auto-approve") in result.err
    assert not account.sandbox.journal().requests


def test_a_closed_stdin_is_no_terminal(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    result = folder.call("apply", stdin=None, preexec_fn=lambda: os.close(0))
    assert result.code == 1
    assert "without a terminal" in result.err


def test_what_is_refused_fails_alone_and_the_same_command_does_the_rest(
    folder: Folder, account: Account
) -> None:
    folder.declare(*(declared(key) for key in "ABCDE"))
    account.sandbox.faults = refusing(2, 4)
    first = apply(folder)
    assert first.code == 3
    assert "3 created" in first.out
    assert "2 failed" in first.out
    assert "fix what failed" in first.out
    assert "importer apply --auto-approve --parallelism 1" in first.out
    account.sandbox.faults = Faults()
    second = apply(folder, "--json")
    assert second.code == 0
    assert (second.summary()["created"], second.summary()["unchanged"]) == (2, 3)
    assert sorted(account.creations().values()) == [1] * 5
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.slow
def test_two_machines_without_a_shared_state_make_one_incident_for_each_key(
    folder: Folder, account: Account, tmp_path: Path
) -> None:
    other = replace(folder, path=tmp_path / "another machine")
    account.sandbox.faults = Faults((Fault(FaultKind.LATENCY, seconds=0.1),))
    for machine in (folder, other):
        machine.path.mkdir(exist_ok=True)
        machine.declare(*(declared(key) for key in "ABCDEFGH"))
    with folder.start("apply", "--auto-approve") as one, other.start("apply", "--auto-approve") as two:
        assert (one.wait(timeout=60), two.wait(timeout=60)) == (0, 0)
    assert sorted(account.creations().values()) == [1] * 8
    for machine in (folder, other):
        assert machine.call("plan", "--detailed-exitcode").code == 0


def test_every_event_line_is_json_and_the_last_is_the_summary(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    account.sandbox.faults = refusing(2)
    result = apply(folder, "--json")
    assert result.code == 3
    assert [each["type"] for each in result.events()] == [
        "version",
        "planned_change",
        "planned_change",
        "apply_start",
        "apply_complete",
        "apply_start",
        "apply_errored",
        "apply_summary",
    ]
    assert (result.summary()["created"], result.summary()["failed"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "failed", "left"), [(["--fail-fast"], 1, 4), (["--max-failures", "2"], 2, 3)]
)
def test_it_stops_after_so_many_failures(
    folder: Folder, account: Account, words: list[str], failed: int, left: int
) -> None:
    folder.declare(*(declared(key) for key in "ABCDEF"))
    account.sandbox.faults = refusing(2, 3, 4)
    result = apply(folder, "--json", *words)
    assert result.code == 3
    assert (result.summary()["failed"], result.summary()["not_attempted"]) == (failed, left)
    assert result.summary()["stopped"]


def test_the_report_lists_what_is_not_done(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"), declared("C"))
    account.sandbox.faults = refusing(2)
    apply(folder, "--report", "report.csv")
    (row,) = csv.DictReader((folder.path / "report.csv").read_text().splitlines())
    assert (row["key"], row["importer_report"]) == ("B", "failed")
    account.sandbox.faults = refusing(1)
    apply(folder, "--report", "report.json")
    (left,) = json.loads((folder.path / "report.json").read_text())["incidents"]
    assert left["key"] == "B"
    account.sandbox.faults = Faults()
    apply(folder, "--report", "report.json")
    assert json.loads((folder.path / "report.json").read_text())["incidents"] == []


def test_a_safety_limit_refuses_but_plan_shows(folder: Folder, account: Account) -> None:
    folder.write("importer.yaml", "version: 1\nsafety: {max_creates: 1}\n")
    folder.declare(declared("A"), declared("B"))
    assert folder.run("plan").code == 0
    for mode in ([], ["--json"]):
        result = apply(folder, *mode)
        assert result.code == 4
        assert "--limit N" in result.err
    assert account.incidents() == []
    assert apply(folder, "--limit", "1").code == 0
    assert len(account.incidents()) == 1


def test_an_incident_that_is_not_ours_is_blocked_and_stays_as_it_was(
    folder: Folder, account: Account
) -> None:
    account.create("Somebody else's", retrospective_incident_options={"external_id": 48})
    before = account.incidents()
    folder.declare(declared("A", external_id=48), declared("B"))
    result = apply(folder)
    assert result.code == 3
    assert "importer adopt A INC-48" in result.out
    assert account.incidents()[0] == before[0]
    assert len(account.incidents()) == 2
    assert folder.run("plan", "--detailed-exitcode").code == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_stops_the_run(folder: Folder, account: Account, status: int) -> None:
    folder.declare(*(declared(key) for key in "ABC"))
    account.sandbox.faults = refusing(2, 3, status=status)
    result = apply(folder)
    assert result.code == 3
    assert "Stopped:" in result.out
    assert "1 not attempted" in result.out


def test_a_read_only_key_plans_and_names_the_role_that_apply_lacks(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_API_KEY", "sandbox-read-only")
    folder.declare(declared("A"))
    assert folder.run("plan").code == 0
    result = apply(folder)
    assert result.code == 1
    assert "incident_creator" in result.err
    assert account.incidents() == []


def test_the_next_command_keeps_the_account_and_quotes_what_a_shell_would_read(folder: Folder) -> None:
    folder.write("my files/a.json", [declared("A")])
    result = folder.run("apply", "--sandbox", "--auto-approve", "my files")
    assert "Next: importer plan 'my files' --sandbox" in result.out
    planned = folder.run("plan", "--sandbox", "my files", "--out", "my plan.json")
    assert "importer apply 'my plan.json' --sandbox" in planned.err


def test_adopt_binds_and_sends_nothing(folder: Folder, account: Account) -> None:
    account.create("Somebody else's \x1b[31mred\x07")
    before = account.incidents()
    folder.declare(declared("A"))
    result = folder.run("adopt", "A", "INC-1")
    assert (result.code, result.out) == (0, "")
    assert "\x1b" not in result.err
    assert "\x07" not in result.err
    assert account.incidents() == before
    planned = folder.run("plan", "--json").json()
    assert [each["actions"] for each in planned["incident_changes"]] == [["adopt"]]
    assert folder.run("adopt", "B", "INC-1").code == 4
    account.create("Another")
    assert folder.run("adopt", "A", "INC-2").code == 4
    assert folder.run("adopt", "A", "INC-99").code == 1


def test_the_state_lists_shows_and_forgets(folder: Folder, account: Account) -> None:
    folder.declare(declared("JIRA-1"), declared("JIRA-2"))
    apply(folder)
    listed = folder.run("state", "list")
    assert "JIRA-1" in listed.out
    assert [each["key"] for each in folder.run("state", "list", "--json").json()["bindings"]] == [
        "JIRA-1",
        "JIRA-2",
    ]
    assert "JIRA-1 is bound to INC-1" in folder.run("state", "show", "JIRA-1").out
    shown = folder.run("state", "show", "JIRA-1", "--json").json()
    assert shown["reference"] == "INC-1"
    assert shown["fields"]["name"] == {"declared": "Incident JIRA-1", "answered": "Incident JIRA-1"}
    assert "did you mean JIRA-" in folder.run("state", "forget", "JIRA-").err
    assert "state list" in folder.run("state", "show", "zzz").err
    assert folder.run("state", "forget", "JIRA-1").code == 0
    assert folder.run("state", "show", "JIRA-1").code == 1
    assert apply(folder).code == 0
    assert sorted(account.creations().values()) == [1, 1]


def test_what_was_sent_and_never_answered_is_listed_and_settled(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    account.sandbox.faults = Faults((Fault(FaultKind.HANG, on="POST /v2/incidents", seconds=3),))
    with folder.start("apply", "--auto-approve") as process:
        while not account.creations():
            assert process.poll() is None
        process.kill()
    account.sandbox.faults = Faults()
    assert "sent, not answered" in folder.run("state", "list").out
    assert folder.run("state", "list", "--json").json()["pending"] == ["A"]
    assert "A is not bound" in folder.run("state", "show", "A").out
    assert apply(folder).code == 0
    assert list(account.creations().values()) == [1]


def test_the_events_are_kept_in_a_file_beside_the_text(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    path = folder.path / "events.jsonl"
    result = folder.run("apply", "--auto-approve", "--json-out", "events.jsonl")
    assert (result.code, "Apply complete: 2 created" in result.out) == (0, True)
    kept = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    types = [each["type"] for each in kept]
    assert types[0] == "version" and types[-1] == "apply_summary"
    assert types.count("planned_change") == types.count("apply_start") == types.count("apply_complete") == 2
    assert path.stat().st_mode & 0o777 == 0o600
    again = folder.run("apply", "--auto-approve", "--json", "--json-out", "events.jsonl")
    assert again.out == path.read_text("utf-8")


def test_the_events_take_the_place_of_nobodys_file(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    folder.write("mine.txt", "mine")
    assert folder.run("apply", "--auto-approve", "--json-out", "mine.txt").code == 1
    assert (folder.path / "mine.txt").read_text() == "mine"
    assert account.incidents() == []
