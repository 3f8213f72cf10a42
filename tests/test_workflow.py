"""The order of the stages: what is selected, what is refused as stale, and when a saved plan is finished."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from importer.apply.applier import ApplyResult
from importer.model import (
    Account,
    Attribute,
    Create,
    Failed,
    Field,
    FieldChange,
    FollowUp,
    Incident,
    LiveIncident,
    Location,
    Origin,
    Pending,
    Plan,
    Scope,
    Unanswered,
    Update,
)
from importer.model.errors import Refused, UsageError
from importer.model.settings import Settings
from importer.plan.selection import selected
from importer.state.ledger import open_ledger
from importer.workflow import AccountApi, Session, adopt, mark_applied, refuse_stale

NAME, SUMMARY = Attribute(Field.NAME), Attribute(Field.SUMMARY)
TODO = Attribute(Field.FOLLOW_UP, "Buy disks")
ACCOUNT = Account("https://api.example.com", "https://app.example.com/acme")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Location("a.yaml", 1)


def incident(key: str) -> Incident:
    return Incident(key, None, {}, HERE)


def live(number: int, **attributes: str) -> LiveIncident:
    values = {Attribute(Field(name)): value for name, value in attributes.items()}
    return LiveIncident(f"id{number}", f"INC-{number}", "retrospective", NOW, "yesterday", values)


@dataclass
class ReadOnlyAccount:
    """An account that can only be read."""

    incidents: dict[str, LiveIncident] = field(default_factory=dict)

    def incident(self, id_or_number: str) -> LiveIncident | None:
        return self.incidents.get(id_or_number)


@contextmanager
def session(folder: Path, *held: LiveIncident) -> Iterator[Session]:
    ledger = open_ledger(folder / "state.db", now=lambda: NOW)
    known = {each.id: each for each in held} | {str(each.number): each for each in held}
    try:
        api = cast(AccountApi, ReadOnlyAccount(known))
        yield Session(Settings(root=folder), ACCOUNT, api, ledger, lambda: NOW, lambda _: None, NOW)
    finally:
        ledger.close()


def plan_of(*changes: Any, account: Account = ACCOUNT) -> Plan:
    return Plan(account, NOW, "1", (), "", changes, ())


def update(known: LiveIncident, *extra: FieldChange) -> Update:
    return Update(
        incident("A"), live=known, changes=(FieldChange(NAME, "old", "new", Origin.FILE), *extra), blocked=()
    )


def stale(known: Session, plan: Plan, plan_hash: str = "") -> str:
    with pytest.raises(Refused) as caught:
        refuse_stale(known, plan, plan_hash)
    return caught.value.summary


def test_a_scope_takes_keys_globs_and_keys_that_look_like_globs() -> None:
    known = [incident(key) for key in ("A-1", "A-2", "B[1]")]

    def keys(*only: str) -> list[str]:
        return [each.key for each in selected(known, Scope(only))]

    assert keys() == ["A-1", "A-2", "B[1]"]
    assert keys("A-*") == ["A-1", "A-2"]
    assert keys("B[1]") == ["B[1]"]
    with pytest.raises(UsageError, match="C"):
        keys("A-1", "C")
    assert selected([], Scope(("C",))) == ()


def test_an_unchanged_incident_is_not_stale(tmp_path: Path) -> None:
    before = live(1, name="old")
    with session(tmp_path, before) as known:
        adopt(known, "A", "INC-1")
        refuse_stale(known, plan_of(update(before), Create(incident("B"), "key", {})))


@pytest.mark.parametrize("updated_at", ["today", "2026-01-01T00:00:00Z"])
def test_an_edited_incident_is_named_with_every_edited_field_whatever_its_time_stamp_says(
    tmp_path: Path, updated_at: str
) -> None:
    before = replace(live(1, name="old", summary="as it was"), updated_at="2026-01-01T00:00:00Z")
    now = replace(live(1, name="other", summary="rewritten"), updated_at=updated_at)
    with session(tmp_path, now) as known:
        words = "'A' (INC-1) was edited since the plan was made: name, summary"
        assert words in stale(known, plan_of(update(before)))


def test_a_value_that_was_set_since_is_an_edit_too(tmp_path: Path) -> None:
    with session(tmp_path, live(1, name="old", summary="new")) as known:
        assert "edited since the plan was made: summary" in stale(known, plan_of(update(live(1, name="old"))))


def test_a_time_stamp_that_moved_alone_is_not_stale_nor_is_another_form(tmp_path: Path) -> None:
    before = live(1, name="old", summary="a_b & c")
    now = replace(live(1, name="old ", summary=r"a\_b &amp; c"), updated_at="today")
    with session(tmp_path, now) as known:
        adopt(known, "A", "INC-1")
        refuse_stale(known, plan_of(update(before)))


def test_a_follow_up_that_no_list_of_incidents_shows_is_not_called_edited(tmp_path: Path) -> None:
    before = live(1, name="old")
    before = replace(before, attributes={**before.attributes, TODO: FollowUp("Buy disks")})
    now = replace(live(1, name="old"), updated_at="today")
    with session(tmp_path, now) as known:
        adopt(known, "A", "INC-1")
        refuse_stale(known, plan_of(update(before)))


def test_an_incident_that_is_no_longer_visible_is_stale(tmp_path: Path) -> None:
    with session(tmp_path) as known:
        assert "no longer visible" in stale(known, plan_of(update(live(1, name="old"))))


def test_a_planned_edit_is_stale_if_the_binding_has_changed(tmp_path: Path) -> None:
    first, second = live(1, name="old"), live(2)
    with session(tmp_path, first, second) as known:
        adopt(known, "A", "INC-1")
        refuse_stale(known, plan_of(update(first)))
        known.ledger.forget("A")
        adopt(known, "A", "INC-2")
        assert "'A' was INC-1, but is now bound to INC-2" in stale(known, plan_of(update(first)))
        known.ledger.forget("A")
        assert "nothing proves any longer that INC-1 is 'A'" in stale(known, plan_of(update(first)))
        adopt(known, "B", "INC-1")
        assert "'A' was INC-1, but that is now bound to 'B'" in stale(known, plan_of(update(first)))


def test_a_plan_for_another_account_is_refused(tmp_path: Path) -> None:
    elsewhere = replace(ACCOUNT, dashboard_url="https://app.example.com/other")
    with session(tmp_path) as known:
        assert "https://app.example.com/other" in stale(known, plan_of(account=elsewhere))


def test_a_saved_plan_is_finished_only_when_nothing_is_left(tmp_path: Path) -> None:
    with session(tmp_path) as known:
        mark_applied(known, ApplyResult((Failed("A", "invalid", "no", "", HERE),)), "hash")
        refuse_stale(known, plan_of(), "hash")
        mark_applied(known, ApplyResult(()), "hash")
        assert "already applied" in stale(known, plan_of(), "hash")


@pytest.mark.parametrize("reference", ["INC-7", "7", " inc-7 ", "id7"])
def test_an_incident_is_adopted_by_reference_number_or_id(tmp_path: Path, reference: str) -> None:
    with session(tmp_path, live(7)) as known:
        assert adopt(known, "A", reference).reference == "INC-7"
        assert [each.key for each in known.ledger.bindings()] == ["A"]


def test_a_key_has_one_incident_and_an_incident_one_key(tmp_path: Path) -> None:
    with session(tmp_path, live(7), live(8)) as known:
        adopt(known, "A", "INC-7")
        adopt(known, "A", "INC-7")
        with pytest.raises(Refused, match="'A' is already bound to INC-7"):
            adopt(known, "A", "INC-8")
        with pytest.raises(Refused, match="the key 'A'"):
            adopt(known, "B", "INC-7")
        with pytest.raises(UsageError, match="INC-9"):
            adopt(known, "B", "INC-9")


# -- creations that would not be sent as the plan shows ---------------------------------------------------


def sent(known: Session, key: str, *, content: str | None) -> None:
    known.ledger.sending(key, "create", Unanswered("once", content), plan_hash="")


def test_a_creation_in_doubt_that_was_settled_since_is_stale(tmp_path: Path) -> None:
    with session(tmp_path) as known:
        sent(known, "A", content="{}")
        planned = plan_of(Pending(incident("A"), "once", {}, content="{}"))
        refuse_stale(known, planned)
        known.ledger.confirmed("A", "create", live=live(1), declared={}, answered={})
        assert "'A' was created since the plan was made, as INC-1" in stale(known, planned)


@pytest.mark.parametrize(
    ("planned", "journaled", "why"),
    [
        (Pending(incident("A"), "once", {}, content="{}"), None, "would not be sent as the plan shows"),
        (
            Pending(incident("A"), "once", {}, content="{}"),
            '{"name":"other"}',
            "would not be sent as the plan shows",
        ),
        (Create(incident("A"), "once", {}), "{}", "was sent since"),
    ],
    ids=["not-known-here", "sent-otherwise", "sent-since"],
)
def test_a_creation_that_would_not_be_sent_as_shown_is_stale(
    tmp_path: Path, planned: Create | Pending, journaled: str | None, why: str
) -> None:
    with session(tmp_path) as known:
        if journaled is not None:
            sent(known, "A", content=journaled)
        assert f"'A' {why}" in stale(known, plan_of(planned))
