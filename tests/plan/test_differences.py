"""A difference is shown if and only if a user would call it one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attachment,
    Attributes,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Kind,
    Link,
    Membership,
    NewOption,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    TimelineItem,
    Value,
)
from importer.plan.differences import differences, same, without
from tests import strategies
from tests.plans import (
    BEGAN,
    CALL_URL,
    ENDED,
    FULL,
    LISA,
    MAJOR,
    MINOR,
    NAME,
    PAYMENTS,
    PLATFORM,
    SEARCH,
    SEVERITY,
    SUMMARY,
    TEAMS_FIELD,
)

lines = st.lists(st.sampled_from(["", "a", "b", "  a", "- c"]), min_size=1, max_size=5)
blanks = st.sampled_from(["", " ", "  ", "\t"])


def test_an_undeclared_attribute_is_never_a_difference() -> None:
    assert differences(FULL, {}) == ()
    assert differences(FULL, {NAME: FULL[NAME]}) == ()


def test_differences_have_both_values_and_are_in_the_order_of_fields() -> None:
    declared: Attributes = {SUMMARY: None, SEVERITY: MAJOR, CALL_URL: "https://x", NAME: "New"}
    live: Attributes = {NAME: "Old", SEVERITY: MINOR, SUMMARY: "text"}
    assert differences(live, declared) == (
        FieldChange(NAME, "Old", "New"),
        FieldChange(SUMMARY, "text", None),
        FieldChange(SEVERITY, MINOR, MAJOR),
        FieldChange(CALL_URL, None, "https://x"),
    )


def test_clearing_an_unset_attribute_is_not_a_difference() -> None:
    assert differences({}, {SUMMARY: None, TEAMS_FIELD: None}) == ()


@given(strategies.incident_attributes, strategies.incident_attributes)
def test_differences_are_exactly_the_values_that_are_not_the_same(one: Attributes, other: Attributes) -> None:
    found = {each.attribute: each for each in differences(one, other)}
    assert found.keys() == {each for each, value in other.items() if not same(one.get(each), value)}
    for attribute, change in found.items():
        assert (change.before, change.after) == (one.get(attribute), other[attribute])


@given(strategies.incident_attributes)
def test_nothing_differs_from_itself(attributes: Attributes) -> None:
    assert differences(attributes, dict(reversed(list(attributes.items())))) == ()


def test_removing_attributes_leaves_the_rest() -> None:
    assert without({NAME: "a", SUMMARY: None}, SUMMARY, SEVERITY) == {NAME: "a"}


@given(strategies.values)
def test_a_value_is_never_the_same_as_none(value: Value) -> None:
    assert same(None, value) is (value is None)
    assert same(value, None) is (value is None)


@given(lines, st.lists(blanks, min_size=6, max_size=6))
def test_trailing_white_space_is_not_a_change(text: list[str], ends: list[str]) -> None:
    spaced = "\n".join(line + end for line, end in zip(text, ends, strict=False))
    assert same("\n".join(text), spaced)
    assert same(spaced + "\n\n", "\n".join(text))


@given(lines, lines)
def test_any_other_edit_of_text_is_a_change(one: list[str], other: list[str]) -> None:
    trimmed = "\n".join(one).rstrip(), "\n".join(other).rstrip()
    assert same("\n".join(one), "\n".join(other)) is (trimmed[0] == trimmed[1])


def test_moving_or_repeating_a_line_is_a_change() -> None:
    assert not same("first\nsecond", "second\nfirst")
    assert not same("again\nonce", "again\nagain\nonce")
    assert not same(TimelineItem(BEGAN, "first\nsecond"), TimelineItem(BEGAN, "second\nfirst"))
    assert not same(PostmortemDocument("a\nb"), PostmortemDocument("b\na"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Decimal("1200"), Decimal("1200.0")),
        (BEGAN, BEGAN + timedelta(0)),
        ((PLATFORM, PAYMENTS), (PAYMENTS, PLATFORM)),
        (MAJOR, replace(MAJOR, name="Renamed")),
        ((NewOption(replace(SEARCH.custom_field, name="Renamed"), "Search"), PAYMENTS), (PAYMENTS, SEARCH)),
        (Link("https://x "), Link("https://x")),
        (FollowUp(labels=("ops", "db")), FollowUp(labels=("db", "ops"))),
        (FollowUp("x \n", LISA), FollowUp("x", replace(LISA, name="Renamed"))),
        (Membership(), Membership()),
    ],
)
def test_the_same_value_in_another_form_is_not_a_change(one: Value, other: Value) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1200", Decimal("1200")),
        ("https://x", Link("https://x")),
        (Link("https://x"), Link("https://y")),
        (Decimal("1200"), Decimal("1200.1")),
        (BEGAN, BEGAN + timedelta(milliseconds=1)),
        ("Major", "major"),
        (MAJOR, MINOR),
        (MAJOR, Entity(Kind.STATUS, MAJOR.id, MAJOR.name)),
        (MAJOR, MAJOR.name),
        (MAJOR, Reference(Kind.SEVERITY, "Major")),
        ((PAYMENTS,), (PAYMENTS, PLATFORM)),
        ((PAYMENTS, PLATFORM), (PAYMENTS,)),
        ((PAYMENTS,), (SEARCH,)),
        ((SEARCH,), (NewOption(PAYMENTS, "Search"),)),
        ((Reference(Kind.OPTION, "a"),), (Reference(Kind.OPTION, "a", "id"),)),
        (TimelineItem(BEGAN), TimelineItem(ENDED)),
        (FollowUp(status="outstanding"), FollowUp(status="completed")),
        (FollowUp(assignee=None), FollowUp(assignee=LISA)),
        (FollowUp(labels=("db",)), FollowUp(labels=("db", "ops"))),
        (FollowUp("half \ud83d"), FollowUp("half \ud83e")),
        (FollowUp(labels=("\ud83d",)), FollowUp(labels=("\\ud83d",))),
        (PostmortemDocument("x", "completed"), TimelineItem(BEGAN)),
        (PostmortemDocument("x"), PostmortemDocument("y")),
        (PostmortemDocument("x"), PostmortemDocument("x", "completed")),
    ],
)
def test_another_value_is_a_change(one: Value, other: Value) -> None:
    assert not same(one, other)


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        (FollowUp("text", LISA, "completed", ("db",)), FollowUp()),
        (FollowUp("text", LISA, "completed", ("db",)), FollowUp(status="completed")),
        (TimelineItem(BEGAN, "text"), TimelineItem(BEGAN)),
        (PostmortemDocument("x", "completed"), PostmortemDocument("x")),
        (Attachment("jira_issue", "https://x", "PAY-1", "Title"), Attachment("jira_issue", "https://x")),
        (Attachment("jira_issue", "https://x", "PAY-1"), Attachment("jira_issue", external_id="PAY-1")),
    ],
)
def test_an_undeclared_part_of_a_child_is_not_a_difference(live: Value, declared: Value) -> None:
    assert same(live, declared)
    assert not same(declared, live)


@pytest.mark.parametrize(
    ("live", "declared", "expected"),
    [
        (PostmortemDocument("", "completed"), PostmortemDocument("long", "completed"), True),
        (PostmortemDocument("", "in_progress"), PostmortemDocument("long"), True),
        (PostmortemDocument(""), PostmortemDocument("long"), True),
        (PostmortemDocument("", "in_progress"), PostmortemDocument("long", "completed"), False),
        (PostmortemDocument(""), PostmortemDocument("long", "completed"), False),
    ],
)
def test_only_the_status_of_a_listed_post_mortem_can_differ(
    live: Value, declared: Value, expected: bool
) -> None:
    assert same(live, declared) is expected


def test_every_part_of_a_public_history_counts_but_not_its_components_order() -> None:
    history = FULL[next(each for each in FULL if each.field is Field.STATUS_PAGE)]
    assert isinstance(history, StatusPageIncident)
    first, last = history.updates
    components = (*first.components, (PAYMENTS, "operational"))
    shuffled = replace(first, components=components[::-1])
    assert same(
        replace(history, updates=(replace(first, components=components), last)),
        replace(history, updates=(shuffled, last)),
    )
    for other in (
        replace(first, at=ENDED),
        replace(first, status="monitoring"),
        replace(first, message="Other"),
        replace(first, components=()),
    ):
        assert not same(history, replace(history, updates=(other, last)))
    assert not same(history, replace(history, updates=(last,)))
    assert not same(history, replace(history, page=replace(MAJOR, kind=Kind.STATUS_PAGE)))
