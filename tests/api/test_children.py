"""What children are sent, listed and updated as, against scripted answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from importer.model import (
    Attachment,
    Attribute,
    Entity,
    Field,
    FollowUp,
    Kind,
    Membership,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.model.errors import ApiError, NoAnswer, NotAvailable
from tests.api.scripted import Routes, client, refused

LISA = Entity(Kind.USER, "U1", "Lisa")
MEMBER = Attribute(Field.MEMBER, LISA)
ALERT = Attribute(Field.FOLLOW_UP, "Add an alert")


@pytest.mark.parametrize(
    ("attribute", "value", "route"),
    [
        (ALERT, FollowUp(), "POST /v3/follow_ups"),
        (
            Attribute(Field.ATTACHMENT, "x"),
            Attachment("jira_issue", url="https://j"),
            "POST /v1/incident_attachments",
        ),
        (MEMBER, Membership(), "POST /v1/incident_memberships"),
        (
            Attribute(Field.POSTMORTEM, "What happened"),
            PostmortemDocument("# x"),
            "POST /v2/incidents/01A/actions/import_postmortem_document",
        ),
    ],
)
def test_a_child_without_a_key_is_sent_once_however_doubtful(
    attribute: Attribute, value: Value, route: str
) -> None:
    routes = Routes().on(route, httpx.ReadTimeout("slow"))
    with pytest.raises(NoAnswer):
        client(routes).create_child("01A", attribute, value, idempotency_key="k")

    assert len(routes.seen) == 1


FOLLOW_UP = {"id": "f1", "title": "Add an alert", "status": "outstanding", "labels": [], "incident_id": "01A"}


def test_a_follow_up_gets_its_status_in_a_second_request() -> None:
    routes = (
        Routes()
        .on("POST /v3/follow_ups", {"follow_up": FOLLOW_UP})
        .on("PUT /v3/follow_ups/f1", {"follow_up": FOLLOW_UP})
    )
    wanted = FollowUp("Because", LISA, "completed", ("db",))
    made = client(routes).create_child("01A", ALERT, wanted, idempotency_key="k")

    assert (made.id, made.value) == ("f1", wanted)
    details = {"title": "Add an alert", "description": "Because", "assignee_id": "U1", "labels": ["db"]}
    assert routes.bodies("POST /v3/follow_ups") == [{"incident_id": "01A", **details}]
    assert routes.bodies("PUT /v3/follow_ups/f1") == [{"status": "completed", **details}]


@pytest.mark.parametrize("status", [None, "outstanding"])
def test_a_follow_up_that_has_its_status_is_not_touched_again(status: str | None) -> None:
    routes = Routes().on("POST /v3/follow_ups", {"follow_up": FOLLOW_UP})
    client(routes).create_child("01A", ALERT, FollowUp(status=status), idempotency_key="k")

    assert len(routes.seen) == 1


@pytest.mark.parametrize("missing", [403, 404, 405])
def test_an_account_without_the_newer_follow_ups_gets_the_older_ones(missing: int) -> None:
    routes = (
        Routes()
        .on("GET /v3/follow_ups", refused(missing))
        .on("GET /v2/follow_ups", {"follow_ups": [FOLLOW_UP]})
        .on("POST /v2/follow_ups", {"follow_up": FOLLOW_UP})
    )
    api = client(routes)
    (child,) = api.children("01A", frozenset({Field.FOLLOW_UP}))
    api.create_child("01A", ALERT, FollowUp(), idempotency_key="k")

    assert (child.id, child.attribute) == ("f1", ALERT)
    assert [each.url.path for each in routes.seen] == ["/v3/follow_ups", "/v2/follow_ups", "/v2/follow_ups"]


def test_a_refusal_by_both_versions_is_the_older_ones() -> None:
    with pytest.raises(ApiError, match="not_found"):
        client(Routes()).children("01A", frozenset({Field.FOLLOW_UP}))


def test_a_refused_follow_up_is_not_tried_elsewhere() -> None:
    routes = Routes().on("POST /v3/follow_ups", refused(422, code="is_required"))
    with pytest.raises(ApiError, match="is_required"):
        client(routes).create_child("01A", ALERT, FollowUp(), idempotency_key="k")

    assert len(routes.seen) == 1


def test_an_update_of_a_follow_up_keeps_the_title_and_status_that_it_leaves_open() -> None:
    current = {**FOLLOW_UP, "status": "completed"}
    other = {**FOLLOW_UP, "id": "f0"}
    routes = (
        Routes()
        .on("GET /v3/follow_ups", {"follow_ups": [other, current]})
        .on("PUT /v3/follow_ups/f1", {"follow_up": current})
    )
    second = Attribute(Field.FOLLOW_UP, "Add an alert #2")
    client(routes).update_child("01A", "f1", second, FollowUp(labels=("db",)))

    assert routes.bodies("PUT /v3/follow_ups/f1") == [
        {"title": "Add an alert", "status": "completed", "labels": ["db"]}
    ]


def test_a_follow_up_that_is_gone_is_not_updated() -> None:
    routes = Routes().on("GET /v3/follow_ups", {"follow_ups": []})
    with pytest.raises(ApiError, match="no longer there"):
        client(routes).update_child("01A", "f1", ALERT, FollowUp())


AT = datetime(2023, 4, 12, 9, 20, tzinfo=UTC)
ROLLBACK = Attribute(Field.TIMELINE, "Rolled back")
ITEM = {"id": "t1", "title": "Rolled back", "timestamp": "2023-04-12T09:20:00Z"}


def test_a_timeline_item_carries_its_key_and_may_be_sent_again() -> None:
    routes = Routes().on(
        "POST /v2/incident_timeline_items", httpx.Response(503), {"incident_timeline_item": ITEM}
    )
    made = client(routes).create_child("01A", ROLLBACK, TimelineItem(AT), idempotency_key="k")

    assert (made.id, made.value) == ("t1", TimelineItem(AT))
    assert routes.bodies("POST /v2/incident_timeline_items")[1] == {
        "idempotency_key": "k",
        "incident_id": "01A",
        "title": "Rolled back",
        "timestamp": "2023-04-12T09:20:00.000Z",
    }


def test_a_timeline_item_is_updated_without_its_title() -> None:
    routes = Routes().on("PATCH /v2/incident_timeline_items/t1", {"incident_timeline_item": ITEM})
    child = client(routes).update_child("01A", "t1", ROLLBACK, TimelineItem(AT, "To v410"))

    assert child.value == TimelineItem(AT, "To v410")
    assert routes.bodies("PATCH /v2/incident_timeline_items/t1") == [
        {"timestamp": "2023-04-12T09:20:00.000Z", "description": "To v410"}
    ]


@pytest.mark.parametrize("missing", [403, 404, 405])
def test_an_account_without_timelines_says_not_available(missing: int) -> None:
    path = "/v2/incident_timeline_items"
    routes = Routes()
    for route in (f"GET {path}", f"POST {path}", f"PATCH {path}/t1"):
        routes.on(route, refused(missing))
    api = client(routes)

    with pytest.raises(NotAvailable):
        api.children("01A", frozenset({Field.TIMELINE}))
    with pytest.raises(NotAvailable):
        api.create_child("01A", ROLLBACK, TimelineItem(AT), idempotency_key="k")
    with pytest.raises(NotAvailable):
        api.update_child("01A", "t1", ROLLBACK, TimelineItem(AT))


def test_another_refusal_of_a_timeline_item_is_an_error() -> None:
    routes = Routes().on("POST /v2/incident_timeline_items", refused(422, code="invalid_value"))
    with pytest.raises(ApiError, match="invalid_value"):
        client(routes).create_child("01A", ROLLBACK, TimelineItem(AT), idempotency_key="k")


@pytest.mark.parametrize("already", [refused(409), refused(422, code="invalid", message="Already a member")])
def test_somebody_who_has_access_already_is_done(already: httpx.Response) -> None:
    routes = Routes().on("POST /v1/incident_memberships", already)
    child = client(routes).create_child("01A", MEMBER, Membership(), idempotency_key="k")

    assert (child.id, child.attribute) == ("", MEMBER)


def test_another_refusal_of_a_membership_is_an_error() -> None:
    routes = Routes().on("POST /v1/incident_memberships", refused(422, code="not_private"))
    with pytest.raises(ApiError, match="not_private"):
        client(routes).create_child("01A", MEMBER, Membership(), idempotency_key="k")


def test_an_attachment_is_found_under_its_url_and_under_its_external_id() -> None:
    def attachment(identity: str, external_id: str, permalink: str) -> dict[str, Any]:
        resource = {
            "resource_type": "jira_issue",
            "external_id": external_id,
            "permalink": permalink,
            "title": "",
        }
        return {"id": identity, "resource": resource}

    listed = [attachment("a1", "PAY-1", "https://j/PAY-1"), attachment("a2", "https://x", "https://x")]
    routes = Routes().on("GET /v1/incident_attachments", {"incident_attachments": listed})
    found = client(routes).children("01A", frozenset({Field.ATTACHMENT}))

    assert [(each.id, each.attribute.key) for each in found] == [
        ("a1", "jira_issue https://j/PAY-1"),
        ("a1", "jira_issue PAY-1"),
        ("a2", "jira_issue https://x"),
    ]
    assert routes.seen[0].url.params["incident_id"] == "01A"


@pytest.mark.parametrize(
    ("attachment", "resource"),
    [
        (Attachment("jira_issue", external_id="PAY-1"), {"external_id": "PAY-1"}),
        (Attachment("jira_issue", "https://j", title="Told by Jira"), {"url": "https://j"}),
        (Attachment("arbitrary_url", "https://x", title="Graph"), {"url": "https://x", "title": "Graph"}),
    ],
)
def test_an_attachment_is_sent_by_one_word(attachment: Attachment, resource: dict[str, str]) -> None:
    route = "POST /v1/incident_attachments"
    routes = Routes().on(route, {"incident_attachment": {"id": "a1"}})
    client(routes).create_child("01A", Attribute(Field.ATTACHMENT, "x"), attachment, idempotency_key="k")

    assert routes.bodies(route) == [
        {"incident_id": "01A", "resource": {"resource_type": attachment.resource_type, **resource}}
    ]


def test_children_of_one_title_are_told_apart_by_number_oldest_first() -> None:
    listed = [
        {**FOLLOW_UP, "id": "f3", "title": "A", "created_at": "2026-01-03T00:00:00Z"},
        {
            **FOLLOW_UP,
            "id": "f2",
            "title": "A",
            "created_at": "2026-01-02T00:00:00Z",
            "assignee": {"id": "U1"},
        },
        {**FOLLOW_UP, "id": "f1", "title": "A #2", "created_at": "2026-01-01T00:00:00Z"},
        {**FOLLOW_UP, "id": "f0", "title": "A", "status": "deleted"},
    ]
    routes = Routes().on("GET /v3/follow_ups", {"follow_ups": listed})
    found = client(routes).children("01A", frozenset({Field.FOLLOW_UP}))

    assert [(each.id, each.attribute.key) for each in found] == [("f1", "A #2"), ("f2", "A"), ("f3", "A #3")]


def test_what_is_made_from_the_activity_log_is_no_declared_item() -> None:
    listed = [ITEM, {**ITEM, "id": "t2", "activity_log_id": "01L"}]
    routes = Routes().on("GET /v2/incident_timeline_items", {"incident_timeline_items": listed})

    assert [each.id for each in client(routes).children("01A", frozenset({Field.TIMELINE}))] == ["t1"]


def test_a_postmortem_elsewhere_is_no_child() -> None:
    listed = [
        {"id": "d1", "type": "in_app", "title": "Review", "status": "completed"},
        {"id": "d2", "type": "external", "title": "Review"},
    ]
    routes = Routes().on("GET /v1/postmortem_documents", {"postmortem_documents": listed})
    (found,) = client(routes).children("01A", frozenset({Field.POSTMORTEM, Field.MEMBER}))

    assert (found.id, found.value) == ("d1", PostmortemDocument("", "completed"))


REVIEW = Attribute(Field.POSTMORTEM, "Review")
IMPORT = "POST /v2/incidents/01A/actions/import_postmortem_document"


def test_a_postmortem_is_imported_and_then_given_its_status() -> None:
    routes = (
        Routes()
        .on(IMPORT, {"postmortem_document": {"id": "d1", "status": "in_progress"}})
        .on("PUT /v1/postmortem_documents/d1", {"postmortem_document": {"id": "d1"}})
    )
    wanted = PostmortemDocument("# Why", "completed")
    made = client(routes).create_child("01A", REVIEW, wanted, idempotency_key="k")

    assert (made.id, made.value) == ("d1", wanted)
    assert routes.bodies(IMPORT) == [{"title": "Review", "content": "# Why"}]
    assert routes.bodies("PUT /v1/postmortem_documents/d1") == [{"status": "completed"}]


def test_a_postmortem_whose_status_is_left_open_is_only_imported() -> None:
    routes = Routes().on(IMPORT, {"postmortem_document": {"id": "d1", "status": "in_progress"}})
    client(routes).create_child("01A", REVIEW, PostmortemDocument("# Why"), idempotency_key="k")

    assert len(routes.seen) == 1


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (REVIEW, PostmortemDocument("# Another text")),
        (Attribute(Field.ATTACHMENT, "x"), Attachment("jira_issue", external_id="PAY-1")),
        (MEMBER, Membership()),
    ],
)
def test_what_the_api_cannot_change_says_so_and_sends_nothing(attribute: Attribute, value: Value) -> None:
    routes = Routes()
    with pytest.raises(NotAvailable, match="cannot change"):
        client(routes).update_child("01A", "c1", attribute, value)

    assert routes.seen == []


def test_a_public_history_is_sent_with_its_key_oldest_update_first() -> None:
    route = "POST /v2/status_page_retrospective_incidents"
    routes = Routes().on(route, httpx.Response(502), {"status_page_incident": {"id": "s1"}})
    api = Entity(Kind.COMPONENT, "c1", "API")
    update = StatusPageUpdate(AT, "resolved", "Fixed", ((api, "operational"),))
    history = StatusPageIncident(Entity(Kind.STATUS_PAGE, "p1", "Acme"), (update,))
    made = client(routes).create_child(
        "01A", Attribute(Field.STATUS_PAGE, "API down"), history, idempotency_key="k"
    )

    assert (made.id, made.value) == ("s1", history)
    assert routes.bodies(route)[1] == {
        "idempotency_key": "k",
        "name": "API down",
        "status_page_id": "p1",
        "updates": [
            {
                "published_at": "2023-04-12T09:20:00.000Z",
                "incident_status": "resolved",
                "message": "Fixed",
                "component_statuses": [{"component_id": "c1", "component_status": "operational"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute(Field.MEMBER, Reference(Kind.USER, "lisa")), Membership()),
        (Attribute(Field.FOLLOW_UP, LISA), FollowUp()),
        (ALERT, FollowUp(assignee=Reference(Kind.USER, "lisa"))),
        (ALERT, "text"),
    ],
)
def test_a_child_that_is_not_resolved_is_never_sent(attribute: Attribute, value: Value) -> None:
    routes = Routes()
    with pytest.raises(ValueError, match=r"not resolved|no title|no child"):
        client(routes).create_child("01A", attribute, value, idempotency_key="k")

    assert routes.seen == []
