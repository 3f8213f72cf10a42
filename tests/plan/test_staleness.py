"""What has changed since a plan was saved, so that it no longer holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importer.model import (
    Attribute,
    Blocked,
    Change,
    Field,
    FieldChange,
    FollowUp,
    PostmortemDocument,
    Remembered,
    Update,
    Value,
)
from importer.plan.matching import Conflict
from importer.plan.staleness import created_since, edited_since, without_overtaken
from tests.planning import BOUND, NOTHING, POSTMORTEM, remembering
from tests.plans import (
    BLOCKED,
    CALL_URL,
    MAJOR,
    MINOR,
    NAME,
    SEVERITY,
    SHORT,
    SUMMARY,
    create,
    incident,
    live,
    noop,
)

TASK = Attribute(Field.FOLLOW_UP, "Add an alert")
EDIT = Update(
    incident("A", {NAME: "new", SEVERITY: MAJOR, TASK: FollowUp("more")}),
    live(7, {NAME: "old", SEVERITY: MINOR, SUMMARY: "as it was"}),
    (
        FieldChange(NAME, "old", "new"),
        FieldChange(SEVERITY, MINOR, MAJOR),
        FieldChange(TASK, FollowUp("some"), FollowUp("more")),
    ),
)
CREATION = create("A", {**SHORT, CALL_URL: "https://meet.example.com/"})


def shown(**more: Value) -> dict[Attribute, Value]:
    """Return the incident as the plan has seen it, with some other values."""
    names = {"name": NAME, "severity": SEVERITY, "summary": SUMMARY, "task": TASK, "call_url": CALL_URL}
    seen: dict[Attribute, Value] = {NAME: "old", SEVERITY: MINOR, SUMMARY: "as it was"}
    seen[TASK] = FollowUp("some")
    return seen | {names[name]: value for name, value in more.items()}


def test_a_key_whose_identity_is_in_conflict_since_is_named_with_the_reason() -> None:
    found = created_since([create("A", SHORT)], NOTHING, {"A": Conflict("several incidents have it")})
    assert list(found) == ["'A': several incidents have it"]


@pytest.mark.parametrize(
    ("now", "fields"),
    [
        (shown(), ""),
        (shown(summary="as it  was"), ""),
        (shown(task=FollowUp("some", status="completed")), ""),
        (shown(task=None), ""),
        (shown(summary="rewritten"), "summary"),
        (shown(name="new"), "name"),
        (shown(call_url="https://x.example"), "call_url"),
        (shown(task=FollowUp("of a person")), "follow_ups.Add an alert"),
    ],
)
def test_a_plan_is_stale_by_value_also_of_a_field_that_it_does_not_touch(
    now: dict[Attribute, Value], fields: str
) -> None:
    found = list(edited_since([EDIT], {"A": live(7, now)}))
    assert found == ([f"'A' (INC-7) was edited since the plan was made: {fields}"] if fields else [])


def test_the_content_of_a_post_mortem_that_no_list_shows_is_not_called_edited() -> None:
    before, after = PostmortemDocument("x", "in_review"), PostmortemDocument("x", "completed")
    edit = Update(incident("A", {POSTMORTEM: after}), live(7, {}), (FieldChange(POSTMORTEM, before, after),))
    now = live(7, {POSTMORTEM: PostmortemDocument("", "in_review")})
    assert list(edited_since([edit], {"A": now})) == []
    now = live(7, {POSTMORTEM: PostmortemDocument("", "completed")})
    assert len(list(edited_since([edit], {"A": now}))) == 1


def left(change: Change, now: dict[Attribute, Value], known: dict[Attribute, Value]) -> Change:
    fields = {attribute: Remembered(value, value) for attribute, value in known.items()}
    (one,) = without_overtaken([change], {"A": live(7, now)}, remembering(fields, BOUND))
    return one


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (shown(), {}),
        (shown(name="new", severity=MAJOR), {}),
        (shown(name="NEW, as answered"), {NAME: "NEW, as answered"}),
    ],
)
def test_what_is_as_it_was_planned_from_or_as_a_run_left_it_goes_on(
    now: dict[Attribute, Value], known: dict[Attribute, Value]
) -> None:
    assert left(EDIT, now, known) is EDIT


@pytest.mark.parametrize("field", ["name", "summary"])
def test_what_people_edited_between_two_runs_of_a_plan_is_left_and_named(field: str) -> None:
    one = left(EDIT, shown(**{field: "of a person"}), {NAME: "new"})
    assert isinstance(one, Blocked)
    assert (one.reason, one.reference) == ("stale", "INC-7")
    assert f"since an earlier run of this plan began it: {field};" in one.explanation


def test_a_creation_that_people_edited_between_two_runs_is_left_and_named() -> None:
    assert left(CREATION, {**SHORT, SUMMARY: "of the server"}, dict(SHORT)) is CREATION
    assert left(CREATION, {**SHORT, CALL_URL: "https://meet.example.com/"}, dict(SHORT)) is CREATION
    for edited in ({NAME: "of a person"}, {CALL_URL: "https://other.example.com/"}):
        assert isinstance(left(CREATION, {**SHORT, **edited}, dict(SHORT)), Blocked)


def test_a_change_that_no_run_began_is_not_looked_at() -> None:
    assert list(without_overtaken([EDIT], {}, NOTHING)) == [EDIT]
    unchanged = replace(EDIT, changes=())
    assert list(edited_since([unchanged], {"A": live(7, shown())})) == []


@pytest.mark.parametrize("change", [noop(7), BLOCKED])
def test_what_sends_nothing_cannot_be_overtaken(change: Change) -> None:
    key = change.incident.key
    assert list(without_overtaken([change], {key: live(7, shown(name="of a person"))}, NOTHING)) == [change]
