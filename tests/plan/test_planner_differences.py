"""Each difference is changed, shown as blocked, or ignored because the server keeps its own form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from importer.model import (
    Attachment,
    Attribute,
    Blocked,
    Create,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Ignored,
    Kind,
    Link,
    Location,
    NoOp,
    OnDrift,
    Origin,
    Policy,
    PostmortemDocument,
    Reference,
    Remembered,
    Severity,
    StatusPageIncident,
    TimelineItem,
    Update,
    Value,
)
from importer.model.plain import plain
from importer.plan.drift import judge
from importer.plan.matching import LiveIndex
from tests.planning import (
    BOUND,
    CHANNEL_NAME,
    CONTEXT,
    ITEM,
    KNOWN,
    MARKER,
    MARKING,
    NOTHING,
    POSTMORTEM,
    SECURITY,
    TYPE,
    WRITTEN,
    as_sent,
    change,
    diagnostic,
    incident,
    ours,
    planned,
    remembering,
)
from tests.plans import (
    BEGAN,
    CALL_URL,
    CLOSED,
    ENDED,
    FULL,
    LISA,
    NAME,
    POSTMORTEM_URL,
    REPORTER,
    SHORT,
    STARTED,
    STATUS,
    SUMMARY,
    TEAMS_FIELD,
    VISIBILITY,
    live,
)

TEXTS: tuple[Value, ...] = (None, "a", "b", "c")
Expected = Origin | None


def expected_origin(declared: Value, held: Value, known: Remembered | None) -> Expected:
    """Return the origin by the rule in short: which side changed since the last apply?"""
    if declared == held:
        return None
    file_moved = known is None or known.declared != declared
    account_moved = known is not None and known.answered != held
    if file_moved:
        return Origin.FILE
    return Origin.DRIFT if account_moved else None


TODO = Attribute(Field.FOLLOW_UP, "Add an alert")
MEMORIES = (None, *(Remembered(*pair) for pair in product(TEXTS, TEXTS)))


@pytest.mark.parametrize("declared", TEXTS)
@pytest.mark.parametrize("held", TEXTS)
@pytest.mark.parametrize("known", MEMORIES)
def test_a_difference_is_a_change_of_the_file_an_edit_or_only_the_servers_form(
    declared: Value, held: Value, known: Remembered | None
) -> None:
    fields = {SUMMARY: known} if known else KNOWN
    origin = expected_origin(declared, held, known)
    for policy in OnDrift:
        found = planned(
            incident({SUMMARY: declared}, policy=Policy(policy)),
            account=(live(7, {SUMMARY: held}),),
            memory=ours(fields),
        )
        (one,) = found.changes
        is_drift = origin is Origin.DRIFT
        if origin is None or (is_drift and policy is not OnDrift.OVERWRITE):
            assert one == NoOp(one.incident, "01LIVE7", "INC-7")
        else:
            assert isinstance(one, Update)
            assert one.changes == (FieldChange(SUMMARY, held, declared, origin),)
            assert one.blocked == ()
        expected = {OnDrift.OVERWRITE: [], OnDrift.KEEP: ["drift-kept"], OnDrift.FAIL: ["drift"]}[policy]
        cannot = ["cannot-be-cleared"] if origin is None and declared is None and held is not None else []
        assert [each.code for each in found.diagnostics] == (expected if is_drift else cannot)


def test_without_a_state_the_origin_of_a_difference_is_unknown() -> None:
    differs = FieldChange(SUMMARY, "edited?", "text", Origin.UNKNOWN)
    for policy in OnDrift:
        found = planned(
            incident({SUMMARY: "text"}, policy=Policy(policy)),
            account=(live(7, {SUMMARY: "edited?"}),),
            memory=ours({}),
        )
        (one,) = found.changes
        assert isinstance(one, Update)
        assert one.changes == (differs,)
        expected = [] if policy is OnDrift.OVERWRITE else ["drift-unknown"]
        assert [each.code for each in found.diagnostics] == expected


def test_kept_drift_leaves_the_other_changes_in() -> None:
    keeping = Policy(OnDrift.KEEP)
    known = {**as_sent({NAME: "Old", SUMMARY: "text"})}
    one = change({NAME: "New", SUMMARY: "text"}, {NAME: "Old", SUMMARY: "edited"}, known, keeping)
    assert isinstance(one, Update)
    assert one.changes == (FieldChange(NAME, "Old", "New"),)


def test_drift_of_a_create_only_attribute_follows_the_policy_too() -> None:
    reopened = Entity(Kind.STATUS, "01LIVE", "Live")
    known = as_sent({STATUS: CLOSED})
    overwritten = change({STATUS: CLOSED}, {STATUS: reopened}, known)
    assert isinstance(overwritten, Blocked)
    assert overwritten.blocked == (FieldChange(STATUS, reopened, CLOSED, Origin.DRIFT),)
    keeping = Policy(OnDrift.KEEP)
    assert isinstance(change({STATUS: CLOSED}, {STATUS: reopened}, known, keeping), NoOp)


def test_drift_is_reported_with_its_location_and_fields() -> None:
    found = planned(
        incident({NAME: "a", SUMMARY: "b"}, policy=Policy(OnDrift.FAIL)),
        account=(live(7, {NAME: "x", SUMMARY: "y"}),),
        memory=ours(as_sent({NAME: "a", SUMMARY: "b"})),
    )
    problem = diagnostic(found, "drift", Severity.ERROR)
    assert problem.detail == "incident 'A': name, summary"
    assert problem.locations == (Location("a.yaml", 3),)


@pytest.mark.parametrize("ignored", [SUMMARY, Attribute(Field.CUSTOM_FIELD), TEAMS_FIELD])
def test_an_ignored_attribute_is_sent_at_creation_and_left_alone_afterwards(ignored: Attribute) -> None:
    policy = Policy(ignore_changes=frozenset({Ignored(ignored)}))
    attribute = SUMMARY if ignored is SUMMARY else TEAMS_FIELD
    declared = {NAME: "New", attribute: FULL[attribute]}
    one = change(declared, {NAME: "Old"}, KNOWN, policy)
    assert isinstance(one, Update)
    assert [each.attribute for each in one.changes] == [NAME]
    (creation,) = planned(incident(declared, policy=policy)).changes
    assert isinstance(creation, Create)
    assert creation.attributes[attribute] == FULL[attribute]


def test_the_marker_is_always_written_back() -> None:
    for policy in (
        Policy(ignore_changes=frozenset({Ignored(Attribute(Field.CUSTOM_FIELD)), Ignored(MARKER)})),
        Policy(OnDrift.KEEP),
        Policy(OnDrift.FAIL),
    ):
        found = planned(
            incident(SHORT, policy=policy),
            account=(live(7, SHORT),),
            memory=ours(as_sent({MARKER: "A"})),
            context=MARKING,
        )
        (one,) = found.changes
        assert isinstance(one, Update)
        assert one.changes == (FieldChange(MARKER, None, "A", Origin.DRIFT),)
        assert found.diagnostics == ()


CREATE_ONLY: dict[Attribute, tuple[Value, Value]] = {
    VISIBILITY: ("public", "private"),
    STATUS: (CLOSED, Entity(Kind.STATUS, "01OTHER", "Merged")),
    TYPE: (None, SECURITY),
    REPORTER: (None, LISA),
    Attribute(Field.SLACK_CHANNEL_ID): ("C1", "C2"),
    Attribute(Field.SLACK_TEAM_ID): ("T1", "T2"),
}


@pytest.mark.parametrize("attribute", CREATE_ONLY)
def test_a_create_only_difference_is_blocked_and_never_tried(attribute: Attribute) -> None:
    before, after = CREATE_ONLY[attribute]
    stays = FieldChange(attribute, before, after)
    held = {NAME: "Old", attribute: before}
    alone = change({attribute: after}, held, KNOWN)
    assert isinstance(alone, Blocked)
    assert (alone.reason, alone.blocked) == ("create-only", (stays,))
    assert attribute.label in alone.explanation
    mixed = change({NAME: "New", attribute: after}, held, KNOWN)
    assert isinstance(mixed, Update)
    assert mixed.changes == (FieldChange(NAME, "Old", "New"),)
    assert mixed.blocked == (stays,)


@pytest.mark.parametrize("attribute", CREATE_ONLY)
def test_null_for_a_create_only_attribute_is_a_warning_and_never_a_change(
    attribute: Attribute,
) -> None:
    held = {attribute: CREATE_ONLY[attribute][1]}
    found = planned(incident({attribute: None}), account=(live(7, held),), memory=ours(KNOWN))
    assert isinstance(found.changes[0], NoOp)
    assert diagnostic(found, "cannot-be-cleared").detail == f"incident 'A': {attribute.label}"


def test_a_value_that_the_account_kept_when_it_was_cleared_is_a_warning_and_never_a_change() -> None:
    known = {SUMMARY: Remembered(None, "kept")}
    found = planned(
        incident({SUMMARY: None}), account=(live(7, {SUMMARY: "kept"}),), memory=ours({**KNOWN, **known})
    )
    assert isinstance(found.changes[0], NoOp)
    assert diagnostic(found, "cannot-be-cleared").detail == "incident 'A': summary"


def test_another_number_is_blocked_before_anything_else() -> None:
    number = FieldChange(Attribute(Field.EXTERNAL_ID), "INC-7", "8")
    declared = incident({NAME: "New", VISIBILITY: "private"}, number=8)
    held = live(7, {NAME: "Old", VISIBILITY: "public"})
    (mixed,) = planned(declared, account=(held,), memory=ours(KNOWN)).changes
    assert isinstance(mixed, Update)
    assert mixed.changes == (FieldChange(NAME, "Old", "New"),)
    assert mixed.blocked == (number, FieldChange(VISIBILITY, "public", "private"))
    (alone,) = planned(incident({}, number=8), account=(held,), memory=ours(KNOWN)).changes
    assert isinstance(alone, Blocked)
    assert alone.blocked == (number,)
    (equal,) = planned(incident({}, number=7), account=(held,), memory=ours(KNOWN)).changes
    assert isinstance(equal, NoOp)


def test_a_post_mortem_link_can_be_attached_and_not_removed() -> None:
    attached = change({POSTMORTEM_URL: "https://x"}, {}, KNOWN)
    assert isinstance(attached, Update)
    assert attached.changes == (FieldChange(POSTMORTEM_URL, None, "https://x"),)
    removed = change({POSTMORTEM_URL: None}, {POSTMORTEM_URL: "https://x"}, KNOWN)
    assert isinstance(removed, Blocked)
    assert removed.blocked == (FieldChange(POSTMORTEM_URL, "https://x", None),)


def child(
    attribute: Attribute, declared: Value, *, listed: Value = None, known: Value = None
) -> tuple[FieldChange, ...]:
    """Return the differences of one child: either all can be made, or none."""
    held = {} if listed is None else {attribute: listed}
    one = change({attribute: declared}, held, KNOWN if known is None else as_sent({attribute: known}))
    match one:
        case Update(changes=changes, blocked=()):
            return changes
        case Blocked(blocked=blocked):
            return tuple(replace(each, origin=Origin.DRIFT) for each in blocked)
        case _:
            assert isinstance(one, NoOp)
            return ()


@pytest.mark.parametrize("attribute", [each for each in FULL if each.is_child], ids=lambda each: each.label)
def test_a_child_is_created_once_and_then_known(attribute: Attribute) -> None:
    declared = FULL[attribute]
    assert child(attribute, declared) == (FieldChange(attribute, None, declared),)
    assert child(attribute, declared, known=declared) == ()
    assert child(attribute, declared, listed=declared) == ()


def test_a_child_that_changed_in_the_file_is_compared_with_what_was_declared() -> None:
    later = TimelineItem(ENDED, "By hand.")
    assert child(ITEM, later, known=WRITTEN) == (FieldChange(ITEM, WRITTEN, later),)
    follow_up = Attribute(Field.FOLLOW_UP, "Add an alert")
    before, after = FollowUp("x", status="outstanding"), FollowUp("x", status="completed")
    assert child(follow_up, after, known=before) == (FieldChange(follow_up, before, after),)
    assert child(follow_up, FollowUp("x"), known=after) == ()


@pytest.mark.parametrize(
    ("attribute", "declared", "answered", "later", "is_so"),
    [
        (TODO, FollowUp("x"), FollowUp("x", status="outstanding"), FollowUp("x", status="outstanding"), True),
        (TODO, FollowUp("x"), FollowUp("x", status="outstanding"), FollowUp("x", status="completed"), False),
        (TODO, FollowUp("x"), FollowUp("y"), FollowUp("z"), False),
        (POSTMORTEM, PostmortemDocument("old"), PostmortemDocument(""), PostmortemDocument("new"), False),
    ],
    ids=["as-answered", "neither", "normalised", "an-answer-without-content"],
)
def test_a_child_that_the_last_answer_shows_as_declared_is_not_a_change(
    attribute: Attribute, declared: Value, answered: Value, later: Value, is_so: bool
) -> None:
    known = {attribute: Remembered(declared, answered)}
    found = judge(FieldChange(attribute, None, later), known, is_unedited=False)
    assert found == (None if is_so else FieldChange(attribute, declared, later))


def test_a_listed_child_that_differs_is_brought_up_to_date() -> None:
    listed = TimelineItem(BEGAN, "Something else.")
    assert child(ITEM, WRITTEN, listed=listed) == (FieldChange(ITEM, listed, WRITTEN),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PostmortemDocument("old", "completed"), PostmortemDocument("new", "completed")),
        (PostmortemDocument("old", "in_review"), PostmortemDocument("new", "completed")),
        (
            Attachment("arbitrary_url", "https://x", title="Old"),
            Attachment("arbitrary_url", "https://x", title="New"),
        ),
    ],
)
def test_a_child_that_no_request_can_change_is_blocked(before: Value, after: Value) -> None:
    field = Field.POSTMORTEM if isinstance(before, PostmortemDocument) else Field.ATTACHMENT
    attribute = Attribute(field, "x")
    assert child(attribute, after, known=before) == (FieldChange(attribute, before, after, Origin.DRIFT),)


@pytest.mark.parametrize("content", ["text", "text  \n", ""])
def test_the_status_of_a_post_mortem_can_be_changed(content: str) -> None:
    before, after = PostmortemDocument(content, "in_review"), PostmortemDocument("text", "completed")
    found = child(POSTMORTEM, after, **({"known": before} if content else {"listed": before}))
    assert found == (FieldChange(POSTMORTEM, before, after),)


def test_a_post_mortem_listed_without_content_is_not_a_difference() -> None:
    listed = PostmortemDocument("", "completed")
    assert child(POSTMORTEM, PostmortemDocument("text", "completed"), listed=listed) == ()
    assert child(POSTMORTEM, PostmortemDocument("text"), listed=listed) == ()


def test_a_kind_of_children_that_cannot_be_listed_is_blocked_with_the_reason() -> None:
    memory = ours(as_sent({ITEM: WRITTEN}))
    held = live(7, {NAME: "Old"})
    index = LiveIndex([held], memory, None)
    index.mark_unlisted(held, Field.TIMELINE, "no role for it")
    new = Attribute(Field.TIMELINE, "New")
    unchanged = planned(incident({NAME: "Old", ITEM: WRITTEN}), index=index, memory=memory)
    assert isinstance(unchanged.changes[0], NoOp)
    blocked = (FieldChange(new, None, WRITTEN, obstacle="no role for it"),)
    found = planned(incident({NAME: "New", ITEM: WRITTEN, new: WRITTEN}), index=index, memory=memory)
    (one,) = found.changes
    assert isinstance(one, Update)
    assert (one.changes, one.blocked) == ((FieldChange(NAME, "Old", "New"),), blocked)
    found = planned(incident({NAME: "Old", ITEM: WRITTEN, new: WRITTEN}), index=index, memory=memory)
    (one,) = found.changes
    assert isinstance(one, Blocked)
    assert (one.reason, one.blocked) == ("not-possible", blocked)
    assert one.explanation == "timeline.New: no role for it"
    assert found.diagnostics == ()


def test_a_kind_of_children_that_cannot_be_listed_is_not_created_with_its_incident() -> None:
    index = LiveIndex([], NOTHING, None)
    index.mark_unlisted(None, Field.TIMELINE, "no role for it")
    (one,) = planned(incident({NAME: "New", ITEM: WRITTEN, TODO: FollowUp()}), index=index).changes
    assert isinstance(one, Create)
    assert one.blocked == (FieldChange(ITEM, None, WRITTEN, obstacle="no role for it"),)
    assert ITEM not in one.attributes
    assert TODO in one.attributes


def test_a_page_that_cannot_be_read_is_blocked_and_nothing_else() -> None:
    page = Attribute(Field.STATUS_PAGE, Reference(Kind.STATUS_PAGE, "Acme status"))
    history = StatusPageIncident(Reference(Kind.STATUS_PAGE, "Acme status"), "Slow", ())
    context = replace(CONTEXT, unreadable={page: "the page was not found"})
    declared = incident({NAME: "New", page: history})
    (one,) = planned(declared, context=context).changes
    assert isinstance(one, Create)
    assert one.blocked == (FieldChange(page, None, history, obstacle="the page was not found"),)
    (one,) = planned(declared, account=(live(7, {NAME: "New"}),), memory=ours(KNOWN), context=context).changes
    assert isinstance(one, Blocked)
    assert one.blocked == (FieldChange(page, None, history, obstacle="the page was not found"),)


def test_a_write_only_value_is_compared_with_the_last_declared_one() -> None:
    known = as_sent({CHANNEL_NAME: "inc-1"})
    assert isinstance(change({CHANNEL_NAME: "inc-1"}, {}, known), NoOp)
    renamed = change({CHANNEL_NAME: "inc-2"}, {}, known)
    assert isinstance(renamed, Update)
    assert renamed.changes == (FieldChange(CHANNEL_NAME, "inc-1", "inc-2"),)


def test_a_write_only_value_that_was_not_declared_before_is_a_change() -> None:
    one = change({NAME: "a", CHANNEL_NAME: "inc-1"}, {NAME: "a"}, as_sent({NAME: "a"}))
    assert isinstance(one, Update)
    assert one.changes == (FieldChange(CHANNEL_NAME, None, "inc-1"),)


def test_a_write_only_value_alone_is_not_a_change_after_the_state_is_lost() -> None:
    assert isinstance(change({NAME: "a", CHANNEL_NAME: "inc-1"}, {NAME: "a"}, {}), NoOp)
    beside = change({NAME: "b", CHANNEL_NAME: "inc-1"}, {NAME: "a"}, {})
    assert isinstance(beside, Update)
    assert [each.attribute for each in beside.changes] == [NAME, CHANNEL_NAME]


LINKED = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELDLINK", "Runbook"))
WRITTEN_AT = datetime.fromisoformat(live(7, {}).updated_at)


FORMS = [
    (NAME, "The API's  latency", "The API's latency"),
    (SUMMARY, "a_b & c", r"a\_b &amp; c"),
    (STARTED, BEGAN, BEGAN.replace(microsecond=0)),
    (LINKED, Link("https://docs.example.com/?a=1&b=2"), Link("https://docs.example.com/?a=1&amp;b=2")),
    (MARKER, "KEY_1", r"KEY\_1"),
]
OTHERS = [
    (NAME, "The API's latency", "The api’s latency"),
    (CALL_URL, "https://meet.example.com/a/?x=1", "https://meet.example.com/a"),
    (SUMMARY, "text", None),
    (STARTED, BEGAN, ENDED),
]


@pytest.mark.parametrize(("attribute", "declared", "shown"), FORMS)
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("written_at", [None, WRITTEN_AT])
def test_another_form_is_no_change_whatever_the_time_stamp_says(
    attribute: Attribute, declared: Value, shown: Value, is_known: bool, written_at: datetime | None
) -> None:
    fields = {attribute: Remembered(declared, declared)} if is_known else {}
    found = planned(
        incident({attribute: declared}),
        account=(live(7, {attribute: shown}),),
        memory=remembering(fields, replace(BOUND, written_at=written_at)),
    )
    assert isinstance(found.changes[0], NoOp)
    assert found.diagnostics == ()


@pytest.mark.parametrize(("attribute", "declared", "shown"), OTHERS)
def test_another_value_under_an_unmoved_time_stamp_is_left_with_a_warning_of_both(
    attribute: Attribute, declared: Value, shown: Value
) -> None:
    memory = remembering({attribute: Remembered(declared, declared)}, replace(BOUND, written_at=WRITTEN_AT))
    account = (live(7, {} if shown is None else {attribute: shown}),)
    found = planned(incident({attribute: declared}), account=account, memory=memory)
    assert isinstance(found.changes[0], NoOp)
    words = [json.dumps(plain(each), ensure_ascii=False) for each in (declared, shown)]
    detail = diagnostic(found, "shown-differently").detail
    assert detail.endswith(f"{attribute.label} was returned as {words[0]} and is now shown as {words[1]}")


@pytest.mark.parametrize(("attribute", "declared", "shown"), OTHERS)
@pytest.mark.parametrize("written_at", [None, WRITTEN_AT - timedelta(milliseconds=1)])
def test_another_value_under_a_moved_time_stamp_is_drift(
    attribute: Attribute, declared: Value, shown: Value, written_at: datetime | None
) -> None:
    memory = remembering({attribute: Remembered(declared, declared)}, replace(BOUND, written_at=written_at))
    account = (live(7, {} if shown is None else {attribute: shown}),)
    (one,) = planned(incident({attribute: declared}), account=account, memory=memory).changes
    assert isinstance(one, Update)
    assert one.changes == (FieldChange(attribute, shown, declared, Origin.DRIFT),)


def test_a_time_stamp_that_cannot_be_read_is_a_moved_one() -> None:
    memory = remembering({NAME: Remembered("a", "a")}, replace(BOUND, written_at=WRITTEN_AT))
    account = (replace(live(7, {NAME: "b"}), updated_at="yesterday"),)
    assert isinstance(planned(incident({NAME: "a"}), account=account, memory=memory).changes[0], Update)


@pytest.mark.parametrize("shown", [None, "Other"])
def test_a_value_that_the_account_refused_is_blocked_until_the_file_changes_it(shown: Value) -> None:
    known = {NAME: Remembered("a", shown, refused="this account refuses edits of closed incidents: no")}
    held = {} if shown is None else {NAME: shown}
    refused = change({NAME: "a"}, held, known)
    assert isinstance(refused, Blocked)
    assert refused.blocked == (FieldChange(NAME, shown, "a", obstacle=known[NAME].refused),)
    assert refused.explanation == "name: this account refuses edits of closed incidents: no"
    assert isinstance(change({NAME: "b"}, held, known), Update)
    assert isinstance(change({NAME: "a"}, {NAME: "a "}, known), NoOp)


def test_an_edit_of_a_value_that_the_account_refused_is_drift() -> None:
    fields = {NAME: Remembered("a", "b", refused="no")}
    for shown, written_at, origin in (
        ("b ", None, Origin.FILE),
        ("c", None, Origin.DRIFT),
        ("c", WRITTEN_AT, Origin.FILE),
    ):
        memory = remembering(fields, replace(BOUND, written_at=written_at))
        account = (live(7, {NAME: shown}),)
        (one,) = planned(incident({NAME: "a"}), account=account, memory=memory).changes
        assert isinstance(one, Blocked)
        assert one.blocked == (FieldChange(NAME, shown, "a", origin, "no"),)


def test_a_form_that_the_file_changed_is_sent() -> None:
    known = {NAME: Remembered("api is down", "api is down")}
    assert isinstance(change({NAME: "API is down"}, {NAME: "api is down"}, known), Update)
