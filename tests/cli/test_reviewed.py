"""`apply --reviewed`: what the files say is done, if a reviewed plan shows all of it; else nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import Account, Folder, Result, declared


def reviewed(folder: Folder, *words: str) -> None:
    result = folder.run("plan", "--out", "reviewed.json", *words)
    assert result.code == 0, result.err


def apply(folder: Folder, *words: str) -> Result:
    return folder.run("apply", "--reviewed", "reviewed.json", *words)


def forged(folder: Folder, forge: Callable[[dict[str, Any]], None]) -> None:
    """Edit the reviewed plan and seal it again."""
    document = json.loads((folder.path / "reviewed.json").read_text("utf-8"))
    forge(document)
    content = {name: value for name, value in document.items() if name != "plan_hash"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    folder.write(
        "reviewed.json", content | {"plan_hash": f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"}
    )


def actions(folder: Folder) -> list[list[str]]:
    return [each["actions"] for each in folder.run("plan", "--json").json()["incident_changes"]]


def refused(folder: Folder, account: Account, *words: str) -> str:
    """Apply, check that it is refused and that nothing was written, and return what was said."""
    before = account.incidents()
    result = apply(folder, *words)
    assert result.code == 4, result.err
    assert "make a new plan and review it" in " ".join(result.err.split())
    assert account.incidents() == before
    return result.err


def test_what_was_reviewed_is_applied_without_a_question(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    reviewed(folder)
    result = apply(folder)
    assert result.code == 0, result.err
    assert "2 to create" in result.out
    assert sorted(account.creations().values()) == [1, 1]
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_what_the_files_say_is_applied_and_not_what_the_reviewed_plan_says(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A"), declared("EVIL"))
    reviewed(folder)
    folder.declare(declared("A"))
    result = apply(folder)
    assert result.code == 0, result.err
    assert "Reviewed, but not in the new plan: EVIL." in result.err
    assert [each["name"] for each in account.incidents()] == ["Incident A"]


def test_a_change_that_was_not_reviewed_is_refused_and_named_with_its_line(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A"))
    reviewed(folder)
    folder.declare(declared("A", severity="Minor"), declared("B"))
    text = refused(folder, account)
    assert "Error: 'A' is not as reviewed\n  on incidents.json:1" in text
    assert 'severity: "Major" -> "Minor"' in text
    assert "'B' is not in the reviewed plan" in text
    assert "the new plan has 2 changes that nobody reviewed" in text


def test_a_refusal_is_an_event_for_each_difference(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    reviewed(folder)
    folder.declare(declared("A", severity="Minor"))
    result = apply(folder, "--json")
    assert result.code == 4
    first, second = [each for each in result.events() if each["type"] == "diagnostic"]
    assert (first["code"], first["detail"]) == ("not-reviewed", 'severity: "Major" -> "Minor"')
    assert second["code"] == "not-reviewed"


def test_an_agreement_is_an_event_with_what_is_gone(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    reviewed(folder)
    assert folder.run("apply", "--auto-approve", "--only", "A").code == 0
    result = apply(folder, "--json", "--json-out", "events.jsonl")
    assert result.code == 0
    (event,) = [each for each in result.events() if each["type"] == "plan_reviewed"]
    assert (event["left"], event["gone"]) == (1, ["A"])
    assert '"plan_reviewed"' in (folder.path / "events.jsonl").read_text("utf-8")


def test_a_forged_adoption_is_not_made(folder: Folder, account: Account) -> None:
    theirs = account.create("Somebody else's")
    folder.declare(declared("A"))
    assert folder.run("adopt", "A", theirs["reference"]).code == 0
    reviewed(folder)
    assert folder.run("state", "forget", "A").code == 0
    text = refused(folder, account)
    assert 'action: "adopt" -> "create"' in text
    reviewed(folder)
    assert folder.run("adopt", "A", theirs["reference"]).code == 0
    text = refused(folder, account)
    assert 'action: "create" -> "adopt"' in text
    assert theirs["id"] in text


def test_an_adoption_without_requests_must_have_been_reviewed(folder: Folder, account: Account) -> None:
    theirs = account.create("Somebody else's")
    folder.declare({"key": "A", "name": "Somebody else's", "severity": theirs["severity"]["name"]})
    reviewed(folder)
    assert folder.run("adopt", "A", theirs["reference"]).code == 0
    (change,) = folder.run("plan", "--json").json()["incident_changes"]
    assert change["actions"] == ["adopt"]
    assert 'action: "create" -> "adopt"' in refused(folder, account)


@pytest.fixture
def edited(folder: Folder, account: Account) -> dict[str, Any]:
    """An incident of ours whose edit was reviewed."""
    folder.declare(declared("A", summary="As it was."))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.declare(declared("A", severity="Minor", summary="As it is."))
    reviewed(folder)
    return account.incidents()[0]


def test_a_swapped_incident_is_refused(folder: Folder, account: Account, edited: dict[str, Any]) -> None:
    theirs = account.create("Somebody else's")

    def forge(document: dict[str, Any]) -> None:
        (change,) = document["incident_changes"]
        change["incident_id"], change["reference"] = theirs["id"], theirs["reference"]
        for request in change["requests"]:
            request["path"] = request["path"].replace(edited["id"], theirs["id"])

    forged(folder, forge)
    assert f'incident: "{theirs["reference"]} ({theirs["id"]})" -> "INC-1' in " ".join(
        refused(folder, account).split()
    )


def test_a_field_removed_from_the_review_is_refused(
    folder: Folder, account: Account, edited: dict[str, Any]
) -> None:
    folder.declare(declared("A", severity="Minor"))
    reviewed(folder)
    folder.declare(declared("A", severity="Minor", summary="As it is."))
    assert "summary" in refused(folder, account)


def test_an_edit_since_the_review_is_refused_with_its_value(
    folder: Folder, account: Account, edited: dict[str, Any]
) -> None:
    account.edit(edited, summary="Somebody wrote this.")
    text = refused(folder, account)
    assert 'summary in the account: "As it was." -> "Somebody wrote this."' in text


def test_text_of_a_private_incident_is_not_in_a_refusal(folder: Folder, account: Account) -> None:
    folder.declare(declared("S", name="Secret breach", visibility="private"))
    reviewed(folder)
    folder.declare(declared("S", name="Secret leak", visibility="private"))
    text = refused(folder, account)
    assert "'S' is not as reviewed" in text
    assert "Secret" not in text


def test_a_plan_of_another_part_namespace_or_account_is_refused(
    folder: Folder, account: Account, other_account: Account
) -> None:
    folder.declare(declared("A"))
    reviewed(folder, "--limit", "1")
    assert "scope: --limit 1 -> all incidents" in refused(folder, account)
    reviewed(folder)
    assert "scope: all incidents -> --only A" in refused(folder, account, "--only", "A")
    assert other_account.url in refused(folder, account, "--endpoint", other_account.url)
    assert other_account.incidents() == []
    folder.write("importer.yaml", "identity: {namespace: other}\nsources: [incidents.json]\n")
    assert "namespace: default -> other" in refused(folder, account)


def test_a_drift_report_or_a_plan_with_errors_is_no_review(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    folder.run("plan", "--drift-only", "--json-out", "reviewed.json")
    assert "--drift-only -> all incidents" in refused(folder, account)
    folder.declare(declared("A", severity="Catastrophic"))
    assert folder.run("plan", "--json-out", "reviewed.json").code == 1
    folder.declare(declared("A"))
    assert "the reviewed plan has errors" in refused(folder, account)


def test_files_with_errors_are_not_compared(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    reviewed(folder)
    folder.declare(declared("A", severity="Catastrophic"))
    assert apply(folder).code == 1
    assert account.incidents() == []


def test_a_reviewed_plan_that_was_edited_or_is_not_there_is_refused(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    missing = apply(folder)
    assert missing.code == 1
    assert "cannot read reviewed.json" in missing.err
    reviewed(folder)
    text = (folder.path / "reviewed.json").read_text("utf-8")
    folder.write("reviewed.json", text.replace("Incident A", "Incident Z"))
    assert apply(folder).code == 4
    assert account.incidents() == []


def test_a_saved_plan_is_not_compared_with_another(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    reviewed(folder)
    result = folder.run("apply", "reviewed.json", "--reviewed", "reviewed.json")
    assert result.code == 1
    assert "cannot be combined with --reviewed" in result.err
    assert account.incidents() == []


def test_a_creation_of_a_run_that_died_is_the_one_that_was_reviewed(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    reviewed(folder)
    account.sandbox.faults = Faults((Fault(FaultKind.HANG, on="POST /v2/incidents", seconds=3),))
    with folder.start("apply", "--reviewed", "reviewed.json", "--parallelism", "1") as process:
        while not account.creations():
            assert process.poll() is None
        process.kill()
    account.sandbox.faults = Faults()
    assert actions(folder) == [["pending"], ["create"]]
    result = apply(folder)
    assert result.code == 0, result.err
    assert sorted(account.creations().values()) == [1, 1]


def test_a_run_that_ended_half_way_is_continued_with_the_same_command(
    folder: Folder, account: Account
) -> None:
    fix = [{"title": "Add an alert", "description": "On errors.", "status": "completed"}]
    folder.declare(*(declared(key, follow_ups=fix) for key in "AB"))
    reviewed(folder)
    refusals = [
        Fault(FaultKind.ERROR_BEFORE, on="POST /v3/follow_ups", nth=frozenset({1}), status=422),
        Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", nth=frozenset({2}), status=422),
    ]
    account.sandbox.faults = Faults(tuple(refusals))
    assert apply(folder, "--parallelism", "1").code == 3
    account.sandbox.faults = Faults()
    assert actions(folder) == [["update"], ["create"]]
    result = apply(folder)
    assert result.code == 0, result.err
    assert sorted(account.creations().values()) == [1, 1]
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_a_limit_in_importer_yaml_holds_for_what_was_reviewed(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    reviewed(folder)
    folder.write("importer.yaml", "safety: {max_creates: 1}\nsources: [incidents.json]\n")
    assert apply(folder).code == 4
    assert account.incidents() == []


def test_a_plan_made_without_the_state_reviews_one_that_is_made_with_it(
    folder: Folder, account: Account
) -> None:
    folder.write("importer.yaml", "identity: {marker_field: Legacy ID}\nsources: [incidents.json]\n")
    children = {
        "follow_ups": [{"title": "Add an alert", "description": "On errors.", "status": "completed"}],
        "timeline": [{"at": "2021-03-01T10:05:00Z", "title": "Rolled back"}],
        "attachments": [{"resource_type": "arbitrary_url", "url": "https://a.example/1", "title": "One"}],
    }
    folder.declare(declared("A", **children))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.declare(declared("A", severity="Minor", **children))
    reviewed(folder, "--state", "none.db")
    result = apply(folder)
    assert result.code == 0, result.err
    assert account.incidents()[0]["severity"]["name"] == "Minor"
