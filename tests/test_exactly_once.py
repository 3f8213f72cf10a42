"""Whatever fails and wherever a run is cut: one incident per key, one child per label, no false record."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.apply.completion import RunEnded
from importer.apply.execution import Execution
from importer.apply.gate import FirstRequestGate
from importer.apply.rediscovery import Rediscovery
from importer.model import (
    Attachment,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Entity,
    Failed,
    Field,
    FollowUp,
    Incident,
    Kind,
    Location,
    Membership,
    NoOp,
    TimelineItem,
    Unknown,
)
from importer.model.settings import Settings
from importer.plan.differences import same
from importer.plan.planner import PlanContext, plan_changes
from importer.plan.refresh import refresh
from importer.state.ledger import Ledger, open_ledger, read_ledger
from importer.state.ledger_rows import CONFIRMED, SENT
from tests.scripted_account import Crash, Fault, ScriptedAccount

BEGAN = datetime(2023, 4, 12, 9, 14, tzinfo=UTC)
CLOSED = Entity(Kind.STATUS, "01CLOSED", "Closed")
LISA = Entity(Kind.USER, "01LISA", "Lisa")
URL = "https://tracker.example.com/1"


def declared(key: str, **changed: Any) -> Incident:
    attributes: Attributes = {
        Attribute(Field.NAME): f"Incident {key}",
        Attribute(Field.SUMMARY): f"of {key}  ",
        Attribute(Field.CALL_URL): "https://meet.example.com/",
        Attribute(Field.FOLLOW_UP, "Add an alert"): FollowUp(status="completed"),
        Attribute(Field.ATTACHMENT, f"jira_issue {URL}"): Attachment("jira_issue", URL),
        Attribute(Field.TIMELINE, "Began"): TimelineItem(BEGAN),
        Attribute(Field.MEMBER, LISA): Membership(),
    }
    return Incident(key, None, attributes, Location("incidents.yaml", 1))


def edited(incident: Incident) -> Incident:
    return replace(
        incident,
        attributes={
            **incident.attributes,
            Attribute(Field.SUMMARY): "in other words",
            Attribute(Field.POSTMORTEM_URL): "https://docs.example.com/",
            Attribute(Field.FOLLOW_UP, "Add an alert"): FollowUp(status="outstanding"),
            Attribute(Field.FOLLOW_UP, "Add a test"): FollowUp(),
        },
    )


@dataclass
class Cut:
    """Ends the process at the nth call of the journal, before or after the call."""

    ledger: Ledger
    at: int | None
    when: str = "before"
    count: int = 0

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, getattr(self.ledger, name))

    def _call(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        is_it, self.count = self.count == self.at, self.count + 1
        if is_it and self.when == "before":
            raise Crash
        answer = method(*arguments, **named)
        if is_it:
            raise Crash
        return answer


@dataclass
class World:
    """One account, one state file, and the same files applied until nothing is left."""

    folder: Path
    account: ScriptedAccount
    incidents: tuple[Incident, ...]
    crashes: int = 0
    saved: tuple[Change, ...] | None = None
    calls: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account.watch = self._check_is_recorded

    @property
    def path(self) -> Path:
        return self.folder / str(self.crashes) / "state.db"

    def now(self) -> datetime:
        return self.account.now

    def plan(self, namespace: str = "acme") -> tuple[Change, ...]:
        ledger = read_ledger(self.path, now=self.now)
        faults, self.account.faults = self.account.faults, []
        try:
            memory = ledger.memory()
            index = refresh(self.account, self.incidents, memory, None)
            planned = plan_changes(
                self.incidents,
                index,
                memory=memory,
                context=PlanContext(Settings(self.folder, namespace=namespace), None, CLOSED),
                declared_keys=frozenset(each.key for each in self.incidents),
            )
            return planned.changes
        finally:
            self.account.faults = faults
            ledger.close()

    def apply(self, namespace: str = "acme", *, cut_at: int | None = None, when: str = "before") -> list[Any]:
        """Apply a new plan or the saved one; return the outcomes until the run ended."""
        changes, plan_hash = self.plan(namespace), ""
        ledger = open_ledger(self.path, now=self.now)
        if self.saved is not None:
            plan_hash = "saved"
            done = ledger.applied_by(plan_hash)
            changes = tuple(each for each in self.saved if each.incident.key not in done)
        journal = Cut(ledger, cut_at, when)
        outcomes: list[Any] = []
        try:
            journal.planned([each.incident.key for each in changes], plan_hash=plan_hash)
            execution = Execution(
                self.account,
                journal,
                self.now,
                self.account.wait,
                Rediscovery(self.account, journal.owner, None, lambda _: ()),
                lambda _, __: False,
                plan_hash,
                gate=FirstRequestGate(Event()),
            )
            for change in changes:
                outcomes.append(execution.carry_out(change))
        except RunEnded as ended:
            outcomes.append(ended.outcome)
        except Crash:
            # Memory is lost; the next run reads what is on disk.
            before, self.crashes = self.path.parent, self.crashes + 1
            shutil.copytree(before, self.path.parent, ignore=shutil.ignore_patterns("*-shm"))
        finally:
            self.calls.append(journal.count)
            ledger.close()
        self.check()
        return outcomes

    def check(self) -> None:
        """Check that nothing exists twice and that the ledger is correct and complete."""
        names = Counter(live.name for live in self.account.live.values())
        assert all(count == 1 for count in names.values()), names
        for held in self.account.held.values():
            labels = Counter(each.attribute for each in held)
            assert all(count == 1 for count in labels.values()), labels
        ledger = read_ledger(self.path, now=self.now)
        try:
            self._check_ledger(ledger)
        finally:
            ledger.close()

    def _check_ledger(self, ledger: Ledger) -> None:
        bound = {each.incident_id: each.key for each in ledger.bindings()}
        for live in self.account.live.values():
            key = live.name.removeprefix("Incident ")
            assert bound.get(live.id, key) == key
            assert live.id in bound or key in ledger.pending()
        for incident_id, key in bound.items():
            labels = {each.attribute.label for each in self.account.held[incident_id]}
            for entry in ledger.entries(key):
                label = entry.step.removeprefix("status ").removeprefix("edit ")
                if entry.status == CONFIRMED and label.startswith(("follow_ups.", "attachments.", "time")):
                    assert label in labels
            children = {each.attribute: each.value for each in self.account.held[incident_id]}
            in_doubt = {entry.step for entry in ledger.entries(key) if entry.status == SENT}
            for attribute, known in ledger.remembered(key).items():
                if f"status {attribute.label}" in in_doubt:
                    continue  # nobody answered whether the status was set
                if known.refused is not None:
                    continue  # the next plan shows it as blocked
                if attribute.is_child:
                    assert same(children[attribute], known.answered)
                else:
                    assert attribute in self.account.live[incident_id].attributes

    def _check_is_recorded(self, subject: str, step: str) -> None:
        """Check that the ledger records a request before it arrives."""
        ledger = read_ledger(self.path, now=self.now)
        try:
            keys = {each.incident_id: each.key for each in ledger.bindings()}
            found = [
                entry
                for incident in self.incidents
                for entry in ledger.entries(incident.key)
                if entry.step == step and (entry.idempotency_key == subject or keys.get(subject) == entry.key)
            ]
            assert [entry.status for entry in found] == [SENT]
        finally:
            ledger.close()


def assert_it_ends_well(world: World) -> None:
    world.account.faults = []
    world.account.wait(60)  # before that, a child without an idempotency key is not sent again
    world.apply()
    world.saved = None
    world.apply()
    for change in world.plan():
        assert isinstance(change, NoOp) or (isinstance(change, Blocked) and change.reason == "not-possible")
    for incident in world.incidents:
        (live,) = [each for each in world.account.live.values() if each.name == incident.name]
        children = {each.attribute: each.value for each in world.account.held[live.id]}
        for attribute, value in incident.attributes.items():
            held = children.get(attribute) if attribute.is_child else live.attributes.get(attribute)
            # The account keeps a post-mortem's link in another form, and may have refused the call URL.
            if attribute.field is Field.POSTMORTEM_URL or (attribute.field is Field.CALL_URL and not held):
                continue
            assert same(held, value), attribute.label
    assert len(world.account.live) == len(world.incidents)


runs = st.lists(
    st.tuples(
        st.lists(st.sampled_from(Fault), max_size=12),
        st.sampled_from(["acme", "other"]),
        st.none() | st.integers(0, 30),
        st.sampled_from(["before", "after"]),
        st.booleans(),
    ),
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(runs, st.booleans())
def test_whatever_fails_each_is_created_exactly_once(
    runs: list[tuple[list[Fault], str, int | None, str, bool]], is_saved: bool
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder), ScriptedAccount(), (declared("A"), declared("B")))
        world.saved = world.plan() if is_saved else None
        for faults, namespace, cut_at, when, is_edited in runs:
            world.account.faults = list(faults)
            if is_edited and not is_saved:
                world.incidents = (edited(declared("A")), declared("B"))
            world.apply(namespace, cut_at=cut_at, when=when)
            _forget_answered_keys(world)
        assert_it_ends_well(world)


def _forget_answered_keys(world: World) -> None:
    """It is not known how long the account remembers a key; it may be only until it has answered."""
    ledger = read_ledger(world.path, now=world.now)
    bound = {each.incident_id for each in ledger.bindings()}
    ledger.close()
    made_by = world.account.made_by
    world.account.made_by = {key: live_id for key, live_id in made_by.items() if live_id not in bound}


@pytest.mark.slow
@pytest.mark.parametrize("is_saved", [False, True], ids=["files", "saved plan"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_cut_at_any_record_ends_the_same(tmp_path: Path, when: str, is_saved: bool) -> None:
    whole = World(tmp_path / "whole", ScriptedAccount(), (declared("A"), declared("B")))
    whole.apply()
    for nth in range(whole.calls[0]):
        world = World(tmp_path / str(nth), ScriptedAccount(), whole.incidents)
        world.saved = world.plan() if is_saved else None
        world.apply(cut_at=nth, when=when)
        _forget_answered_keys(world)
        assert_it_ends_well(world)
        assert [live.name for live in world.account.live.values()] == ["Incident A", "Incident B"]


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_a_run_with_any_fault_at_any_request_ends_the_same(tmp_path: Path, fault: Fault) -> None:
    whole = World(tmp_path / "whole", ScriptedAccount(), (declared("A"),))
    whole.apply()
    for nth in range(len(whole.account.requests)):
        world = World(tmp_path / str(nth), ScriptedAccount([Fault.NONE] * nth + [fault]), whole.incidents)
        world.apply()
        assert_it_ends_well(world)


def test_an_unanswered_request_stays_sent_and_is_settled_with_the_same_key(tmp_path: Path) -> None:
    world = World(tmp_path, ScriptedAccount([Fault.LOST_BEFORE, Fault.LOST_BEFORE]), (declared("A"),))
    (outcome,) = world.apply("acme")
    assert isinstance(outcome, Unknown)
    assert len(world.account.live) == 0
    world.apply("another namespace")
    assert len(world.account.live) == 1
    (first, *others) = [each for each in world.account.requests if each[0] == "create"]
    assert others == [first]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.CONFLICT, Fault.UNAUTHENTICATED, Fault.FORBIDDEN])
def test_a_refusal_does_not_end_the_doubt_about_an_earlier_request(tmp_path: Path, fault: Fault) -> None:
    world = World(tmp_path, ScriptedAccount([Fault.LOST_AFTER, Fault.LOST_BEFORE]), (declared("A"),))
    world.apply("acme")
    world.account.faults = [Fault.NONE, Fault.NONE, fault]
    world.apply("another namespace")  # World.check sees the incident in the ledger
    world.apply("another namespace")
    assert len(world.account.live) == 1


def test_a_conflict_leaves_no_doubt_if_the_account_shows_no_such_incident(tmp_path: Path) -> None:
    world = World(tmp_path, ScriptedAccount([Fault.CONFLICT]), (declared("A"),))
    (outcome,) = world.apply()
    assert isinstance(outcome, Failed)
    ledger = read_ledger(world.path, now=world.now)
    assert ledger.pending() == ()
    ledger.close()
    world.apply("another namespace")
    assert len(world.account.live) == 1


def test_a_refused_creation_is_not_pending_and_the_next_one_uses_the_current_files(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, ScriptedAccount([Fault.REFUSED]), (declared("A"),))
    (outcome,) = world.apply()
    assert isinstance(outcome, Failed)
    assert outcome.request_id == "r-1"
    ledger = read_ledger(world.path, now=world.now)
    assert ledger.pending() == ()
    assert [each.status for each in ledger.entries("A") if each.step == "create"] == ["failed"]
    ledger.close()
    assert_it_ends_well(world)
