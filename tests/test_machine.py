"""Whatever people, faults and crashes do in whatever order: one incident per key, and no false record.

A state machine over the whole importer in one process, with the sandbox as the account. A crash ends the process
at one request or one record of the ledger; the next run has only what is on disk then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from importer.api.transport import read_write_transport
from importer.apply.applier import Limits
from importer.model import NoOp, Scope
from importer.model.errors import ImporterError, Refused
from importer.model.settings import Settings
from importer.model.steps import CREATE
from importer.plan import file as planfile
from importer.sandbox import Fault, FaultKind, Faults, Idempotency, SandboxOptions, default_seed, open_sandbox
from importer.state.ledger import Ledger, open_ledger, read_ledger
from importer.state.ledger_rows import CONFIRMED
from importer.workflow import Session, adopt, carry_out, mark_applied, refuse_stale, remaining_changes
from tests.chaos import verdict
from tests.chaos.account import Account
from tests.rehearsal import KEY, Clock, Rehearsal, Silent

SEED = default_seed()
KEYS = [f"K-{each}" for each in range(4)]
SEVERITIES = ["Minor", "Major", "Critical"]
FORGETFUL = [FaultKind.ERROR_BEFORE, FaultKind.DROP_BEFORE, FaultKind.HTML, FaultKind.TOO_MANY_REQUESTS]
"""The faults of a server that forgets keys at once; a lost answer would lead to a second incident."""

_CHILDREN = ("follow_ups.", "timeline.", "attachments.")


class Crash(BaseException):
    """The process ends here."""


@dataclass
class CrashPoint:
    """Ends the process at the nth write to the account or the ledger, before or after it."""

    at: int | None = None
    when: str = "before"
    count: int = 0
    last_words: Callable[[], None] = lambda: None

    def meet(self, work: Callable[[], Any]) -> Any:
        is_it, self.count = self.count == self.at, self.count + 1
        if is_it and self.when == "before":
            self._end()
        answer = work()
        if is_it:
            self._end()
        return answer

    def _end(self) -> None:
        self.last_words()
        raise Crash


@dataclass
class CrashingTransport(httpx.BaseTransport):
    """A transport to the account on which the process may end."""

    inner: httpx.BaseTransport
    crash_point: CrashPoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        def send() -> httpx.Response:
            return self.inner.handle_request(request)

        answer: httpx.Response = send() if request.method == "GET" else self.crash_point.meet(send)
        return answer


@dataclass
class CrashingLedger:
    """A ledger on whose writes the process may end."""

    ledger: Ledger
    crash_point: CrashPoint

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.ledger, name)
        if name in ("planned", "sending", "confirmed", "failed", "settled", "finished", "belong_to", "adopt"):
            return lambda *arguments, **named: self.crash_point.meet(partial(found, *arguments, **named))
        return found


@dataclass
class World(Rehearsal):
    """A rehearsal in which any process may end early."""

    generation: int = 0
    copies: list[Path] = field(default_factory=list)

    def go(self, work: Callable[[Session], Any], crash_point: CrashPoint) -> Any:
        """Do work in a session that may write; return None if the process ended in it."""
        after = self.folder / str(self.generation + 1)
        crash_point.last_words = lambda: self.copy(self.settings.state.parent, after)

        def fatal(inner: httpx.BaseTransport, *stack: Any) -> httpx.BaseTransport:
            return read_write_transport(CrashingTransport(inner, crash_point), *stack)

        try:
            with self._session(fatal, open_ledger) as session:
                ledger: Any = CrashingLedger(session.ledger, crash_point)
                return work(replace(session, ledger=ledger))
        except Crash:
            self.live_on_in(after)
            return None
        except Refused:
            return None

    def live_on_in(self, folder: Path) -> None:
        """Continue with the state in another folder."""
        self.generation += 1
        self.settings = replace(self.settings, state=folder / "state.db")

    def next_folder(self) -> Path:
        return self.folder / str(self.generation + 1)

    def copy(self, state: Path, to: Path) -> None:
        """Copy a state as a crash leaves it, without SQLite's shared memory."""
        to.mkdir(parents=True)
        for each in state.glob("state.db*"):
            if each.suffix != ".db-shm":
                shutil.copy(each, to)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        found = read_ledger(self.settings.state, now=Clock().now)
        try:
            yield found
        finally:
            found.close()


faults = st.lists(st.tuples(st.sampled_from(FaultKind), st.integers(1, 40)), max_size=4)
fates = st.builds(
    CrashPoint, st.none() | st.integers(0, 12) | st.integers(0, 40), st.sampled_from(["before", "after"])
)


class Importing(RuleBasedStateMachine):
    """Files, a state and an account, and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.declared: dict[str, dict[str, Any]] = {}
        self.others: dict[str, Any] = {}
        self.saved: planfile.SavedPlan | None = None
        self.remembers = True

    @initialize(
        has_marker=st.booleans(), normalises=st.booleans(), idempotency=st.sampled_from(list(Idempotency))
    )
    def open(self, has_marker: bool, normalises: bool, idempotency: Idempotency) -> None:
        self.has_marker = has_marker
        # Without a field for the keys, only the server's memory of them shows whose incident it is.
        self.idempotency = idempotency if has_marker else Idempotency.REPLAY
        options = SandboxOptions(idempotency=self.idempotency, normalises=normalises, rate_limit=None)
        sandbox = open_sandbox(None, seed=SEED, options=options, sleep=lambda _: None)
        config = Settings(
            root=self.folder,
            sources=("incidents.json",),
            marker_field="Legacy ID" if has_marker else None,
            state=self.folder / "0" / "state.db",
        )
        self.world = World(self.folder, sandbox, config)
        client = httpx.Client(
            transport=httpx.WSGITransport(app=sandbox.app),
            base_url="http://sandbox.localhost",
            headers={"Authorization": f"Bearer {KEY}"},
        )
        self.account = Account("", client)
        self.declare(KEYS[0], "as it was", "Minor", ["API"], "completed", 1)

    # -- what people do --------------------------------------------------------------------------------

    @rule(
        key=st.sampled_from(KEYS),
        words=st.sampled_from(["as it was", "  in other words\r\n", "**bold**"]),
        severity=st.sampled_from(SEVERITIES),
        services=st.lists(
            st.sampled_from(["API", "Checkout", "Search"]), min_size=1, max_size=2, unique=True
        ),
        status=st.sampled_from(["outstanding", "completed"]),
        children=st.integers(0, 2),
    )
    def declare(
        self, key: str, words: str, severity: str, services: list[str], status: str, children: int
    ) -> None:
        """Add an incident to the files or change it there; one with children keeps them."""
        number = int(key[-1])
        before = len(self.declared.get(key, {}).get("timeline", []))
        titles = [f"Item {each}" for each in range(max(children, before))]
        at = f"2020-01-0{number + 1}T10:00:00+00:00"
        url = "https://graphs.example.com"
        self.declared[key] = {
            "key": key,
            "name": "Checkout is down",
            "summary": f"{key} {words}",
            "severity": severity,
            "timestamps": {"Impact started at": at},
            "custom_fields": {"Affected services": services, "Customers affected": "1200.0"},
            "timeline": [{"at": at, "title": each} for each in titles],
            "follow_ups": [{"title": each, "status": status} for each in titles],
            "attachments": [
                {"resource_type": "arbitrary_url", "url": f"{url}/{each[-1]}"} for each in titles
            ],
            **({"call_url": f"https://meet.example.com/{key}"} if number % 2 else {}),
            **({"postmortem": {"url": f"https://docs.example.com/{key}"}} if number % 2 else {}),
        }
        self._write()

    @rule(data=st.data(), severity=st.integers(0, 2))
    def edit_in_dashboard(self, data: st.DataObject, severity: int) -> None:
        """Edit an incident that the importer made."""
        live = verdict.by_key(self.account)
        if live:
            key = data.draw(st.sampled_from(sorted(live)))
            fields = {"summary": f"{key} as somebody saw it", "severity_id": self._severity(severity)}
            self.account.edit(live[key][0]["id"], fields)

    @rule(key=st.sampled_from(KEYS))
    @precondition(lambda self: len(self.others) < 3)
    def work_on_something_else(self, key: str) -> None:
        """Create an unrelated incident that looks like a declared one."""
        known = self.declared.get(key)
        payload = {
            "idempotency_key": f"by hand {len(self.account.journal()['creations'])}",
            "mode": "retrospective",
            "visibility": "public",
            "name": known["name"] if known else "Another",
        }
        made = self.account.create(payload)
        self.account.follow_up(made["id"], "Item 0")
        self.others = verdict.foreign(self.account)

    @rule(data=st.data())
    @precondition(lambda self: self.has_marker and self.others)
    def adopt(self, data: st.DataObject) -> None:
        """Adopt somebody else's incident as a declared one that the account lacks."""
        # The other's follow-up stays, so it must be a declared one.
        like_it = {key for key, each in self.declared.items() if each["follow_ups"]}
        free = sorted(like_it - verdict.by_key(self.account).keys() - self._known_keys())
        if free:
            key, other = data.draw(st.sampled_from(free)), data.draw(st.sampled_from(sorted(self.others)))
            live = self.others[other]["incident"]
            done = self.world.go(lambda session: adopt(session, key, live["reference"]), CrashPoint())
            if done:
                del self.others[other]  # from here on it is the importer's
                self._apply(CrashPoint())

    # -- what the importer does ------------------------------------------------------------------------

    @rule(troubles=faults, crash_point=fates, limit=st.none() | st.integers(1, 2))
    def apply(
        self, troubles: list[tuple[FaultKind, int]], crash_point: CrashPoint, limit: int | None
    ) -> None:
        self._befall(troubles)
        self._apply(crash_point, limit=limit)

    @rule()
    def save_a_plan(self) -> None:
        planfile.write_plan(self.world.plan(), self.folder / "plan.json")
        self.saved = planfile.read_plan(self.folder / "plan.json")

    @rule(troubles=faults, crash_point=fates)
    @precondition(lambda self: self.saved)
    def apply_the_saved_plan(self, troubles: list[tuple[FaultKind, int]], crash_point: CrashPoint) -> None:
        assert self.saved is not None
        saved, sealed = self.saved.plan, self.saved.plan_hash

        def work(session: Session) -> None:
            refuse_stale(session, saved, sealed)
            left = remaining_changes(session, saved, sealed)
            run = carry_out(
                session, left, limits=Limits(1), observers=[Silent()], stop=Event(), plan_hash=sealed
            )
            mark_applied(session, run, sealed)

        self._befall(troubles)
        self._attempt(work, crash_point)

    # -- what happens to the state ---------------------------------------------------------------------

    @rule()
    def keep_a_copy(self) -> None:
        copy = self.folder / f"copy {len(self.world.copies)}"
        self.world.copy(self.world.settings.state.parent, copy)
        self.world.copies.append(copy)

    @rule()
    def lose_the_state(self) -> None:
        self.world.live_on_in(self.world.next_folder())
        self.remembers = False

    @rule(data=st.data())
    @precondition(lambda self: self.world.copies)
    def take_an_older_copy(self, data: st.DataObject) -> None:
        after = self.world.next_folder()
        self.world.copy(data.draw(st.sampled_from(self.world.copies)), after)
        self.world.live_on_in(after)
        self.remembers = False

    # -- what always holds -----------------------------------------------------------------------------

    @invariant()
    def one_incident_for_a_key(self) -> None:
        for key, found in verdict.by_key(self.account).items():
            assert len(found) == 1, (key, [each["reference"] for each in found])

    @invariant()
    def nobody_elses_incident_is_touched(self) -> None:
        now = verdict.foreign(self.account)
        assert now == self.others

    @invariant()
    def nothing_is_announced(self) -> None:
        assert self.account.journal()["announcements"] == []

    def the_ledger_is_true(self) -> None:
        """Check that everything confirmed is in the account, and everything in the account is in the ledger."""
        live = {each["id"]: verdict.key_of(each) for each in self.account.incidents()}
        with self.world.ledger() as ledger:
            bound = {each.incident_id: each.key for each in ledger.bindings()}
            for incident_id, key in bound.items():
                assert live[incident_id] == key
                done = [entry.step for entry in ledger.entries(key) if entry.status == CONFIRMED]
                steps = {each.removesuffix(" (status)").removesuffix(" (edit)") for each in done}
                steps |= {each.label for each in ledger.remembered(key)}
                assert {each for each in steps if each.startswith(_CHILDREN)} <= self._labels(incident_id)
            if self.remembers:
                assert set(live.values()) - {""} <= {*bound.values(), *ledger.pending()}
            for key in KEYS:
                entries = [each for each in ledger.entries(key) if each.step == CREATE]
                assert all(each.status != CONFIRMED or key in bound.values() for each in entries)

    def teardown(self) -> None:
        """Check that an undisturbed apply in the end settles everything and leaves nothing to do."""
        if hasattr(self, "world"):
            try:
                self._apply(CrashPoint())
                self._apply(CrashPoint())
                made = self.world.plan()
                left = [each for each in made.changes if not isinstance(each, NoOp)]
                assert not left, left
                self.nobody_elses_incident_is_touched()
                found = list(verdict.of_account(self.account, self.declared.values()))
                assert not found, found
            finally:
                self.account.client.close()
                self.world.sandbox.close()
        shutil.rmtree(self.folder)

    # -- below -----------------------------------------------------------------------------------------

    def _write(self) -> None:
        text = json.dumps({"incidents": list(self.declared.values())})
        (self.folder / "incidents.json").write_text(text, encoding="utf-8")

    def _befall(self, troubles: list[tuple[FaultKind, int]]) -> None:
        kinds = FORGETFUL if self.idempotency is Idempotency.EXPIRED else list(FaultKind)
        self.world.sandbox.faults = Faults(
            tuple(Fault(kind, nth=frozenset({nth})) for kind, nth in troubles if kind in kinds)
        )

    def _apply(self, crash_point: CrashPoint, *, limit: int | None = None) -> None:
        def work(session: Session) -> None:
            made = self.world._plan(session, (), Scope((), limit))
            assert not made.errored, made.diagnostics
            carry_out(session, made, limits=Limits(1), observers=[Silent()], stop=Event())

        self._attempt(work, crash_point)

    def _attempt(self, work: Callable[[Session], None], crash_point: CrashPoint) -> None:
        try:
            self.world.go(work, crash_point)
        except ImporterError:
            assert self.world.sandbox.faults.faults  # the account could not be read
        self._befall([])
        self.the_ledger_is_true()

    def _severity(self, place: int) -> str:
        found: str = self.account.client.get("/v1/severities").json()["severities"][place]["id"]
        return found

    def _known_keys(self) -> set[str]:
        with self.world.ledger() as ledger:
            return {each.key for each in ledger.bindings()} | set(ledger.pending())

    def _labels(self, incident_id: str) -> set[str]:
        follow_ups = [each for each in self.account.follow_ups() if each["incident_id"] == incident_id]
        return {
            *(f"follow_ups.{each['title']}" for each in follow_ups),
            *(f"timeline.{each['title']}" for each in self.account.timeline(incident_id)),
            *(
                f"attachments.arbitrary_url {each['resource']['permalink']}"
                for each in self.account.attachments(incident_id)
            ),
        }


Importing.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestWhateverHappens = Importing.TestCase


def opened(idempotency: Idempotency) -> Importing:
    """Return an account whose marker field holds the keys, and a saved plan that creates one incident."""
    importing = Importing()
    importing.open(has_marker=True, normalises=False, idempotency=idempotency)
    importing.save_a_plan()
    return importing


def test_a_saved_plan_is_stale_if_an_incident_carries_its_key_though_state_and_server_forgot_it() -> None:
    importing = opened(Idempotency.EXPIRED)
    importing.apply_the_saved_plan([], CrashPoint())
    importing.lose_the_state()
    importing.apply_the_saved_plan([], CrashPoint())
    importing.one_incident_for_a_key()
    importing.teardown()


@pytest.mark.parametrize("idempotency", [Idempotency.EXPIRED, Idempotency.CONFLICT])
@pytest.mark.parametrize("nth", range(8))
def test_a_saved_plan_continues_after_a_crash_even_if_the_server_forgot_the_key(
    nth: int, idempotency: Idempotency
) -> None:
    importing = opened(idempotency)
    importing.apply_the_saved_plan([], CrashPoint(at=nth, when="after"))
    importing.apply_the_saved_plan([], CrashPoint())
    found = list(verdict.of_account(importing.account, importing.declared.values()))
    assert not found, found
    importing.teardown()
