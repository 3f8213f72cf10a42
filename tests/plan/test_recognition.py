"""Which listed child a declared one is: the right one, once, and never somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from importer.model import (
    Attachment,
    Attribute,
    Child,
    ChildHistory,
    Entity,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    Membership,
    PostmortemDocument,
    Remembered,
    SentStep,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
)
from importer.model.steps import CreateChild, child_name
from importer.plan.child_forms import has_similar_title
from importer.plan.differences import same
from importer.plan.recognition import other_postmortems, recognise
from importer.wire.requests import request
from tests.plans import BEGAN, ENDED, LISA, PAGE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALERT = Attribute(Field.FOLLOW_UP, "Add an alert")
FIRST, SECOND, THIRD = (Attribute(Field.TIMELINE, f"Update{number}") for number in ("", " #2", " #3"))
LINK = Attribute(Field.ATTACHMENT, "arbitrary_url https://example.com/d/1/?from=1")
LINKED = Attachment("arbitrary_url", "https://example.com/d/1/?from=1")
DOCUMENT = Attribute(Field.POSTMORTEM)
PUBLIC = Attribute(Field.STATUS_PAGE, PAGE)
HISTORY = StatusPageIncident(
    PAGE, "Search is slow", (StatusPageUpdate(BEGAN, "resolved", "It is over.", ()),)
)
MOMENT = timedelta(milliseconds=250)
PRECISE = replace(HISTORY, updates=(replace(HISTORY.updates[0], at=BEGAN + MOMENT),))
LOST, WHOLE = ChildHistory(), ChildHistory(is_whole=True)
Known = Mapping[Attribute, Remembered]


def item(text: str | None = None, *, at: datetime = BEGAN, title: str = "Update") -> TimelineItem:
    return TimelineItem(at, text, title)


def live(
    number: int,
    attribute: Attribute,
    value: Child,
    *,
    is_foreign: bool = False,
    created: datetime | None = None,
) -> LiveChild:
    return LiveChild(f"c{number}", attribute, value, is_foreign, created)


def found(
    declared: Mapping[Attribute, Child],
    *listed: LiveChild,
    known: Known | None = None,
    history: ChildHistory = LOST,
) -> dict[Attribute, str]:
    """Return the IDs of the children that were recognised."""
    recognised = recognise(declared, listed, known=known or {}, history=history)
    return {attribute: child.id for attribute, child in recognised.items()}


def sent(attribute: Attribute, value: Child, *, at: datetime = NOW) -> ChildHistory:
    """Return a whole history in which a creation was sent and not answered."""
    content = request(CreateChild("01A", attribute, value)).content
    return ChildHistory({child_name(attribute): SentStep(at, at, content)}, is_whole=True)


def test_a_known_id_beats_every_title() -> None:
    known = {FIRST: Remembered(item(), item(), "c2")}
    listed = (live(1, FIRST, item()), live(2, SECOND, item("renamed", title="Another")))
    assert found({FIRST: item()}, *listed, known=known, history=WHOLE) == {FIRST: "c2"}


def test_a_child_whose_id_belongs_to_another_declared_one_is_never_taken() -> None:
    known = {SECOND: Remembered(item(), item(), "c1")}
    assert found({FIRST: item()}, live(1, FIRST, item()), known=known) == {}


def test_a_known_child_keeps_the_title_that_people_gave_it() -> None:
    known = {ALERT: Remembered(FollowUp(), FollowUp(), "c1")}
    renamed = live(1, Attribute(Field.FOLLOW_UP, "Renamed"), FollowUp())
    (child,) = recognise({ALERT: FollowUp()}, [renamed], known=known, history=WHOLE).values()
    assert (child.attribute, child.value) == (ALERT, FollowUp())
    assert isinstance(child.value, FollowUp)
    assert child.value.title == "Renamed"


def test_of_equal_titles_the_one_with_equal_content_comes_first_then_the_order_decides() -> None:
    declared = {FIRST: item("one"), SECOND: item("two"), THIRD: item("mended")}
    listed = (live(1, FIRST, item("two")), live(2, SECOND, item("three")), live(3, THIRD, item("one")))
    assert found(declared, *listed) == {FIRST: "c3", SECOND: "c1", THIRD: "c2"}


def test_a_live_update_2_of_an_earlier_version_is_the_second_update() -> None:
    second = live(2, SECOND, TimelineItem(ENDED, "two"))
    listed = (second, live(1, FIRST, TimelineItem(BEGAN, "other")))
    assert found({FIRST: item("one"), SECOND: item("2")}, *listed) == {FIRST: "c1", SECOND: "c2"}


@pytest.mark.parametrize(
    ("attribute", "declared", "stored"),
    [
        (
            ALERT,
            FollowUp("Don't  panic", labels=("Db",)),
            FollowUp("don’t panic", labels=("db",), title="add AN  alert"),
        ),
        (
            Attribute(Field.TIMELINE, "It's  back"),
            TimelineItem(BEGAN, "“x”"),
            TimelineItem(BEGAN, '"x"', "it’s back"),
        ),
        (LINK, LINKED, Attachment("arbitrary_url", "HTTPS://EXAMPLE.com/d/1", "x")),
        (
            LINK,
            replace(LINKED, title="Error  rate"),
            Attachment("arbitrary_url", "https://example.com/d/1", title="error rate"),
        ),
        (
            Attribute(Field.ATTACHMENT, "x http://[1"),
            Attachment("x", "http://[1"),
            Attachment("x", "http://[1 "),
        ),
        (
            DOCUMENT,
            PostmortemDocument("# x", default_title="What  we learned"),
            PostmortemDocument("", title="what we learned"),
        ),
        (PUBLIC, HISTORY, replace(HISTORY, name="search  is slow")),
        (PUBLIC, PRECISE, HISTORY),
        (PUBLIC, PRECISE, replace(HISTORY, name="search  is slow")),
        (FIRST, item("one", at=BEGAN + MOMENT), item("one")),
    ],
)
def test_a_child_in_another_form_is_recognised_and_is_no_difference(
    attribute: Attribute, declared: Child, stored: Child
) -> None:
    for history in (LOST, sent(attribute, declared)):
        (child,) = recognise(
            {attribute: declared}, [live(1, attribute, stored)], known={}, history=history
        ).values()
        assert child.id == "c1"
        assert same(child.value, declared)


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("https://example.com/d?id=1", "https://example.com/d?id=2"),
        ("https://example.com/d", "https://example.com/d?id=2"),
        ("https://example.com/D", "https://example.com/d"),
    ],
)
def test_another_link_is_another_attachment(declared: str, stored: str) -> None:
    attribute = Attribute(Field.ATTACHMENT, f"arbitrary_url {declared}")
    other = live(1, attribute, Attachment("arbitrary_url", stored))
    assert found({attribute: Attachment("arbitrary_url", declared)}, other) == {}
    assert found({attribute: Attachment("jira_issue", stored)}, other) == {}


def test_with_another_content_and_form_a_child_is_another_one() -> None:
    assert found({ALERT: FollowUp("x")}, live(1, ALERT, FollowUp("y", title="add an ALERT"))) == {}


@pytest.mark.parametrize("history", [LOST, WHOLE, sent(ALERT, FollowUp("Ours"))])
def test_a_child_that_a_person_made_is_never_ours(history: ChildHistory) -> None:
    theirs = live(1, ALERT, FollowUp("Theirs"), is_foreign=True)
    assert found({ALERT: FollowUp("Ours")}, theirs, history=history) == {}


def test_after_a_lost_state_a_persons_child_that_is_exactly_as_declared_is_there() -> None:
    theirs = live(1, ALERT, FollowUp("Same"), is_foreign=True)
    recognised = recognise({ALERT: FollowUp("Same")}, [theirs], known={}, history=LOST)
    assert recognised[ALERT].is_foreign
    assert found({ALERT: FollowUp("Same")}, theirs, history=WHOLE) == {}


def test_a_child_that_the_state_never_sent_is_somebody_elses_unless_nothing_differs() -> None:
    assert found({ALERT: FollowUp("x")}, live(1, ALERT, FollowUp("y")), history=WHOLE) == {}
    same = live(1, ALERT, FollowUp("x", status="outstanding"))
    assert found({ALERT: FollowUp("x")}, same, history=WHOLE) == {ALERT: "c1"}
    assert found({ALERT: FollowUp("x", status="completed")}, same, history=WHOLE) == {ALERT: "c1"}
    titled = live(1, ALERT, FollowUp(status="outstanding"))
    assert found({ALERT: FollowUp(status="completed")}, titled, history=WHOLE) == {}


def test_a_child_in_doubt_is_recognised_as_it_was_sent_or_as_it_is_declared() -> None:
    history = sent(ALERT, FollowUp("Before", LISA))
    as_sent = live(1, ALERT, FollowUp("Before", LISA), created=NOW)
    other = live(2, ALERT, FollowUp("Another"), created=NOW)
    declared = {ALERT: FollowUp("After")}
    assert found(declared, other, as_sent, history=history) == {ALERT: "c1"}
    assert found(declared, other, history=history) == {}
    without_content = ChildHistory({ALERT.label: SentStep(NOW, NOW)}, is_whole=True)
    assert found(declared, other, history=without_content) == {ALERT: "c2"}


def test_a_child_in_doubt_is_none_that_is_older_than_its_sending() -> None:
    value = FollowUp("x")
    old = live(1, ALERT, value, created=NOW - timedelta(days=2))
    assert found({ALERT: value}, old, history=sent(ALERT, value)) == {}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (FIRST, item("x")),
        (LINK, replace(LINKED, title="x")),
        (DOCUMENT, PostmortemDocument("# x", title="x")),
        (PUBLIC, HISTORY),
    ],
)
def test_every_kind_in_doubt_is_recognised_by_what_was_sent(attribute: Attribute, value: Child) -> None:
    stored = PostmortemDocument("", title="x") if isinstance(value, PostmortemDocument) else value
    assert found({attribute: value}, live(1, attribute, stored), history=sent(attribute, value)) == {
        attribute: "c1"
    }


def test_a_membership_is_never_looked_for() -> None:
    member = Attribute(Field.MEMBER, LISA)
    history = sent(member, Membership())
    assert found({member: Membership()}, history=history) == {}
    assert not has_similar_title(live(1, member, Membership()), ALERT, FollowUp())


def test_a_child_that_an_earlier_version_created_is_recognised_by_what_was_declared() -> None:
    known = {DOCUMENT: Remembered(PostmortemDocument("# Typpo", title="Typpo"), None)}
    mended = {DOCUMENT: PostmortemDocument("# Typo", default_title="Typo")}
    listed = live(1, DOCUMENT, PostmortemDocument("", title="Typpo"))
    assert found(mended, listed, known=known, history=WHOLE) == {DOCUMENT: "c1"}


def test_a_child_that_is_no_longer_declared_is_not_taken_for_another() -> None:
    known = {SECOND: Remembered(item("two"), item("two"))}
    assert found({FIRST: item("new")}, live(1, FIRST, item("two")), known=known) == {}


def test_a_public_history_needs_the_times_and_the_name_or_all_its_updates() -> None:
    later = replace(HISTORY, updates=(StatusPageUpdate(ENDED, "resolved", "It is over.", ()),))
    assert found({PUBLIC: HISTORY}, live(1, PUBLIC, later)) == {}
    other = replace(HISTORY, updates=(replace(HISTORY.updates[0], message="Another"),))
    (child,) = recognise({PUBLIC: HISTORY}, [live(1, PUBLIC, other)], known={}, history=LOST).values()
    assert child.value == other
    assert found({PUBLIC: HISTORY}, live(1, PUBLIC, replace(other, name="Else"))) == {}


def test_a_default_title_is_no_difference_and_a_declared_one_is() -> None:
    listed = live(1, DOCUMENT, PostmortemDocument("", "completed", "Before"))
    known = {DOCUMENT: Remembered(PostmortemDocument("x"), None, "c1")}
    for title, shown in ((None, None), ("After", "Before"), ("before", "before")):
        declared = {DOCUMENT: PostmortemDocument("x", title=title, default_title="After")}
        (child,) = recognise(declared, [listed], known=known, history=WHOLE).values()
        assert child.value == PostmortemDocument("", "completed", shown)


def test_another_postmortem_is_reported_and_not_taken() -> None:
    theirs = live(1, DOCUMENT, PostmortemDocument("", title="Theirs"))
    declared = {DOCUMENT: PostmortemDocument("# Ours", default_title="Ours")}
    recognised = recognise(declared, [theirs], known={}, history=LOST)
    assert recognised == {}
    assert other_postmortems([DOCUMENT], [theirs], recognised) == {DOCUMENT: theirs}
    assert other_postmortems([DOCUMENT], [theirs], {DOCUMENT: theirs}) == {}
    assert other_postmortems([ALERT], [theirs], {}) == {}


def test_a_child_of_another_kind_is_never_taken() -> None:
    follow_up = Attribute(Field.FOLLOW_UP, "Update")
    assert found({FIRST: item()}, live(1, follow_up, FollowUp())) == {}


def test_an_entity_as_a_key_sorts_by_its_name() -> None:
    other = Attribute(Field.STATUS_PAGE, Entity(Kind.STATUS_PAGE, "01OTHER", "Other"))
    declared = {PUBLIC: HISTORY, other: replace(HISTORY, name="Else")}
    assert found(declared, live(1, PUBLIC, HISTORY)) == {PUBLIC: "c1"}


def test_a_public_history_that_was_renamed_while_the_state_was_lost_is_recognised_by_its_updates() -> None:
    renamed = replace(HISTORY, name="Search was slow for an hour")
    listed = live(1, PUBLIC, HISTORY)
    assert found({PUBLIC: renamed}, listed) == {PUBLIC: "c1"}
    assert found({PUBLIC: renamed}, listed, history=WHOLE) == {}
    other = replace(HISTORY, updates=(StatusPageUpdate(BEGAN, "resolved", "All is well.", ()),))
    assert found({PUBLIC: renamed}, live(1, PUBLIC, other)) == {}


@pytest.mark.parametrize(
    "theirs",
    [
        FollowUp("Written by hand.", status="outstanding"),
        FollowUp(status="completed"),
        FollowUp(status="outstanding", labels=("db",)),
        FollowUp(status="outstanding", assignee=LISA),
    ],
)
def test_with_a_whole_history_a_child_that_says_more_than_ours_is_not_ours(theirs: FollowUp) -> None:
    assert found({ALERT: FollowUp()}, live(1, ALERT, theirs), history=WHOLE) == {}
    assert found({ALERT: FollowUp()}, live(1, ALERT, FollowUp(status="outstanding")), history=WHOLE)


def test_with_a_whole_history_an_item_that_says_more_than_ours_is_not_ours() -> None:
    assert found({FIRST: item()}, live(1, FIRST, item("By hand.")), history=WHOLE) == {}
    assert found({FIRST: item()}, live(1, FIRST, item()), history=WHOLE) == {FIRST: "c1"}
    assert found({LINK: LINKED}, live(1, LINK, LINKED), history=WHOLE) == {LINK: "c1"}


def test_a_child_whose_id_the_state_knows_is_ours_whoever_made_it() -> None:
    known = {ALERT: Remembered(FollowUp("x"), FollowUp("x"), "c1")}
    theirs = live(1, ALERT, FollowUp("x", status="outstanding"), is_foreign=True)
    (child,) = recognise({ALERT: FollowUp("y")}, [theirs], known=known, history=LOST).values()
    assert not child.is_foreign
