"""`pull` writes files that plan empty; with another key they are a copy; and it never makes a duplicate possible."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from importer.pull import CATEGORIES
from importer.sandbox import Fault, FaultKind, Faults, SandboxOptions, default_seed, open_sandbox
from tests.cli.conftest import KEY, Account, Folder, Result, Stage, declared
from tests.mixed_account import ALIASES, Filler, seed_of_another_company

UNLIMITED = SandboxOptions(rate_limit=None)
COUNT = 60


def point(monkeypatch: pytest.MonkeyPatch, folder: Folder, url: str) -> None:
    folder.environment |= {"INCIDENT_API_KEY": KEY, "INCIDENT_ENDPOINT": url}
    for name, value in folder.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def mixed(folder: Folder, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account with incidents of every sort, three of them with children."""
    with closing(open_sandbox(None, options=UNLIMITED)) as sandbox:
        filler = Filler(sandbox)
        for incident in filler.fill(COUNT)[:3]:
            filler.add_children(incident)
        stage.sandboxes[:] = [sandbox]
        point(monkeypatch, folder, stage.server.url)
        yield Account(sandbox, stage.server.url)


@contextmanager
def company(stage: Stage, **seeded: Any) -> Iterator[Account]:
    """Another account, with other names and numbers."""
    seed = seed_of_another_company() | seeded
    with closing(open_sandbox(None, seed=seed, options=UNLIMITED)) as sandbox:
        stage.sandboxes[:] = [sandbox]
        yield Account(sandbox, stage.server.url)


@pytest.fixture
def other(other_stage: Stage) -> Iterator[Account]:
    with company(other_stage) as account:
        yield account


def summary(folder: Folder, *words: str) -> dict[str, int]:
    """Plan, and return what would be done, without what would not."""
    result = folder.run("plan", *words, "--json")
    assert result.code == 0, result.err
    return {name: count for name, count in result.json()["summary"].items() if count}


def bytes_of(folder: Path) -> dict[str, str]:
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.rglob("*.yaml")}


def writes(account: Account) -> int:
    """Return how many requests the account was sent that were no GET."""
    requests = account.sandbox.journal().requests
    return sum(count for request, count in requests.items() if not request.startswith("GET"))


PULLED = COUNT * 9 // 10


def test_a_pull_plans_empty_in_its_own_account_and_leaves_no_state(mixed: Account, folder: Folder) -> None:
    before = writes(mixed)
    result = folder.run("pull")
    assert result.code == 0, result.err
    assert summary(folder, "incidents") == {"unchanged": PULLED}
    assert writes(mixed) == before
    assert not (folder.path / ".importer").exists()


def test_what_is_still_open_is_counted_and_left_out(mixed: Account, folder: Folder) -> None:
    result = folder.run("pull")
    assert f"{COUNT - PULLED} incidents: INC-10, INC-20" in result.err
    assert "live status" in result.err
    assert f"{PULLED} incidents pulled from https://app.incident.io/acme" in result.err


def test_a_pull_without_numbers_never_plans_a_second_incident_in_its_own_account(
    mixed: Account, folder: Folder
) -> None:
    assert folder.run("pull", "--drop-external-id").code == 0
    assert "external_id" not in (folder.path / "incidents" / "2019.yaml").read_text(encoding="utf-8")
    assert summary(folder, "incidents") == {"unchanged": PULLED}


def test_an_edit_of_a_pulled_file_is_blocked_until_somebody_adopts(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--drop-external-id")
    edit_first_name(folder)
    assert summary(folder, "incidents") == {"unchanged": PULLED - 1, "blocked": 1}
    shown = " ".join(folder.run("plan", "incidents").out.replace("#", "").split())
    assert "if it is the same incident, run: importer adopt 01" in shown


def test_an_apply_of_pulled_files_does_not_take_the_incidents_over(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--drop-external-id")
    assert folder.run("apply", "incidents", "--auto-approve").code == 0
    assert folder.run("state", "list", "--json").json()["bindings"] == []
    edit_first_name(folder)
    assert summary(folder, "incidents") == {"unchanged": PULLED - 1, "blocked": 1}


def test_a_private_incident_that_was_pulled_is_not_made_again_by_a_key_that_does_not_see_it(
    mixed: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.run("pull", "--drop-external-id")
    monkeypatch.setenv("INCIDENT_API_KEY", "sandbox-no-private")
    before = len(mixed.creations())
    for command in (["plan", "incidents"], ["apply", "incidents", "--auto-approve"]):
        result = folder.run(*command)
        assert result.code == 1
        assert "pulled incidents would be created again" in result.err
    assert len(mixed.creations()) == before


def edit_first_name(folder: Folder) -> None:
    path = folder.path / "incidents" / "2020.yaml"
    lines = path.read_text(encoding="utf-8").split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip().startswith("name:"))
    lines[first] = "    name: Edited by hand"
    path.write_text("\n".join(lines), encoding="utf-8")


def test_what_was_taken_over_plans_empty_and_an_edit_of_its_file_is_an_edit(
    mixed: Account, folder: Folder
) -> None:
    before = writes(mixed)
    result = folder.run("pull", "--adopt")
    assert f"{PULLED} incidents adopted" in result.err
    assert writes(mixed) == before
    assert summary(folder, "incidents") == {"unchanged": PULLED}
    edit_first_name(folder)
    assert summary(folder, "incidents") == {"unchanged": PULLED - 1, "update": 1}
    assert folder.run("apply", "incidents", "--auto-approve").code == 0
    assert summary(folder, "incidents") == {"unchanged": PULLED}
    assert mixed.sandbox.journal().creations == dict.fromkeys(mixed.creations(), 1)


def test_to_take_over_twice_changes_nothing(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--adopt")
    state = folder.run("state", "list", "--json").json()
    assert "0 incidents adopted" in folder.run("pull", "--adopt").err
    assert folder.run("state", "list", "--json").json() == state


def test_pulling_twice_writes_the_same_bytes(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--by", "month")
    first = bytes_of(folder.path)
    assert "incidents/2020/02.yaml" in {str(Path(each).relative_to(folder.path)) for each in first}
    folder.run("pull", "--by", "month")
    assert bytes_of(folder.path) == first
    assert summary(folder, "incidents") == {"unchanged": PULLED}


def test_a_file_that_somebody_edited_is_not_overwritten_without_a_word(
    mixed: Account, folder: Folder
) -> None:
    folder.run("pull")
    edit_first_name(folder)
    before = bytes_of(folder.path)
    result = folder.run("pull", "--adopt")
    assert result.code == 1
    assert "will not overwrite incidents/2020.yaml" in result.err
    assert bytes_of(folder.path) == before
    assert folder.run("state", "list", "--json").json()["bindings"] == []
    assert folder.run("pull", "--force").code == 0
    assert summary(folder, "incidents") == {"unchanged": PULLED}


def test_files_of_an_earlier_pull_that_are_there_twice_are_named(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--by", "month")
    assert "remove incidents that are now in two files" in folder.run("pull").err


def test_children_come_along_and_plan_empty(mixed: Account, folder: Folder) -> None:
    kinds = ("timeline", "follow_ups", "attachments", "postmortem")
    result = folder.run("pull", *(word for kind in kinds for word in ("--with", kind)))
    assert f"{PULLED * 4} requests" in result.err
    text = "".join(each.read_text(encoding="utf-8") for each in folder.path.rglob("*.yaml"))
    for word in ("v411", "Add an alert", "JIRA-1", "https://example.com/graph", "A lot."):
        assert word in text
    assert text.count("https://example.com/graph") == 3
    assert summary(folder, "incidents") == {"unchanged": PULLED}


def test_children_that_were_taken_over_are_not_made_again(mixed: Account, folder: Folder) -> None:
    folder.run("pull", "--adopt", "--with", "follow_ups", "--with", "attachments", "--with", "postmortem")
    assert summary(folder, "incidents") == {"unchanged": PULLED}


def test_a_copy_to_a_differently_configured_account_plans_applies_and_plans_empty(
    mixed: Account, other: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ("timeline", "follow_ups", "attachments", "postmortem")
    folder.run("pull", "--drop-external-id", *(word for kind in kinds for word in ("--with", kind)))
    point(monkeypatch, folder, other.url)
    refused = folder.run("plan", "incidents")
    assert refused.code == 1
    assert "severity 'Critical' is not in the account" in refused.err
    folder.write("importer.yaml", ALIASES)
    assert summary(folder, "incidents") == {"create": PULLED}
    applied = folder.run("apply", "incidents", "--auto-approve")
    assert applied.code == 0, applied.err
    assert summary(folder, "incidents") == {"unchanged": PULLED}
    assert len(other.creations()) == PULLED
    assert other.sandbox.journal().announcements == ()


def test_a_copy_keeps_its_numbers_where_the_account_takes_them(
    mixed: Account, other_stage: Stage, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.run("pull")
    numbers = {each["reference"] for each in mixed.incidents() if not is_open(each)}
    with company(other_stage, features=default_seed()["features"]) as other:
        point(monkeypatch, folder, other.url)
        folder.write("importer.yaml", ALIASES)
        assert folder.run("apply", "incidents", "--auto-approve").code == 0
        assert summary(folder, "incidents") == {"unchanged": PULLED}
        assert {each["reference"] for each in other.incidents()} == numbers


def is_open(incident: dict[str, Any]) -> bool:
    return incident["incident_status"]["category"] not in CATEGORIES


def test_a_state_of_another_account_does_not_hinder_a_pull_but_a_take_over(
    mixed: Account, other: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.declare(declared("A", severity="SEV1"))
    point(monkeypatch, folder, other.url)
    assert folder.run("apply", "--auto-approve").code == 0
    point(monkeypatch, folder, mixed.url)
    assert folder.run("pull").code == 0
    assert folder.run("pull", "--adopt").code == 4


def test_what_an_older_script_imported_is_taken_over_under_its_own_keys(
    mixed: Account, folder: Folder
) -> None:
    result = folder.run("pull", "--adopt", "--key-field", "Legacy ID")
    assert result.code == 0, result.err
    keys = {each["key"] for each in folder.run("state", "list", "--json").json()["bindings"]}
    assert {"OLD-0", "OLD-1"} <= keys
    assert summary(folder, "incidents") == {"unchanged": PULLED}
    edit_first_name(folder)
    (update,) = folder.run("plan", "incidents", "--json").json()["incident_changes"]
    assert [each["field"] for each in update["changed_fields"]] == ["name"]


def test_two_incidents_of_one_key_are_refused_with_both(account: Account, folder: Folder) -> None:
    field = legacy_field(account)
    for name in ("One", "Two"):
        entry = {"custom_field_id": field, "values": [{"value_text": "OLD-1"}]}
        account.create(name, custom_field_entries=[entry])
    result = folder.run("pull", "--adopt", "--key-field", "Legacy ID")
    assert result.code == 4
    assert "'OLD-1' is the key of INC-1 and of INC-2" in result.err
    assert not (folder.path / "incidents").exists()


def legacy_field(account: Account) -> str:
    fields = account.get("/v2/custom_fields")["custom_fields"]
    return next(str(each["id"]) for each in fields if each["name"] == "Legacy ID")


def test_the_marker_field_gives_the_keys_and_is_not_declared(account: Account, folder: Folder) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Legacy ID}\n")
    folder.declare(declared("JIRA-1"), name="source.json")
    assert folder.run("apply", "source.json", "--auto-approve").code == 0
    (folder.path / ".importer" / "state.db").unlink()
    folder.run("pull")
    text = (folder.path / "incidents" / "2021.yaml").read_text(encoding="utf-8")
    assert "key: JIRA-1\n" in text
    assert "Legacy ID" not in text
    assert summary(folder, "incidents") == {"unchanged": 1}


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("--since", "2023-01-01"), lambda each: began(each) >= "2023"),
        (("--mode", "standard"), lambda each: each["mode"] == "standard"),
        (("--status-category", "closed"), lambda each: each["incident_status"]["category"] == "closed"),
        (("--severity", "major", "--severity", "Minor"), lambda each: each["severity"]["name"] != "Critical"),
    ],
)
def test_filters_choose(mixed: Account, folder: Folder, words: tuple[str, ...], kept: Any) -> None:
    closed = [each for each in mixed.incidents() if each["incident_status"]["category"] in CATEGORIES]
    folder.run("pull", *words)
    assert summary(folder, "incidents") == {"unchanged": sum(map(kept, closed))}


def began(incident: dict[str, Any]) -> str:
    moments = [each["value"]["value"] for each in incident["incident_timestamp_values"] if each.get("value")]
    earliest: str = min(moments, default=incident["created_at"])
    return earliest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--since", "soon"), "--since soon is not a date"),
        (("--severity", "SEV-1"), "exactly one severity 'SEV-1'"),
        (("--key-field", "Legacy"), "did you mean Legacy ID?"),
        (("--key-field", "😀"), "write its name exactly"),
        (("--mode", "test"), "'test' is not one of"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(
    account: Account, folder: Folder, words: tuple[str, ...], message: str
) -> None:
    result = folder.run("pull", *words)
    assert result.code == 1
    assert message in result.err


def test_a_key_that_does_not_see_private_incidents_is_told_of(
    mixed: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_API_KEY", "sandbox-no-private")
    result = folder.run("pull")
    assert result.code == 0, result.err
    assert "lacks the role global_access" in result.err


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_pull_that_is_interrupted_writes_nothing_and_the_next_one_all(
    mixed: Account, folder: Folder, how: signal.Signals, code: int
) -> None:
    mixed.sandbox.faults = Faults((Fault(FaultKind.LATENCY, on="GET /v3/follow_ups", seconds=0.2),))
    with folder.start("pull", "--with", "follow_ups") as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(how)
        process.communicate(timeout=20)
    assert process.returncode == code
    assert not (folder.path / "incidents").exists()
    mixed.sandbox.faults = Faults()
    assert folder.run("pull").code == 0


def test_a_folder_that_cannot_be_written_to_is_an_error_and_nothing_is_taken_over(
    mixed: Account, folder: Folder
) -> None:
    folder.write("incidents", "a file")
    result = folder.run("pull", "--adopt")
    assert result.code == 1
    assert "cannot write incidents" in result.err
    assert folder.run("state", "list", "--json").json()["bindings"] == []


def test_private_incidents_are_pulled_like_any_other(mixed: Account, folder: Folder) -> None:
    result: Result = folder.run("pull", "--rate", "600/min")
    assert result.code == 0
    text = "".join(each.read_text(encoding="utf-8") for each in folder.path.rglob("*.yaml"))
    assert text.count("visibility: private") == sum(
        each["visibility"] == "private" and each["incident_status"]["category"] in CATEGORIES
        for each in mixed.incidents()
    )
