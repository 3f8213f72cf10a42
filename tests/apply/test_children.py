"""What happens to a child after a lost answer, and to the children of other people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from importer.model import (
    Adopted,
    Applied,
    Attribute,
    Attributes,
    Child,
    Failed,
    Field,
    FieldChange,
    FollowUp,
    Incident,
    LiveChild,
    LiveIncident,
    NotAttempted,
    Outcome,
    PostmortemDocument,
    TimelineItem,
    Unknown,
    Update,
)
from importer.model.steps import child_name
from importer.plan.differences import same
from tests.apply.test_execution import (
    ALERT,
    ATTACHED,
    DOCUMENT,
    ITEM,
    LINK,
    PUBLIC,
    Harness,
    codes,
    made,
    public,
)
from tests.apply.test_execution import harness as harness  # noqa: PLC0414 - a fixture
from tests.plans import BEGAN, LISA, SHORT, create, incident
from tests.scripted_account import Fault

VALUES: Attributes = {
    ALERT: FollowUp(),
    LINK: ATTACHED,
    DOCUMENT: PostmortemDocument("x", default_title="Review"),
    ITEM: TimelineItem(BEGAN),
    PUBLIC: public(),
}
KEYLESS, KEYED = [ALERT, LINK, DOCUMENT], [ITEM, PUBLIC]


def created(harness: Harness, attributes: Attributes = SHORT) -> LiveIncident:
    """Create an incident with the state, so that its history is known."""
    outcome = harness.create(attributes)
    assert isinstance(outcome, Applied)
    harness.account.requests.clear()
    return harness.account.live[outcome.live.id]


def changed(live: LiveIncident, attribute: Attribute, value: Child, before: Child | None = None) -> Update:
    declared: Incident = incident("A", {**SHORT, attribute: value})
    return Update(declared, live, (FieldChange(attribute, before, value),))


def failed(outcome: Outcome | None) -> str:
    assert isinstance(outcome, Failed)
    return outcome.code


def theirs(
    harness: Harness, live: LiveIncident, attribute: Attribute, value: Child, **more: bool
) -> LiveChild:
    """Add a child that somebody else made."""
    harness.account.put_child(live.id, attribute, value)
    child = replace(harness.account.held[live.id][-1], **more)  # type: ignore[arg-type]
    harness.account.held[live.id][-1] = child
    return child


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.SERVER_ERROR])
@pytest.mark.parametrize("attribute", KEYLESS + KEYED, ids=child_name)
def test_after_a_lost_answer_the_list_shows_the_child(
    harness: Harness, attribute: Attribute, fault: Fault
) -> None:
    live = created(harness)
    value = VALUES[attribute]
    assert isinstance(value, Child)
    harness.account.faults = [Fault.NONE] * (attribute is not PUBLIC) + [fault]
    assert codes(harness.carry_out(changed(live, attribute, value))) == []
    assert harness.asked == ["list"] * (attribute is not PUBLIC) + [child_name(attribute), "list"]
    assert len(harness.account.held[live.id]) == 1
    assert harness.steps()[child_name(attribute)] == "confirmed"
    assert harness.ledger.remembered("A")[attribute].child_id == harness.account.held[live.id][0].id


@pytest.mark.parametrize("attribute", KEYED, ids=child_name)
def test_a_child_with_a_key_is_sent_again_unchanged_if_two_lists_do_not_show_it(
    harness: Harness, attribute: Attribute
) -> None:
    live = created(harness)
    value = VALUES[attribute]
    assert isinstance(value, Child)
    harness.account.faults = [Fault.NONE] * (attribute is not PUBLIC) + [Fault.LOST_BEFORE]
    before = harness.account.now
    assert codes(harness.carry_out(changed(live, attribute, value))) == []
    name = child_name(attribute)
    assert harness.asked[-4:] == [name, "list", "list", name]
    assert harness.account.bodies[-1] == harness.account.bodies[-2]
    assert harness.account.now - before >= timedelta(seconds=5)
    assert len(harness.account.held[live.id]) == 1


def test_a_child_with_a_key_is_sent_three_times_at_most(harness: Harness) -> None:
    live = created(harness)
    harness.account.faults = [Fault.NONE, *[Fault.CONFLICT, Fault.NONE, Fault.NONE] * 3]
    outcome = harness.carry_out(changed(live, ITEM, TimelineItem(BEGAN)))
    assert isinstance(outcome, Unknown)
    assert "409" in outcome.message
    assert harness.asked.count(ITEM.label) == 3
    assert harness.steps()[ITEM.label] == "sent"


@pytest.mark.parametrize("attribute", KEYLESS, ids=child_name)
def test_a_child_without_a_key_is_sent_again_after_a_minute_and_not_before(
    harness: Harness, attribute: Attribute
) -> None:
    live = created(harness)
    value = VALUES[attribute]
    assert isinstance(value, Child)
    harness.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    update = changed(live, attribute, value)
    assert isinstance(harness.carry_out(update), Unknown)
    assert harness.asked == ["list", attribute.label, "list", "list"]
    assert isinstance(harness.carry_out(update), Unknown)
    harness.account.wait(-3600)  # a clock that went back shows nothing
    assert isinstance(harness.carry_out(update), Unknown)
    assert harness.asked.count(attribute.label) == 1
    harness.account.wait(3600 + 60)
    assert codes(harness.carry_out(update)) == []
    assert len(harness.account.held[live.id]) == 1


def test_a_child_with_a_key_that_was_sent_a_moment_ago_is_looked_for_once_more(harness: Harness) -> None:
    live = created(harness)
    update = changed(live, ITEM, TimelineItem(BEGAN))
    harness.account.faults = [Fault.NONE, Fault.INTERRUPTED_AFTER]
    assert isinstance(harness.carry_out(update), Unknown)
    held, harness.account.held[live.id] = harness.account.held[live.id], []
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        harness.account.held[live.id] = held

    harness.account.wait = wait  # type: ignore[method-assign]
    harness.account.requests.clear()
    assert codes(harness.carry_out(update)) == []
    assert harness.asked == ["list", "list"]
    assert waited == [5.0]


def test_a_child_with_a_key_that_was_sent_long_ago_is_sent_again_at_once(harness: Harness) -> None:
    live = created(harness)
    update = changed(live, ITEM, TimelineItem(BEGAN))
    harness.account.faults = [Fault.NONE, Fault.INTERRUPTED]
    assert isinstance(harness.carry_out(update), Unknown)
    harness.account.wait(10)
    harness.account.requests.clear()
    assert codes(harness.carry_out(update)) == []
    assert harness.asked == ["list", ITEM.label]


def test_a_look_that_is_interrupted_leaves_no_doubt(harness: Harness) -> None:
    live = created(harness)
    harness.account.faults = [Fault.INTERRUPTED]
    outcome = harness.carry_out(changed(live, ALERT, FollowUp()))
    assert isinstance(outcome, NotAttempted)
    assert harness.asked == ["list"]


@pytest.mark.parametrize("second", [Fault.INTERRUPTED, Fault.UNREACHABLE, Fault.LOST_BEFORE])
def test_a_lost_answer_stays_in_doubt_whatever_keeps_the_account_from_being_looked_at(
    harness: Harness, second: Fault
) -> None:
    live = created(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_AFTER, second]
    assert isinstance(harness.carry_out(changed(live, ALERT, FollowUp())), Unknown)
    assert len(harness.account.held[live.id]) == 1


def test_an_account_that_lists_none_is_not_sent_a_child_again(harness: Harness) -> None:
    live = created(harness)
    harness.account.faults = [Fault.LOST_BEFORE, Fault.NOT_AVAILABLE]
    update = changed(live, PUBLIC, public())
    assert isinstance(harness.carry_out(update), Unknown)
    harness.account.faults = [Fault.NOT_AVAILABLE]
    outcome = harness.carry_out(update)
    assert isinstance(outcome, NotAttempted)
    assert [each.code for each in outcome.missing] == ["not-attempted"]
    assert harness.asked.count(child_name(PUBLIC)) == 1


@pytest.mark.parametrize("end", [Fault.UNREACHABLE, Fault.INTERRUPTED])
def test_a_look_that_the_end_of_the_run_prevents_does_not_hide_that_a_child_was_sent(
    harness: Harness, end: Fault
) -> None:
    live = created(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_AFTER, end]
    outcome = harness.carry_out(changed(live, ALERT, FollowUp()))
    assert isinstance(outcome, Unknown)
    assert outcome.message == "lost"


def test_an_edit_uses_the_known_id_though_the_list_does_not_show_the_child(harness: Harness) -> None:
    live = created(harness, {**SHORT, ALERT: FollowUp("One", LISA, labels=("db",))})
    (child,) = harness.account.held[live.id]
    harness.account.held[live.id] = []
    before, after = FollowUp("One", LISA), FollowUp("Two", LISA, labels=("db",))
    assert codes(harness.carry_out(changed(live, ALERT, after, before))) == []
    assert harness.asked == ["list", f"edit {ALERT.label}"]
    assert harness.ledger.remembered("A")[ALERT].child_id == child.id


def test_a_public_history_is_renamed_by_its_id_without_a_list(harness: Harness) -> None:
    live = created(harness, {**SHORT, PUBLIC: public()})
    renamed = replace(public(), name="Search was slow")
    assert codes(harness.carry_out(changed(live, PUBLIC, renamed, public()))) == []
    assert harness.asked == [f"edit {child_name(PUBLIC)}"]
    assert [each.value for each in harness.account.held[live.id]] == [renamed]


@pytest.mark.parametrize(
    ("attribute", "ours", "other"),
    [
        (ALERT, FollowUp("Ours"), FollowUp("Theirs")),
        (ITEM, TimelineItem(BEGAN, "Ours"), TimelineItem(BEGAN, "Theirs")),
    ],
    ids=["follow-up", "item"],
)
def test_a_child_of_the_same_title_that_the_state_never_sent_is_left_alone(
    harness: Harness, attribute: Attribute, ours: Child, other: Child
) -> None:
    live = created(harness)
    before = theirs(harness, live, attribute, other)
    assert codes(harness.carry_out(changed(live, attribute, ours))) == []
    first, second = harness.account.held[live.id]
    assert first == before
    assert same(second.value, ours)


@pytest.mark.parametrize(("description", "children"), [("Theirs", 2), ("Ours", 1)])
def test_a_persons_child_of_an_adopted_incident_is_never_edited(
    harness: Harness, description: str, children: int
) -> None:
    live = made(harness)
    harness.ledger.adopt("A", live)
    other = theirs(harness, live, ALERT, FollowUp(description), is_foreign=True)
    assert codes(harness.carry_out(changed(live, ALERT, FollowUp("Ours")))) == []
    assert harness.account.held[live.id][0] == other
    assert len(harness.account.held[live.id]) == children
    assert (ALERT in harness.ledger.remembered("A")) is (children == 2)


def test_a_found_incident_may_have_children_that_the_state_does_not_know(harness: Harness) -> None:
    change = create("A", {**SHORT, ALERT: FollowUp("One")})
    live = made(harness, key=None)
    harness.account.made_by[change.idempotency_key] = live.id
    harness.account.put_child(live.id, ALERT, FollowUp("Before", status="outstanding"))
    assert isinstance(harness.carry_out(change), Adopted)
    assert not harness.ledger.history("A").is_whole
    assert [each.value for each in harness.account.held[live.id]] == [FollowUp("One", status="outstanding")]


def test_another_postmortem_is_left_alone_with_a_warning(harness: Harness) -> None:
    live = created(harness)
    other = theirs(harness, live, DOCUMENT, PostmortemDocument("y", title="Theirs"))
    outcome = harness.carry_out(changed(live, DOCUMENT, PostmortemDocument("x", default_title="Ours")))
    assert failed(outcome) == "not-changeable"
    assert harness.account.held[live.id] == [other]


def test_a_child_that_was_created_and_is_neither_identified_nor_listed_is_not_created_again(
    harness: Harness,
) -> None:
    live = created(harness)
    harness.ledger.confirmed("A", live=live, declared={ALERT: FollowUp()}, answered={ALERT: FollowUp()})
    outcome = harness.carry_out(changed(live, ALERT, FollowUp("More"), FollowUp()))
    assert failed(outcome) == "not-found"
    assert harness.account.held[live.id] == []


def test_the_first_status_repeats_what_the_account_set_at_the_creation(harness: Harness) -> None:
    def with_defaults(child: LiveChild) -> LiveChild:
        assert isinstance(child.value, FollowUp)
        value = replace(child.value, team="01TEAM", priority="01PRIORITY", category="01CATEGORY")
        return replace(child, value=value)

    harness.account.child_answers_with = with_defaults
    created(harness, {**SHORT, ALERT: FollowUp(status="completed")})
    assert harness.account.changes[-1] == {
        "title": "Add an alert",
        "status": "completed",
        "assignee_team_id": "01TEAM",
        "follow_up_priority_option_id": "01PRIORITY",
        "follow_up_category_id": "01CATEGORY",
    }


def test_a_child_of_another_incident_on_the_page_is_not_taken(harness: Harness) -> None:
    created(harness, {**SHORT, PUBLIC: public()})
    other = harness.create({**SHORT, PUBLIC: public()}, key="B")
    assert isinstance(other, Applied)
    harness.ledger.forget("B")
    harness.ledger.adopt("B", other.live)
    update = Update(
        incident("B", {**SHORT, PUBLIC: public()}), other.live, (FieldChange(PUBLIC, None, public()),)
    )
    assert codes(harness.carry_out(update)) == []
    (mine,) = harness.account.held[other.live.id]
    assert harness.ledger.remembered("B")[PUBLIC].child_id == mine.id


def test_an_item_that_people_deleted_does_not_keep_its_siblings_from_being_created(harness: Harness) -> None:
    live = created(harness)
    other = Attribute(Field.TIMELINE, "Ended")
    known = LiveChild("gone", ITEM, TimelineItem(BEGAN))
    harness.ledger.confirmed(
        "A",
        ITEM.label,
        live=live,
        declared={ITEM: known.value},
        answered={ITEM: known.value},
        child_ids={ITEM: known.id},
    )
    harness.account.faults = [Fault.NONE, Fault.NOT_AVAILABLE]
    changes = (
        FieldChange(ITEM, TimelineItem(BEGAN), TimelineItem(BEGAN, "Mended.")),
        FieldChange(other, None, TimelineItem(BEGAN)),
    )
    declared = {ITEM: TimelineItem(BEGAN, "Mended."), other: TimelineItem(BEGAN)}
    outcome = harness.carry_out(Update(incident("A", {**SHORT, **declared}), live, changes))
    assert codes(outcome) == ["not-attempted"]
    assert [each.attribute for each in harness.account.held[live.id]] == [other]
