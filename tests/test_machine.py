"""Whatever people, faults and crashes do in whatever order: one incident per key, and no false record.

A state machine over the whole importer in one process, with the sandbox as the account, which takes either side
of what is unknown of the API. A crash ends the process at one request or one record of the ledger; the next run
has only what is on disk then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from typing import TYPE_CHECKING, Any

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

from importer.apply.applier import Limits
from importer.model import NoOp, Pending, Scope
from importer.model.errors import ImporterError
from importer.model.settings import Settings
from importer.model.steps import CREATE
from importer.plan import file as planfile
from importer.sandbox import (
    Fault,
    FaultKind,
    Faults,
    Idempotency,
    OtherContent,
    Rewrite,
    Sandbox,
    SandboxOptions,
    default_seed,
    open_sandbox,
)
from importer.sandbox.choices import LastCursor, NumberForm
from importer.state.ledger_rows import CONFIRMED
from importer.workflow import Session, adopt, carry_out, mark_applied, refuse_stale, remaining_changes
from tests.chaos import verdict
from tests.chaos.account import COLLEAGUE, Account
from tests.chaos.verdict import Expected
from tests.crashing import CrashPoint, World
from tests.rehearsal import KEY, Clock, Rehearsal, Silent

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SEED = default_seed()
KEYS = [f"K-{each}" for each in range(4)]
SEVERITIES = ["Minor", "Major", "Critical"]

_MARKER = "Legacy ID"
_CHILDREN = ("follow_ups.", "timeline.", "attachments.")
_MINUTE = 61.0
"""Longer than a child that was sent and is not listed stays in doubt."""

faults = st.lists(st.tuples(st.sampled_from(FaultKind), st.integers(1, 40)), max_size=4)
fates = st.builds(
    CrashPoint, st.none() | st.integers(0, 12) | st.integers(0, 40), st.sampled_from(["before", "after"])
)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[SandboxOptions, bool, bool]:
    """Draw the behaviour of an account, whether one of its fields holds the keys, and whether the state is
    never lost. Without both, only the server's memory of keys shows whose incident one is."""
    has_marker, keeps_state = draw(st.booleans()), draw(st.booleans())
    has_evidence = has_marker or keeps_state
    options = SandboxOptions(
        rate_limit=None,
        idempotency=draw(st.sampled_from(Idempotency)) if has_evidence else Idempotency.REPLAY,
        other_content=draw(st.sampled_from(OtherContent)) if has_evidence else OtherContent.REPLAY,
        keys_kept=draw(st.sampled_from([None, None, 3.0, 60.0])) if has_evidence else None,
        keys_in_flight=draw(st.sampled_from([0.0, 0.0, 2.0])),
        list_lag=draw(st.sampled_from([0.0, 0.0, 2.0, 5.0])),
        rewrites=draw(st.frozensets(st.sampled_from(Rewrite), max_size=3)),
        rewrites_on=draw(st.sampled_from(["write", "read"])),
        external_id_first=draw(st.booleans()),
        promotes_timeline=draw(st.booleans()),
        put_replaces=draw(st.booleans()),
        normalises=draw(st.booleans()),
        sets_timestamps=draw(st.booleans()),
        makes_slack_channels=draw(st.booleans()),
        clock_offset=draw(st.sampled_from([0.0, 0.0, -3600.0, -5.0, 5.0, 3600.0])),
        # Without a field for the keys, the moment of creation shows whose incident it is.
        date_offset=draw(st.sampled_from([0.0, 0.0, -30.0, -2.0, 2.0, 30.0])) if has_marker else 0.0,
        numbers=draw(st.sampled_from(NumberForm)),
        last_cursor=draw(st.sampled_from(LastCursor)),
        counter_stays=draw(st.booleans()),
        url_makes_document=draw(st.booleans()),
    )
    return options, has_marker, keeps_state


class Importing(RuleBasedStateMachine):
    """Files, a state and an account, and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.declared: dict[str, dict[str, Any]] = {}
        self.others: dict[str, Any] = {}
        self.people: dict[str, Any] = {}
        self.saved: planfile.SavedPlan | None = None
        self.remembers = True

    @initialize(account=accounts(), has_numbers=st.booleans(), namespace=st.sampled_from(["default", "mine"]))
    def open(self, account: tuple[SandboxOptions, bool, bool], has_numbers: bool, namespace: str) -> None:
        self.options, self.has_marker, self.keeps_state = account
        # A number is no proof, so a lost state would need a person.
        self.has_numbers = has_numbers and (self.has_marker or self.keeps_state)
        self.clock = Clock()
        sandbox = open_sandbox(
            None, seed=SEED, options=self.options, clock=self.clock.time, sleep=self.clock.sleep
        )
        config = Settings(
            root=self.folder,
            sources=("incidents.json",),
            namespace=namespace,
            marker_field=_MARKER if self.has_marker else None,
            state=self.folder / "0" / "state.db",
        )
        self.world = World(self.folder, sandbox, config, clock=self.clock)
        client = httpx.Client(
            transport=httpx.WSGITransport(app=_without_lag(sandbox)),
            base_url="http://sandbox.localhost",
            headers={"Authorization": f"Bearer {KEY}"},
        )
        self.account = Account("", client)
        self.declare(KEYS[0], "as it was", "Minor", ["API"], "completed", 1, corrected=False)

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
        corrected=st.booleans(),
    )
    def declare(
        self,
        key: str,
        words: str,
        severity: str,
        services: list[str],
        status: str,
        children: int,
        *,
        corrected: bool,
    ) -> None:
        """Add an incident to the files or change it there; one with children keeps them. Its name may be
        corrected; its moment then still shows that it is the same one."""
        number = int(key[-1])
        before = len(self.declared.get(key, {}).get("timeline", []))
        titles = [f"the item's  {each}" for each in range(max(children, before))]
        at = f"2020-01-0{number + 1}T10:00:00+00:00"
        url = "https://Graphs.example.com"
        self.declared[key] = {
            "key": key,
            "name": "checkout's  down" if corrected else "Checkout is down",
            "summary": f"{key} {words}",
            "severity": severity,
            "timestamps": {"Impact started at": at},
            "custom_fields": {"Affected services": services, "Customers affected": "1200.0"},
            "timeline": [{"at": at, "title": "Update", "description": each} for each in titles],
            "follow_ups": [
                {"title": each, "status": status, "labels": ["db"], "description": "As it was."}
                for each in titles
            ],
            "attachments": [
                {"resource_type": "arbitrary_url", "url": f"{url}/{each[-1]}/?from=1"} for each in titles
            ],
            **({"call_url": f"https://meet.example.com/{key}"} if number % 2 else {}),
            **({"postmortem": {"url": f"https://docs.example.com/{key}"}} if number % 2 else {}),
            **({"postmortem": {"content": f"# {key}", "status": "completed"}} if number == 2 else {}),
            **({"external_id": 900 + 100 * number} if self.has_numbers and number % 2 else {}),
        }
        self._write()

    @rule(data=st.data(), severity=st.integers(0, 2))
    def edit_in_dashboard(self, data: st.DataObject, severity: int) -> None:
        """Edit an incident that the importer made. Time passes first: what differs under the time stamp of the
        importer's own write is left as it is."""
        self.clock.sleep(1.0)
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
        self.account.follow_up(made["id"], "Tell the customers")
        self.others = verdict.foreign(self.account)

    @rule(data=st.data())
    @precondition(lambda self: self.has_marker and self.others)
    def adopt(self, data: st.DataObject) -> None:
        """Adopt somebody else's incident as a declared one that the account lacks."""
        # A number cannot be changed.
        like_it = {key for key, each in self.declared.items() if "external_id" not in each}
        free = sorted(like_it - verdict.by_key(self.account).keys() - self._known_keys())
        if free:
            key, other = data.draw(st.sampled_from(free)), data.draw(st.sampled_from(sorted(self.others)))
            live = self.others[other]["incident"]
            done = self.world.go(lambda session: adopt(session, key, live["reference"]), CrashPoint())
            if done:
                # From here on it is the importer's, but for the follow-up that somebody made.
                del self.others[other]
                theirs = [each for each in self._follow_ups().values() if each["incident_id"] == live["id"]]
                self.people |= {each["id"]: each for each in theirs}
                self._apply(CrashPoint())

    @rule(seconds=st.sampled_from([1.0, 5.0, _MINUTE]))
    def wait(self, seconds: float) -> None:
        """Let time pass: lists catch up, keys are forgotten."""
        self.clock.sleep(seconds)

    @rule(data=st.data(), token=st.sampled_from([KEY, COLLEAGUE]))
    @precondition(lambda self: len(self.people) < 5)
    def add_a_child_by_hand(self, data: st.DataObject, token: str) -> None:
        """Add a follow-up with the title of a declared one to an incident that has it already."""
        live = {found[0]["id"] for found in verdict.by_key(self.account).values()}
        ours = {each["incident_id"] for each in self.account.follow_ups() if each["id"] not in self.people}
        if complete := sorted(live & ours):
            made = self.account.follow_up(data.draw(st.sampled_from(complete)), "the item's  0", token=token)
            self.people[made["id"]] = self._follow_ups()[made["id"]]

    @rule()
    @precondition(lambda self: self.has_marker or self.world.settings.namespace == "mine")
    def let_another_repository_apply(self) -> None:
        """Apply other files with the same keys, in a namespace of their own."""
        before = self._snapshot()
        self._apply_other_files("theirs", KEYS)
        assert self._snapshot() == before
        theirs = Expected(self._other_files(KEYS), namespace="theirs", marker_field=self._marker())
        found = list(verdict.of_account(self.account, theirs))
        assert not [each for each in found if each.startswith("L-")], found

    @rule()
    @precondition(lambda self: not self.has_marker and self.world.settings.namespace == "default")
    @precondition(lambda self: not verdict.by_key(self.account).keys().isdisjoint(KEYS))
    def let_a_namesake_apply(self) -> None:
        """Apply other files with the same keys in the same namespace: nothing of the first ones' is touched."""
        before = self._snapshot()
        self._apply_other_files("default", [key for key in verdict.by_key(self.account) if key in KEYS])
        assert self._snapshot() == before

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
    @precondition(lambda self: not self.keeps_state)
    def keep_a_copy(self) -> None:
        copy = self.folder / f"copy {len(self.world.copies)}"
        self.world.copy(self.world.settings.state.parent, copy)
        self.world.copies.append(copy)

    @rule()
    @precondition(lambda self: not self.keeps_state)
    def lose_the_state(self) -> None:
        self.world.live_on_in(self.world.next_folder())
        self.remembers = False
        self._let_lists_catch_up()  # no state, no key and no list: nothing would show what exists

    @rule(data=st.data())
    @precondition(lambda self: self.world.copies)
    def take_an_older_copy(self, data: st.DataObject) -> None:
        after = self.world.next_folder()
        self.world.copy(data.draw(st.sampled_from(self.world.copies)), after)
        self.world.live_on_in(after)
        self.remembers = False
        self._let_lists_catch_up()

    # -- what always holds -----------------------------------------------------------------------------

    @invariant()
    def one_incident_for_a_key(self) -> None:
        for key, found in verdict.by_key(self.account).items():
            assert len(found) == 1, (key, [each["reference"] for each in found])

    @invariant()
    def nobody_elses_incident_is_touched(self) -> None:
        assert verdict.foreign(self.account) == self.others
        held = self._follow_ups()
        assert {each: held.get(each) for each in self.people} == self.people

    @invariant()
    def nothing_is_announced(self) -> None:
        assert self.account.journal()["announcements"] == []

    def the_ledger_is_true(self) -> None:
        """Check that everything confirmed is in the account, and everything in the account is in the ledger."""
        live = {each["id"]: verdict.key_of(each) for each in self.account.incidents()}
        with self.world.ledger() as ledger:
            bound = {each.incident_id: each.key for each in ledger.bindings()}
            assert all(live[incident_id] == key for incident_id, key in bound.items())
            if self.remembers:
                ours = {key for key in live.values() if key.startswith("K")}
                assert ours <= {*bound.values(), *ledger.pending()}
            for key in KEYS:
                entries = [each for each in ledger.entries(key) if each.step == CREATE]
                assert all(each.status != CONFIRMED or key in bound.values() for each in entries)

    def teardown(self) -> None:
        """Check that undisturbed applies in the end settle everything and leave nothing to do."""
        if hasattr(self, "world"):
            try:
                for _ in range(3):
                    self._apply(CrashPoint())
                    self.clock.sleep(_MINUTE)
                self._adopt_what_is_in_doubt()
                made = self.world.plan()
                left = [each for each in made.changes if not isinstance(each, NoOp)]
                assert not left, left
                self.nobody_elses_incident_is_touched()
                self._check_account()
            finally:
                self.account.client.close()
                self.world.sandbox.close()
        shutil.rmtree(self.folder)

    def _adopt_what_is_in_doubt(self) -> None:
        """Adopt, as a person would, what nothing proves: without a field for the keys, an incident that people
        edited, or that is older than the sending, is not certainly the one that is in doubt."""
        doubtful = [each.incident.key for each in self.world.plan().changes if isinstance(each, Pending)]
        live = verdict.by_key(self.account)
        for key in doubtful if not self.has_marker else ():
            reference = live[key][0]["reference"]
            self.world.go(partial(adopt, key=key, reference=reference), CrashPoint())
        if doubtful:
            self._apply(CrashPoint())
            self._apply(CrashPoint())

    # -- below -----------------------------------------------------------------------------------------

    def _write(self) -> None:
        text = json.dumps({"incidents": list(self.declared.values())})
        (self.folder / "incidents.json").write_text(text, encoding="utf-8")

    def _let_lists_catch_up(self) -> None:
        self.clock.sleep(self.options.list_lag)

    def _befall(self, troubles: list[tuple[FaultKind, int]]) -> None:
        self.world.sandbox.faults = Faults(tuple(Fault(kind, nth=frozenset({nth})) for kind, nth in troubles))

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

    def _check_account(self) -> None:
        expected = Expected(
            self.declared.values(),
            rewrites=[each.value for each in self.options.rewrites],
            namespace=self.world.settings.namespace.removeprefix("default"),
            marker_field=self._marker(),
            people=self.people.keys(),
        )
        found = verdict.of_account(self.account, expected)
        wrong = [each for each in found if not each.startswith("nobody declared L-")]
        assert not wrong, wrong

    def _marker(self) -> str:
        return _MARKER if self.has_marker else ""

    def _follow_ups(self) -> dict[str, Any]:
        return {each["id"]: each for each in self.account.follow_ups()}

    def _snapshot(self) -> dict[str, Any]:
        """Return everything about all incidents but those of other files."""
        incidents = self.account.incidents()
        return verdict.whole(self.account, [e for e in incidents if verdict.key_of(e)[:1] != "L"])

    def _other_files(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        """Return what another repository declares under these keys."""
        return [
            {
                "key": key,
                "name": "Printer on fire",
                "summary": f"L{key[1:]} of another tracker",
                "severity": "Minor",
                "timestamps": {"Impact started at": f"2021-05-0{int(key[-1]) + 1}T11:00:00+00:00"},
            }
            for key in keys
        ]

    def _apply_other_files(self, namespace: str, keys: Iterable[str]) -> None:
        folder = self.folder / namespace
        folder.mkdir(exist_ok=True)
        text = json.dumps({"incidents": self._other_files(keys)})
        (folder / "incidents.json").write_text(text, encoding="utf-8")
        config = replace(
            self.world.settings, root=folder, namespace=namespace, state=folder / "state" / "state.db"
        )
        Rehearsal(folder, self.world.sandbox, config, clock=self.clock).apply()


def _without_lag(sandbox: Sandbox) -> WSGIApplication:
    """Return the same account with lists that do not lag, to judge it."""
    account = sandbox._account
    return Sandbox(replace(account, options=replace(account.options, list_lag=0.0)), Clock().sleep).app


Importing.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestWhateverHappens = Importing.TestCase


def opened(idempotency: Idempotency) -> Importing:
    """Return an account whose marker field holds the keys, and a saved plan that creates one incident."""
    importing = Importing()
    options = SandboxOptions(rate_limit=None, idempotency=idempotency)
    importing.open((options, True, False), has_numbers=False, namespace="default")
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
    importing.wait(_MINUTE)
    importing.apply_the_saved_plan([], CrashPoint())
    importing._check_account()
    importing.teardown()
