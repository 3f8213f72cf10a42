"""The request of each step: method, path and body, and the parts that wait for an earlier step."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    Membership,
    NewOption,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unanswered,
)
from importer.model.identity import child_key
from importer.model.steps import (
    LATER,
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    SetChildStatus,
    Step,
    identity,
    is_ready,
)
from importer.plan.steps import child_creation, child_edits, completed
from importer.wire.requests import request

AT = datetime(2023, 4, 12, 9, 20, tzinfo=UTC)
LISA = Entity(Kind.USER, "U1", "Lisa")
ALERT = Attribute(Field.FOLLOW_UP, "Add an alert")
ROLLBACK = Attribute(Field.TIMELINE, "Rolled back")
MEMBER = Attribute(Field.MEMBER, LISA)
REVIEW = Attribute(Field.POSTMORTEM)
LINK = Attribute(Field.ATTACHMENT, "x")
NAME = Attribute(Field.NAME)
VISIBILITY = Attribute(Field.VISIBILITY)
TEAMS = Entity(Kind.CUSTOM_FIELD, "01F", "Teams")
OPTION = NewOption(TEAMS, "Search")
OWN = {NAME: "Down", VISIBILITY: "public"}


def sent(*steps: Step) -> list[tuple[str, str, Any]]:
    made = [request(step) for step in steps]
    return [(each.method, each.path, each.body) for each in made]


def created(attribute: Attribute, value: Child) -> list[tuple[str, str, Any]]:
    create, rest = child_creation("01A", attribute, value)
    return sent(create, *rest)


def test_the_bytes_of_a_body_are_ascii_without_spaces_and_have_a_sha256() -> None:
    made = request(EditIncident("01A", {NAME: "Ärger \ud83d"}))
    assert made.content == ('{"incident":{"name":"\\u00c4rger \\ud83d"},"notify_incident_channel":false}')
    assert made.sha256 == hashlib.sha256(made.content.encode()).hexdigest()


def test_what_was_sent_before_is_sent_again_byte_for_byte() -> None:
    step = CreateIncident(OWN, "k", None, Unanswered("k", '{"idempotency_key":"k","name":"As it was"}'))
    assert request(step).body == {"idempotency_key": "k", "name": "As it was"}
    assert request(step).idempotency_key == "k"
    unknown = CreateIncident(OWN, "k", None, Unanswered("k"))
    assert request(unknown) == request(CreateIncident(OWN, "k", None))


def test_a_correction_is_sent_as_an_edit() -> None:
    assert request(CorrectIncident("01A", {NAME: "x"})) == request(EditIncident("01A", {NAME: "x"}))


def test_a_link_and_an_option_have_endpoints_of_their_own() -> None:
    assert sent(AttachPostmortem("01A", "https://d"), CreateOption(OPTION)) == [
        (
            "POST",
            "/v1/postmortem_documents/actions/attach",
            {"incident_id": "01A", "permalink": "https://d"},
        ),
        ("POST", "/v1/custom_field_options", {"custom_field_id": "01F", "value": "Search"}),
    ]


def test_a_follow_up_gets_its_status_in_a_second_request() -> None:
    details = {"title": "Add an alert", "description": "Because", "assignee_id": "U1", "labels": ["db"]}
    assert created(ALERT, FollowUp("Because", LISA, "completed", ("db",))) == [
        ("POST", "/v3/follow_ups", {"incident_id": "01A", **details}),
        ("PUT", "/v3/follow_ups/(known after apply)", {"status": "completed", **details}),
    ]


@pytest.mark.parametrize("status", [None, "outstanding"])
def test_a_follow_up_that_has_its_status_is_not_touched_again(status: str | None) -> None:
    assert len(created(ALERT, FollowUp(status=status))) == 1


def test_an_edit_of_a_follow_up_keeps_an_undeclared_title_and_status() -> None:
    before = FollowUp(status="completed", title="Add an alert")
    second = Attribute(Field.FOLLOW_UP, "Add an alert #2")
    (step,) = child_edits(second, FollowUp(labels=("db",)), before=before, child_id="f1")
    assert sent(step) == [
        ("PUT", "/v3/follow_ups/f1", {"title": "Add an alert", "status": "completed", "labels": ["db"]})
    ]
    assert is_ready(step)


def test_an_edit_of_a_follow_up_with_an_unknown_status_waits_for_a_read() -> None:
    (step,) = child_edits(ALERT, FollowUp("Because"), before=FollowUp(), child_id="f1")
    assert request(step).body["status"] == "(known after apply)"
    assert not is_ready(step)


def test_a_timeline_item_is_edited_without_its_title() -> None:
    (step,) = child_edits(ROLLBACK, TimelineItem(AT, "To v410"), before=TimelineItem(AT), child_id="t1")
    body = {"timestamp": "2023-04-12T09:20:00.000Z", "description": "To v410"}
    assert sent(step) == [("PATCH", "/v2/incident_timeline_items/t1", body)]


def test_a_postmortem_is_imported_and_then_given_its_status() -> None:
    assert created(REVIEW, PostmortemDocument("# Why", "completed", "Review")) == [
        (
            "POST",
            "/v2/incidents/01A/actions/import_postmortem_document",
            {"title": "Review", "content": "# Why"},
        ),
        ("PUT", "/v1/postmortem_documents/(known after apply)", {"status": "completed"}),
    ]
    assert len(created(REVIEW, PostmortemDocument("# Why"))) == 1


@pytest.mark.parametrize(
    ("attachment", "resource"),
    [
        (Attachment("jira_issue", external_id="PAY-1"), {"external_id": "PAY-1"}),
        (Attachment("jira_issue", "https://j", title="Told by Jira"), {"url": "https://j"}),
        (Attachment("arbitrary_url", "https://x", title="Graph"), {"url": "https://x", "title": "Graph"}),
    ],
)
def test_an_attachment_is_sent_by_url_or_external_id(
    attachment: Attachment, resource: dict[str, str]
) -> None:
    body = {"incident_id": "01A", "resource": {"resource_type": attachment.resource_type, **resource}}
    assert created(LINK, attachment) == [("POST", "/v1/incident_attachments", body)]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (REVIEW, PostmortemDocument("# Another text")),
        (LINK, Attachment("jira_issue", external_id="PAY-1")),
        (MEMBER, Membership()),
    ],
)
def test_a_change_that_the_api_cannot_make_has_no_step_and_no_request(
    attribute: Attribute, value: Child
) -> None:
    other = PostmortemDocument("# A text") if isinstance(value, PostmortemDocument) else value
    assert child_edits(attribute, value, before=other, child_id="c1") == ()
    with pytest.raises(ValueError, match="cannot edit"):
        request(EditChild("c1", attribute, value, value))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute(Field.MEMBER, Reference(Kind.USER, "lisa")), Membership()),
        (Attribute(Field.FOLLOW_UP, LISA), FollowUp()),
        (ALERT, FollowUp(assignee=Reference(Kind.USER, "lisa"))),
    ],
)
def test_a_child_that_is_not_resolved_has_no_request(attribute: Attribute, value: Child) -> None:
    with pytest.raises(ValueError, match=r"not resolved|no title"):
        request(CreateChild("01A", attribute, value))


@pytest.mark.parametrize(
    ("step", "waiting"),
    [
        (
            CreateIncident(OWN, "k", None),
            CreateIncident({Attribute(Field.CUSTOM_FIELD, TEAMS): (OPTION,)}, "k", None),
        ),
        (EditIncident("01A", OWN), EditIncident(LATER, OWN)),
        (EditIncident("01A", OWN), EditIncident("01A", {Attribute(Field.CUSTOM_FIELD, TEAMS): (OPTION,)})),
        (AttachPostmortem("01A", "https://d"), AttachPostmortem(LATER, "https://d")),
        (CreateChild("01A", ALERT, FollowUp()), CreateChild(LATER, ALERT, FollowUp())),
        (
            EditChild("t", ROLLBACK, TimelineItem(AT), TimelineItem(AT)),
            EditChild(LATER, ROLLBACK, TimelineItem(AT), TimelineItem(AT)),
        ),
        (
            SetChildStatus("f", ALERT, FollowUp(), "completed"),
            SetChildStatus(LATER, ALERT, FollowUp(), "completed"),
        ),
    ],
)
def test_a_step_that_waits_for_an_id_is_shown_and_not_ready(step: Step, waiting: Step) -> None:
    assert is_ready(step)
    assert not is_ready(waiting)
    assert identity(step) == identity(waiting)


def test_each_step_of_an_incident_has_its_own_identity() -> None:
    item = TimelineItem(AT)
    steps: list[Step] = [
        CreateOption(OPTION),
        CreateIncident(OWN, "k", None),
        EditIncident("01A", OWN),
        CorrectIncident("01A", OWN),
        AttachPostmortem("01A", "https://d"),
        CreateChild("01A", ALERT, FollowUp()),
        EditChild("f", ALERT, FollowUp(), FollowUp()),
        SetChildStatus("f", ALERT, FollowUp(), "completed"),
        CreateChild("01A", ROLLBACK, item),
        EditChild("t", ROLLBACK, item, item),
    ]
    assert len({identity(each) for each in steps}) == len(steps)
    assert is_ready(steps[0])
    assert is_ready(steps[3])


def test_a_repeated_title_is_sent_as_it_is_declared_under_a_key_of_its_own() -> None:
    second = Attribute(Field.TIMELINE, "Update #2")
    (made,) = created(second, TimelineItem(AT, title="Update"))
    assert made[2]["title"] == "Update"
    assert made[2]["idempotency_key"] == child_key(parent="01A", label="timeline.Update #2")
    (made,) = created(Attribute(Field.FOLLOW_UP, "Alert #2"), FollowUp(title="Alert"))
    assert made[2]["title"] == "Alert"


def test_an_update_of_a_follow_up_has_all_that_is_known_of_it() -> None:
    before = FollowUp(
        "Why", LISA, "completed", ("db",), "Renamed", team="01TEAM", priority="01HIGH", category="01PROCESS"
    )
    (step,) = child_edits(ALERT, FollowUp(labels=("ops",)), before=before, child_id="f1")
    assert request(step).body == {
        "title": "Renamed",
        "status": "completed",
        "description": "Why",
        "assignee_id": "U1",
        "labels": ["ops"],
        "assignee_team_id": "01TEAM",
        "follow_up_priority_option_id": "01HIGH",
        "follow_up_category_id": "01PROCESS",
    }


def test_an_update_that_is_compared_with_something_else_has_what_is_declared() -> None:
    assert completed(FollowUp("x"), TimelineItem(AT)) == FollowUp("x")


def test_a_public_history_is_renamed_and_its_updates_cannot_be_changed() -> None:
    page = Entity(Kind.STATUS_PAGE, "p1", "Acme")
    history = StatusPageIncident(page, "Slow", (StatusPageUpdate(AT, "resolved", "Over.", ()),))
    attribute = Attribute(Field.STATUS_PAGE, page)
    renamed = replace(history, name="Was slow")
    later = StatusPageUpdate(AT, "resolved", "Really over.", ())
    (step,) = child_edits(attribute, renamed, before=history, child_id="s1")
    assert sent(step) == [("PUT", "/v2/status_page_incidents/s1", {"name": "Was slow"})]
    assert identity(step) == "edit status_page.p1"
    assert child_edits(attribute, replace(renamed, updates=(later,)), before=history, child_id="s1") == ()


def test_a_postmortem_without_a_declared_title_takes_its_default() -> None:
    (made,) = created(REVIEW, PostmortemDocument("# Why", default_title="Why"))
    assert made[2] == {"title": "Why", "content": "# Why"}


def test_no_creation_of_a_child_is_repeated_blindly() -> None:
    for attribute, value in ((ALERT, FollowUp()), (ROLLBACK, TimelineItem(AT)), (MEMBER, Membership())):
        assert not request(CreateChild("01A", attribute, value)).repeatable
    assert request(EditChild("t", ROLLBACK, TimelineItem(AT), TimelineItem(AT))).repeatable


def test_a_child_is_sent_again_with_its_former_key() -> None:
    before = Unanswered("former", '{"title":"As it was"}')
    again = request(CreateChild("01A", ROLLBACK, TimelineItem(AT), before))
    assert (again.content, again.idempotency_key) == (before.content, "former")


def test_no_title_gives_two_steps_one_name() -> None:
    value = TimelineItem(AT)
    titles = ["Deploy", "Deploy (edit)", "edit Deploy", "edit timeline.Deploy", "status timeline.Deploy"]
    items = [Attribute(Field.TIMELINE, each) for each in titles]
    made = [identity(CreateChild("01A", each, value)) for each in items]
    edited = [identity(EditChild("t1", each, value, value)) for each in items]
    assert len({*made, *edited}) == 2 * len(titles)
