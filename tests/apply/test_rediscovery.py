"""If a server answers a known idempotency key with 409, nobody has to adopt what is certainly theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.model import Adopted, Failed, NoOp
from importer.model.settings import Settings
from importer.sandbox import Idempotency, SandboxOptions, open_sandbox
from tests.rehearsal import Rehearsal

ONE = """
key: {key}
name: {name}
severity: Minor
timestamps: {{Impact started at: 2020-01-01T00:00:00Z}}
follow_ups: [{{title: Add an alert}}]
"""


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    options = SandboxOptions(rate_limit=None, idempotency=Idempotency.CONFLICT)
    settings = Settings(root=tmp_path, state=tmp_path / ".importer" / "state.db")
    return Rehearsal(tmp_path, open_sandbox(None, options=options), settings)


def declare(rehearsal: Rehearsal, **names: str) -> None:
    text = "---".join(ONE.format(key=key, name=name) for key, name in names.items())
    (rehearsal.folder / "incidents.yaml").write_text(text)


def test_after_a_lost_state_a_conflict_leads_to_the_incident(rehearsal: Rehearsal) -> None:
    declare(rehearsal, A="One", B="Another")
    rehearsal.apply()
    rehearsal.settings.state.unlink()
    writes = len(rehearsal.writes)
    run = rehearsal.apply()
    assert [type(each) for each in run.outcomes] == [Adopted, Adopted]
    assert {path for _, path, _ in rehearsal.writes[writes:]} == {"/v2/incidents"}
    assert len(rehearsal.incidents()) == 2
    assert [type(each) for each in rehearsal.plan().changes] == [NoOp, NoOp]


def test_twins_are_left_to_a_person(rehearsal: Rehearsal) -> None:
    declare(rehearsal, A="Twin", B="Twin")
    rehearsal.apply()
    rehearsal.settings.state.unlink()
    run = rehearsal.apply()
    assert [type(each) for each in run.outcomes] == [Failed, Failed]
    assert len(rehearsal.incidents()) == 2


def test_an_incident_that_differs_is_neither_adopted_nor_edited(rehearsal: Rehearsal) -> None:
    declare(rehearsal, A="One")
    rehearsal.apply()
    rehearsal.settings.state.unlink()
    before = rehearsal.incidents()
    file = rehearsal.folder / "incidents.yaml"
    file.write_text(file.read_text().replace("severity: Minor", "severity: Major"))
    run = rehearsal.apply()
    assert [type(each) for each in run.outcomes] == [Failed]
    assert rehearsal.incidents() == before
