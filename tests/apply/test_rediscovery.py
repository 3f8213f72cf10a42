"""Whatever the server remembers, one declared incident is one incident, and nobody else's is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from importer.apply.applier import ApplyResult
from importer.model import Adopted, Applied, Failed, NoOp, Outcome, Unknown
from importer.model.errors import Refused
from importer.model.settings import Settings
from importer.sandbox import (
    CreatesAs,
    Fault,
    FaultKind,
    Faults,
    Idempotency,
    OtherContent,
    Rewrite,
    Sandbox,
    SandboxOptions,
    open_sandbox,
)
from tests.rehearsal import Clock, Rehearsal

LOST = (FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.TRUNCATED, FaultKind.DROP_BEFORE)
CREATION = "POST /v2/incidents"


class Importer(Rehearsal):
    """A folder whose files a test writes in short."""

    def declare(self, *incidents: dict[str, Any]) -> None:
        text = json.dumps({"incidents": [{"severity": "Minor", **each} for each in incidents]})
        (self.folder / "incidents.json").write_text(text)

    def lose(self, *nth: int, kind: FaultKind = FaultKind.DROP_AFTER) -> None:
        """Lose the answers to these creations (from 1), or to all of them."""
        self.sandbox.faults = Faults((Fault(kind, on=CREATION, nth=frozenset(nth), status=500),))

    def lose_answer_and_look(self) -> None:
        """Create the declared incident, but lose the answer and the look at the account that follows."""
        look = Fault(FaultKind.DROP_BEFORE, on="GET /v2/incidents", nth=frozenset(range(2, 60)))
        number = Fault(FaultKind.DROP_BEFORE, on="GET /v2/incidents/{id}")
        lost = Fault(FaultKind.DROP_AFTER, on=CREATION)
        self.sandbox.faults = Faults((look, number, lost))
        (outcome,) = self.apply().outcomes
        assert isinstance(outcome, Unknown)
        self.sandbox.faults = Faults()

    def lose_state(self) -> None:
        self.settings.state.unlink()

    def names(self) -> list[str]:
        return sorted(each["name"] for each in self.incidents())

    def is_settled(self) -> bool:
        return all(isinstance(each, NoOp) for each in self.plan().changes)


def importer(folder: Path, options: SandboxOptions | None = None, **settings: Any) -> Importer:
    clock = Clock()
    sandbox = open_sandbox(
        None, options=replace(options or SandboxOptions(), rate_limit=None), clock=clock.time
    )
    return _importer(folder, sandbox, clock, settings)


def another(first: Importer, folder: Path, **settings: Any) -> Importer:
    """Return another importer with the same account."""
    return _importer(folder, first.sandbox, first.clock, settings)


def _importer(folder: Path, sandbox: Sandbox, clock: Clock, settings: dict[str, Any]) -> Importer:
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / ".importer" / "state.db"
    return Importer(folder, sandbox, Settings(root=folder, state=state, **settings), clock=clock)


def kinds(run: ApplyResult) -> list[type[Outcome]]:
    return [type(each) for each in run.outcomes]


def message(run: ApplyResult) -> str:
    (outcome,) = run.outcomes
    assert isinstance(outcome, Failed | Unknown)
    return outcome.message


def at(hour: int) -> dict[str, str]:
    return {"Impact started at": f"2020-01-01T{hour:02}:00:00Z"}


OUTAGE = {"key": "1042", "name": "Payments API down", "timestamps": at(1)}
FIRE = {"key": "1042", "name": "Printer on fire", "timestamps": at(2)}
FORGETFUL = SandboxOptions(idempotency=Idempotency.EXPIRED)
REMEMBERING = [each for each in Idempotency if each is not Idempotency.EXPIRED]


# -- once, whatever the server remembers ---------------------------------------------------------------


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("marker", [None, "Legacy ID"])
@pytest.mark.parametrize("lag", [0, 4])
def test_a_lost_answer_never_makes_two_though_the_server_keeps_no_keys(
    tmp_path: Path, kind: FaultKind, marker: str | None, lag: int
) -> None:
    one = importer(tmp_path, replace(FORGETFUL, list_lag=lag), marker_field=marker)
    one.declare(*({"key": f"K{each}", "name": "Down", "timestamps": at(each)} for each in range(12)))
    one.lose(*range(1, 40, 2), kind=kind)
    for _ in range(3):
        one.apply(parallelism=4)
        one.clock.sleep(10)
    assert one.names() == ["Down"] * 12
    assert one.is_settled()


@pytest.mark.parametrize("on", ["read", "write"])
@pytest.mark.parametrize("marker", [None, "Legacy ID"])
def test_a_lost_answer_never_makes_two_though_the_account_changes_the_form(
    tmp_path: Path, on: Literal["read", "write"], marker: str | None
) -> None:
    one = importer(
        tmp_path, replace(FORGETFUL, rewrites=frozenset(Rewrite), rewrites_on=on), marker_field=marker
    )
    began = {each: f"2021-03-0{each + 1}T10:00:00.750Z" for each in range(6)}
    one.declare(
        *(
            {"key": f"a_K{each}", "name": "Down  & out_", "timestamps": {"Impact started at": began[each]}}
            for each in range(6)
        )
    )
    one.lose(*range(1, 40, 2))
    for _ in range(3):
        one.apply()
        one.clock.sleep(10)
    assert len(one.incidents()) == 6
    assert one.is_settled()


def test_an_incident_whose_answer_was_lost_counts_as_created(tmp_path: Path) -> None:
    one = importer(tmp_path, FORGETFUL)
    one.declare(OUTAGE)
    one.lose(1)
    (outcome,) = one.apply().outcomes
    assert isinstance(outcome, Applied)
    assert outcome.created


@pytest.mark.parametrize("other", list(OtherContent))
@pytest.mark.parametrize("same", REMEMBERING)
@pytest.mark.parametrize("lag", [0, 30])
def test_a_file_corrected_while_its_creation_is_in_doubt_never_makes_two(
    tmp_path: Path, same: Idempotency, other: OtherContent, lag: int
) -> None:
    one = importer(tmp_path, SandboxOptions(idempotency=same, other_content=other, list_lag=lag))
    one.declare(OUTAGE)
    one.lose_answer_and_look()
    one.declare({**OUTAGE, "name": "Payments API was down", "severity": "Major"})
    one.apply()
    one.clock.sleep(60)
    one.apply()
    assert one.names() == ["Payments API was down"]
    assert one.is_settled()


def test_two_incidents_that_fit_a_creation_in_doubt_are_left_to_a_person(tmp_path: Path) -> None:
    one = importer(tmp_path / "a", FORGETFUL)
    two = another(one, tmp_path / "b", namespace="b")
    for each in (one, two):
        each.declare(OUTAGE)
        each.lose_answer_and_look()
    before = one.incidents()
    told = message(one.apply())
    assert "importer adopt 1042 INC-1 or importer adopt 1042 INC-2" in told
    assert "importer state forget 1042" in told
    assert one.incidents() == before


def test_twins_in_one_file_are_never_mistaken_for_each_other(tmp_path: Path) -> None:
    one = importer(tmp_path, FORGETFUL)
    one.declare({**OUTAGE, "key": "A"}, {**OUTAGE, "key": "B"})
    one.lose()
    run = one.apply()
    assert kinds(run) == [Unknown, Unknown]
    assert len(one.incidents()) <= 2


def test_an_incident_that_came_into_being_before_the_creation_was_sent_is_not_taken(tmp_path: Path) -> None:
    one = importer(tmp_path / "a", FORGETFUL)
    two = another(one, tmp_path / "b", namespace="b")
    two.declare(OUTAGE)
    two.apply()
    one.clock.sleep(3600)
    theirs = one.incidents()
    one.declare(OUTAGE)
    one.lose(1, kind=FaultKind.DROP_BEFORE)
    assert kinds(one.apply()) == [Applied]
    assert len(one.incidents()) == 2
    assert one.incidents()[:1] == theirs


# -- a number of its own -------------------------------------------------------------------------------

NUMBERED = {**OUTAGE, "external_id": 1042}


@pytest.mark.parametrize("status", [409, 422])
@pytest.mark.parametrize("lag", [0, 60])
def test_a_number_that_the_lost_creation_took_is_recognised_as_ours(
    tmp_path: Path, status: int, lag: int
) -> None:
    options = SandboxOptions(external_id_first=True, taken_external_id_status=status, list_lag=lag)
    one = importer(tmp_path, options)
    one.declare(NUMBERED)
    one.lose_answer_and_look()
    assert kinds(one.apply()) == [Applied]
    assert [each["reference"] for each in one.incidents() or ()] in ([], ["INC-1042"])
    one.clock.sleep(60)
    assert [each["reference"] for each in one.incidents()] == ["INC-1042"]
    assert one.is_settled()


def test_a_number_that_somebody_else_took_is_not_ours(tmp_path: Path) -> None:
    one = importer(tmp_path / "a")
    two = another(one, tmp_path / "b", namespace="b")
    two.declare({**NUMBERED, "name": "Payments API"})
    two.apply()
    before = one.incidents()
    one.declare(NUMBERED)
    assert [type(each).__name__ for each in one.plan().changes] == ["Blocked"]
    one.apply()
    assert one.incidents() == before


# -- a conflict ----------------------------------------------------------------------------------------

CONFLICTS = SandboxOptions(idempotency=Idempotency.CONFLICT, other_content=OtherContent.CONFLICT)


@pytest.mark.parametrize("is_corrected", [False, True])
def test_after_a_lost_state_a_conflict_is_left_to_a_person(tmp_path: Path, is_corrected: bool) -> None:
    one = importer(tmp_path, CONFLICTS)
    one.declare(OUTAGE)
    one.apply()
    one.lose_state()
    one.clock.sleep(60)
    before = one.incidents()
    one.declare({**OUTAGE, "severity": "Major"} if is_corrected else OUTAGE)
    assert "importer adopt 1042 INC-1" in message(one.apply())
    assert one.incidents() == before


def test_a_conflict_never_takes_the_lookalike_of_another_importer(tmp_path: Path) -> None:
    one = importer(tmp_path / "a", CONFLICTS)
    two = another(one, tmp_path / "b")
    two.declare(OUTAGE)
    two.apply()
    one.clock.sleep(60)
    before = one.incidents()
    one.declare({**OUTAGE, "severity": "Major"})
    assert isinstance(one.apply().outcomes[0], Unknown)
    assert one.incidents() == before


@pytest.mark.parametrize("same", list(Idempotency))
def test_after_a_lost_state_the_marker_field_shows_the_incident(tmp_path: Path, same: Idempotency) -> None:
    one = importer(tmp_path, SandboxOptions(idempotency=same), marker_field="Legacy ID")
    one.declare(OUTAGE)
    one.apply()
    one.lose_state()
    one.declare({**OUTAGE, "severity": "Major"})
    assert kinds(one.apply()) == [Applied]
    assert len(one.incidents()) == 1
    assert one.is_settled()


# -- two repositories, one account ---------------------------------------------------------------------


@pytest.mark.parametrize("marker", [None, "Legacy ID"])
def test_the_incident_of_another_repository_with_the_same_key_is_not_touched(
    tmp_path: Path, marker: str | None
) -> None:
    one = importer(tmp_path / "a")
    two = another(one, tmp_path / "b", marker_field=marker)
    one.declare(OUTAGE)
    one.apply()
    one.clock.sleep(60)
    before = one.incidents()
    two.declare(FIRE)
    told = message(two.apply())
    assert "Payments API down" in told
    assert "Printer on fire" in told
    assert "identity.namespace" in told
    assert one.incidents() == before
    assert two.plan().changes[0].incident.key == "1042"
    assert kinds(two.apply()) == [Failed]
    assert one.incidents() == before


@pytest.mark.parametrize("marker", [None, "Legacy ID"])
@pytest.mark.parametrize("same", list(Idempotency))
def test_two_namespaces_keep_two_repositories_apart(
    tmp_path: Path, marker: str | None, same: Idempotency
) -> None:
    one = importer(tmp_path / "a", SandboxOptions(idempotency=same), marker_field=marker)
    two = another(one, tmp_path / "b", namespace="b", marker_field=marker)
    one.declare(OUTAGE)
    two.declare(FIRE)
    for each in (one, two):
        assert kinds(each.apply()) == [Applied]
        each.clock.sleep(60)
    assert one.names() == ["Payments API down", "Printer on fire"]
    assert one.is_settled()
    assert two.is_settled()
    if marker:
        for each in (one, two):
            each.lose_state()
        assert one.is_settled()
        assert two.is_settled()


def test_after_a_lost_state_an_incident_that_differs_in_one_field_is_recognised(tmp_path: Path) -> None:
    one = importer(tmp_path)
    one.declare(OUTAGE)
    one.apply()
    one.lose_state()
    one.clock.sleep(60)
    one.declare({**OUTAGE, "name": "Payments API was down"})
    assert kinds(one.apply()) == [Adopted]
    assert one.names() == ["Payments API was down"]
    assert one.is_settled()


# -- as it was asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [CreatesAs.LIVE, CreatesAs.PUBLIC, CreatesAs.RENUMBERED])
@pytest.mark.parametrize("offset", [-5.0, 0.0, 5.0])
@pytest.mark.parametrize(("is_lost", "parallelism"), [(False, 1), (False, 8), (True, 1)])
def test_a_server_that_does_not_do_as_it_was_asked_stops_the_run_at_once(
    tmp_path: Path, wrong: CreatesAs, offset: float, is_lost: bool, parallelism: int
) -> None:
    one = importer(tmp_path, SandboxOptions(creates_as=wrong, date_offset=offset))
    private = {"visibility": "private", "incident_type": "Security"}
    one.declare(
        *(
            {**NUMBERED, **private, "key": f"K{each}", "external_id": 50 + each, "timestamps": at(each)}
            for each in range(9)
        )
    )
    if is_lost:
        one.lose(1)
    run = one.apply(parallelism=parallelism)
    created = [each for each in run.outcomes if isinstance(each, Applied | Adopted)]
    assert [[what.code for what in each.missing] for each in created] == [["not-as-asked"]]
    # A Date that is ahead of the time of creation leaves the first one in doubt.
    assert len(one.incidents()) == (2 if is_lost and offset > 0 else 1)
    assert "not-as-asked" in {run.error.code if run.error else ""}


@pytest.mark.parametrize("date_offset", [-30.0, -5.0, 0.0, 5.0, 30.0])
@pytest.mark.parametrize("clock_offset", [-3600.0, 0.0, 3600.0])
def test_a_clock_that_differs_never_makes_two(
    tmp_path: Path, date_offset: float, clock_offset: float
) -> None:
    options = replace(FORGETFUL, date_offset=date_offset, clock_offset=clock_offset)
    one = importer(tmp_path, options)
    one.declare(OUTAGE)
    one.lose(1)
    for _ in range(3):
        one.apply()
    assert len(one.incidents()) == 1


@pytest.mark.parametrize("lag", [0, 4])
def test_a_state_that_is_lost_at_once_makes_no_second_incident_though_the_lists_lag(
    tmp_path: Path, lag: int
) -> None:
    one = importer(tmp_path, replace(FORGETFUL, list_lag=lag), marker_field="Legacy ID")
    one.declare(OUTAGE)
    one.apply()
    one.lose_state()
    if lag:
        with pytest.raises(Refused, match="'1042' was created since the plan was made, as INC-1"):
            one.apply()
    assert kinds(one.apply()) == []
    assert len(one.incidents()) == 1


@pytest.mark.parametrize("same", [Idempotency.CONFLICT, Idempotency.UNPROCESSABLE])
def test_a_key_that_another_importer_used_is_refused_until_the_namespace_is_set(
    tmp_path: Path, same: Idempotency
) -> None:
    other = OtherContent.CONFLICT if same is Idempotency.CONFLICT else OtherContent.UNPROCESSABLE
    one = importer(tmp_path / "a", SandboxOptions(idempotency=same, other_content=other))
    two = another(one, tmp_path / "b")
    one.declare(OUTAGE)
    one.apply()
    before = one.incidents()
    two.declare(FIRE)
    assert "identity.namespace" in message(two.apply())
    assert one.incidents() == before
    two.settings = replace(two.settings, namespace="b")
    assert kinds(two.apply()) == [Applied]
    assert one.names() == ["Payments API down", "Printer on fire"]
