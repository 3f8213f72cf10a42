"""A saved plan: what was reviewed is what is done, once, on that account, and only while it is true."""

from __future__ import annotations

import json

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import Account, Folder, declared

REFUSED_ONCE = Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", nth=frozenset({2}), status=422)


def saved(folder: Folder, *words: str) -> None:
    result = folder.run("plan", "--out", "plan.json", *words)
    assert result.code == 0, result.err


def test_a_saved_plan_is_shown_again_and_applied_without_a_question(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    planned = folder.run("plan", "--out", "plan.json")
    assert "importer apply plan.json" in planned.err
    assert (folder.path / "plan.json").stat().st_mode & 0o777 == 0o600
    assert folder.run("show", "plan.json").out == planned.out
    assert folder.run("show", "plan.json", "--json").out == (folder.path / "plan.json").read_text()
    folder.write("incidents.json", "no longer what it was")
    result = folder.run("apply", "plan.json")
    assert result.code == 0, result.err
    assert {each["name"] for each in account.incidents()} == {"Incident A", "Incident B"}


def test_a_saved_plan_is_for_one_time(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    saved(folder)
    assert folder.run("apply", "plan.json").code == 0
    for mode in ([], ["--json"]):
        again = folder.run("apply", "plan.json", *mode)
        assert again.code == 4
        assert "already applied" in again.err
    assert len(account.incidents()) == 1


def test_a_saved_plan_that_was_edited_is_refused(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    saved(folder)
    content = (folder.path / "plan.json").read_text()
    folder.write("plan.json", content.replace("Incident A", "Incident Z"))
    for command in ("show", "apply"):
        assert folder.run(command, "plan.json").code == 4
    assert account.incidents() == []


def test_a_saved_plan_for_another_account_is_refused(
    folder: Folder, account: Account, other_account: Account
) -> None:
    folder.declare(declared("A"))
    saved(folder)
    result = folder.run("apply", "plan.json", "--endpoint", other_account.url)
    assert result.code == 4
    assert other_account.url in result.err
    assert other_account.incidents() == []


def test_a_state_of_another_account_is_refused(
    folder: Folder, account: Account, other_account: Account
) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    for command in (["plan"], ["apply", "--auto-approve"]):
        assert folder.run(*command, "--endpoint", other_account.url).code == 4
    assert other_account.incidents() == []


def test_an_incident_edited_since_makes_the_plan_stale_and_is_named_with_its_field(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A"), declared("B"))
    assert folder.run("apply", "--auto-approve", "--parallelism", "1").code == 0
    folder.declare(declared("A", severity="Minor"), declared("B"))
    saved(folder)
    account.edit(account.incidents()[0], summary="Somebody wrote this.")
    result = folder.run("apply", "plan.json")
    assert result.code == 4
    assert "'A' (INC-1) was edited" in result.err
    assert "summary" in result.err
    assert account.incidents()[0]["severity"]["name"] == "Major"


def test_an_incident_that_was_made_since_makes_the_plan_stale(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    saved(folder)
    assert folder.run("apply", "--auto-approve").code == 0
    result = folder.run("apply", "plan.json")
    assert result.code == 4
    assert "'A' was created since the plan was made, as INC-1" in " ".join(result.err.split())


def test_the_same_command_resumes_a_half_applied_plan(folder: Folder, account: Account) -> None:
    folder.declare(*(declared(key) for key in "ABC"))
    saved(folder)
    account.sandbox.faults = Faults((REFUSED_ONCE,))
    first = folder.run("apply", "plan.json", "--parallelism", "1", "--report", "report.csv")
    assert first.code == 3
    assert "importer plan --out plan.json" in first.out
    account.sandbox.faults = Faults()
    second = folder.run("apply", "plan.json", "--json")
    assert second.code == 0, second.err
    assert second.summary()["created"] == 1
    assert "2 of 3 changes" in second.err
    assert set(account.creations().values()) == {1}
    assert len(account.creations()) == 3
    assert folder.run("apply", "plan.json").code == 4


def test_a_resumed_plan_leaves_what_people_edited_meanwhile_begun_or_not_and_does_the_rest(
    folder: Folder, account: Account
) -> None:
    folder.declare(*(declared(key) for key in "ABCD"))
    assert folder.run("apply", "--auto-approve", "--parallelism", "1").code == 0
    folder.declare(*(declared(key, summary="new") for key in "ABCD"))
    saved(folder)
    last_two = frozenset({3, 4})
    gone = Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents/{id}/actions/edit", nth=last_two, status=401)
    account.sandbox.faults = Faults((gone,))
    first = folder.run("apply", "plan.json", "--parallelism", "1")
    assert first.code == 3
    assert "2 updated" in first.out
    account.sandbox.faults = Faults()
    account.edit(account.incidents()[3], summary="edited by somebody")
    second = folder.run("apply", "plan.json")
    assert second.code == 3
    assert "already made 2 of 4 changes" in second.err
    assert "0 created, 1 updated, 0 unchanged, 1 blocked." in second.out
    found = [each.get("summary") for each in account.incidents()]
    assert found == ["new", "new", "new", "edited by somebody"]


@pytest.mark.parametrize("words", [["--only", "A"], ["--limit", "1"], ["incidents.json"]])
def test_a_saved_plan_is_applied_as_it_is(folder: Folder, account: Account, words: list[str]) -> None:
    folder.declare(declared("A"))
    saved(folder)
    assert folder.run("apply", "plan.json", *words).code == 1
    assert account.incidents() == []


def test_only_and_limit_choose_what_is_planned(folder: Folder, account: Account) -> None:
    folder.declare(*(declared(key) for key in ("OPS-1", "OPS-2", "SEC-1", "X[1]")))

    def keys(*words: str) -> list[str]:
        return [each["key"] for each in folder.run("plan", "--json", *words).json()["incident_changes"]]

    assert keys("--only", "OPS-*") == ["OPS-1", "OPS-2"]
    assert keys("--only", "OPS-2", "--only", "SEC-?") == ["OPS-2", "SEC-1"]
    assert keys("--only", "X[1]") == ["X[1]"]
    assert len(keys("--limit", "3")) == 3
    mistyped = folder.run("plan", "--only", "OPS-1", "--only", "OSP-2")
    assert mistyped.code == 1
    assert "no incident has a key that matches OSP-2" in mistyped.err


def test_a_limit_is_not_used_up_by_what_cannot_be_done(folder: Folder, account: Account) -> None:
    foreign = account.create("Somebody else's", retrospective_incident_options={"external_id": 48})
    assert foreign["reference"] == "INC-48"
    folder.declare(declared("A", external_id=48), declared("B"))
    result = folder.run("apply", "--auto-approve", "--limit", "1", "--json")
    assert result.summary()["created"] == 1


def test_json_out_writes_beside_the_text_even_where_planning_failed(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    result = folder.run("plan", "--json-out", "beside.json")
    assert "will be created" in result.out
    assert json.loads((folder.path / "beside.json").read_text())["summary"]["create"] == 1
    folder.declare(declared("A", severity="Catastrophic"))
    assert folder.run("plan", "--json-out", "beside.json", "--out", "plan.json").code == 1
    assert json.loads((folder.path / "beside.json").read_text())["errored"] is True
    assert not (folder.path / "plan.json").exists()


def test_what_importer_wrote_into_the_folder_is_no_incident_file(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    saved(folder)
    account.sandbox.faults = Faults((REFUSED_ONCE,))
    for name in ("report.csv", "report.json"):
        folder.run("apply", "--auto-approve", "--parallelism", "1", "--report", name)
    result = folder.run("plan", "--json")
    assert result.code == 0, result.err
    assert "report" not in result.err
    assert "plan.json" not in result.err


@pytest.mark.parametrize("option", ["plan --out", "plan --json-out", "apply --auto-approve --report"])
def test_nobodys_own_file_is_overwritten(folder: Folder, account: Account, option: str) -> None:
    folder.declare(declared("A"))
    before = (folder.path / "incidents.json").read_text()
    for target in ("incidents.json", "/dev/null", "."):
        result = folder.run(*option.split(), target)
        assert result.code == 1
        assert target in result.err
    assert (folder.path / "incidents.json").read_text() == before
    assert account.incidents() == []


def test_an_empty_or_an_older_output_is_replaced(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    folder.write("plan", "")
    for _ in range(2):
        assert folder.run("plan", "--out", "plan").code == 0
    assert folder.run("show", "plan").code == 0
