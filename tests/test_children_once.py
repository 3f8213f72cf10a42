"""Whatever is lost and in whatever form the account stores it: each child once, and nobody else's touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from importer import workflow
from importer.api.transport import read_only_transport
from importer.model import Applied, Blocked, NoOp, Unknown
from importer.model.settings import Settings
from importer.sandbox import Fault, FaultKind, Faults, Idempotency, SandboxOptions, identifiers, open_sandbox
from importer.sandbox.choices import Rewrite
from importer.state.ledger import open_ledger
from tests.random_files import write
from tests.rehearsal import KEY, Clock, Rehearsal
from tests.test_shown_is_sent import assert_shown_is_sent

Wire = dict[str, Any]

PRIORITY = identifiers.named("follow_up_priorities", "High")
LINKS = ["https://Graphs.example.com/d/1/?from=1&to=2", "https://graphs.example.com/d/2"]
DECLARED: Wire = {
    "key": "JIRA-1",
    "name": "Payments API is down",
    "severity": "Major",
    "timestamps": {"Impact started at": "2023-04-12T09:14:00Z"},
    "timeline": [
        {"at": "2023-04-12T09:20:00Z", "title": "it's  rolled back", "description": "By hand."},
        {"at": "2023-04-12T09:30:00Z", "title": "Update", "description": "one"},
        {"at": "2023-04-12T09:40:00Z", "title": "Update", "description": "two"},
    ],
    "follow_ups": [
        {"title": "add an  alert", "description": "On the pool.", "status": "completed", "labels": ["db"]},
        {"title": "Don't panic"},
    ],
    "attachments": [{"resource_type": "arbitrary_url", "url": url, "title": "Error rate"} for url in LINKS],
    "postmortem": {"content": "# what we  learned\n\nNothing.", "status": "completed"},
    "status_page": {
        "page": "Acme status",
        "name": "payments  aren't possible",
        "updates": [{"at": "2023-04-12T10:00:00Z", "status": "resolved", "message": "It is over."}],
    },
}
POSTS = {
    "timeline": "POST /v2/incident_timeline_items",
    "follow_ups": "POST /v3/follow_ups",
    "attachments": "POST /v1/incident_attachments",
    "postmortem": "POST /v2/incidents/{id}/actions/import_postmortem_document",
    "status_page": "POST /v2/status_page_retrospective_incidents",
}
REWRITES = SandboxOptions(rate_limit=None, rewrites=frozenset(Rewrite), idempotency=Idempotency.EXPIRED)


@contextmanager
def world(folder: Path, options: SandboxOptions, *incidents: Wire) -> Iterator[Rehearsal]:
    """Yield an account with these options, whose clock is ours, and files that declare the incidents."""
    clock = Clock()
    sandbox = open_sandbox(None, options=options, clock=clock.time, sleep=clock.sleep)
    settings = Settings(root=folder, state=folder / ".importer" / "state.db")
    write(folder, list(incidents))
    try:
        yield Rehearsal(folder, sandbox, settings, clock=clock)
    finally:
        sandbox.close()


def send(made: Rehearsal, method: str, path: str, body: Wire | None = None, **query: str) -> Wire:
    """Send a request as another client of the account."""
    with httpx.Client(
        transport=httpx.WSGITransport(app=made.sandbox.app),
        base_url="http://sandbox.localhost",
        headers={"Authorization": f"Bearer {KEY}"},
    ) as client:
        answer = client.request(method, path, json=body, params=query)
        assert answer.is_success, answer.text
        found: Wire = answer.json()
        return found


def held(made: Rehearsal) -> dict[str, list[Wire]]:
    """Return the children of all incidents, as lists show them when they no longer lag."""
    made.clock.sleep(60)
    (incident,) = made.incidents()
    mine = {"incident_id": incident["id"], "page_size": "50"}
    (page,) = send(made, "GET", "/v2/status_pages")["status_pages"][:1]
    lists = {
        "timeline": ("/v2/incident_timeline_items", "incident_timeline_items", mine),
        "follow_ups": ("/v3/follow_ups", "follow_ups", mine),
        "attachments": ("/v1/incident_attachments", "incident_attachments", mine),
        "postmortem": ("/v1/postmortem_documents", "postmortem_documents", mine),
        "status_page": (
            "/v2/status_page_incidents",
            "status_page_incidents",
            {"status_page_id": page["id"]},
        ),
    }
    return {
        kind: [each for each in send(made, "GET", path, **query)[name] if not each.get("activity_log_id")]
        for kind, (path, name, query) in lists.items()
    }


def assert_each_is_there_once(made: Rehearsal) -> None:
    counts = {kind: len(found) for kind, found in held(made).items()}
    assert counts == {"timeline": 3, "follow_ups": 2, "attachments": 2, "postmortem": 1, "status_page": 1}
    assert all(isinstance(each, NoOp) for each in made.plan().changes)


def adopt(made: Rehearsal, key: str, incident_id: str) -> None:
    """Bind a key to an incident, as `importer adopt` does."""
    with made._session(read_only_transport, open_ledger) as session:
        workflow.adopt(session, key, incident_id)


def blocked(change: object) -> list[str]:
    """Return the labels of the differences that no request can make."""
    assert isinstance(change, Blocked)
    return [each.attribute.label for each in change.blocked]


def lose_the_state(made: Rehearsal) -> None:
    for each in made.settings.state.parent.glob("state.db*"):
        each.unlink()


@pytest.mark.parametrize("lag", [0.0, 4.0, 5.0])
@pytest.mark.parametrize("kind", sorted(POSTS))
def test_a_lost_answer_never_makes_two_children_though_lists_lag_and_keys_are_forgotten(
    tmp_path: Path, kind: str, lag: float
) -> None:
    options = SandboxOptions(rate_limit=None, list_lag=lag, idempotency=Idempotency.EXPIRED)
    with world(tmp_path, options, DECLARED) as made:
        made.sandbox.faults = Faults((Fault(FaultKind.DROP_AFTER, on=POSTS[kind]),))
        run = made.apply()
        assert [type(each) for each in run.outcomes] == [Applied]
        made.sandbox.faults = Faults()
        assert_each_is_there_once(made)


@pytest.mark.parametrize("lag", [5.0, 20.0])
@pytest.mark.parametrize("kind", ["follow_ups", "attachments", "postmortem"])
def test_a_child_without_a_key_that_is_not_listed_is_not_sent_again_for_a_minute(
    tmp_path: Path, kind: str, lag: float
) -> None:
    with world(tmp_path, SandboxOptions(rate_limit=None, list_lag=lag), DECLARED) as made:
        made.sandbox.faults = Faults((Fault(FaultKind.DROP_BEFORE, on=POSTS[kind], nth=frozenset({1})),))
        (outcome,) = made.apply().outcomes
        assert isinstance(outcome, Applied)
        assert [each.code for each in outcome.missing] == ["not-answered"]
        sent = len(made.writes)
        assert [type(each) for each in made.apply().outcomes] == [Unknown]
        assert len(made.writes) == sent
        made.clock.sleep(60)
        assert [type(each) for each in made.apply().outcomes] == [Applied]
        assert_each_is_there_once(made)


@pytest.mark.parametrize("kind", sorted(POSTS))
@pytest.mark.parametrize("rewrites_on", ["write", "read"])
def test_a_child_that_is_stored_in_another_form_is_recognised_after_a_lost_answer(
    tmp_path: Path, kind: str, rewrites_on: Any
) -> None:
    options = SandboxOptions(
        rate_limit=None,
        rewrites=frozenset(Rewrite),
        rewrites_on=rewrites_on,
        idempotency=Idempotency.EXPIRED,
    )
    with world(tmp_path, options, DECLARED) as made:
        made.sandbox.faults = Faults((Fault(FaultKind.ERROR_AFTER, on=POSTS[kind]),))
        assert [type(each) for each in made.apply().outcomes] == [Applied]
        made.sandbox.faults = Faults()
        assert_each_is_there_once(made)


def test_a_lost_state_creates_no_child_again_though_titles_and_links_have_another_form(
    tmp_path: Path,
) -> None:
    with world(tmp_path, REWRITES, DECLARED) as made:
        made.apply()
        (incident,) = made.incidents()
        lose_the_state(made)
        adopt(made, "JIRA-1", incident["id"])
        made.apply()
        assert_each_is_there_once(made)


def test_promoted_items_and_items_of_streams_are_not_declared_ones(tmp_path: Path) -> None:
    options = SandboxOptions(rate_limit=None, promotes_timeline=True)
    with world(tmp_path, options, {**DECLARED, "timeline": []}) as made:
        made.apply()
        (incident,) = made.incidents()
        added = send(made, "GET", "/v2/incident_timeline_items", incident_id=incident["id"])
        theirs = added["incident_timeline_items"]
        assert theirs
        items = [{"at": each["timestamp"], "title": each["title"], "description": "Ours"} for each in theirs]
        write(tmp_path, [{**DECLARED, "timeline": items}])
        made.apply()
        after = send(made, "GET", "/v2/incident_timeline_items", incident_id=incident["id"])
        found = after["incident_timeline_items"]
        assert [each for each in found if each["id"] in {one["id"] for one in theirs}] == theirs
        ours = [each for each in found if each.get("description") == "Ours"]
        assert sorted(each["title"] for each in ours) == sorted(each["title"] for each in theirs)


def test_34_items_of_one_title_keep_it_and_are_each_there_once(tmp_path: Path) -> None:
    items = [
        {"at": f"2023-04-12T10:{minute:02}:00Z", "title": "Update", "description": str(minute)}
        for minute in range(34)
    ]
    with world(tmp_path, SandboxOptions(rate_limit=None), {**DECLARED, "timeline": items}) as made:
        made.apply()
        lose_the_state(made)
        adopt(made, "JIRA-1", made.incidents()[0]["id"])
        items[33]["description"] = "mended"
        write(tmp_path, [{**DECLARED, "timeline": items}])
        made.apply()
        found = held(made)["timeline"]
        assert [each["title"] for each in found] == ["Update"] * 34
        assert [each["description"] for each in found] == [*map(str, range(33)), "mended"]


def test_a_renamed_incident_has_no_second_postmortem_and_no_second_public_history(tmp_path: Path) -> None:
    named = {name: value for name, value in DECLARED["status_page"].items() if name != "name"}
    declared = {
        **DECLARED,
        "postmortem": {"content": "Nothing.", "status": "completed"},
        "status_page": named,
    }
    with world(tmp_path, SandboxOptions(rate_limit=None), declared) as made:
        made.apply()
        write(tmp_path, [{**declared, "name": "Another name"}])
        sent = assert_shown_is_sent(made)
        assert ["PUT", {"name": "Another name"}] in [[method, json.loads(body)] for method, _, body in sent]
        assert_each_is_there_once(made)
        assert held(made)["status_page"][0]["name"] == "Another name"


def test_a_mended_heading_imports_no_second_postmortem(tmp_path: Path) -> None:
    with world(tmp_path, SandboxOptions(rate_limit=None), DECLARED) as made:
        made.apply()
        write(tmp_path, [{**DECLARED, "postmortem": {"content": "# What we learned\n\nNothing."}}])
        (change,) = made.plan().changes
        assert blocked(change) == ["postmortem"]
        made.apply()
        assert len(held(made)["postmortem"]) == 1


def test_a_postmortem_that_is_not_ours_is_never_joined_by_another(tmp_path: Path) -> None:
    without = {name: value for name, value in DECLARED.items() if name != "postmortem"}
    with world(tmp_path, SandboxOptions(rate_limit=None), without) as made:
        made.apply()
        (incident,) = made.incidents()
        path = f"/v2/incidents/{incident['id']}/actions/import_postmortem_document"
        send(made, "POST", path, {"title": "Theirs", "content": "Text"})
        write(tmp_path, [DECLARED])
        (change,) = made.plan().changes
        assert blocked(change) == ["postmortem"]
        made.apply()
        assert [each["title"] for each in held(made)["postmortem"]] == ["Theirs"]


def test_an_update_that_replaces_keeps_what_people_set(tmp_path: Path) -> None:
    options = SandboxOptions(rate_limit=None, put_replaces=True)
    with world(tmp_path, options, DECLARED) as made:
        made.apply()
        first = next(each for each in held(made)["follow_ups"] if each["title"] == "add an  alert")
        (team,) = send(made, "GET", "/v3/teams")["teams"][:1]
        body = {
            "title": "Renamed",
            "status": "completed",
            "description": "On the pool.",
            "labels": ["db"],
            "assignee_team_id": team["id"],
            "follow_up_priority_option_id": PRIORITY,
        }
        send(made, "PUT", f"/v3/follow_ups/{first['id']}", body)
        first_declared = {**DECLARED["follow_ups"][0], "labels": ["db", "ops"]}
        write(tmp_path, [{**DECLARED, "follow_ups": [first_declared, DECLARED["follow_ups"][1]]}])
        (sent,) = assert_shown_is_sent(made)
        assert json.loads(sent[2]) == {**body, "labels": ["db", "ops"]}
        assert_each_is_there_once(made)
        after = next(each for each in held(made)["follow_ups"] if each["id"] == first["id"])
        assert (after["title"], after["assignee_team"]["id"]) == ("Renamed", team["id"])


@pytest.mark.parametrize("seconds", [0.0, 1.0, 60.0])
@pytest.mark.parametrize("route", ["PUT /v3/follow_ups/{id}", "PUT /v1/postmortem_documents/{id}"])
def test_a_state_that_is_lost_in_the_middle_of_an_incident_makes_no_child_again(
    tmp_path: Path, route: str, seconds: float
) -> None:
    """The children are there, but not their statuses, and the incident may be younger than a second."""
    with world(tmp_path, SandboxOptions(rate_limit=None), DECLARED) as made:
        made.sandbox.faults = Faults((Fault(FaultKind.ERROR_BEFORE, on=route, status=422),))
        made.apply()
        made.sandbox.faults = Faults()
        lose_the_state(made)
        made.clock.sleep(seconds)
        made.apply()
        assert_each_is_there_once(made)
