"""What one change sends and in which order, what is recorded of it, and which warnings the answer causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from importer.apply.answers import existed_before
from importer.apply.completion import RunEnded
from importer.apply.execution import Execution
from importer.apply.gate import FirstRequestGate
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
    NotAttempted,
    Outcome,
    Pending,
    PostmortemDocument,
    Remembered,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unanswered,
    Unknown,
    Update,
    Value,
)
from importer.model.errors import AuthenticationFailed, ImporterError, NoAnswer, Refused
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
DOCUMENT = Attribute(Field.POSTMORTEM)
MEMBER = Attribute(Field.MEMBER, LISA)
PUBLIC = Attribute(Field.STATUS_PAGE, PAGE)
CHANNEL = Attribute(Field.SLACK_CHANNEL_ID)
CHANNEL_NAME = Attribute(Field.SLACK_CHANNEL_NAME)
ATTACHED = Attachment("arbitrary_url", "https://example.com/")


class Harness:
    """An account, a ledger, and an execution between them."""

    def __init__(self, folder: Path) -> None:
        self.account = ScriptedAccount()
        self.clock: Callable[[], datetime] = lambda: self.account.now
        self.ledger = open_ledger(folder / "state.db", now=lambda: self.account.now)
        self.plan_hash = ""
        self.error: ImporterError | None = None

    def carry_out(self, change: object) -> Outcome | None:
        execution = Execution(
            self.account,
            self.ledger,
            self.clock,
            self.account.wait,
            Rediscovery(self.account, self.ledger.owner, None, lambda _: ()),
            lambda _, __: False,
            self.plan_hash,
            {SEARCH: Entity(Kind.OPTION, "01A", "Search")},
            gate=FirstRequestGate(Event()),
        )
        try:
            return execution.carry_out(change)  # type: ignore[arg-type]
        except RunEnded as ended:
            self.error = ended.error
            return ended.outcome

    def create(self, attributes: Attributes, *, key: str = "A") -> Outcome | None:
        return self.carry_out(create(key, attributes))

    def steps(self, key: str = "A") -> dict[str, str]:
        return {entry.step: entry.status for entry in self.ledger.entries(key)}

    @property
    def asked(self) -> list[str]:
        return [request[0] for request in self.account.requests]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path)
    yield harness
    harness.ledger.close()


def codes(outcome: Outcome | None) -> list[str]:
    assert isinstance(outcome, Applied | Adopted)
    return [each.code for each in (*outcome.warnings, *outcome.missing)]


def made(harness: Harness, attributes: Attributes = SHORT, *, key: str | None = "A") -> LiveIncident:
    """Add an old incident to the account, which the state binds to a key, if any."""
    live = harness.account.put(attributes)
    harness.account.live[live.id] = replace(live, created_at=datetime(2024, 1, 1, tzinfo=UTC))
    harness.account.requests.clear()
    if key:
        harness.ledger.bind(key, live)
    return harness.account.live[live.id]


# -- a creation ----------------------------------------------------------------------------------------


def test_a_creation_is_one_request_and_one_binding(harness: Harness) -> None:
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Applied)
    assert (outcome.created, outcome.warnings) == (True, ())
    assert harness.asked == ["create"]
    assert harness.steps() == {"create": "confirmed"}
    binding = harness.ledger.binding("A")
    assert binding is not None
    assert (binding.incident_id, binding.settled) == (outcome.live.id, True)


def test_attributes_that_a_creation_cannot_set_are_edited_right_after_it(harness: Harness) -> None:
    outcome = harness.create({**SHORT, CALL_URL: "https://meet.example.com/"})
    assert codes(outcome) == []
    assert harness.asked == ["create", "edit"]
    assert harness.steps() == {"create": "confirmed", "edit": "confirmed"}
    assert harness.ledger.remembered("A")[CALL_URL].answered == "https://meet.example.com/"


def test_attributes_still_to_be_edited_are_not_recorded_as_answered(harness: Harness) -> None:
    harness.account.faults = [Fault.NONE, Fault.REFUSED]
    outcome = harness.create({**SHORT, CALL_URL: "https://meet.example.com/"})
    assert codes(outcome) == ["refused-part"]
    assert NAME in harness.ledger.remembered("A")
    assert harness.ledger.remembered("A")[CALL_URL].refused == "the account refused to change it (no)"


def test_write_only_attributes_are_not_edited_again(harness: Harness) -> None:
    assert codes(harness.create({**SHORT, CHANNEL_NAME: "inc-1"})) == []
    assert harness.asked == ["create"]
    assert CHANNEL_NAME in harness.ledger.remembered("A")


def test_new_options_are_sent_by_their_ids(harness: Harness) -> None:
    harness.create({**SHORT, TEAMS_FIELD: (SEARCH,)})
    (live,) = harness.account.live.values()
    assert live.attributes[TEAMS_FIELD] == (Entity(Kind.OPTION, "01A", "Search"),)


def test_a_create_only_attribute_that_came_back_different_is_a_warning_not_an_edit(harness: Harness) -> None:
    def answer(live: LiveIncident) -> LiveIncident:
        attributes = {a: v for a, v in live.attributes.items() if a not in (STATUS, REPORTER)}
        return replace(live, attributes=attributes)

    harness.account.answers_with = answer
    assert codes(harness.create({**SHORT, REPORTER: LISA})) == ["came-back-different"] * 2
    assert harness.asked == ["create"]


def as_stored(**values: Value) -> Callable[[LiveIncident], LiveIncident]:
    """Return an account that stores some attributes of every new incident otherwise; None drops them."""
    names = {"name": NAME, "severity": SEVERITY, "summary": SUMMARY}
    stored = {names[name]: value for name, value in values.items()}

    def answer(live: LiveIncident) -> LiveIncident:
        kept = {**live.attributes, **stored}
        return replace(live, attributes={a: value for a, value in kept.items() if value is not None})

    return answer


@pytest.mark.parametrize(
    ("stored", "found"),
    [("Search  was &amp; is slow", []), ("SEARCH was & is slow", ["came-back-different"])],
)
def test_a_text_that_the_account_normalises_brings_no_edit(
    harness: Harness, stored: str, found: list[str]
) -> None:
    harness.account.answers_with = as_stored(name=stored)
    assert codes(harness.create({**SHORT, NAME: "Search was & is slow"})) == found
    assert harness.asked == ["create"]
    known = harness.ledger.remembered("A")[NAME]
    assert (known.declared, known.answered) == ("Search was & is slow", stored)


def test_an_edit_that_comes_back_in_the_accounts_form_is_no_warning(harness: Harness) -> None:
    live = made(harness)
    change = FieldChange(SUMMARY, None, "  indented")
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (change,)))
    assert codes(outcome) == []
    assert harness.ledger.remembered("A")[SUMMARY].answered == "indented"


def test_a_value_that_the_account_dropped_is_set_again(harness: Harness) -> None:
    harness.account.answers_with = as_stored(severity=None)
    assert codes(harness.create(SHORT)) == []
    assert harness.asked == ["create", "correct"]
    assert harness.ledger.remembered("A")[SEVERITY].refused is None


def test_created_is_created_though_closed_incidents_refuse_edits_and_the_children_follow(
    harness: Harness,
) -> None:
    harness.account.answers_with = as_stored(severity=MAJOR)
    harness.account.faults = [Fault.NONE, Fault.REFUSED]
    outcome = harness.create({**SHORT, ITEM: TimelineItem(BEGAN)})
    assert isinstance(outcome, Applied)
    assert outcome.created
    (missing,) = outcome.missing
    assert missing.code == "refused-part"
    assert missing.detail.startswith("incident 'A' (INC-1): severity: 422 is_required: no")
    known = harness.ledger.remembered("A")[SEVERITY]
    assert known.refused == "this account refuses edits of closed incidents (no)"
    assert (known.declared, known.answered) == (SHORT[SEVERITY], MAJOR)
    assert len(harness.account.held["01LIVE1"]) == 1


def test_of_several_values_that_are_refused_together_each_is_tried_alone(harness: Harness) -> None:
    harness.account.answers_with = as_stored(severity=None, summary=None)
    harness.account.faults = [Fault.NONE, Fault.REFUSED, Fault.NONE, Fault.REFUSED]
    outcome = harness.create({**SHORT, SUMMARY: "text"})
    assert codes(outcome) == ["refused-part"]
    assert harness.asked == ["create", "correct", "correct", "correct"]
    known = harness.ledger.remembered("A")
    assert [known[each].refused is not None for each in (SUMMARY, SEVERITY)].count(True) == 1


def test_a_value_that_the_account_accepts_and_does_not_keep_is_missing(harness: Harness) -> None:
    live = made(harness)
    kept = harness.account._set

    def forget(incident_id: str, attributes: Attributes) -> LiveIncident:
        return kept(incident_id, {a: value for a, value in attributes.items() if a != SUMMARY})

    harness.account._set = forget  # type: ignore[method-assign]
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SUMMARY, None, "x"),)))
    assert codes(outcome) == ["not-kept"]
    assert harness.ledger.remembered("A")[SUMMARY].refused == "the account accepts it, but does not keep it"


def test_an_edit_that_comes_back_as_another_value_is_a_warning(harness: Harness) -> None:
    live = made(harness)
    kept = harness.account._set

    def alter(incident_id: str, attributes: Attributes) -> LiveIncident:
        return kept(incident_id, dict.fromkeys(attributes, "y"))

    harness.account._set = alter  # type: ignore[method-assign]
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SUMMARY, None, "x"),)))
    assert codes(outcome) == ["came-back-different"]
    assert harness.ledger.remembered("A")[SUMMARY] == Remembered("x", "y")


def test_a_role_that_a_correction_lacks_does_not_end_the_run(harness: Harness) -> None:
    harness.account.answers_with = as_stored(severity=None)
    harness.account.faults = [Fault.NONE, Fault.FORBIDDEN]
    assert codes(harness.create(SHORT)) == ["not-attempted"]
    assert harness.error is None


def test_once_the_run_ends_the_other_steps_of_a_change_are_not_attempted(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.UNAUTHENTICATED]
    changes = (
        FieldChange(SUMMARY, None, "x"),
        FieldChange(POSTMORTEM_URL, None, "https://docs.example.com/"),
        FieldChange(ITEM, None, TimelineItem(BEGAN)),
    )
    outcome = harness.carry_out(Update(incident("A", SHORT), live, changes))
    assert isinstance(outcome, Failed)
    assert isinstance(harness.error, AuthenticationFailed)
    assert harness.asked == ["edit"]


def test_the_rest_of_a_created_incident_is_missing_once_the_run_ends(harness: Harness) -> None:
    harness.account.faults = [Fault.NONE, Fault.UNAUTHENTICATED]
    attributes = {**SHORT, ALERT: FollowUp(), TEST: FollowUp(), ITEM: TimelineItem(BEGAN)}
    outcome = harness.create(attributes)
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert [each.code for each in outcome.missing] == ["refused-part", "not-attempted", "not-attempted"]


def test_a_child_that_never_left_is_missing_and_not_in_doubt(harness: Harness) -> None:
    harness.account.faults = [Fault.NONE, Fault.UNREACHABLE]
    outcome = harness.create({**SHORT, ITEM: TimelineItem(BEGAN)})
    assert isinstance(outcome, Applied)
    assert [each.summary for each in outcome.missing] == ["timeline: not sent, because the run had ended"]
    assert isinstance(harness.error, NoAnswer)


def test_a_creation_that_never_left_is_not_attempted_and_not_in_doubt(harness: Harness) -> None:
    harness.account.faults = [Fault.UNREACHABLE]
    assert isinstance(harness.create(SHORT), NotAttempted)
    assert harness.steps() == {"create": "failed"}
    assert isinstance(harness.error, NoAnswer)


def test_a_resumed_creation_whose_rest_cannot_be_listed_is_not_attempted_and_says_why(
    harness: Harness,
) -> None:
    harness.plan_hash = "saved"
    attributes = {**SHORT, ALERT: FollowUp()}
    harness.account.faults = [Fault.NONE, Fault.NOT_AVAILABLE]
    assert codes(harness.create(attributes)) == ["not-attempted"]
    harness.account.faults = [Fault.NONE, Fault.NOT_AVAILABLE]
    outcome = harness.create(attributes)
    assert isinstance(outcome, NotAttempted)
    assert [each.code for each in outcome.missing] == ["not-attempted"]
    assert isinstance(harness.create(attributes), Applied)


def test_each_child_of_a_kind_is_skipped_once_the_run_ends(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.NONE, Fault.UNAUTHENTICATED]
    changes = (FieldChange(ALERT, None, FollowUp()), FieldChange(TEST, None, FollowUp()))
    harness.carry_out(Update(incident("A", SHORT), live, changes))
    assert harness.asked == ["list", TEST.label]


@pytest.mark.parametrize("attribute", [SUMMARY, CALL_URL])
def test_an_ordinary_edit_that_is_refused_is_planned_again(harness: Harness, attribute: Attribute) -> None:
    harness.create({**SHORT, SUMMARY: "a", CALL_URL: "https://meet.example.com/a"})
    (live,) = harness.account.live.values()
    known = harness.ledger.remembered("A")
    harness.account.faults = [Fault.REFUSED]
    change = FieldChange(attribute, live.attributes[attribute], "https://meet.example.com/b")
    assert isinstance(harness.carry_out(Update(incident("A", SHORT), live, (change,))), Failed)
    assert harness.ledger.remembered("A") == known


def test_several_values_that_one_edit_refuses_are_not_remembered_as_refused(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.REFUSED]
    changes = (FieldChange(SUMMARY, None, "x"), FieldChange(SEVERITY, None, MAJOR))
    assert isinstance(harness.carry_out(Update(incident("A", SHORT), live, changes)), Failed)
    assert harness.ledger.remembered("A") == {}


def test_an_incident_from_just_before_its_creation_was_sent_is_said_to_be_one(harness: Harness) -> None:
    harness.account.answers_with = lambda live: replace(
        live, created_at=live.created_at - timedelta(seconds=2)
    )
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert codes(outcome) == ["may-have-existed"]


def test_a_creation_in_doubt_whose_server_is_gone_stays_in_doubt(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_BEFORE, Fault.NONE, Fault.NONE, Fault.UNREACHABLE]
    assert isinstance(harness.create(SHORT), Unknown)
    assert harness.steps() == {"create": "sent"}
    assert isinstance(harness.error, NoAnswer)


def test_a_change_whose_incident_cannot_be_read_failed_and_nothing_was_sent(harness: Harness) -> None:
    live = made(harness, key=None)
    harness.account.faults = [Fault.LOST_BEFORE]
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SUMMARY, None, "x"),)))
    assert isinstance(outcome, Failed)
    assert outcome.message == "lost; nothing was sent"


def test_a_state_that_cannot_be_written_before_a_request_leaves_nothing_in_doubt(harness: Harness) -> None:
    harness.ledger.sending = full  # type: ignore[method-assign]
    assert isinstance(harness.create(SHORT), NotAttempted)
    assert isinstance(harness.error, Refused)
    assert harness.asked == []


def test_a_creation_that_the_state_cannot_record_is_created_all_the_same(harness: Harness) -> None:
    harness.ledger.confirmed = full  # type: ignore[method-assign]
    outcome = harness.create({**SHORT, ITEM: TimelineItem(BEGAN)})
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert [each.code for each in outcome.missing] == ["not-recorded", "not-attempted"]
    assert "not sent, because the run had ended" in outcome.missing[1].summary
    assert isinstance(harness.error, Refused)
    assert harness.asked == ["create"]
    assert harness.steps() == {"create": "sent"}  # so the next run looks for it


def test_a_refusal_that_the_state_cannot_record_leaves_the_creation_in_doubt(harness: Harness) -> None:
    harness.account.faults = [Fault.REFUSED]
    harness.ledger.failed = full  # type: ignore[method-assign]
    assert isinstance(harness.create(SHORT), Unknown)
    assert harness.steps() == {"create": "sent"}


def test_an_edit_that_the_state_cannot_record_is_made_all_the_same(harness: Harness) -> None:
    live = made(harness)
    harness.ledger.confirmed = full  # type: ignore[method-assign]
    changes = (FieldChange(SUMMARY, None, "x"), FieldChange(ALERT, None, FollowUp()))
    outcome = harness.carry_out(Update(incident("A", SHORT), live, changes))
    assert codes(outcome) == ["not-recorded", "not-attempted"]
    assert harness.asked == ["edit"]


def test_an_update_of_which_nothing_was_sent_is_not_attempted(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.UNREACHABLE]
    change = Update(incident("A", SHORT), live, (FieldChange(SUMMARY, None, "x"),))
    outcome = harness.carry_out(change)
    assert isinstance(outcome, NotAttempted)
    assert [each.code for each in outcome.missing] == ["not-attempted"]


def test_what_leaves_doubt_outweighs_what_was_refused(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.REFUSED, Fault.LOST_AFTER]
    changes = (FieldChange(SUMMARY, None, "x"), FieldChange(MEMBER, None, Membership()))
    outcome = harness.carry_out(Update(incident("A", SHORT), live, changes))
    assert isinstance(outcome, Unknown), outcome


def test_a_link_that_cannot_be_read_back_was_attached_all_the_same(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    change = FieldChange(POSTMORTEM_URL, None, "https://docs.example.com/")
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (change,)))
    assert codes(outcome) == ["not-answered"]
    assert harness.steps() == {"postmortem.url": "sent"}


def full(*_: object, **__: object) -> None:
    raise Refused("the state cannot be written: disk full")


def test_an_unrequested_slack_channel_is_a_warning(harness: Harness) -> None:
    harness.account.answers_with = lambda live: replace(live, attributes={**live.attributes, CHANNEL: "C1"})
    assert codes(harness.create(SHORT)) == ["slack-channel-created"]
    assert codes(harness.create({**SHORT, CHANNEL: "C1"}, key="B")) == []


def test_an_undeclared_timestamp_of_today_is_a_warning(harness: Harness) -> None:
    harness.account.answers_with = lambda live: replace(
        live, attributes={**live.attributes, STARTED: live.created_at + timedelta(seconds=1)}
    )
    harness.clock = lambda: harness.account.now - timedelta(hours=1)  # the laptop is wrong; the server is not
    assert codes(harness.create(SHORT)) == ["timestamp-set-by-server"]


def test_an_old_timestamp_is_not_a_warning(harness: Harness) -> None:
    harness.account.answers_with = lambda live: replace(live, attributes={**live.attributes, STARTED: BEGAN})
    assert codes(harness.create(SHORT)) == []


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
    harness: Harness, answers_with: Callable[[LiveIncident], LiveIncident], words: str
) -> None:
    harness.account.answers_with = answers_with
    attributes = {**SHORT, VISIBILITY: "private", CALL_URL: "https://meet.example.com/"}
    change = create("A", attributes)
    outcome = harness.carry_out(replace(change, incident=replace(change.incident, external_id=48)))
    assert [each for each in codes(outcome) if each != "came-back-different"] == [
        "not-as-asked",
        "not-attempted",
    ]
    assert isinstance(harness.error, Refused)
    assert words in harness.error.summary
    assert harness.asked == ["create"]
    assert harness.ledger.binding("A") is not None


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (Fault.REFUSED, Failed, "failed"),
        (Fault.CONFLICT, Unknown, "sent"),
        (Fault.LOST_BEFORE, Unknown, "sent"),
        (Fault.LOST_AFTER, Unknown, "sent"),
        (Fault.SERVER_ERROR, Unknown, "sent"),
        (Fault.INTERRUPTED, Unknown, "sent"),
    ],
)
def test_only_a_refusal_that_leaves_no_doubt_is_recorded_as_failed(
    harness: Harness, fault: Fault, kind: type[Outcome], status: str
) -> None:
    harness.account.faults = [fault, *[Fault.LOST_BEFORE] * 9]
    outcome = harness.create(SHORT)
    assert isinstance(outcome, kind)
    assert harness.steps() == {"create": status}
    assert harness.ledger.binding("A") is None


@pytest.mark.parametrize("fault", [Fault.UNAUTHENTICATED, Fault.FORBIDDEN])
def test_a_key_without_permission_ends_the_run_and_leaves_nothing_pending(
    harness: Harness, fault: Fault
) -> None:
    harness.account.faults = [fault]
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Failed)
    assert isinstance(harness.error, AuthenticationFailed)
    assert harness.steps() == {"create": "failed"}


def test_a_creation_that_would_have_to_wait_for_too_long_is_not_attempted_and_ends_the_run(
    harness: Harness,
) -> None:
    harness.account.faults = [Fault.NOT_SENT]
    assert isinstance(harness.create(SHORT), NotAttempted)
    assert harness.error is not None
    assert harness.error.code == "creation-limit"
    assert harness.steps() == {"create": "failed"}


def test_an_answer_with_another_incident_is_neither_bound_nor_edited(harness: Harness) -> None:
    harness.create(SHORT)
    other = Create(incident("B", SHORT), "importer-A", {VISIBILITY: "public", **SHORT, NAME: "Another name"})
    outcome = harness.carry_out(other)
    assert isinstance(outcome, Failed)
    assert outcome.code == "namespace-clash"
    assert harness.account.live["01LIVE1"].name == SHORT[NAME]
    assert harness.steps("B") == {"create": "failed"}


# -- was it there before? ------------------------------------------------------------------------------

SENT_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKEW = timedelta(minutes=7)


def answered(*, created: float, dated: float | None, name: str = "Search was slow") -> Answer:
    """Return an answer after ten seconds; `created` and `dated` are seconds since sending, by the server's clock."""
    live = LiveIncident(
        "01LIVE1", "INC-1", "retrospective", SENT_AT + timedelta(seconds=created), "", {NAME: name}
    )
    return Answer(live, None if dated is None else SENT_AT + timedelta(seconds=dated))


def existed(answer: Answer, *, skew: timedelta = timedelta(0)) -> bool:
    began = SENT_AT + skew
    return existed_before(answer, began, began + timedelta(seconds=10), name="Search was slow")


@pytest.mark.parametrize("skew", [-SKEW, timedelta(0), SKEW])
@pytest.mark.parametrize(
    ("created", "expected"), [(10, False), (0, False), (-1.9, False), (-2.1, True), (-3600, True)]
)
def test_the_servers_clock_reveals_an_older_incident_however_wrong_ours_is(
    created: float, skew: timedelta, *, expected: bool
) -> None:
    assert existed(answered(created=created, dated=10), skew=skew) is expected


@pytest.mark.parametrize(("created", "expected"), [(5, False), (-1, False), (-3600, True)])
def test_without_a_date_header_our_own_clock_decides(created: float, *, expected: bool) -> None:
    assert existed(answered(created=created, dated=None)) is expected


def test_a_clock_set_back_meanwhile_makes_no_incident_look_older() -> None:
    set_back = SENT_AT - timedelta(hours=1)
    name = "Search was slow"
    assert not existed_before(answered(created=1, dated=2), SENT_AT, set_back, name=name)
    assert existed_before(answered(created=-60, dated=2), SENT_AT, set_back, name=name)


def test_another_name_reveals_an_incident_created_a_moment_ago() -> None:
    assert existed(answered(created=5, dated=10, name="Something else"))
    assert not existed(answered(created=5, dated=10, name="Search was slow "))


def test_an_existing_incident_is_adopted_updated_and_reported(harness: Harness) -> None:
    live = made(harness, {NAME: "Search was slow", CHANNEL: "C-theirs"}, key=None)
    harness.account.made_by["importer-A"] = live.id
    harness.account.held[live.id] = []
    outcome = harness.create({**SHORT, ITEM: TimelineItem(BEGAN)})
    assert isinstance(outcome, Adopted)
    assert SEVERITY in harness.account.live[live.id].attributes
    assert harness.asked == ["create", "correct", "list", ITEM.label]
    assert "slack-channel-created" not in codes(outcome)  # it was theirs before
    assert harness.ledger.is_created("A")


def test_attributes_left_to_people_are_not_edited_in_an_existing_incident(harness: Harness) -> None:
    live = made(harness, {NAME: "Search was slow", SUMMARY: "as somebody wrote it"}, key=None)
    harness.account.made_by["importer-A"] = live.id
    left_to_people = frozenset({SUMMARY})
    sent = {STATUS: CLOSED, VISIBILITY: "public", **SHORT, SUMMARY: "as the file has it"}
    outcome = harness.carry_out(Create(incident("A", SHORT), "importer-A", sent, left_to_people))
    assert isinstance(outcome, Adopted)
    held = harness.account.live[live.id].attributes
    assert held[SUMMARY] == "as somebody wrote it"
    assert SEVERITY in held
    assert SUMMARY not in harness.ledger.remembered("A")


def test_a_pending_creation_that_was_carried_out_counts_as_created_not_adopted(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_AFTER, Fault.LOST_BEFORE]
    harness.create(SHORT)
    harness.account.now += timedelta(days=3)
    pending = Pending(incident("A", SHORT), "another-key", {STATUS: CLOSED, VISIBILITY: "public", **SHORT})
    outcome = harness.carry_out(pending)
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert harness.account.requests == [("create", "importer-A"), ("look",), ("look",)]


def test_a_creation_in_doubt_is_sent_again_byte_for_byte_and_then_corrected(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_BEFORE, Fault.LOST_BEFORE]
    harness.create({**SHORT, SUMMARY: "as it was"})
    sent = harness.ledger.in_doubt("A", "create")
    outcome = harness.create({**SHORT, SUMMARY: "as the file has it now"})
    assert isinstance(outcome, Applied | Adopted)
    first, second = harness.account.bodies
    assert first == second
    assert sent is not None
    assert sent.content == first
    (live,) = harness.account.live.values()
    assert live.attributes[SUMMARY] == "as the file has it now"
    assert harness.ledger.remembered("A")[SUMMARY].declared == "as the file has it now"
    assert harness.ledger.in_doubt("A", "create") is None


def test_a_creation_in_doubt_that_the_account_shows_is_not_sent_again(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_AFTER]
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert harness.account.requests == [("create", "importer-A"), ("look",)]


def test_a_creation_in_doubt_whose_bytes_are_unknown_is_sent_with_its_key(harness: Harness) -> None:
    harness.ledger.sending("A", "create", Unanswered("elsewhere"), plan_hash="")
    assert isinstance(harness.create(SHORT), Applied)
    assert harness.account.requests == [("look",), ("look",), ("create", "elsewhere")]


def test_the_journal_not_the_plan_decides_what_was_sent(harness: Harness) -> None:
    sent = {STATUS: CLOSED, VISIBILITY: "public", **SHORT}
    forged = Pending(incident("A", SHORT), "importer-A", sent, content='{"mode":"standard"}')
    assert isinstance(harness.carry_out(forged), Applied)
    assert '"mode":"retrospective"' in harness.account.bodies[0]


def test_a_keyed_child_in_doubt_is_sent_again_byte_for_byte(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_BEFORE, Fault.NONE]
    for text in ("as it was", "as the file has it now"):
        change = FieldChange(ITEM, None, TimelineItem(BEGAN, text))
        harness.carry_out(Update(incident("A", SHORT), live, (change,)))
    first, second = harness.account.bodies
    assert first == second
    assert "as it was" in first


# -- a saved plan that is applied again ----------------------------------------------------------------


def test_an_incident_of_an_earlier_run_is_not_created_again_even_if_its_key_is_forgotten(
    harness: Harness,
) -> None:
    harness.plan_hash = "saved"
    children: Attributes = {ALERT: FollowUp(), MEMBER: Membership(), PUBLIC: public()}
    harness.account.faults = [Fault.NONE] * 4 + [Fault.LOST_BEFORE]
    outcome = harness.create({**SHORT, CALL_URL: "https://meet.example.com/", **children})
    assert isinstance(outcome, Applied)
    assert outcome.created
    assert codes(outcome) == ["not-answered"]
    harness.account.made_by.clear()
    harness.account.child_made_by.clear()
    harness.account.requests.clear()
    outcome = harness.create({**SHORT, CALL_URL: "https://meet.example.com/", **children})
    assert isinstance(outcome, Applied)
    assert not outcome.created
    assert harness.asked == ["show", MEMBER.label]
    assert len(harness.account.live) == 1


def test_edits_of_an_earlier_run_of_a_saved_plan_are_not_made_again(harness: Harness) -> None:
    live = made(harness)
    harness.plan_hash = "saved"
    changes = (
        FieldChange(SEVERITY, None, MAJOR),
        FieldChange(MEMBER, None, Membership()),
        FieldChange(ALERT, None, FollowUp()),
    )
    update = Update(incident("A", SHORT), live, changes)
    harness.account.faults = [Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST_BEFORE]
    assert codes(harness.carry_out(update)) == ["not-answered"]
    asked = len(harness.asked)
    assert isinstance(harness.carry_out(update), Applied)
    assert harness.asked[asked:] == [MEMBER.label]
    harness.plan_hash = "another"
    harness.carry_out(update)
    assert harness.asked[-2:] == ["edit", "list"]


def test_a_status_that_an_earlier_run_did_not_set_is_set(harness: Harness) -> None:
    harness.plan_hash = "saved"
    done = FollowUp(status="completed")
    harness.account.faults = [Fault.NONE, Fault.NONE, Fault.NONE, Fault.LOST_BEFORE]
    assert codes(harness.create({**SHORT, ALERT: done})) == ["not-answered"]
    assert harness.steps() == {
        "create": "confirmed",
        ALERT.label: "confirmed",
        f"status {ALERT.label}": "sent",
    }
    assert harness.ledger.remembered("A")[ALERT].declared == FollowUp()
    assert isinstance(harness.create({**SHORT, ALERT: done}), Applied)
    assert harness.asked[-3:] == ["show", "list", f"status {ALERT.label}"]
    (child,) = harness.account.held["01LIVE1"]
    assert child.value == done


def test_an_edit_that_an_earlier_run_did_not_make_is_made(harness: Harness) -> None:
    harness.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    attributes = {**SHORT, CALL_URL: "https://meet.example.com/", REPORTER: LISA}
    harness.create(attributes)
    harness.account.live["01LIVE1"] = replace(
        harness.account.live["01LIVE1"], attributes=dict(SHORT)
    )  # REPORTER cannot be edited
    harness.create(attributes)
    assert harness.asked == ["create", "edit", "show", "edit"]
    assert harness.account.live["01LIVE1"].attributes[CALL_URL] == "https://meet.example.com/"


def test_a_key_that_was_adopted_since_the_plan_was_made_is_stale_and_nothing_is_sent(
    harness: Harness,
) -> None:
    live = made(harness)
    harness.ledger.adopt("A", live)
    outcome = harness.create({**SHORT, SEVERITY: MAJOR})
    assert isinstance(outcome, Failed)
    assert outcome.code == "stale-plan"
    assert "make a new plan" in outcome.message
    assert harness.asked == []


def test_a_created_incident_that_the_key_cannot_see_is_not_created_again(harness: Harness) -> None:
    harness.create(SHORT)
    harness.account.live.clear()
    harness.account.made_by.clear()
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Failed)
    assert outcome.code == "not-visible"
    assert harness.asked == ["create", "show"]


# -- edits ---------------------------------------------------------------------------------------------


def test_an_update_sends_only_the_differences(harness: Harness) -> None:
    live = made(harness)
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Applied)
    assert not outcome.created
    assert harness.asked == ["edit"]
    assert harness.ledger.binding("A") is not None


def test_a_cleared_attribute_is_remembered_as_cleared(harness: Harness) -> None:
    live = made(harness, {**SHORT, SUMMARY: "old"})
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SUMMARY, "old", None),)))
    assert codes(outcome) == []
    assert harness.ledger.remembered("A")[SUMMARY].declared is None


def test_an_adoption_is_settled_by_its_apply(harness: Harness) -> None:
    live = made(harness)
    harness.ledger.adopt("A", live)
    outcome = harness.carry_out(Adopt(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Adopted)
    harness.ledger.set_meta("anything", "")  # what waited is written with it
    binding = harness.ledger.binding("A")
    assert binding is not None
    assert binding.settled


def test_an_update_that_is_refused_settles_nothing(harness: Harness) -> None:
    live = made(harness)
    harness.ledger.adopt("A", live)
    harness.account.faults = [Fault.REFUSED]
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(SEVERITY, None, MAJOR),)))
    assert isinstance(outcome, Failed)
    assert outcome.request_id == "r-1"
    harness.ledger.set_meta("anything", "")
    binding = harness.ledger.binding("A")
    assert binding is not None
    assert not binding.settled


def test_a_postmortem_link_is_read_back_in_the_accounts_form(harness: Harness) -> None:
    live = made(harness)
    change = FieldChange(POSTMORTEM_URL, None, "https://docs.example.com/")
    assert isinstance(harness.carry_out(Update(incident("A", SHORT), live, (change,))), Applied)
    assert harness.asked == [POSTMORTEM_URL.label, "show"]
    known = harness.ledger.remembered("A")[POSTMORTEM_URL]
    assert (known.declared, known.answered) == ("https://docs.example.com/", "https://docs.example.com")


def test_an_unchanged_incident_is_bound_and_a_blocked_one_is_left_alone(harness: Harness) -> None:
    live = made(harness)
    assert harness.carry_out(NoOp(incident("A", SHORT), live.id, live.reference)) is None
    assert harness.carry_out(Blocked(incident("B", SHORT), "01LIVE2", "INC-2", "not-ours", "no")) is None
    harness.ledger.set_meta("anything", "")
    assert [each.key for each in harness.ledger.bindings()] == ["A"]
    assert harness.asked == []


def test_a_key_that_is_the_incidents_own_id_does_not_bind_it_unless_it_was_bound(harness: Harness) -> None:
    live = made(harness, key=None)
    unchanged = NoOp(incident(live.id, SHORT), live.id, live.reference)
    harness.carry_out(unchanged)
    harness.ledger.set_meta("anything", "")
    assert harness.ledger.bindings() == ()
    harness.ledger.adopt(live.id, live)
    harness.carry_out(unchanged)
    harness.ledger.set_meta("anything", "")
    assert [each.settled for each in harness.ledger.bindings()] == [True]


# -- children ------------------------------------------------------------------------------------------


def public() -> StatusPageIncident:
    return StatusPageIncident(
        PAGE, "Search is slow", (StatusPageUpdate(BEGAN, "resolved", "It is over.", ()),)
    )


def test_children_of_a_new_incident_are_listed_only_if_they_have_no_key(harness: Harness) -> None:
    children: Attributes = {
        ALERT: FollowUp(),
        LINK: ATTACHED,
        ITEM: TimelineItem(BEGAN),
        DOCUMENT: PostmortemDocument("# Why"),
        MEMBER: Membership(),
        PUBLIC: public(),
    }
    assert codes(harness.create({**SHORT, **children})) == []
    listed = [request[2] for request in harness.account.requests if request[0] == "list"]
    assert listed == ["postmortem", "follow_ups", "attachments"]
    (held,) = harness.account.held.values()
    assert {each.attribute for each in held} == set(children)
    assert set(harness.steps().values()) == {"confirmed"}


def test_children_of_an_existing_incident_are_listed_first(harness: Harness) -> None:
    live = made(harness)
    for attribute, value in ((ALERT, FollowUp()), (ITEM, TimelineItem(BEGAN))):
        harness.account.put_child(live.id, attribute, value)
    harness.account.requests.clear()
    changes = (
        FieldChange(ALERT, None, FollowUp()),
        FieldChange(ITEM, None, TimelineItem(BEGAN, "By hand.")),
        FieldChange(TEST, None, FollowUp()),
    )
    assert codes(harness.carry_out(Update(incident("A", SHORT), live, changes))) == []
    assert harness.asked == ["list", f"edit {ITEM.label}", "list", TEST.label]
    assert [each.attribute for each in harness.account.held[live.id]] == [ALERT, ITEM, TEST]
    assert harness.account.held[live.id][1].value == TimelineItem(BEGAN, "By hand.")


@pytest.mark.parametrize("attribute", [ALERT, LINK, DOCUMENT, ITEM])
def test_a_lost_answer_never_makes_two_children(harness: Harness, attribute: Attribute) -> None:
    values: Attributes = {
        ALERT: FollowUp(),
        LINK: ATTACHED,
        DOCUMENT: PostmortemDocument("x"),
        ITEM: TimelineItem(BEGAN),
    }
    live = made(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_AFTER]
    outcome = harness.carry_out(
        Update(incident("A", SHORT), live, (FieldChange(attribute, None, values[attribute]),))
    )
    assert codes(outcome) == []
    assert harness.asked == ["list", attribute.label, "list"]
    assert len(harness.account.held[live.id]) == 1
    assert harness.steps() == {attribute.label: "confirmed"}


def test_a_child_in_doubt_that_is_not_listed_stays_sent(harness: Harness) -> None:
    live = made(harness)
    harness.account.faults = [Fault.NONE, Fault.LOST_BEFORE]
    outcome = harness.carry_out(Update(incident("A", SHORT), live, (FieldChange(ALERT, None, FollowUp()),)))
    assert isinstance(outcome, Unknown)
    assert harness.steps() == {ALERT.label: "sent"}


def test_a_membership_in_doubt_stays_sent_since_nothing_lists_it(harness: Harness) -> None:
    live = made(harness)
    update = Update(incident("A", SHORT), live, (FieldChange(MEMBER, None, Membership()),))
    harness.account.faults = [Fault.LOST_AFTER]
    assert isinstance(harness.carry_out(update), Unknown)
    assert harness.steps() == {MEMBER.label: "sent"}
    assert isinstance(harness.carry_out(update), Applied)
    assert harness.asked == [MEMBER.label] * 2
    assert len(harness.account.held[live.id]) == 1


def test_children_that_the_account_lacks_are_missing_and_not_pending(
    harness: Harness,
) -> None:
    harness.account.faults = [Fault.NONE, Fault.NONE, Fault.NOT_AVAILABLE]
    outcome = harness.create({**SHORT, ITEM: TimelineItem(BEGAN), ALERT: FollowUp()})
    assert codes(outcome) == ["not-attempted"]
    harness.account.faults = [Fault.NONE, Fault.NOT_AVAILABLE]
    outcome = harness.create({**SHORT, ALERT: FollowUp(), ITEM: TimelineItem(BEGAN)}, key="B")
    assert codes(outcome) == ["not-attempted"]
    assert harness.steps("B") == {"create": "confirmed", ALERT.label: "confirmed", ITEM.label: "failed"}
    assert ITEM not in harness.ledger.remembered("B")


def test_a_child_that_the_api_cannot_change_does_not_stop_its_siblings(harness: Harness) -> None:
    live = made(harness)
    harness.account.put_child(live.id, LINK, ATTACHED)
    changes = (
        FieldChange(LINK, None, replace(ATTACHED, title="Other")),
        FieldChange(LOG, None, Attachment("arbitrary_url", "https://example.com/log")),
    )
    outcome = harness.carry_out(Update(incident("A", SHORT), live, changes))
    assert isinstance(outcome, Applied)
    (missing,) = outcome.missing
    assert missing.summary == "attachments: the account has another value, and the API cannot change it"
    assert [each.attribute for each in harness.account.held[live.id]] == [LINK, LOG]
    assert LINK not in harness.ledger.remembered("A")  # so that plan goes on to show it
    assert harness.steps() == {LOG.label: "confirmed"}


# -- going on: what people did between two runs of a saved plan -------------------------------------------


def begun(harness: Harness) -> Harness:
    harness.plan_hash = "sha256:saved"
    harness.ledger.planned(["A"], plan_hash=harness.plan_hash)
    return harness


def test_what_people_wrote_into_an_ignored_field_of_an_adopted_incident_is_kept(harness: Harness) -> None:
    change = replace(create("A", {**SHORT, SUMMARY: "of the file"}), left_to_people=frozenset({SUMMARY}))
    left_to_people = {**change.attributes, SUMMARY: "of a person", SEVERITY: MAJOR}
    began = harness.account.put(left_to_people)
    harness.account.made_by[change.idempotency_key] = began.id
    harness.account.live[began.id] = replace(began, created_at=datetime(2024, 1, 1, tzinfo=UTC))
    begun(harness).account.faults = [Fault.NONE, Fault.CRASH_BEFORE]
    with pytest.raises(Crash):
        harness.carry_out(change)
    assert isinstance(harness.carry_out(change), Applied)
    assert harness.account.live[began.id].attributes[SUMMARY] == "of a person"
    assert harness.account.live[began.id].attributes[SEVERITY] == SHORT[SEVERITY]


def test_an_ignored_call_url_missing_after_a_crash_is_set(harness: Harness) -> None:
    url = "https://meet.example.com/"
    change = replace(create("A", {**SHORT, CALL_URL: url}), left_to_people=frozenset({CALL_URL}))
    begun(harness).account.faults = [Fault.NONE, Fault.CRASH_BEFORE]
    with pytest.raises(Crash):
        harness.carry_out(change)
    assert isinstance(harness.carry_out(change), Applied)
    (live,) = harness.account.live.values()
    assert live.attributes[CALL_URL] == url


def test_a_child_found_and_edited_is_no_longer_in_doubt_and_not_edited_again(harness: Harness) -> None:
    live = made(harness)
    harness.ledger.adopt("A", live)

    def declared(description: str) -> Update:
        value = TimelineItem(BEGAN, description)
        return Update(incident("A", {**SHORT, ITEM: value}), live, (FieldChange(ITEM, None, value),))

    harness.account.faults = [Fault.NONE, Fault.LOST_AFTER, Fault.LOST_BEFORE]
    assert isinstance(harness.carry_out(declared("Earlier")), Unknown)
    begun(harness).account.faults = []
    assert isinstance(harness.carry_out(declared("Later")), Applied)
    assert "sent" not in harness.steps().values()
    assert harness.ledger.in_doubt("A", ITEM.label) is None
    (item,) = harness.account.held[live.id]
    harness.account.held[live.id] = [replace(item, value=TimelineItem(BEGAN, "Of a person"))]
    assert isinstance(harness.carry_out(declared("Later")), Applied)
    (item,) = harness.account.held[live.id]
    assert item.value == TimelineItem(BEGAN, "Of a person")


def test_a_link_that_the_answer_to_a_creation_does_not_show_is_attached_again(harness: Harness) -> None:
    url = "https://docs.example.com/"
    harness.account.answers_with = lambda live: replace(
        live, attributes={each: value for each, value in live.attributes.items() if each != POSTMORTEM_URL}
    )
    assert isinstance(harness.create({**SHORT, POSTMORTEM_URL: url}), Applied)
    assert harness.asked == ["create", POSTMORTEM_URL.label, "show"]


@pytest.mark.parametrize("fault", [Fault.UNAUTHENTICATED, Fault.FORBIDDEN, Fault.REFUSED, Fault.LOST_BEFORE])
def test_a_look_that_fails_leaves_the_creation_in_doubt(harness: Harness, fault: Fault) -> None:
    harness.account.faults = [Fault.LOST_AFTER, fault]
    assert isinstance(harness.create(SHORT), Unknown)
    assert harness.steps() == {"create": "sent"}
    assert isinstance(harness.create(SHORT), Applied)
    assert len(harness.account.live) == 1


@pytest.mark.parametrize("fault", [Fault.UNAUTHENTICATED, Fault.FORBIDDEN])
def test_a_key_without_permission_ends_the_run_though_a_creation_is_in_doubt(
    harness: Harness, fault: Fault
) -> None:
    harness.account.faults = [Fault.LOST_BEFORE, Fault.NONE, Fault.NONE, fault]
    assert isinstance(harness.create(SHORT), Unknown)
    assert isinstance(harness.error, AuthenticationFailed)
    assert harness.steps() == {"create": "sent"}


def test_a_run_sends_a_creation_three_times_and_then_leaves_it_in_doubt(harness: Harness) -> None:
    lost = [Fault.LOST_BEFORE, Fault.NONE, Fault.NONE]
    harness.account.faults = lost * 3
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Unknown)
    assert "the account does not show the incident" in outcome.message
    assert harness.asked.count("create") == 3
    assert harness.steps() == {"create": "sent"}


def test_a_refusal_of_a_creation_in_doubt_names_the_way_out(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_BEFORE, Fault.NONE, Fault.NONE, Fault.REFUSED]
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Unknown)
    assert "importer state forget A" in outcome.message
    assert harness.steps() == {"create": "sent"}


# -- a file that was corrected while its creation was in doubt -----------------------------------------


def in_doubt(harness: Harness, change: Create) -> None:
    """Create an incident, and lose the answer and the look after it."""
    harness.account.faults = [Fault.LOST_AFTER, Fault.LOST_BEFORE]
    assert isinstance(harness.carry_out(change), Unknown)
    harness.account.requests.clear()


def test_a_number_that_was_corrected_in_between_is_left_to_the_plan(harness: Harness) -> None:
    first = create("A", SHORT, external_id=5)
    in_doubt(harness, first)
    corrected = replace(first, incident=replace(first.incident, external_id=6))
    assert isinstance(harness.carry_out(corrected), Applied)
    assert [each.number for each in harness.account.live.values()] == [5]
    assert harness.ledger.binding("A") is not None


def test_what_only_a_creation_sets_and_was_corrected_in_between_stays_visible(harness: Harness) -> None:
    in_doubt(harness, create("A", SHORT))
    assert isinstance(harness.create({**SHORT, CHANNEL: "C-01"}), Applied)
    assert CHANNEL not in harness.ledger.remembered("A")


def test_a_creation_in_doubt_that_was_renamed_is_left_to_a_person_and_stays_in_doubt(
    harness: Harness,
) -> None:
    in_doubt(harness, create("A", SHORT))
    (live,) = harness.account.live.values()
    harness.account.live[live.id] = replace(live, attributes={**live.attributes, NAME: "Renamed"})
    outcome = harness.create(SHORT)
    assert isinstance(outcome, Unknown)
    assert "importer adopt A INC-1" in outcome.message
    assert harness.steps() == {"create": "sent"}
    assert len(harness.account.live) == 1


def test_an_older_incident_that_answers_a_creation_in_doubt_counts_as_adopted(harness: Harness) -> None:
    """The state was lost, and the answer to the new creation too. Its children are unknown."""
    live = made(harness, SHORT, key=None)
    harness.account.made_by["importer-A"] = live.id
    harness.account.faults = [Fault.LOST_BEFORE, Fault.LOST_BEFORE]
    assert isinstance(harness.create(SHORT), Unknown)
    assert isinstance(harness.create(SHORT), Adopted)
    assert not harness.ledger.history("A").is_whole


@pytest.mark.parametrize("is_visible", [True, False])
def test_an_unchanged_incident_that_settles_a_creation_in_doubt_has_a_whole_history(
    harness: Harness, is_visible: bool
) -> None:
    in_doubt(harness, create("A", SHORT))
    (live,) = harness.account.live.values()
    if not is_visible:
        harness.account.live.clear()
    harness.carry_out(NoOp(incident("A", SHORT), live.id, live.reference))
    harness.ledger.set_meta("anything", "")
    assert harness.ledger.binding("A") is not None
    assert harness.ledger.history("A").is_whole is is_visible


def test_the_last_look_settles_what_the_last_sending_made(harness: Harness) -> None:
    harness.account.faults = [Fault.LOST_BEFORE, Fault.NONE, Fault.NONE] * 2 + [Fault.LOST_AFTER]
    assert isinstance(harness.create(SHORT), Applied)
    assert harness.asked.count("create") == 3
    assert len(harness.account.live) == 1
