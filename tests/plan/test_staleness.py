"""What has changed since a plan was saved, so that it no longer holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from importer.model import (
    Attribute,
    Blocked,
    Change,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Kind,
    PostmortemDocument,
    Remembered,
    TimelineItem,
    Update,
    Value,
)
from importer.plan.matching import Conflict
from importer.plan.staleness import created_since, edited_since, with_stale_blocked
from tests.planning import BOUND, NOTHING, POSTMORTEM, remembering
from tests.plans import (
    BEGAN,
    BLOCKED,
    CALL_URL,
    ENDED,
    LISA,
    MAJOR,
    MINOR,
    NAME,
    SEARCH,
    SEVERITY,
    SHORT,
    SUMMARY,
    TEAMS_FIELD,
    create,
    incident,
    live,
    noop,
)

DAY = timedelta(days=1)
TASK = Attribute(Field.FOLLOW_UP, "Add an alert")
SHOWN_TASK = FollowUp("some", status="outstanding")
EDIT = Update(
    incident("A", {NAME: "new", SEVERITY: MAJOR, TASK: FollowUp("more")}),
    live(7, {NAME: "old", SEVERITY: MINOR, SUMMARY: "as it was", TASK: SHOWN_TASK}),
    (
        FieldChange(NAME, "old", "new"),
        FieldChange(SEVERITY, MINOR, MAJOR),
        FieldChange(TASK, SHOWN_TASK, FollowUp("more")),
    ),
)
CREATION = create("A", {**SHORT, CALL_URL: "https://meet.example.com/"})


def shown(**more: Value) -> dict[Attribute, Value]:
    """Return the incident as the plan has seen it, with some other values."""
    names = {"name": NAME, "severity": SEVERITY, "summary": SUMMARY, "task": TASK, "call_url": CALL_URL}
    seen: dict[Attribute, Value] = {NAME: "old", SEVERITY: MINOR, SUMMARY: "as it was"}
    seen[TASK] = SHOWN_TASK
    return seen | {names[name]: value for name, value in more.items()}


def test_a_key_whose_identity_is_in_conflict_since_is_named_with_the_reason() -> None:
    found = created_since([create("A", SHORT)], NOTHING, {"A": Conflict("several incidents have it")})
    assert list(found) == ["'A': several incidents have it"]


@pytest.mark.parametrize(
    ("now", "fields"),
    [
        (shown(), ""),
        (shown(summary="as it  was"), ""),
        (shown(task=FollowUp("some ", status="outstanding")), ""),
        (shown(task=FollowUp("some", status="completed")), "follow_ups.Add an alert"),
        (shown(task=FollowUp("some", LISA, status="outstanding")), "follow_ups.Add an alert"),
        (shown(task=FollowUp("some", status="outstanding", team="01TEAM")), "follow_ups.Add an alert"),
        (shown(task=FollowUp("some", status="outstanding", title="Add one")), "follow_ups.Add an alert"),
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


def test_a_child_that_was_not_listed_may_have_had_more_than_was_written() -> None:
    at, item = BEGAN, Attribute(Field.TIMELINE, "Paged")
    edit = Update(
        incident("A", {item: TimelineItem(ENDED)}),
        live(7, {}),
        (FieldChange(item, TimelineItem(at), TimelineItem(ENDED)),),
    )
    assert list(edited_since([edit], {"A": live(7, {item: TimelineItem(at, "of a person")})})) == []
    assert len(list(edited_since([edit], {"A": live(7, {item: TimelineItem(at + DAY)})}))) == 1


def left(
    change: Change, now: dict[Attribute, Value], known: dict[Attribute, Value], **answered: Value
) -> Change:
    names = {"name": NAME, "task": TASK}
    fields = {attribute: Remembered(value, value) for attribute, value in known.items()}
    for name, value in answered.items():
        fields[names[name]] = replace(fields[names[name]], answered=value)
    (one,) = with_stale_blocked([change], {"A": live(7, now)}, remembering(fields, BOUND))
    return one


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (shown(), {}),
        (shown(name="new", severity=MAJOR), {}),
        (shown(name="NEW, as answered"), {NAME: "new"}),
        (shown(task=FollowUp("more", status="outstanding")), {TASK: FollowUp("more")}),
    ],
)
def test_what_is_as_it_was_planned_from_or_as_a_run_left_it_goes_on(
    now: dict[Attribute, Value], known: dict[Attribute, Value]
) -> None:
    answered: dict[str, Value] = {"name": "NEW, as answered"} if NAME in known else {}
    assert left(EDIT, now, known, **answered) is EDIT


def test_a_new_option_and_a_status_that_is_left_to_set_are_as_a_run_left_them() -> None:
    option, task = Entity(Kind.OPTION, "01A", "Search"), FollowUp("some", status="completed")
    new = Update(
        incident("A", {TASK: task}),
        live(7, {}),
        (FieldChange(TEAMS_FIELD, None, (SEARCH,)), FieldChange(TASK, None, task)),
    )
    made = replace(task, status="outstanding")
    assert left(new, {TEAMS_FIELD: (option,), TASK: made}, {TEAMS_FIELD: (option,)}) is new
    paused = replace(task, status="paused")
    bare: dict[Attribute, Value] = {TASK: replace(task, status=None)}
    assert left(new, {TASK: paused}, bare, task=paused) is new
    assert isinstance(left(new, {TASK: replace(task, status="not_doing")}, bare, task=made), Blocked)
    assert isinstance(left(new, {TEAMS_FIELD: (option,)}, {}), Blocked)
    assert isinstance(left(new, {TEAMS_FIELD: (option,)}, {TEAMS_FIELD: ("text",)}), Blocked)


def test_what_an_older_plan_wrote_is_not_what_this_one_left() -> None:
    assert isinstance(left(EDIT, shown(name="older"), {NAME: "older"}), Blocked)
    done = shown(task=FollowUp("some", status="completed"))
    assert isinstance(left(EDIT, done, {TASK: FollowUp("some")}), Blocked)


@pytest.mark.parametrize("field", ["name", "summary"])
def test_what_people_edited_between_two_runs_of_a_plan_is_left_and_named(field: str) -> None:
    one = left(EDIT, shown(**{field: "of a person"}), {NAME: "new"})
    assert isinstance(one, Blocked)
    assert (one.reason, one.reference) == ("stale", "INC-7")
    assert f"after an earlier run of this plan began: {field};" in one.explanation


def test_a_creation_that_people_edited_between_two_runs_is_left_and_named() -> None:
    assert left(CREATION, {**SHORT, SUMMARY: "of the server"}, dict(SHORT)) is CREATION
    assert left(CREATION, {**SHORT, CALL_URL: "https://meet.example.com/"}, dict(SHORT)) is CREATION
    for edited in ({NAME: "of a person"}, {CALL_URL: "https://other.example.com/"}):
        assert isinstance(left(CREATION, {**SHORT, **edited}, dict(SHORT)), Blocked)


def test_a_change_that_no_run_began_is_not_looked_at() -> None:
    assert list(with_stale_blocked([EDIT], {}, NOTHING)) == [EDIT]
    unchanged = replace(EDIT, changes=())
    assert list(edited_since([unchanged], {"A": live(7, shown())})) == []


@pytest.mark.parametrize("change", [noop(7), BLOCKED])
def test_a_change_that_sends_nothing_never_becomes_stale(change: Change) -> None:
    key = change.incident.key
    assert list(with_stale_blocked([change], {key: live(7, shown(name="of a person"))}, NOTHING)) == [change]
