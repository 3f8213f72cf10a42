"""Every step that names an incident needs the proof, when it is sent, that the incident is this key's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from importer import workflow
from importer.api.transport import read_write_transport
from importer.model import Adopted, Applied, Failed, Plan, Unknown, Update
from importer.model.errors import Refused
from importer.model.settings import Settings
from importer.plan import file as planfile
from importer.plan.file import SavedPlan
from importer.sandbox import Fault, FaultKind, Faults, SandboxOptions, open_sandbox
from importer.state.ledger import open_ledger
from tests.rehearsal import KEY, Clock, Rehearsal

MARKER = "Legacy ID"


class Importer(Rehearsal):
    def declare(self, *incidents: dict[str, Any]) -> None:
        text = json.dumps({"incidents": [{"severity": "Minor", **each} for each in incidents]})
        (self.folder / "incidents.json").write_text(text)

    def saved(self, plan: Plan | None = None) -> SavedPlan:
        path = self.folder / "plan.json"
        planfile.write_plan(plan or self.plan(), path)
        return planfile.read_plan(path)

    def adopt(self, key: str, reference: str) -> None:
        with self._session(read_write_transport, open_ledger) as session:
            workflow.adopt(session, key, reference)

    def forget(self, key: str) -> None:
        ledger = open_ledger(self.settings.state, now=self.clock.now)
        ledger.forget(key)
        ledger.close()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._send("POST", path, json=body)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self._send("GET", path, params=query)

    def _send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        with httpx.Client(
            transport=httpx.WSGITransport(app=self.sandbox.app),
            base_url="http://sandbox.localhost",
            headers={"Authorization": f"Bearer {KEY}"},
        ) as client:
            answer: dict[str, Any] = client.request(method, path, **content).raise_for_status().json()
            return answer

    def foreign(self, name: str = "Somebody else's") -> dict[str, Any]:
        body = {"idempotency_key": name, "mode": "retrospective", "visibility": "public", "name": name}
        made: dict[str, Any] = self.post("/v2/incidents", body)["incident"]
        return made

    def edit(self, incident_id: str, **fields: Any) -> None:
        body = {"incident": fields, "notify_incident_channel": False}
        self.post(f"/v2/incidents/{incident_id}/actions/edit", body)


@pytest.fixture(params=[None, MARKER], ids=["no marker", "marker"])
def one(tmp_path: Path, request: pytest.FixtureRequest) -> Importer:
    clock = Clock()
    sandbox = open_sandbox(None, options=SandboxOptions(rate_limit=None), clock=clock.time)
    state = tmp_path / ".importer" / "state.db"
    return Importer(
        tmp_path, sandbox, Settings(root=tmp_path, state=state, marker_field=request.param), clock=clock
    )


JIRA_1 = {"key": "JIRA-1", "name": "Search was slow", "follow_ups": [{"title": "Add an alert"}]}


def refusal(one: Importer, saved: SavedPlan) -> str:
    before, writes = one.incidents(), len(one.writes)
    with pytest.raises(Refused) as refused:
        one.apply_saved(saved)
    assert one.incidents() == before
    assert one.writes[writes:] == []
    return str(refused.value)


def test_a_plan_of_an_adoption_that_was_forgotten_is_refused(one: Importer) -> None:
    theirs = one.foreign()
    one.declare(JIRA_1)
    one.adopt("JIRA-1", theirs["reference"])
    saved = one.saved()
    one.forget("JIRA-1")
    assert f"nothing proves any longer that {theirs['reference']} is 'JIRA-1'" in refusal(one, saved)


def test_a_forged_plan_gets_no_further_than_an_honest_one(one: Importer) -> None:
    """The ID of an incident was swapped, the hash made anew, and there is no state to object."""
    one.declare(JIRA_1)
    one.apply()
    theirs = one.foreign()
    one.declare({**JIRA_1, "summary": "Corrected."})
    plan = one.plan()
    (change,) = plan.changes
    assert isinstance(change, Update)
    swapped = replace(
        change.live, id=theirs["id"], reference=theirs["reference"], updated_at=theirs["updated_at"]
    )
    saved = one.saved(replace(plan, changes=(replace(change, live=swapped),)))
    assert "but is now bound to INC-1" in refusal(one, saved)
    one.settings.state.unlink()
    assert "nothing proves" in refusal(one, saved)


def test_what_proves_an_incident_after_a_lost_state_is_its_marker(one: Importer) -> None:
    one.declare(JIRA_1)
    one.apply()
    one.declare({**JIRA_1, "summary": "Corrected."})
    saved = one.saved()
    one.settings.state.unlink()
    if one.settings.marker_field is None:
        assert "nothing proves" in refusal(one, saved)
    else:
        assert [type(each) for each in one.apply_saved(saved).outcomes] == [Applied]
        assert one.incidents()[0]["summary"] == "Corrected."


def test_an_incident_whose_marker_was_changed_since_is_no_longer_proven(one: Importer) -> None:
    if one.settings.marker_field is None:
        return
    one.declare(JIRA_1)
    one.apply()
    live = one.incidents()[0]
    one.declare({**JIRA_1, "summary": "Corrected."})
    saved = one.saved()
    one.settings.state.unlink()
    (field,) = (each for each in live["custom_field_entries"] if each["custom_field"]["name"] == MARKER)
    entry = {"custom_field_id": field["custom_field"]["id"], "values": [{"value_text": "OTHER-7"}]}
    one.edit(live["id"], custom_field_entries=[entry])
    assert "INC-1" in refusal(one, saved)


def test_the_rest_of_a_resumed_plan_leaves_out_what_is_not_proven_and_names_it(one: Importer) -> None:
    one.declare(*({**JIRA_1, "key": f"K-{each}"} for each in range(3)))
    one.apply()
    one.declare(*({**JIRA_1, "key": f"K-{each}", "summary": "Corrected."} for each in range(3)))
    saved = one.saved()
    edits = "POST /v2/incidents/{id}/actions/edit"
    one.sandbox.faults = Faults((Fault(FaultKind.DROP_BEFORE, on=edits, nth=frozenset(range(2, 99))),))
    assert [type(each) for each in one.apply_saved(saved).outcomes] == [Applied, Unknown, Unknown]
    one.sandbox.faults = Faults()
    before = one.incidents()[1]
    one.forget("K-1")
    if one.settings.marker_field:
        return
    run = one.apply_saved(saved)
    kinds = {each.key: type(each) for each in run.outcomes}
    assert kinds == {"K-1": Failed, "K-2": Applied}
    (failed,) = (each for each in run.outcomes if isinstance(each, Failed))
    assert failed.code == "not-ours"
    assert "importer adopt K-1 INC-2" in failed.message
    assert one.incidents()[1] == before


# -- a number is no proof ------------------------------------------------------------------------------

NUMBERED = {**JIRA_1, "external_id": 1042}


def test_a_number_and_all_values_are_adopted_only_in_a_recovery(one: Importer) -> None:
    if one.settings.marker_field:
        return  # the marker field proves more
    one.declare(NUMBERED)
    one.apply()
    one.settings.state.unlink()
    plan = one.plan()
    assert [type(each).__name__ for each in plan.changes] == ["Blocked"]
    assert [each.code for each in plan.diagnostics if each.code == "matches-existing"]
    one.settings = replace(one.settings, adopt_matching=True)
    saved = one.saved()
    assert [type(each) for each in one.apply_saved(saved).outcomes] == [Adopted]
    assert [type(each).__name__ for each in one.plan().changes] == ["NoOp"]


def test_a_plan_of_a_recovery_is_refused_outside_of_one(one: Importer) -> None:
    if one.settings.marker_field:
        return
    one.declare(NUMBERED)
    one.apply()
    one.settings.state.unlink()
    outside = one.settings
    one.settings = replace(one.settings, adopt_matching=True)
    saved = one.saved()
    one.settings = outside
    assert "nothing proves" in refusal(one, saved)


@pytest.mark.parametrize("is_changed", [False, True])
def test_an_incident_that_its_marker_shows_to_be_ours_keeps_what_people_added(
    one: Importer, is_changed: bool
) -> None:
    """A run died before it recorded the answer: the state knows that it created the incident since."""
    if one.settings.marker_field is None:
        return
    declared = {**JIRA_1, "follow_ups": [{"title": "Add an alert", "description": "On the pool."}]}
    one.declare({**declared, "follow_ups": []} if not is_changed else declared)
    looks = Fault(FaultKind.DROP_BEFORE, on="GET /v2/incidents", nth=frozenset(range(3, 99)))
    one.sandbox.faults = Faults((Fault(FaultKind.DROP_AFTER, on="POST /v2/incidents"), looks))
    assert [type(each) for each in one.apply().outcomes] == [Unknown]
    one.sandbox.faults = Faults()
    (live,) = one.incidents()
    body = {"incident_id": live["id"], "title": "Add an alert", "description": "Somebody else's."}
    theirs = one.post("/v3/follow_ups", body)["follow_up"]
    one.apply()
    one.declare(declared)
    one.apply()
    found = one.get("/v3/follow_ups", incident_id=live["id"])["follow_ups"]
    assert theirs in found
    assert sorted(each["description"] for each in found) == ["On the pool.", "Somebody else's."]
