"""The state file keeps what it was given, refuses foreign files, and never damages them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from importer.model import (
    Account,
    Attribute,
    Binding,
    Entity,
    Field,
    Kind,
    LiveIncident,
    Remembered,
    Unanswered,
)
from importer.model.errors import ExitCode, Refused
from importer.model.settings import Settings
from importer.model.steps import CREATE
from importer.sandbox import SandboxOptions, open_sandbox
from importer.state.ledger import APPLY, Ledger, check_account, open_ledger, read_ledger
from importer.state.ledger_file import SCHEMA_VERSION, open_file, read_file
from importer.state.merge import MergeResult, State
from tests.old_tables import TABLES_1
from tests.plans import CUSTOMERS, FULL, NAME, SUMMARY, live
from tests.processes import Process
from tests.rehearsal import Rehearsal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = Account("https://api.incident.io", "https://app.incident.io/acme")
LIVE = live(1, {NAME: "Search was slow"})


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def opened(path: Path) -> Ledger:
    return open_ledger(path, now=Clock())


def read(path: Path) -> Ledger:
    return read_ledger(path, now=Clock())


def created(ledger: Ledger, key: str, made: LiveIncident = LIVE, *, plan_hash: str = "") -> None:
    ledger.sending(key, CREATE, Unanswered(f"i-{key}"), plan_hash=plan_hash)
    ledger.confirmed(key, CREATE, live=made, declared=made.attributes, answered=made.attributes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


# -- the journal ---------------------------------------------------------------------------------------


def test_a_creation_that_was_sent_is_pending_until_it_is_answered(path: Path) -> None:
    ledger = opened(path)
    ledger.sending("A", CREATE, Unanswered("i-A"), plan_hash="")
    assert ledger.pending() == ("A",)
    assert ledger.in_doubt("A", CREATE) == Unanswered("i-A")
    assert dict(ledger.memory().sent) == {"A": Unanswered("i-A")}
    assert not ledger.is_created("A")
    ledger.confirmed("A", CREATE, live=LIVE, declared=LIVE.attributes, answered=LIVE.attributes)
    assert ledger.pending() == ()
    assert ledger.in_doubt("A", CREATE) is None
    assert ledger.is_created("A")
    assert ledger.binding("A") == Binding("A", LIVE.id, LIVE.reference)
    ledger.close()


def test_a_refused_creation_is_not_pending_and_keeps_the_servers_message(path: Path) -> None:
    ledger = opened(path)
    ledger.sending("A", CREATE, Unanswered("i-A"), plan_hash="")
    ledger.failed("A", CREATE, detail="422 is_required: A severity is required")
    assert ledger.pending() == ()
    (entry,) = ledger.entries("A")
    assert (entry.status, entry.detail) == ("failed", "422 is_required: A severity is required")
    ledger.close()


def test_declared_and_answered_values_are_read_back_unchanged(path: Path) -> None:
    ledger = opened(path)
    declared = {**FULL, SUMMARY: "as declared", CUSTOMERS: None}
    answered = {**FULL, SUMMARY: "as kept"}
    ledger.confirmed("A", CREATE, live=LIVE, declared=declared, answered=answered)
    ledger.close()
    again = read(path)
    remembered = again.remembered("A")
    assert remembered[SUMMARY] == Remembered("as declared", "as kept")
    assert remembered[CUSTOMERS] == Remembered(None, FULL[CUSTOMERS])
    assert {attribute: each.declared for attribute, each in remembered.items()} == declared
    assert again.remembered("B") == {}
    again.close()


def test_an_answer_with_half_a_character_is_kept_too(path: Path) -> None:
    ledger = opened(path)
    ledger.confirmed("A", CREATE, live=LIVE, declared={NAME: "a"}, answered={NAME: "a\ud800"})
    assert ledger.remembered("A")[NAME].answered == "a\ud800"
    ledger.close()


def test_an_option_that_was_renamed_in_the_account_stays_one_slot(path: Path) -> None:
    ledger = opened(path)
    for name in ("Ticket", "Issue"):
        attribute = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELD", name))
        ledger.confirmed("A", CREATE, live=LIVE, declared={attribute: name}, answered={attribute: name})
    assert [each.declared for each in ledger.remembered("A").values()] == ["Issue"]
    ledger.close()


def test_an_attribute_keeps_its_name_whatever_another_key_calls_it(path: Path) -> None:
    ledger = opened(path)
    for number, name in enumerate(("Teams", "Affected teams")):
        field = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01RENAMED", name))
        ledger.confirmed(name, "edit", live=live(number, {}), declared={field: "x"}, answered={field: "x"})
    assert [each.label for name in ("Teams", "Affected teams") for each in ledger.remembered(name)] == [
        "custom_fields.Teams",
        "custom_fields.Affected teams",
    ]


def test_entries_are_in_chronological_order(path: Path) -> None:
    ledger = opened(path)
    ledger.planned(["A"], plan_hash="p")
    created(ledger, "A")
    ledger.sending("A", "edit", Unanswered(""), plan_hash="")
    assert [(each.step, each.status) for each in ledger.entries("A")] == [
        (APPLY, "planned"),
        (CREATE, "confirmed"),
        ("edit", "sent"),
    ]
    ledger.close()


def test_forgetting_a_key_removes_everything(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    ledger.forget("A")
    assert (ledger.bindings(), ledger.entries("A"), ledger.remembered("A")) == ((), (), {})
    ledger.close()


def test_an_adoption_is_settled_only_with_its_change(path: Path) -> None:
    ledger = opened(path)
    ledger.adopt("A", LIVE)
    ledger.confirmed("A", "edit", live=LIVE, declared={}, answered={})
    assert ledger.binding("A") == Binding("A", LIVE.id, LIVE.reference, settled=False)
    ledger.settled("A", LIVE.id, LIVE.reference, plan_hash="")
    ledger.close()
    again = opened(path)
    assert again.binding("A") == Binding("A", LIVE.id, LIVE.reference, settled=True)
    assert again.binding("B") is None
    again.close()


def test_one_incident_is_never_bound_to_two_keys(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    with pytest.raises(
        Refused, match=r"two keys in the state .* would be bound to the same incident"
    ) as refusal:
        created(ledger, "B")
    assert refusal.value.code == "identity-conflict"
    assert [each.key for each in ledger.bindings()] == ["A"]
    assert ledger.pending() == ("B",)
    ledger.close()


# -- saved plans ---------------------------------------------------------------------------------------


# -- for other machines --------------------------------------------------------------------------------


def test_a_state_has_the_bindings_and_the_unanswered_creations(path: Path) -> None:
    ledger = opened(path)
    ledger.bind_account(ACME)
    created(ledger, "A")
    ledger.sending("B", CREATE, Unanswered("i-B"), plan_hash="")
    ledger.sending("C", CREATE, Unanswered("i-C"), plan_hash="")
    ledger.failed("C", CREATE, detail="422")
    found = ledger.state()
    assert found.account == ACME
    assert found.unanswered == {"B": Unanswered("i-B")}
    assert found.bound["A"].binding == Binding("A", LIVE.id, LIVE.reference)
    assert found.bound["A"].fields == {NAME: Remembered("Search was slow", "Search was slow")}


def test_a_new_state_is_empty(path: Path) -> None:
    assert read(path).state() == State()


def test_a_binding_is_as_old_as_its_last_confirmation(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    before = ledger.state().bound["A"].at
    ledger.sending("A", "edit", Unanswered(""), plan_hash="")
    assert ledger.state().bound["A"].at == before
    ledger.confirmed("A", "edit", live=LIVE, declared={SUMMARY: "S"}, answered={SUMMARY: "S"})
    assert ledger.state().bound["A"].at > before


def test_an_adoption_is_the_latest_fact_about_a_key(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    ages = [ledger.state().bound["A"].at]
    ledger.adopt("A", LIVE)
    ages.append(ledger.state().bound["A"].at)
    ledger.bind_all([("A", LIVE, LIVE.attributes)])
    ages.append(ledger.state().bound["A"].at)
    assert ages == sorted(set(ages))


def test_a_bulk_adoption_is_settled_and_remembers_the_values(path: Path) -> None:
    ledger = opened(path)
    ledger.bind_all([("A", LIVE, LIVE.attributes), ("B", live(2, {}), {})])
    assert ledger.bindings() == (Binding("A", LIVE.id, LIVE.reference), Binding("B", "01LIVE2", "INC-2"))
    assert ledger.remembered("A") == {NAME: Remembered("Search was slow", "Search was slow")}


def test_a_bulk_adoption_is_all_or_nothing(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "OLD", live(2, {}))
    with pytest.raises(Refused) as refusal:
        ledger.bind_all([("A", LIVE, LIVE.attributes), ("B", live(2, {}), {})])
    assert refusal.value.code == "identity-conflict"
    assert [each.key for each in ledger.bindings()] == ["OLD"]
    assert ledger.remembered("A") == {}


def test_a_merge_is_durable(path: Path, tmp_path: Path) -> None:
    giver = opened(tmp_path / "giver.db")
    giver.bind_account(ACME)
    created(giver, "A")
    giver.sending("B", CREATE, Unanswered("i-B"), plan_hash="")
    taker = opened(path)
    assert taker.merge(giver.state()) == MergeResult(bound=1, renewed=0, unanswered=1)
    taker.close()
    again = opened(path)
    assert again.state() == giver.state()
    assert again.memory().sent == {"B": Unanswered("i-B")}
    assert again.merge(giver.state()) == MergeResult(0, 0, 0)


def test_a_merge_takes_the_newer_values_of_a_known_key(path: Path, tmp_path: Path) -> None:
    taker, giver = opened(path), opened(tmp_path / "giver.db")
    created(taker, "A")
    created(giver, "A")
    giver.sending("A", "edit", Unanswered(""), plan_hash="")
    giver.confirmed("A", "edit", live=LIVE, declared={NAME: "New", SUMMARY: "S"}, answered={NAME: "New"})
    assert taker.merge(giver.state()) == MergeResult(bound=0, renewed=1, unanswered=0)
    assert taker.remembered("A") == {NAME: Remembered("New", "New"), SUMMARY: Remembered("S", None)}


def test_contradicting_states_are_not_merged(path: Path, tmp_path: Path) -> None:
    taker, giver = opened(path), opened(tmp_path / "giver.db")
    created(taker, "A")
    created(giver, "A", live(2, {}))
    created(giver, "B", live(3, {}))
    before = taker.state()
    with pytest.raises(Refused) as refusal:
        taker.merge(giver.state())
    assert refusal.value.code == "state-conflict"
    assert taker.state() == before


def test_a_creation_settled_on_another_machine_is_no_longer_pending(path: Path, tmp_path: Path) -> None:
    taker, giver = opened(path), opened(tmp_path / "giver.db")
    taker.sending("A", CREATE, Unanswered("i-A"), plan_hash="")
    created(giver, "A")
    taker.merge(giver.state())
    assert taker.pending() == ()
    assert taker.binding("A") == Binding("A", LIVE.id, LIVE.reference)


# -- plans -----------------------------------------------------------------------------------------------


def test_the_ledger_knows_what_a_saved_plan_began_and_what_it_finished(path: Path) -> None:
    ledger = opened(path)
    ledger.planned(["A", "B", "C", "D"], plan_hash="p")
    created(ledger, "A", plan_hash="p")
    ledger.settled("A", LIVE.id, LIVE.reference, plan_hash="p")
    ledger.sending("B", CREATE, Unanswered("i-B"), plan_hash="p")
    ledger.sending("C", CREATE, Unanswered("i-C"), plan_hash="p")
    ledger.failed("C", CREATE, detail="no")
    assert ledger.applied_by("p") == {"A"}
    assert ledger.begun_by("p") == {
        "A",
        "B",
    }  # a refusal changed nothing, so it is no excuse for a stale plan
    assert not ledger.is_finished("p")
    ledger.finished("p")
    ledger.finished("p")
    assert ledger.is_finished("p")
    ledger.close()


def test_a_key_taken_up_by_a_later_plan_no_longer_belongs_to_the_earlier_one(path: Path) -> None:
    ledger = opened(path)
    ledger.planned(["A"], plan_hash="saved")
    created(ledger, "A", plan_hash="saved")
    ledger.planned(["A"], plan_hash="")
    assert ledger.begun_by("saved") == frozenset()
    ledger.close()


def test_settling_one_plan_does_not_confirm_another(path: Path) -> None:
    ledger = opened(path)
    ledger.planned(["A"], plan_hash="saved")
    ledger.settled("A", LIVE.id, LIVE.reference, plan_hash="")
    ledger.planned([], plan_hash="")
    assert ledger.applied_by("saved") == frozenset()
    assert [each.status for each in ledger.entries("A")] == ["planned"]
    ledger.close()


# -- the file ------------------------------------------------------------------------------------------


def test_an_absent_file_is_created_with_its_folder(path: Path) -> None:
    opened(path).close()
    assert path.exists()


def test_reading_leaves_an_absent_file_absent(path: Path) -> None:
    ledger = read(path)
    assert ledger.bindings() == ()
    ledger.close()
    assert not path.parent.exists()


def test_an_empty_file_is_an_empty_state(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    ledger = read(path)
    assert ledger.bindings() == ()
    ledger.close()
    assert path.read_bytes() == b""
    ledger = opened(path)
    created(ledger, "A")
    ledger.close()
    assert [each.key for each in read(path).bindings()] == ["A"]


@pytest.mark.parametrize("name", [":memory:", "file:state.db?mode=memory", "a b%20?#.db"])
def test_a_file_name_is_never_special_to_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = opened(Path(name))
    created(ledger, "A")
    ledger.close()
    assert (tmp_path / name).exists()
    assert [each.key for each in read(Path(name)).bindings()] == ["A"]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE browser_history (url TEXT)")
    database.close()


def blank_foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id = 7")
    database.close()


def later(path: Path) -> None:
    opened(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


FIRST_VERSION = f"""{TABLES_1}
INSERT INTO binding VALUES ('A', '01LIVE', 'INC-1', 1, '2026-03-01T12:00:00+00:00');
INSERT INTO entry VALUES ('A', 'create', 'confirmed', '2026-03-01T12:00:00+00:00', 'i-A', '', NULL);
INSERT INTO entry VALUES ('B', 'create', 'sent', '2026-03-01T12:00:01+00:00', 'i-B', '', NULL);
PRAGMA application_id = 1229803604;
PRAGMA user_version = 1;
"""


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return int(version)


@pytest.mark.parametrize(
    ("how", "version"), [(opened, SCHEMA_VERSION), (read, 1)], ids=["to write", "to read"]
)
def test_a_state_of_0_1_0_is_readable_and_is_migrated_on_writing(
    path: Path, how: Callable[[Path], Ledger], version: int
) -> None:
    path.parent.mkdir(exist_ok=True)
    with sqlite3.connect(path) as database:
        database.executescript(FIRST_VERSION)
    database.close()
    ledger = how(path)
    assert [each.key for each in ledger.bindings()] == ["A"]
    assert dict(ledger.memory().sent) == {"B": Unanswered("i-B", None)}
    assert [each.status for each in ledger.entries("A")] == ["confirmed"]
    assert ledger.state().unanswered == {"B": Unanswered("i-B")}
    ledger.close()
    assert version_of(path) == version
    again = opened(path)
    again.sending("B", CREATE, Unanswered("i-B", "{}"), plan_hash="")
    assert again.in_doubt("B", CREATE) == Unanswered("i-B", "{}")
    again.close()


def test_a_sent_body_is_kept_until_it_is_answered(path: Path) -> None:
    ledger = opened(path)
    ledger.sending("A", CREATE, Unanswered("i-A", '{"name":"secret"}'), plan_hash="")
    assert ledger.in_doubt("A", CREATE) == Unanswered("i-A", '{"name":"secret"}')
    assert ledger.state().unanswered == {"A": Unanswered("i-A", '{"name":"secret"}')}
    ledger.confirmed("A", CREATE, live=LIVE, declared={}, answered={})
    ledger.sending("B", CREATE, Unanswered("i-B", '{"name":"secret"}'), plan_hash="")
    ledger.failed("B", CREATE, detail="no")
    ledger.close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM entry WHERE content IS NOT NULL").fetchone() == (0,)
    database.close()


def test_a_step_without_an_idempotency_key_is_not_sent_again(path: Path) -> None:
    ledger = opened(path)
    ledger.sending("A", "edit", Unanswered(""), plan_hash="")
    assert ledger.in_doubt("A", "edit") is None
    ledger.close()


def damaged(path: Path) -> None:
    ledger = opened(path)
    for number in range(50):
        created(ledger, f"K-{number}", live(number, FULL))
    ledger.close()
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("how", [opened, read])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda path: path.write_text("incidents:\n- key: A\n" * 99),
            "cannot be used: file is not a database",
        ),
        (foreign, "is not an importer state file"),
        (blank_foreign, "is not an importer state file"),
        (later, "was written by a later version of importer"),
        (Path.mkdir, "cannot be used"),
    ],
    ids=["text", "other database", "blank other database", "later version", "folder"],
)
def test_a_foreign_file_is_refused_readably_and_left_alone(
    tmp_path: Path, make: Callable[[Path], Any], words: str, how: Callable[[Path], Ledger]
) -> None:
    path = tmp_path / "state.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(Refused, match=words) as refusal:
        how(path)
    assert refusal.value.exit_code == ExitCode.REFUSED
    assert str(path) in refusal.value.summary
    assert refusal.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before
    # A reader of a file in WAL mode may leave SQLite's own two beside it, without content.
    beside = {each.name for each in tmp_path.iterdir() if not each.name.endswith("-shm")} - {path.name}
    assert all((tmp_path / name).stat().st_size == 0 for name in beside)


@pytest.mark.parametrize("how", [opened, read])
def test_a_damaged_file_is_refused_and_never_a_traceback(path: Path, how: Callable[[Path], Ledger]) -> None:
    damaged(path)
    with pytest.raises(Refused, match="cannot be used"):
        ledger = how(path)
        try:
            ledger.memory()
            ledger.remembered("K-1")
        finally:
            ledger.close()


def test_an_unreadable_value_is_a_readable_error(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    ledger.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE field SET declared = '{'")
    database.close()
    again = read(path)
    with pytest.raises(Refused, match="cannot be used"):
        again.remembered("A")
    again.close()


def test_a_file_in_place_of_the_folder_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be used") as refusal:
        opened(tmp_path / "file" / "state.db")
    assert "--state FILE" in refusal.value.hint


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write")
def test_a_read_only_folder_is_a_readable_error() -> None:
    with pytest.raises(Refused, match="cannot be used: "):
        opened(Path("/proc/state.db"))


def test_a_state_in_a_read_only_folder_can_be_read() -> None:
    with TemporaryDirectory() as folder:  # pytest's own is closed to everybody else
        path = Path(folder) / "state.db"
        ledger = opened(path)
        created(ledger, "A")
        ledger.close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with nobody(), closing(read(path)) as seen:
            assert [each.key for each in seen.bindings()] == ["A"]
        assert list(Path(folder).iterdir()) == [path]
        Path(folder).chmod(0o755)


@contextmanager
def nobody() -> Iterator[None]:
    """Become a user whom permissions restrict: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_write_to_a_read_only_state_is_refused_and_nothing_is_lost(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    ledger.close()
    again = read(path)
    with pytest.raises(Refused, match="readonly"):
        again.forget("A")
    again.settled("A", LIVE.id, LIVE.reference, plan_hash="")
    with pytest.raises(Refused, match="readonly"):
        again.close()
    assert [each.key for each in read(path).bindings()] == ["A"]


def test_a_write_is_on_disk_when_it_returns(path: Path) -> None:
    file = open_file(path)
    synchronous: Sequence[tuple[object, ...]] = file.query("PRAGMA synchronous")
    assert file.query("PRAGMA journal_mode") == [("wal",)]
    assert synchronous == [(2,)]  # FULL
    file.close()


def test_waiting_writes_are_written_when_the_file_is_closed(path: Path) -> None:
    ledger = opened(path)
    ledger.adopt("A", LIVE)
    ledger.settled("A", LIVE.id, LIVE.reference, plan_hash="")
    assert ledger.bindings()[0].settled is False
    ledger.close()
    assert read(path).bindings()[0].settled is True


# -- the account ---------------------------------------------------------------------------------------


def test_the_state_of_another_account_is_refused_with_both_names(path: Path) -> None:
    ledger = opened(path)
    check_account(ledger, ACME)
    assert ledger.account() is None
    ledger.bind_account(ACME)
    ledger.bind_account(Account(ACME.endpoint, ACME.dashboard_url, roles=("viewer",)))
    other = Account("https://api.incident.io", "https://app.incident.io/other")
    with pytest.raises(
        Refused, match=r"app\.incident\.io/acme .* not https://app\.incident\.io/other"
    ) as refusal:
        ledger.bind_account(other)
    assert (refusal.value.code, refusal.value.exit_code) == ("foreign-account", ExitCode.REFUSED)
    assert ledger.account() == ACME
    ledger.close()


def test_an_account_without_a_dashboard_is_an_account_too(path: Path) -> None:
    ledger = opened(path)
    ledger.bind_account(Account(ACME.endpoint, ""))
    with pytest.raises(Refused):
        ledger.bind_account(ACME)
    ledger.close()


def test_nothing_that_apply_records_contains_the_api_key(tmp_path: Path) -> None:
    (tmp_path / "incident.yaml").write_text("key: A\nname: Search was slow\nseverity: Minor\n")
    sandbox = open_sandbox(None, options=SandboxOptions())
    state = tmp_path / ".importer" / "state.db"
    rehearsal = Rehearsal(tmp_path, sandbox, Settings(root=tmp_path, state=state))
    assert len(rehearsal.apply(tmp_path).outcomes) == 1
    sandbox.close()
    written = b"".join(each.read_bytes() for each in state.parent.iterdir())
    assert b"Search was slow" in written
    assert rehearsal.key.encode() not in written


# -- threads and processes -----------------------------------------------------------------------------


def test_threads_share_a_ledger_and_lose_nothing(path: Path) -> None:
    ledger = opened(path)
    ledger.planned([f"K-{number}" for number in range(400)], plan_hash="p")

    def work(number: int) -> None:
        made = live(number, {NAME: f"n {number}"})
        created(ledger, f"K-{number}", made, plan_hash="p")
        ledger.settled(f"K-{number}", made.id, made.reference, plan_hash="p")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(400)))
    ledger.close()
    again = read(path)
    assert len(again.bindings()) == 400
    assert len(again.applied_by("p")) == 400
    again.close()


def test_a_failed_write_does_not_affect_the_others(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    ledger.settled("B", LIVE.id, LIVE.reference, plan_hash="")  # the incident of A: it cannot be
    ledger.adopt("C", live(2, {}))
    assert [each.key for each in ledger.bindings()] == ["A", "C"]
    ledger.settled("B", LIVE.id, LIVE.reference, plan_hash="")
    ledger.settled("C", "01LIVE2", "INC-2", plan_hash="")
    with pytest.raises(Refused, match="would be bound to the same incident"):
        ledger.close()
    assert read(path).binding("C") == Binding("C", "01LIVE2", "INC-2", settled=True)


def test_a_refusal_reaches_only_the_thread_that_asked(path: Path) -> None:
    ledger = opened(path)
    created(ledger, "A")
    refused: list[str] = []
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait(10)
        for turn in range(20):
            made = live(number * 100 + turn + 10, {})
            try:
                ledger.adopt(f"K-{number}-{turn}", LIVE if number == 0 else made)
            except Refused:
                refused.append(f"K-{number}-{turn}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sorted(refused) == sorted(f"K-0-{turn}" for turn in range(20))
    assert len(ledger.bindings()) == 1 + 7 * 20
    ledger.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from importer.model import Unanswered
from importer.state.ledger import open_ledger
ledger = open_ledger(Path(sys.argv[1]), now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
ledger.sending("A", "create", Unanswered("i-A"), plan_hash="")
print("sent", flush=True)
sys.stdin.readline()
"""


def test_reading_works_while_another_process_writes(path: Path) -> None:
    with Process(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout and writer.stdout.readline() == "sent\n"
        ledger = read(path)
        assert ledger.pending() == ("A",)
        ledger.close()
        writer.kill()
    ledger = opened(path)
    assert ledger.pending() == ("A",)  # it was durable, and the process was killed
    ledger.close()


def test_a_creation_confirmed_during_a_read_is_never_lost(path: Path) -> None:
    writer = opened(path)
    writer.sending("A", CREATE, Unanswered("i-A"), plan_hash="")

    class Overtaken(Ledger):
        def bindings(self) -> tuple[Binding, ...]:
            created(writer, "A")
            return super().bindings()

    reader = Overtaken(read_file(path), path, Clock())
    memory = reader.memory()
    assert "A" in memory.bindings
    assert not memory.sent
    writer.close()
    reader.close()


@pytest.mark.parametrize(
    ("declared", "answered", "changes"),
    [
        ("KEY-1", "Key-1", True),
        ("KEY_1", r"KEY\_1", False),
        ("KEY-1", "other", False),
        ("KEY-1", None, False),
    ],
)
def test_an_answer_shows_whether_the_account_changes_the_case(
    tmp_path: Path, declared: str, answered: str | None, changes: bool
) -> None:
    field = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01F", "Legacy ID"))
    other = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01G", "Notes"))
    with closing(open_ledger(tmp_path / "state.db", now=lambda: datetime.now(UTC))) as ledger:
        ledger.confirmed("A", CREATE, live=LIVE, declared={field: declared}, answered={field: answered})
        assert ledger.changes_case(field) == changes
        assert not ledger.changes_case(other)
