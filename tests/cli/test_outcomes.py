"""What an apply says of its outcomes, and with which code it exits, when a part of it fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.sandbox import Fault, FaultKind, Faults, Server, open_sandbox
from tests.cli.conftest import Account, Folder, declared

APPLY = ("apply", "--auto-approve")
ALERT = {"title": "Add an alert", "description": "x"}
LINK = {"resource_type": "arbitrary_url", "url": "https://example.com/x"}
ITEM = {"at": "2021-03-01T10:00:00Z", "title": "Paged"}
KINDS: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "follow_ups": ("follow_ups", [ALERT], ("/v3/follow_ups", "/v2/follow_ups")),
    "attachments": ("attachments", [LINK], ("/v1/incident_attachments",)),
    "timeline": ("timeline", [ITEM], ("/v2/incident_timeline_items",)),
}


def refuse(account: Account, status: int, *routes: str) -> None:
    faults = (Fault(FaultKind.ERROR_BEFORE, on=route, status=status) for route in routes)
    account.sandbox.faults = Faults(tuple(faults))


def eight(**more: Any) -> list[dict[str, Any]]:
    return [declared(f"K{n}", **more) for n in range(8)]


def creations(account: Account) -> int:
    return len(account.incidents())


# -- what cannot be listed --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "lacks a role"), (404, "was not found"), (410, "is gone from this account's API")],
)
def test_a_kind_that_cannot_be_listed_is_blocked_in_the_plan_and_not_attempted_by_apply(
    folder: Folder, account: Account, kind: str, status: int, words: str
) -> None:
    name, value, paths = KINDS[kind]
    refuse(account, status, *(f"GET {path}" for path in paths))
    folder.declare(declared("A", **{name: value}), declared("B"))
    plan = folder.run("plan")
    assert plan.code == 0
    assert f"! {name}." in plan.out
    assert words in plan.out
    assert "Plan: 2 to create, 0 to update, 0 unchanged, 1 blocked." in plan.out
    result = folder.run(*APPLY, "--report", "left.json")
    assert result.code == 3
    assert "2 created" in result.out
    (row,) = json.loads((folder.path / "left.json").read_text())["incidents"]
    assert (row["outcome"], row["key"], row["code"]) == ("blocked", "A", "not-possible")
    assert words in row["message"]
    assert creations(account) == 2
    later = folder.run("plan")
    assert f"! {name}." in later.out
    assert words in later.out
    account.sandbox.faults = Faults()
    assert folder.run(*APPLY).code == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_is_refused_only_at_apply_leaves_its_children_out_and_names_them(
    folder: Folder, account: Account, kind: str
) -> None:
    name, value, paths = KINDS[kind]
    folder.declare(declared("A"))
    assert folder.run(*APPLY).code == 0
    folder.declare(declared("A", name="Renamed", **{name: value}), declared("B"))
    assert folder.run("plan", "--out", "plan.json").code == 0
    refuse(account, 403, *(f"GET {path}" for path in paths))
    result = folder.run("apply", "plan.json")
    assert result.code == 3
    assert "1 created, 1 updated" in result.out
    assert "1 incomplete" in result.out
    assert f"{name}: nothing was created or changed, because" in " ".join(result.err.split())


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_of_which_nothing_could_be_sent_is_not_attempted_and_says_why(
    folder: Folder, account: Account, kind: str
) -> None:
    name, value, paths = KINDS[kind]
    folder.declare(*eight())
    assert folder.run(*APPLY).code == 0
    folder.declare(*eight(**{name: value}))
    assert folder.run("plan", "--out", "plan.json").code == 0
    refuse(account, 403, *(f"GET {path}" for path in paths))
    result = folder.run("apply", "plan.json", "--report", "left.json")
    assert result.code == 3
    assert "0 created, 0 updated, 0 unchanged, 8 not attempted." in result.out
    assert "lacks a role" in result.err
    rows = json.loads((folder.path / "left.json").read_text())["incidents"]
    assert len(rows) == 8
    assert {(row["outcome"], row["code"]) for row in rows} == {("not_attempted", "not-attempted")}


def test_a_saved_plan_of_which_a_part_is_missing_can_be_applied_again(
    folder: Folder, account: Account
) -> None:
    refuse(account, 403, "POST /v3/follow_ups", "POST /v2/follow_ups")
    folder.declare(declared("A", follow_ups=[ALERT]))
    assert folder.run("plan", "--out", "plan.json").code == 0
    assert folder.run("apply", "plan.json").code == 3
    account.sandbox.faults = Faults()
    assert folder.run("apply", "plan.json").code == 0
    assert len(account.get("/v3/follow_ups")["follow_ups"]) == 1
    assert folder.run("apply", "plan.json").code == 4


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_part_that_was_not_answered_is_looked_for_by_the_same_saved_plan(
    folder: Folder, account: Account, kind: FaultKind
) -> None:
    lost = Fault(kind, on="POST /v2/incident_timeline_items")
    unseen = Fault(FaultKind.DROP_BEFORE, on="GET /v2/incident_timeline_items")
    folder.declare(declared("A", timeline=[ITEM]))
    assert folder.run("plan", "--out", "plan.json").code == 0
    account.sandbox.faults = Faults((lost, unseen) if kind is FaultKind.DROP_AFTER else (lost,))
    first = folder.run("apply", "plan.json")
    assert first.code == 3
    assert "not answered" in first.err
    account.sandbox.faults = Faults()
    again = folder.run("apply", "plan.json")
    assert again.code == 0, again.err
    incident = account.incidents()[0]["id"]
    items = account.get(f"/v2/incident_timeline_items?incident_id={incident}")["incident_timeline_items"]
    assert len(items) == 1


def test_a_status_page_that_cannot_be_read_is_blocked_and_the_rest_goes_on(
    folder: Folder, account: Account
) -> None:
    refuse(account, 403, "GET /v2/status_page_structures/{status_page_id}")
    update = {"at": "2021-03-01T10:00:00Z", "status": "resolved", "message": "m"}
    page = {"page": "Acme status", "updates": [update | {"components": {"API": "operational"}}]}
    folder.declare(declared("A", status_page=page), declared("B"))
    plan = folder.run("plan")
    assert plan.code == 0, plan.err
    assert "! status_page.Acme status" in plan.out
    assert "this API key may not use the structure of the status page" in plan.out
    assert folder.run(*APPLY).code == 3
    assert creations(account) == 2


# -- counts and exit codes --------------------------------------------------------------------------------


def test_what_is_refused_after_a_creation_does_not_undo_it(folder: Folder, account: Account) -> None:
    refuse(account, 403, "POST /v3/follow_ups", "POST /v2/follow_ups")
    folder.declare(*eight(follow_ups=[ALERT]))
    result = folder.run(*APPLY, "--json", "--report", "left.json")
    assert result.code == 3
    summary = result.summary()
    assert (summary["created"], summary["failed"], summary["incomplete"]) == (8, 0, 8)
    assert creations(account) == 8
    rows = json.loads((folder.path / "left.json").read_text())["incidents"]
    assert {(row["outcome"], row["code"]) for row in rows} == {("created", "not-attempted")}
    sent = account.sandbox.journal().requests
    assert sum(count for label, count in sent.items() if label.startswith("POST /v3/follow_ups")) == 1


@pytest.mark.parametrize(("status", "sent"), [(403, 1), (410, 1), (404, 16)])
def test_a_timeline_that_the_key_may_not_write_is_refused_once(
    folder: Folder, account: Account, status: int, sent: int
) -> None:
    refuse(account, status, "POST /v2/incident_timeline_items")
    folder.declare(*eight(timeline=[ITEM, ITEM | {"title": "Fixed"}]))
    result = folder.run(*APPLY, "--json")
    assert (result.summary()["created"], result.summary()["incomplete"]) == (8, 8)
    requests = account.sandbox.journal().requests
    assert (
        sum(count for label, count in requests.items() if label.startswith("POST /v2/incident_time")) == sent
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_create_is_refused_once_not_eight_times(
    folder: Folder, account: Account, status: int
) -> None:
    refuse(account, status, "POST /v2/incidents")
    folder.declare(*eight())
    result = folder.run(*APPLY, "--json")
    summary = result.summary()
    assert result.code == 3  # a request that writes was sent
    assert (summary["created"], summary["failed"], summary["not_attempted"]) == (0, 1, 7)


def test_the_next_step_of_an_update_that_a_missing_role_keeps_back_is_to_see_what_the_key_lacks(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A"))
    assert folder.run(*APPLY).code == 0
    refuse(account, 403, "POST /v3/follow_ups", "POST /v2/follow_ups")
    folder.declare(declared("A", follow_ups=[ALERT]))
    result = folder.run(*APPLY)
    assert "lacks a role" in result.out + result.err
    assert "Next: see above what the account or the API key lacks, then run:" in result.out


def test_a_key_without_the_role_ends_before_anything_is_sent(folder: Folder, account: Account) -> None:
    folder.declare(*eight())
    folder.environment["INCIDENT_API_KEY"] = "sandbox-read-only"
    result = folder.call(*APPLY)
    assert result.code == 1
    assert "lacks the role incident_creator" in result.err
    assert creations(account) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_output_starts_nothing_and_says_so(folder: Folder, account: Account) -> None:
    folder.declare(*eight())
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        result = folder.call(*APPLY, "--json", stdout=full)
    assert result.code == 1
    assert "0 created, 0 updated, 0 unchanged, 8 not attempted" in result.err
    assert "the output cannot be written: No space left on device" in result.err
    assert creations(account) == 0


def test_an_interruption_ends_the_run_with_true_counts(folder: Folder, account: Account) -> None:
    folder.declare(*eight())
    with folder.start(*APPLY, "--json", "--parallelism", "1", "--rate", "60/min") as process:
        assert process.stdout is not None
        while b"apply_complete" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    summary = json.loads(out.decode().splitlines()[-1])
    assert process.returncode == 130
    assert summary["created"] == creations(account)
    assert summary["created"] + summary["not_attempted"] == 8


@pytest.mark.slow
def test_an_interruption_that_leaves_the_last_incident_incomplete_is_one(
    folder: Folder, account: Account
) -> None:
    slow = Fault(FaultKind.LATENCY, on="POST /v2/incidents", seconds=2)
    account.sandbox.faults = Faults(
        (slow, Fault(FaultKind.ERROR_BEFORE, on="POST /v3/follow_ups", status=422))
    )
    folder.declare(declared("A", follow_ups=[ALERT]))
    with folder.start(*APPLY, "--json") as process:
        assert process.stdout is not None
        while b"apply_start" not in process.stdout.readline():
            pass
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    summary = json.loads(out.decode().splitlines()[-1])
    assert (summary["created"], summary["incomplete"]) == (1, 1)
    assert process.returncode == 130


def test_a_value_that_closed_incidents_refuse_is_missing_and_then_blocked(
    folder: Folder, account: Account
) -> None:
    account.sandbox.faults = Faults(
        (Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents/{id}/actions/edit", status=422),)
    )
    folder.declare(declared("A", call_url="https://meet.example.com/x", follow_ups=[ALERT]))
    result = folder.run(*APPLY)
    assert result.code == 3
    assert "1 created" in result.out
    assert "1 incomplete" in result.out
    plan = folder.run("plan")
    assert "! call_url" in plan.out
    assert "the account refused to change it" in plan.out
    incident = account.incidents()[0]["id"]
    assert len(account.get(f"/v3/follow_ups?incident_id={incident}")["follow_ups"]) == 1


def test_what_was_there_when_the_plan_was_made_is_adopted_not_created(
    folder: Folder, account: Account
) -> None:
    folder.declare(*eight())
    assert "8 created" in folder.run(*APPLY).out
    shutil.rmtree(folder.path / ".importer")
    result = folder.run(*APPLY)
    assert "0 created, 0 updated, 8 adopted" in result.out
    assert creations(account) == 8
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("name", [" Leading space", "Trailing ", "Two  spaces", "R&D <b>"])
def test_a_name_that_comes_back_in_another_form_is_created_without_an_edit(
    folder: Folder, account: Account, name: str
) -> None:
    folder.write("importer.yaml", {"identity": {"marker_field": "Legacy ID"}})
    folder.declare(declared("A", name=name), declared("B"))
    assert "2 created, 0 updated, 0 unchanged" in folder.run(*APPLY).out
    assert not any("edit" in each for each in account.sandbox.journal().requests)


# -- a server that is gone --------------------------------------------------------------------------------


def test_a_server_that_never_answered_ends_every_command_within_half_a_minute(folder: Folder) -> None:
    folder.environment["INCIDENT_ENDPOINT"] = "http://127.0.0.1:9"
    folder.environment["INCIDENT_API_KEY"] = "sandbox-key"
    folder.declare(declared("A"))
    began = time.monotonic()
    result = folder.call("plan")
    assert result.code == 1
    assert time.monotonic() - began < 31


def test_a_server_that_goes_away_ends_the_run_with_nothing_in_doubt_that_never_left(folder: Folder) -> None:
    with closing(open_sandbox(None)) as sandbox:
        sandbox.faults = Faults((Fault(FaultKind.LATENCY, on="POST /v2/incidents", seconds=0.2),))
        server = Server(sandbox.app, "127.0.0.1", 0)
        server.start()
        folder.environment |= {"INCIDENT_ENDPOINT": server.url, "INCIDENT_API_KEY": "sandbox-key"}
        folder.declare(*(declared(f"K{n:02}") for n in range(40)))
        words = (*APPLY, "--json", "--parallelism", "1", "--max-outage", "2")
        with folder.start(*words) as process:
            while len(sandbox.journal().creations) < 3:
                time.sleep(0.05)
            server.stop()
            out, err = process.communicate(timeout=120)
        made = len(sandbox.journal().creations)
    events = [json.loads(line) for line in out.decode().splitlines()]
    summary = events[-1]
    assert process.returncode == 3
    assert summary["unknown"] <= 1
    assert made - summary["unknown"] <= summary["created"] <= made
    assert summary["created"] + summary["unknown"] + summary["not_attempted"] == 40
    assert [each["reason"] for each in events if each["type"] == "paused"] == ["the server does not answer"]
    assert b"Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_a_termination_while_planning_is_an_interruption(folder: Folder, account: Account) -> None:
    account.sandbox.faults = Faults((Fault(FaultKind.LATENCY, seconds=2.0),))
    folder.declare(declared("A"))
    with folder.start("plan") as process:
        while not account.sandbox.journal().requests:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
