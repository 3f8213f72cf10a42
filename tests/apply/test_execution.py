"""What one change sends, in which order, what is written down of it, and what a person hears of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from importer.apply.answers import existed_before
from importer.apply.execution import Execution
from importer.apply.rediscovery import Rediscovery
from importer.model import (
    Adopt,
    Adopted,
    Answer,
    Applied,
    Attachment,
    Attribute,
    Attributes,
    Blocked,
    Create,
    Entity,
    Failed,
    Field,
    FieldChange,
    FollowUp,
    Kind,
    LiveIncident,
    Membership,
    NoOp,
    Outcome,
    Pending,
    PostmortemDocument,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unknown,
    Update,
)
from importer.model.errors import AuthenticationFailed, Refused
from importer.state.ledger import open_ledger
from tests.plans import (
    BEGAN,
    CALL_URL,
    CLOSED,
    LISA,
    MAJOR,
    NAME,
    PAGE,
    POSTMORTEM_URL,
    REPORTER,
    SEARCH,
    SEVERITY,
    SHORT,
    STARTED,
    STATUS,
    SUMMARY,
    TEAMS_FIELD,
    VISIBILITY,
    create,
    incident,
)
from tests.scripted_account import Crash, Fault, ScriptedAccount

ALERT = Attribute(Field.FOLLOW_UP, "Add an alert")
TEST = Attribute(Field.FOLLOW_UP, "Add a test")
LINK = Attribute(Field.ATTACHMENT, "arbitrary_url https://example.com/")
LOG = Attribute(Field.ATTACHMENT, "arbitrary_url https://example.com/log")
ITEM = Attribute(Field.TIMELINE, "Began")
DOCUMENT = Attribute(Field.POSTMORTEM, "Post-mortem")
MEMBER = Attribute(Field.MEMBER, LISA)
PUBLIC = Attribute(Field.STATUS_PAGE, "Search is slow")
CHANNEL = Attribute(Field.SLACK_CHANNEL_ID)
CHANNEL_NAME = Attribute(Field.SLACK_CHANNEL_NAME)
ATTACHED = Attachment("arbitrary_url", "https://example.com/")


class Desk:
    """An account, a ledger, and what carries changes out between them."""

    def __init__(self, folder: Path) -> None:
        self.account = ScriptedAccount()
        self.clock: Callable[[], datetime] = lambda: self.account.now
        self.ledger = open_ledger(folder / "state.db", now=lambda: self.account.now)
        self.plan_hash = ""

    def carry_out(self, change: object) -> Outcome | None:
        execution = Execution(
            self.account,
            self.ledger,
            self.clock,
            Rediscovery(self.account, self.ledger.bindings).find,
            self.plan_hash,
            {SEARCH: Entity(Kind.OPTION, "01A", "Search")},
        )
        return execution.carry_out(change)  # type: ignore[arg-type]

    def create(self, attributes: Attributes, *, key: str = "A") -> Outcome | None:
        return self.carry_out(create(key, attributes))

    def steps(self, key: str = "A") -> dict[str, str]:
        return {entry.step: entry.status for entry in self.ledger.entries(key)}

    @property
    def asked(self) -> list[str]:
        return [request[0] for request in self.account.requests]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


def codes(outcome: Outcome | None) -> list[str]:
    assert isinstance(outcome, Applied | Adopted)
    return [each.code for each in outcome.warnings]


def made(desk: Desk, attributes: Attributes = SHORT) -> LiveIncident:
    """Put an incident into the account that somebody else made, long ago."""
    live = desk.account.put(attributes)
    desk.account.live[live.id] = replace(live, created_at=datetime(2024, 1, 1, tzinfo=UTC))
    desk.account.requests.clear()
    return desk.account.live[live.id]


# -- a creation ----------------------------------------------------------------------------------------


def test_a_creation_is_one_request_and_one_binding(desk: Desk) -> None:
    outcome = desk.create(SHORT)
    assert isinstance(outcome, Applied)
    assert (outcome.created, outcome.warnings) == (True, ())
    assert desk.asked == ["create"]
    assert desk.steps() == {"create": "confirmed"}
    binding = desk.ledger.binding("A")
    assert binding is not None
    assert (binding.incident_id, binding.settled) == (outcome.live.id, True)


def test_attributes_that_a_creation_cannot_set_are_edited_right_after_it(desk: Desk) -> None:
    outcome = desk.create({**SHORT, CALL_URL: "https://meet.example.com/"})
    assert codes(outcome) == []
    assert desk.asked == ["create", "edit"]
    assert desk.steps() == {"create": "confirmed", "edit": "confirmed"}
    assert desk.ledger.remembered("A")[CALL_URL].answered == "https://meet.example.com/"


def test_attributes_still_to_be_edited_are_not_recorded_as_answered(desk: Desk) -> None:
    desk.account.faults = [Fault.NONE, Fault.REFUSED]
    outcome = desk.create({**SHORT, CALL_URL: "https://meet.example.com/"})
    assert isinstance(outcome, Failed)
    assert NAME in desk.ledger.remembered("A")
    assert CALL_URL not in desk.ledger.remembered("A")


def test_write_only_attributes_are_not_edited_again(desk: Desk) -> None:
    assert codes(desk.create({**SHORT, CHANNEL_NAME: "inc-1"})) == []
    assert desk.asked == ["create"]
    assert CHANNEL_NAME in desk.ledger.remembered("A")


def test_new_options_are_sent_by_their_ids(desk: Desk) -> None:
    desk.create({**SHORT, TEAMS_FIELD: (SEARCH,)})
    (live,) = desk.account.live.values()
    assert live.attributes[TEAMS_FIELD] == (Entity(Kind.OPTION, "01A", "Search"),)


def test_a_create_only_attribute_that_came_back_different_is_a_warning_not_an_edit(desk: Desk) -> None:
    def answer(live: LiveIncident) -> LiveIncident:
        attributes = {a: v for a, v in live.attributes.items() if a not in (STATUS, REPORTER)}
        return replace(live, attributes=attributes)

    desk.account.answers_with = answer
    assert codes(desk.create({**SHORT, REPORTER: LISA})) == ["came-back-different"] * 2
    assert desk.asked == ["create"]


def test_an_attribute_that_the_account_drops_twice_is_a_warning(desk: Desk) -> None:
    outcome = desk.create({**SHORT, SUMMARY: "one\n  two"})
    assert codes(outcome) == []
    live = desk.account.live["01LIVE1"]
    change = FieldChange(SUMMARY, None, "  indented")
    outcome = desk.carry_out(Update(incident("A", SHORT), live, (change,)))
    assert codes(outcome) == ["came-back-different"]
    assert desk.ledger.remembered("A")[SUMMARY].answered == "indented"


def test_an_unrequested_slack_channel_is_a_warning(desk: Desk) -> None:
    desk.account.answers_with = lambda live: replace(live, attributes={**live.attributes, CHANNEL: "C1"})
    assert codes(desk.create(SHORT)) == ["slack-channel-created"]
    assert codes(desk.create({**SHORT, CHANNEL: "C1"}, key="B")) == []


def test_an_undeclared_timestamp_of_today_is_a_warning(desk: Desk) -> None:
    desk.account.answers_with = lambda live: replace(
        live, attributes={**live.attributes, STARTED: live.created_at + timedelta(seconds=1)}
    )
    desk.clock = lambda: desk.account.now - timedelta(hours=1)  # the laptop is wrong; the server is not
    assert codes(desk.create(SHORT)) == ["timestamp-set-by-server"]


def test_an_old_timestamp_is_not_a_warning(desk: Desk) -> None:
    desk.account.answers_with = lambda live: replace(live, attributes={**live.attributes, STARTED: BEGAN})
    assert codes(desk.create(SHORT)) == []


@pytest.mark.parametrize(
    ("answers_with", "words"),
    [
        (lambda live: replace(live, mode="standard"), "created as standard"),
        (lambda live: replace(live, reference="INC-77"), "should have the number 48"),
        (
            lambda live: replace(live, attributes={**live.attributes, VISIBILITY: "public"}),
            "visible to everyone",
        ),
    ],
)
def test_a_creation_that_cannot_be_corrected_is_bound_and_ends_the_run(
    desk: Desk, answers_with: Callable[[LiveIncident], LiveIncident], words: str
) -> None:
    desk.account.answers_with = answers_with
    attributes = {**SHORT, VISIBILITY: "private", CALL_URL: "https://meet.example.com/"}
    change = create("A", attributes)
    with pytest.raises(Refused, match=words):
        desk.carry_out(replace(change, incident=replace(change.incident, external_id=48)))
    assert desk.asked == ["create"]
    assert desk.ledger.binding("A") is not None


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (Fault.REFUSED, Failed, "failed"),
        (Fault.CONFLICT, Failed, "sent"),
        (Fault.LOST_BEFORE, Unknown, "sent"),
        (Fault.LOST_AFTER, Unknown, "sent"),
        (Fault.SERVER_ERROR, Unknown, "sent"),
        (Fault.INTERRUPTED, Unknown, "sent"),
    ],
)
def test_only_a_refusal_that_leaves_no_doubt_is_recorded_as_failed(
    desk: Desk, fault: Fault, kind: type[Outcome], status: str
) -> None:
    desk.account.faults = [fault]
    outcome = desk.create(SHORT)
    assert isinstance(outcome, kind)
    assert desk.steps() == {"create": status}
    assert desk.ledger.binding("A") is None


@pytest.mark.parametrize("fault", [Fault.UNAUTHENTICATED, Fault.FORBIDDEN])
def test_a_key_without_permission_ends_the_run_and_leaves_nothing_pending(desk: Desk, fault: Fault) -> None:
    desk.account.faults = [fault]
    with pytest.raises(AuthenticationFailed):
        desk.create(SHORT)
    assert desk.steps() == {"create": "failed"}


def test_two_keys_with_the_same_idempotency_key_stop_the_run_before_any_edit(desk: Desk) -> None:
    desk.create(SHORT)
    other = Create(incident("B", SHORT), "importer-A", {VISIBILITY: "public", **SHORT, NAME: "Another name"})
    with pytest.raises(Refused, match="two keys"):
        desk.carry_out(other)
    assert desk.account.live["01LIVE1"].name == SHORT[NAME]
    assert desk.steps("B") == {"create": "sent"}


# -- was it there before? ------------------------------------------------------------------------------

SENT_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKEW = timedelta(minutes=7)


def answered(*, created: float, dated: float | None, name: str = "Search was slow") -> Answer:
    """An answer after ten seconds; `created` and `dated` are seconds from the sending, by the server's clock."""
    live = LiveIncident(
        "01LIVE1", "INC-1", "retrospective", SENT_AT + timedelta(seconds=created), "", {NAME: name}
    )
    return Answer(live, None if dated is None else SENT_AT + timedelta(seconds=dated))


def was_there(answer: Answer, *, skew: timedelta = timedelta(0)) -> bool:
    began = SENT_AT + skew
    return existed_before(answer, began, began + timedelta(seconds=10), name="Search was slow")


@pytest.mark.parametrize("skew", [-SKEW, timedelta(0), SKEW])
@pytest.mark.parametrize(
    ("created", "expected"), [(10, False), (0, False), (-1.9, False), (-2.1, True), (-3600, True)]
)
def test_the_servers_clock_reveals_an_older_incident_however_wrong_ours_is(
    created: float, skew: timedelta, *, expected: bool
) -> None:
    assert was_there(answered(created=created, dated=10), skew=skew) is expected


@pytest.mark.parametrize(("created", "expected"), [(5, False), (-1, False), (-3600, True)])
def test_without_a_date_header_our_own_clock_decides(created: float, *, expected: bool) -> None:
    assert was_there(answered(created=created, dated=None)) is expected


def test_a_clock_set_back_meanwhile_makes_no_incident_look_older() -> None:
    set_back = SENT_AT - timedelta(hours=1)
    name = "Search was slow"
    assert not existed_before(answered(created=1, dated=2), SENT_AT, set_back, name=name)
    assert existed_before(answered(created=-60, dated=2), SENT_AT, set_back, name=name)


def test_another_name_reveals_an_incident_created_a_moment_ago() -> None:
    assert was_there(answered(created=5, dated=10, name="Something else"))
    assert not was_there(answered(created=5, dated=10, name="Search was slow "))


def test_an_existing_incident_is_adopted_updated_and_reported(desk: Desk) -> None:
    live = made(desk, {NAME: "Search was slow", CHANNEL: "C-theirs"})
    desk.account.made_by["importer-A"] = live.id
    desk.account.held[live.id] = []
    outcome = desk.create({**SHORT, ITEM: TimelineItem(BEGAN)})
    assert isinstance(outcome, Adopted)
    assert SEVERITY in desk.account.live[live.id].attributes
    assert desk.asked == ["create", "correct", "list", ITEM.label]
    assert "slack-channel-created" not in codes(outcome)  # it was theirs before
    assert desk.ledger.is_created("A")


def test_attributes_left_to_people_are_not_edited_in_an_existing_incident(desk: Desk) -> None:
    live = made(desk, {NAME: "Search was slow", SUMMARY: "as somebody wrote it"})
    desk.account.made_by["importer-A"] = live.id
    left_to_people = frozenset({SUMMARY})
    sent = {STATUS: CLOSED, VISIBILITY: "public", **SHORT, SUMMARY: "as the file has it"}
    outcome = desk.carry_out(Create(incident("A", SHORT), "importer-A", sent, left_to_people))
    assert isinstance(outcome, Adopted)
    held = desk.account.live[live.id].attributes
    assert held[SUMMARY] == "as somebody wrote it"
    assert SEVERITY in held
    assert SUMMARY not in desk.ledger.remembered("A")


def test_a_pending_creation_that_was_carried_out_counts_as_created_not_adopted(desk: Desk) -> None:
    desk.account.faults = [Fault.LOST_AFTER]
    desk.create(SHORT)
    desk.account.now += timedelta(days=3)
    pending = Pending(incident("A", SHORT), "another-key", {STATUS: CLOSED, VISIBILITY: "public", **SHORT})
    outcome = desk.carry_out(pending)
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert desk.account.requests == [("create", "importer-A")] * 2


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_a_creation_in_doubt_is_sent_again_byte_for_byte_and_then_corrected(desk: Desk, fault: Fault) -> None:
    desk.account.faults = [fault]
    desk.create({**SHORT, SUMMARY: "as it was"})
    sent = desk.ledger.in_doubt("A", "create")
    outcome = desk.create({**SHORT, SUMMARY: "as the file has it now"})
    assert isinstance(outcome, Applied | Adopted)
    first, second = desk.account.bodies
    assert first == second
    assert sent is not None
    assert sent.content == first
    (live,) = desk.account.live.values()
    assert live.attributes[SUMMARY] == "as the file has it now"
    assert desk.ledger.remembered("A")[SUMMARY].declared == "as the file has it now"
    assert desk.ledger.in_doubt("A", "create") is None


def test_a_creation_in_doubt_whose_bytes_are_unknown_is_sent_with_its_key(desk: Desk) -> None:
    desk.ledger.sending("A", "create", idempotency_key="elsewhere", content=None, plan_hash="")
    assert isinstance(desk.create(SHORT), Applied)
    assert desk.account.requests == [("create", "elsewhere")]


def test_the_journal_not_the_plan_decides_what_was_sent(desk: Desk) -> None:
    sent = {STATUS: CLOSED, VISIBILITY: "public", **SHORT}
    forged = Pending(incident("A", SHORT), "importer-A", sent, content='{"mode":"standard"}')
    assert isinstance(desk.carry_out(forged), Applied)
    assert '"mode":"retrospective"' in desk.account.bodies[0]


def test_a_keyed_child_in_doubt_is_sent_again_byte_for_byte(desk: Desk) -> None:
    live = made(desk)
    desk.account.faults = [Fault.NONE, Fault.LOST_BEFORE, Fault.NONE]
    for text in ("as it was", "as the file has it now"):
        change = FieldChange(ITEM, None, TimelineItem(BEGAN, text))
        desk.carry_out(Update(incident("A", SHORT), live, (change,)))
    first, second = desk.account.bodies
    assert first == second
    assert "as it was" in first


# -- a saved plan that is applied again ----------------------------------------------------------------


def test_an_incident_of_an_earlier_run_is_not_created_again_even_if_its_key_is_forgotten(desk: Desk) -> None:
    desk.plan_hash = "saved"
    children: Attributes = {ALERT: FollowUp(), MEMBER: Membership(), PUBLIC: public()}
    desk.account.faults = [Fault.NONE] * 4 + [Fault.LOST_BEFORE]
    outcome = desk.create({**SHORT, CALL_URL: "https://meet.example.com/", **children})
    assert isinstance(outcome, Unknown)
    desk.account.made_by.clear()
    desk.account.child_made_by.clear()
    desk.account.requests.clear()
    outcome = desk.create({**SHORT, CALL_URL: "https://meet.example.com/", **children})
    assert isinstance(outcome, Applied)
    assert not outcome.created
    assert desk.asked == ["show", MEMBER.label, "list", PUBLIC.label]
    assert len(desk.account.live) == 1


def test_edits_of_an_earlier_run_of_a_saved_plan_are_not_made_again(desk: Desk) -> None:
    live = made(desk)
    desk.plan_hash = "saved"
    changes = (
        FieldChange(SEVERITY, None, MAJOR),
        FieldChange(MEMBER, None, Membership()),
        FieldChange(ALERT, None, FollowUp()),
    )
    update = Update(incident("A", SHORT), live, changes)
    desk.account.faults = [Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST_BEFORE]
    assert isinstance(desk.carry_out(update), Unknown)
    asked = len(desk.asked)
    assert isinstance(desk.carry_out(update), Applied)
    assert desk.asked[asked:] == [MEMBER.label]
    desk.plan_hash = "another"
    desk.carry_out(update)
    assert desk.asked[-3:] == ["edit", "list", MEMBER.label]


def test_a_status_that_an_earlier_run_did_not_set_is_set(desk: Desk) -> None:
    desk.plan_hash = "saved"
    done = FollowUp(status="completed")
    desk.account.faults = [Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST_BEFORE]
    assert isinstance(desk.create({**SHORT, ALERT: done}), Unknown)
    assert desk.steps() == {
        "create": "confirmed",
        ALERT.label: "confirmed",
        f"{ALERT.label} (status)": "sent",
    }
    assert desk.ledger.remembered("A")[ALERT].declared == FollowUp()
    assert isinstance(desk.create({**SHORT, ALERT: done}), Applied)
    assert desk.asked[-3:] == ["show", "list", f"{ALERT.label} (status)"]
    (child,) = desk.account.held["01LIVE1"]
    assert child.value == done


def test_an_edit_that_an_earlier_run_did_not_make_is_made(desk: Desk) -> None:
    desk.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    attributes = {**SHORT, CALL_URL: "https://meet.example.com/", REPORTER: LISA}
    desk.create(attributes)
    desk.account.live["01LIVE1"] = replace(
        desk.account.live["01LIVE1"], attributes=dict(SHORT)
    )  # REPORTER cannot be edited
    desk.create(attributes)
    assert desk.asked == ["create", "edit", "show", "edit"]
    assert desk.account.live["01LIVE1"].attributes[CALL_URL] == "https://meet.example.com/"


def test_a_key_that_was_adopted_since_the_plan_was_made_is_stale_and_nothing_is_sent(desk: Desk) -> None:
    live = made(desk)
    desk.ledger.adopt("A", live)
    outcome = desk.create({**SHORT, SEVERITY: MAJOR})
    assert isinstance(outcome, Failed)
    assert outcome.code == "stale-plan"
    assert "make a new plan" in outcome.message
    assert desk.asked == []


def test_a_created_incident_that_the_key_cannot_see_is_not_created_again(desk: Desk) -> None:
    desk.create(SHORT)
    desk.account.live.clear()
    desk.account.made_by.clear()
    outcome = desk.create(SHORT)
    assert isinstance(outcome, Failed)
    assert outcome.code == "not-visible"
    assert desk.asked == ["create", "show"]


# -- edits ---------------------------------------------------------------------------------------------


def test_an_update_sends_only_the_differences(desk: Desk) -> None:
    live = made(desk)
    outcome = desk.carry_out(Update(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Applied)
    assert not outcome.created
    assert desk.asked == ["edit"]
    assert desk.ledger.binding("A") is not None


def test_a_cleared_attribute_is_remembered_as_cleared(desk: Desk) -> None:
    live = made(desk, {**SHORT, SUMMARY: "old"})
    outcome = desk.carry_out(Update(incident("A", SHORT), live, (FieldChange(SUMMARY, "old", None),)))
    assert codes(outcome) == []
    assert desk.ledger.remembered("A")[SUMMARY].declared is None


def test_an_adoption_is_settled_by_its_apply(desk: Desk) -> None:
    live = made(desk)
    desk.ledger.adopt("A", live)
    outcome = desk.carry_out(Adopt(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Adopted)
    desk.ledger.set_meta("anything", "")  # what waited is written with it
    binding = desk.ledger.binding("A")
    assert binding is not None
    assert binding.settled


def test_an_update_that_is_refused_settles_nothing(desk: Desk) -> None:
    live = made(desk)
    desk.ledger.adopt("A", live)
    desk.account.faults = [Fault.REFUSED]
    outcome = desk.carry_out(Update(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Failed)
    assert outcome.request_id == "r-1"
    desk.ledger.set_meta("anything", "")
    binding = desk.ledger.binding("A")
    assert binding is not None
    assert not binding.settled


def test_a_postmortem_link_is_read_back_in_the_accounts_form(desk: Desk) -> None:
    live = made(desk)
    change = FieldChange(POSTMORTEM_URL, None, "https://docs.example.com/")
    assert isinstance(desk.carry_out(Update(incident("A", SHORT), live, (change,))), Applied)
    assert desk.asked == [POSTMORTEM_URL.label, "show"]
    known = desk.ledger.remembered("A")[POSTMORTEM_URL]
    assert (known.declared, known.answered) == ("https://docs.example.com/", "https://docs.example.com")


def test_an_unchanged_incident_is_bound_and_a_blocked_one_is_left_alone(desk: Desk) -> None:
    live = made(desk)
    assert desk.carry_out(NoOp(incident("A", SHORT), live.id, live.reference)) is None
    assert desk.carry_out(Blocked(incident("B", SHORT), "01LIVE2", "INC-2", "not-ours", "no")) is None
    desk.ledger.set_meta("anything", "")
    assert [each.key for each in desk.ledger.bindings()] == ["A"]
    assert desk.asked == []


def test_a_key_that_is_the_incidents_own_id_does_not_bind_it_unless_it_was_bound(desk: Desk) -> None:
    live = made(desk)
    unchanged = NoOp(incident(live.id, SHORT), live.id, live.reference)
    desk.carry_out(unchanged)
    desk.ledger.set_meta("anything", "")
    assert desk.ledger.bindings() == ()
    desk.ledger.adopt(live.id, live)
    desk.carry_out(unchanged)
    desk.ledger.set_meta("anything", "")
    assert [each.settled for each in desk.ledger.bindings()] == [True]


# -- children ------------------------------------------------------------------------------------------


def public() -> StatusPageIncident:
    return StatusPageIncident(PAGE, (StatusPageUpdate(BEGAN, "resolved", "It is over.", ()),))


def test_children_of_a_new_incident_are_listed_only_if_they_have_no_key(desk: Desk) -> None:
    children: Attributes = {
        ALERT: FollowUp(),
        LINK: ATTACHED,
        ITEM: TimelineItem(BEGAN),
        DOCUMENT: PostmortemDocument("# Why"),
        MEMBER: Membership(),
        PUBLIC: public(),
    }
    assert codes(desk.create({**SHORT, **children})) == []
    listed = [request[2] for request in desk.account.requests if request[0] == "list"]
    assert listed == ["postmortem", "follow_ups", "attachments"]
    (held,) = desk.account.held.values()
    assert {each.attribute for each in held} == set(children)
    assert set(desk.steps().values()) == {"confirmed"}


def test_children_of_an_existing_incident_are_listed_first(desk: Desk) -> None:
    live = made(desk)
    for attribute, value in ((ALERT, FollowUp()), (ITEM, TimelineItem(BEGAN))):
        desk.account.put_child(live.id, attribute, value)
    desk.account.requests.clear()
    changes = (
        FieldChange(ALERT, None, FollowUp()),
        FieldChange(ITEM, None, TimelineItem(BEGAN, "By hand.")),
        FieldChange(TEST, None, FollowUp()),
    )
    assert codes(desk.carry_out(Update(incident("A", SHORT), live, changes))) == []
    assert desk.asked == ["list", f"{ITEM.label} (edit)", "list", TEST.label]
    assert [each.attribute for each in desk.account.held[live.id]] == [ALERT, ITEM, TEST]
    assert desk.account.held[live.id][1].value == TimelineItem(BEGAN, "By hand.")


@pytest.mark.parametrize("attribute", [ALERT, LINK, DOCUMENT, ITEM])
def test_a_lost_answer_never_makes_two_children(desk: Desk, attribute: Attribute) -> None:
    values: Attributes = {
        ALERT: FollowUp(),
        LINK: ATTACHED,
        DOCUMENT: PostmortemDocument("x"),
        ITEM: TimelineItem(BEGAN),
    }
    live = made(desk)
    desk.account.faults = [Fault.NONE, Fault.LOST_AFTER]
    outcome = desk.carry_out(
        Update(incident("A", SHORT), live, (FieldChange(attribute, None, values[attribute]),))
    )
    assert codes(outcome) == []
    assert desk.asked == ["list", attribute.label, "list"]
    assert len(desk.account.held[live.id]) == 1
    assert desk.steps() == {attribute.label: "confirmed"}


def test_a_child_in_doubt_that_is_not_listed_stays_sent(desk: Desk) -> None:
    live = made(desk)
    desk.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    outcome = desk.carry_out(Update(incident("A", SHORT), live, (FieldChange(ALERT, None, FollowUp()),)))
    assert isinstance(outcome, Unknown)
    assert desk.steps() == {ALERT.label: "sent"}


def test_a_membership_in_doubt_stays_sent_since_nothing_lists_it(desk: Desk) -> None:
    live = made(desk)
    update = Update(incident("A", SHORT), live, (FieldChange(MEMBER, None, Membership()),))
    desk.account.faults = [Fault.LOST_AFTER]
    assert isinstance(desk.carry_out(update), Unknown)
    assert desk.steps() == {MEMBER.label: "sent"}
    assert isinstance(desk.carry_out(update), Applied)
    assert desk.asked == [MEMBER.label] * 2
    assert len(desk.account.held[live.id]) == 1


def test_children_that_the_account_lacks_are_left_out_with_a_warning_and_are_not_pending(desk: Desk) -> None:
    desk.account.faults = [Fault.NONE, Fault.NONE, Fault.NOT_AVAILABLE]
    outcome = desk.create({**SHORT, ITEM: TimelineItem(BEGAN), ALERT: FollowUp()})
    assert codes(outcome) == ["not-available"]
    desk.account.faults = [Fault.NONE, Fault.NOT_AVAILABLE]
    outcome = desk.create({**SHORT, ALERT: FollowUp(), ITEM: TimelineItem(BEGAN)}, key="B")
    assert codes(outcome) == ["not-available"]
    assert desk.steps("B") == {"create": "confirmed", ALERT.label: "confirmed", ITEM.label: "failed"}
    assert ITEM not in desk.ledger.remembered("B")


def test_a_child_that_the_api_cannot_change_does_not_stop_its_siblings(desk: Desk) -> None:
    live = made(desk)
    desk.account.put_child(live.id, LINK, ATTACHED)
    changes = (
        FieldChange(LINK, None, replace(ATTACHED, title="Other")),
        FieldChange(LOG, None, Attachment("arbitrary_url", "https://example.com/log")),
    )
    outcome = desk.carry_out(Update(incident("A", SHORT), live, changes))
    assert isinstance(outcome, Applied)
    (warning,) = outcome.warnings
    assert warning.summary == "attachments differ from the files, but the API cannot change them"
    assert [each.attribute for each in desk.account.held[live.id]] == [LINK, LOG]
    assert LINK not in desk.ledger.remembered("A")  # so that plan goes on to show it
    assert desk.steps() == {LOG.label: "confirmed"}


# -- going on: what people did between two runs of a saved plan -------------------------------------------


def begun(desk: Desk) -> Desk:
    desk.plan_hash = "sha256:saved"
    desk.ledger.planned(["A"], plan_hash=desk.plan_hash)
    return desk


def test_what_people_wrote_into_an_ignored_field_of_an_adopted_incident_is_kept(desk: Desk) -> None:
    change = replace(create("A", {**SHORT, SUMMARY: "of the file"}), left_to_people=frozenset({SUMMARY}))
    left_to_people = {**change.attributes, SUMMARY: "of a person", NAME: "Renamed"}
    began = desk.account.put(left_to_people)
    desk.account.made_by[change.idempotency_key] = began.id
    desk.account.live[began.id] = replace(began, created_at=datetime(2024, 1, 1, tzinfo=UTC))
    begun(desk).account.faults = [Fault.NONE, Fault.CRASH_BEFORE]
    with pytest.raises(Crash):
        desk.carry_out(change)
    assert isinstance(desk.carry_out(change), Applied)
    assert desk.account.live[began.id].attributes[SUMMARY] == "of a person"
    assert desk.account.live[began.id].attributes[NAME] == SHORT[NAME]


def test_an_ignored_call_url_missing_after_a_crash_is_set(desk: Desk) -> None:
    url = "https://meet.example.com/"
    change = replace(create("A", {**SHORT, CALL_URL: url}), left_to_people=frozenset({CALL_URL}))
    begun(desk).account.faults = [Fault.NONE, Fault.CRASH_BEFORE]
    with pytest.raises(Crash):
        desk.carry_out(change)
    assert isinstance(desk.carry_out(change), Applied)
    (live,) = desk.account.live.values()
    assert live.attributes[CALL_URL] == url


def test_a_child_found_and_edited_is_no_longer_in_doubt_and_not_edited_again(desk: Desk) -> None:
    live = made(desk)
    desk.ledger.adopt("A", live)

    def declared(description: str) -> Update:
        value = TimelineItem(BEGAN, description)
        return Update(incident("A", {**SHORT, ITEM: value}), live, (FieldChange(ITEM, None, value),))

    desk.account.faults = [Fault.NONE, Fault.LOST_AFTER, Fault.LOST_BEFORE]
    assert isinstance(desk.carry_out(declared("Earlier")), Unknown)
    begun(desk).account.faults = []
    assert isinstance(desk.carry_out(declared("Later")), Applied)
    assert "sent" not in desk.steps().values()
    assert desk.ledger.in_doubt("A", ITEM.label) is None
    (item,) = desk.account.held[live.id]
    desk.account.held[live.id] = [replace(item, value=TimelineItem(BEGAN, "Of a person"))]
    assert isinstance(desk.carry_out(declared("Later")), Applied)
    (item,) = desk.account.held[live.id]
    assert item.value == TimelineItem(BEGAN, "Of a person")


def test_a_link_that_the_answer_to_a_creation_does_not_show_is_attached_again(desk: Desk) -> None:
    url = "https://docs.example.com/"
    desk.account.answers_with = lambda live: replace(
        live, attributes={each: value for each, value in live.attributes.items() if each != POSTMORTEM_URL}
    )
    assert isinstance(desk.create({**SHORT, POSTMORTEM_URL: url}), Applied)
    assert desk.asked == ["create", POSTMORTEM_URL.label, "show"]
