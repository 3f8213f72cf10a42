"""How children are sent and listed, against scripted answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from importer.api.client import Client
from importer.model import (
    Attachment,
    Attribute,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    Membership,
    PostmortemDocument,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
)
from importer.model.errors import ApiError, AuthenticationFailed, NoAnswer, NotAvailable
from importer.model.identity import child_key
from importer.model.steps import EditChild
from tests.api.scripted import Routes, client, refused
from tests.api.sending import change, create_child

LISA = Entity(Kind.USER, "U1", "Lisa")
MEMBER = Attribute(Field.MEMBER, LISA)
ALERT = Attribute(Field.FOLLOW_UP, "Add an alert")


def create(to: Routes | Client, attribute: Attribute, value: Child) -> LiveChild:
    """Send the creation of a child of the incident 01A."""
    return create_child(client(to) if isinstance(to, Routes) else to, "01A", attribute, value)


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
            Attribute(Field.POSTMORTEM),
            PostmortemDocument("# x", title="What happened"),
            "POST /v2/incidents/01A/actions/import_postmortem_document",
        ),
        (
            Attribute(Field.TIMELINE, "Rolled back"),
            TimelineItem(datetime(2023, 4, 12, tzinfo=UTC)),
            "POST /v2/incident_timeline_items",
        ),
    ],
)
def test_a_child_is_sent_only_once_after_a_lost_answer(
    attribute: Attribute, value: Child, route: str
) -> None:
    routes = Routes().on(route, httpx.ReadTimeout("slow"))
    with pytest.raises(NoAnswer):
        create(routes, attribute, value)

    assert len(routes.seen) == 1


FOLLOW_UP = {"id": "f1", "title": "Add an alert", "status": "outstanding", "labels": [], "incident_id": "01A"}


@pytest.mark.parametrize("missing", [403, 404, 405, 410])
def test_an_account_without_the_newest_follow_ups_endpoint_uses_the_older_one(missing: int) -> None:
    routes = (
        Routes()
        .on("GET /v3/follow_ups", refused(missing))
        .on("GET /v2/follow_ups", {"follow_ups": [FOLLOW_UP]})
        .on("POST /v2/follow_ups", {"follow_up": FOLLOW_UP})
    )
    api = client(routes)
    (child,) = api.children("01A", frozenset({Field.FOLLOW_UP}))
    create(api, ALERT, FollowUp())

    assert (child.id, child.attribute) == ("f1", ALERT)
    assert [each.url.path for each in routes.seen] == ["/v3/follow_ups", "/v2/follow_ups", "/v2/follow_ups"]


KINDS = {
    Field.FOLLOW_UP: ["/v3/follow_ups", "/v2/follow_ups"],
    Field.ATTACHMENT: ["/v1/incident_attachments"],
    Field.POSTMORTEM: ["/v1/postmortem_documents"],
    Field.TIMELINE: ["/v2/incident_timeline_items"],
}


@pytest.mark.parametrize("field", KINDS)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            refused(403, code="missing_required_scope", metadata={"scope": "things.view"}),
            "this API key may not use {}: it lacks the scope things.view",
        ),
        (refused(403), "this API key may not use {}: it lacks a role"),
        (refused(404, code="not_found"), "{} was not found"),
        (refused(405), "{} is gone from this account's API"),
        (refused(410), "{} is gone from this account's API"),
    ],
)
def test_a_list_that_is_refused_names_the_reason_without_a_request_id(
    field: Field, answer: httpx.Response, words: str
) -> None:
    routes = Routes()
    for path in KINDS[field]:
        routes.on(f"GET {path}", answer)
    for look in (lambda api: api.children("01A", frozenset({field})), lambda api: api.check_list(field)):
        with pytest.raises(NotAvailable) as error:
            look(client(routes))
        assert error.value.summary == words.format(f"the list of an incident's {field}")
        assert str(answer.status_code) in error.value.detail


@pytest.mark.parametrize("field", KINDS)
def test_a_key_that_is_not_valid_ends_a_look_at_children(field: Field) -> None:
    routes = Routes()
    for path in KINDS[field]:
        routes.on(f"GET {path}", refused(401, code="unauthenticated"))
    with pytest.raises(AuthenticationFailed):
        client(routes).children("01A", frozenset({field}))


def test_a_role_that_the_newest_version_needs_is_named_though_the_older_is_gone() -> None:
    scope = {"scope": "follow_ups.view"}
    routes = Routes().on("GET /v3/follow_ups", refused(403, code="missing_required_scope", metadata=scope))
    routes.on("GET /v2/follow_ups", refused(410))
    with pytest.raises(NotAvailable, match=r"lacks the scope follow_ups\.view"):
        client(routes).children("01A", frozenset({Field.FOLLOW_UP}))


@pytest.mark.parametrize("older", [404, 405, 410])
def test_an_incident_that_is_not_found_says_nothing_about_the_newest_version(older: int) -> None:
    routes = Routes().on("GET /v3/follow_ups", refused(404), {"follow_ups": [FOLLOW_UP]})
    routes.on("GET /v2/follow_ups", refused(older))
    api = client(routes)
    with pytest.raises(NotAvailable, match="was not found"):
        api.children("01HIDDEN", frozenset({Field.FOLLOW_UP}))
    assert len(api.children("01A", frozenset({Field.FOLLOW_UP}))) == 1


def test_an_older_version_that_shows_nothing_does_not_replace_the_newest() -> None:
    routes = Routes().on("GET /v3/follow_ups", refused(404), {"follow_ups": [FOLLOW_UP]})
    routes.on("GET /v2/follow_ups", {"follow_ups": []})
    api = client(routes)
    assert api.children("01HIDDEN", frozenset({Field.FOLLOW_UP})) == ()
    assert len(api.children("01A", frozenset({Field.FOLLOW_UP}))) == 1


def test_a_role_that_the_older_version_needs_is_named_if_the_newest_is_missing() -> None:
    routes = Routes().on("GET /v2/follow_ups", refused(403))
    with pytest.raises(NotAvailable, match="lacks a role"):
        client(routes).children("01A", frozenset({Field.FOLLOW_UP}))


def test_the_older_version_of_follow_ups_is_not_asked_for_pages() -> None:
    routes = Routes().on("GET /v2/follow_ups", {"follow_ups": [FOLLOW_UP]})
    (found,) = client(routes).children("01A", frozenset({Field.FOLLOW_UP}))
    assert found.id == "f1"
    assert dict(routes.seen[-1].url.params) == {"incident_id": "01A"}


@pytest.mark.parametrize("field", KINDS)
@pytest.mark.parametrize("unknown", [400, 404, 422])
@pytest.mark.parametrize("unfiltered", [200, 400, 422])
def test_a_list_that_refuses_an_unknown_incident_can_be_listed(
    field: Field, unknown: int, unfiltered: int
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params.get("incident_id") in (None, "0" * 26)
        return httpx.Response(unknown if "incident_id" in request.url.params else unfiltered, json={})

    client(answer).check_list(field)


def test_a_timeline_that_may_not_be_listed_is_not_asked_for_twice() -> None:
    routes = Routes().on("GET /v2/incident_timeline_items", refused(403))
    with pytest.raises(NotAvailable):
        client(routes).check_list(Field.TIMELINE)
    assert len(routes.seen) == 1


def test_a_page_that_can_be_listed_is_checked_with_one_incident() -> None:
    routes = Routes().on("GET /v2/status_page_incidents", {"status_page_incidents": []})
    page = Entity(Kind.STATUS_PAGE, "P1", "Acme status")
    client(routes).check_list(page)
    assert dict(routes.seen[0].url.params) == {"status_page_id": "P1", "page_size": "1"}
    with pytest.raises(NotAvailable, match="the list of status page incidents was not found"):
        client(Routes()).check_list(page)


def test_a_refused_follow_up_is_not_sent_to_the_older_version() -> None:
    routes = Routes().on("POST /v3/follow_ups", refused(422, code="is_required"))
    with pytest.raises(ApiError, match="is_required"):
        create(routes, ALERT, FollowUp())

    assert len(routes.seen) == 1


AT = datetime(2023, 4, 12, 9, 20, tzinfo=UTC)
ROLLBACK = Attribute(Field.TIMELINE, "Rolled back")
ITEM = {"id": "t1", "title": "Rolled back", "timestamp": "2023-04-12T09:20:00Z"}


def test_a_timeline_item_carries_its_key() -> None:
    routes = Routes().on("POST /v2/incident_timeline_items", {"incident_timeline_item": ITEM})
    made = create(routes, ROLLBACK, TimelineItem(AT))

    assert (made.id, made.value) == ("t1", TimelineItem(AT))
    assert routes.bodies("POST /v2/incident_timeline_items")[0] == {
        "idempotency_key": child_key(parent="01A", label=ROLLBACK.label),
        "incident_id": "01A",
        "title": "Rolled back",
        "timestamp": "2023-04-12T09:20:00.000Z",
    }


@pytest.mark.parametrize("missing", [403, 404, 405, 410])
def test_an_account_without_timelines_raises_not_available(missing: int) -> None:
    path = "/v2/incident_timeline_items"
    routes = Routes()
    for route in (f"GET {path}", f"POST {path}", f"PATCH {path}/t1"):
        routes.on(route, refused(missing))
    api = client(routes)

    with pytest.raises(NotAvailable):
        api.children("01A", frozenset({Field.TIMELINE}))
    with pytest.raises(NotAvailable):
        create(api, ROLLBACK, TimelineItem(AT))
    with pytest.raises(NotAvailable):
        change(api, EditChild("t1", ROLLBACK, TimelineItem(AT), TimelineItem(AT)))


def test_another_refusal_of_a_timeline_item_is_an_error() -> None:
    routes = Routes().on("POST /v2/incident_timeline_items", refused(422, code="invalid_value"))
    with pytest.raises(ApiError, match="invalid_value"):
        create(routes, ROLLBACK, TimelineItem(AT))


@pytest.mark.parametrize("already", [refused(409), refused(422, code="invalid", message="Already a member")])
def test_a_membership_that_already_exists_counts_as_created(already: httpx.Response) -> None:
    routes = Routes().on("POST /v1/incident_memberships", already)
    child = create(routes, MEMBER, Membership())

    assert (child.id, child.attribute) == ("", MEMBER)


def test_another_refusal_of_a_membership_is_an_error() -> None:
    routes = Routes().on("POST /v1/incident_memberships", refused(422, code="not_private"))
    with pytest.raises(ApiError, match="not_private"):
        create(routes, MEMBER, Membership())


def test_an_attachment_is_listed_once_with_its_url_and_its_external_id() -> None:
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
        ("a2", "jira_issue https://x"),
    ]
    assert found[0].value == Attachment("jira_issue", "https://j/PAY-1", "PAY-1")
    assert routes.seen[0].url.params["incident_id"] == "01A"


def test_children_with_the_same_title_are_numbered_oldest_first() -> None:
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


def test_promoted_items_and_items_of_streams_are_not_declared_items() -> None:
    listed = [
        {**ITEM, "incident_id": "01A"},
        {**ITEM, "id": "t2", "activity_log_id": "01L"},
        {**ITEM, "id": "t3", "incident_id": "01STREAM"},
    ]
    routes = Routes().on("GET /v2/incident_timeline_items", {"incident_timeline_items": listed})

    assert [each.id for each in client(routes).children("01A", frozenset({Field.TIMELINE}))] == ["t1"]


def test_an_external_postmortem_is_not_a_child() -> None:
    listed = [
        {"id": "d1", "type": "in_app", "title": "Review", "status": "completed"},
        {"id": "d2", "type": "external", "title": "Review"},
    ]
    routes = Routes().on("GET /v1/postmortem_documents", {"postmortem_documents": listed})
    (found,) = client(routes).children("01A", frozenset({Field.POSTMORTEM, Field.MEMBER}))

    assert (found.id, found.value) == ("d1", PostmortemDocument("", "completed", "Review"))


def test_a_status_page_incident_is_sent_with_its_key_oldest_update_first() -> None:
    route = "POST /v2/status_page_retrospective_incidents"
    routes = Routes().on(route, {"status_page_incident": {"id": "s1"}})
    api = Entity(Kind.COMPONENT, "c1", "API")
    update = StatusPageUpdate(AT, "resolved", "Fixed", ((api, "operational"),))
    history = StatusPageIncident(Entity(Kind.STATUS_PAGE, "p1", "Acme"), "API down", (update,))
    made = create(routes, Attribute(Field.STATUS_PAGE, history.page), history)

    assert (made.id, made.value) == ("s1", history)
    assert routes.bodies(route)[0] == {
        "idempotency_key": child_key(parent="01A", label="status_page.p1"),
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
    ("creator", "is_foreign"),
    [
        ({"api_key": {"id": "k", "name": "importer"}}, False),
        ({"user": {"id": "U1", "name": "Lisa"}}, True),
        ({"workflow": {"id": "w"}}, True),
        (None, False),
    ],
)
def test_a_child_whose_creator_is_no_api_key_is_foreign(creator: Any, is_foreign: bool) -> None:
    shown = {**FOLLOW_UP, "creator": creator, "created_at": "2026-01-01T00:00:00Z"}
    routes = Routes().on("GET /v3/follow_ups", {"follow_ups": [shown]})
    (found,) = client(routes).children("01A", frozenset({Field.FOLLOW_UP}))
    assert (found.is_foreign, found.created_at) == (is_foreign, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_follow_up_has_the_ids_of_what_no_file_declares() -> None:
    more = {
        "assignee_team": {"id": "T", "name": "Payments"},
        "priority": {"id": "P"},
        "category": {"id": "C"},
    }
    routes = Routes().on("GET /v3/follow_ups", {"follow_ups": [{**FOLLOW_UP, **more}]})
    (found,) = client(routes).children("01A", frozenset({Field.FOLLOW_UP}))
    assert isinstance(found.value, FollowUp)
    assert (found.value.team, found.value.priority, found.value.category) == ("T", "P", "C")


def test_the_incidents_of_a_status_page_are_listed_with_their_updates_oldest_first() -> None:
    def update(at: str, status: str) -> dict[str, Any]:
        affected = [{"component_id": "c1", "component_status": "operational"}]
        return {"published_at": at, "incident_status": status, "message": "M", "component_statuses": affected}

    updates = [update("2023-04-12T10:00:00Z", "resolved"), update("2023-04-12T09:00:00Z", "identified")]
    shown = {"id": "s1", "name": "API down", "updates": updates}
    routes = Routes().on("GET /v2/status_page_incidents", {"status_page_incidents": [shown]})
    page = Entity(Kind.STATUS_PAGE, "p1", "Acme")
    (found,) = client(routes).status_page_incidents(page)
    assert found.attribute == Attribute(Field.STATUS_PAGE, page)
    assert isinstance(found.value, StatusPageIncident)
    assert [each.status for each in found.value.updates] == ["identified", "resolved"]
    assert found.value.updates[0].components == ((Entity(Kind.COMPONENT, "c1", ""), "operational"),)
    assert routes.seen[0].url.params["status_page_id"] == "p1"


def test_an_account_without_a_list_of_status_page_incidents_raises_not_available() -> None:
    with pytest.raises(NotAvailable):
        client(Routes()).status_page_incidents(Entity(Kind.STATUS_PAGE, "p1", "Acme"))
