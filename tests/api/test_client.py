"""What the client requests and how it reads answers, against scripted answers."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from importer.api.client import open_client
from importer.api.connection import Connection
from importer.api.transport import read_only_transport
from importer.model import (
    Attribute,
    Entity,
    Field,
    Kind,
    Workflow,
)
from importer.model.errors import ApiError, AuthenticationFailed, NoAnswer
from importer.model.settings import Rate
from importer.model.steps import AttachPostmortem
from tests.api.scripted import KEY, Routes, client, refused, wait_policy
from tests.api.sending import change, create, create_option, edit


def incident(identity: str) -> dict[str, Any]:
    return {
        "id": identity,
        "reference": f"INC-{identity}",
        "mode": "retrospective",
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
    }


def page(identities: str, **meta: Any) -> dict[str, Any]:
    return {"incidents": [incident(each) for each in identities], **meta}


@pytest.mark.parametrize(
    "last",
    [
        page("c"),
        page("c", pagination_meta=None),
        page("c", pagination_meta={"page_size": 250}),
        page("c", pagination_meta={"after": None}),
        page("c", pagination_meta={"after": ""}),
        page("bc", pagination_meta={}),
    ],
)
def test_every_kind_of_last_page_ends_the_list(last: dict[str, Any]) -> None:
    routes = Routes().on("GET /v2/incidents", page("ab", pagination_meta={"after": "b"}), last)

    assert [each.id for each in client(routes).incidents()] == ["a", "b", "c"]
    assert dict(routes.seen[0].url.params) == {"sort_by": "created_at_oldest_first", "page_size": "250"}
    assert routes.seen[1].url.params["after"] == "b"


def test_an_empty_page_does_not_end_a_list_whose_cursor_goes_on() -> None:
    routes = Routes().on(
        "GET /v2/incidents",
        page("", pagination_meta={"after": "a"}),
        page("ab", pagination_meta={"after": "b"}),
        page("", pagination_meta={"after": "c"}),
        page("", pagination_meta={"after": "d"}),
        page("e"),
    )

    assert [each.id for each in client(routes).incidents()] == ["a", "b", "e"]
    assert [each.url.params.get("after") for each in routes.seen] == [None, "a", "b", "c", "d"]


@pytest.mark.parametrize(
    "pages",
    [
        [page("ab", pagination_meta={"after": "b"})],
        [page("ab", pagination_meta={"after": "b"}), page("", pagination_meta={"after": "b"})],
        [
            page("", pagination_meta={"after": "a"}),
            page("", pagination_meta={"after": "b"}),
            page("", pagination_meta={"after": "a"}),
        ],
    ],
)
def test_a_repeated_cursor_raises_no_answer(pages: list[dict[str, Any]]) -> None:
    routes = Routes().on("GET /v2/incidents", *pages)

    with pytest.raises(NoAnswer, match="the pages of /v2/incidents repeat"):
        list(client(routes).incidents())


@pytest.mark.parametrize("answer", [{}, {"incidents": [{}]}, {"incidents": ["x"]}])
def test_a_page_that_is_not_from_the_api_raises_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(NoAnswer):
        list(client(Routes().on("GET /v2/incidents", answer)).incidents())


def test_the_endpoints_path_is_kept_as_a_prefix() -> None:
    routes = Routes().on("GET /api/public/v2/incidents/48", {"incident": incident("a")})
    found = client(routes, endpoint="https://api.example/api/public").incident("48")

    assert found is not None
    assert found.id == "a"


def test_an_id_cannot_escape_its_path_segment() -> None:
    routes = Routes()
    assert client(routes).incident("../users?x=1") is None
    assert routes.seen[0].url.raw_path == b"/v2/incidents/..%2Fusers%3Fx%3D1"


def test_an_invisible_incident_is_none_and_any_other_refusal_is_an_error() -> None:
    assert client(Routes()).incident("1") is None
    assert client(Routes().on("GET /v2/incidents/1", refused(403))).incident("1") is None
    with pytest.raises(AuthenticationFailed):
        client(Routes().on("GET /v2/incidents/1", refused(401))).incident("1")
    with pytest.raises(AuthenticationFailed):
        list(client(Routes().on("GET /v2/incidents", refused(403))).incidents())


def test_requests_name_the_client_and_the_key_is_in_no_repr() -> None:
    routes = Routes().on("GET /v2/incidents", page(""))
    with client(routes) as api:
        assert list(api.incidents()) == []
        assert KEY not in repr(api) + repr(vars(api)) + repr(routes.seen[0].headers)

    assert routes.seen[0].headers["user-agent"].startswith("incident-importer/0")
    assert routes.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "answer",
    [
        refused(401, message=f"the key {KEY} is unknown"),
        refused(500, message=f"the key {KEY} is unknown"),
        httpx.Response(502, text=f"<html>token={KEY}</html>"),
        httpx.Response(404, headers={"X-Request-ID": KEY}),
        httpx.Response(302, headers={"Location": f"https://elsewhere.example/{KEY}"}),
        httpx.Response(
            400, headers={"Content-Encoding": "gzip"}, content=gzip.compress(f"token={KEY}".encode())
        ),
    ],
)
def test_a_key_that_a_server_echoes_is_hidden(
    answer: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    answer.extensions["reason_phrase"] = KEY.encode()
    with caplog.at_level("DEBUG", "httpx"), pytest.raises((ApiError, NoAnswer)) as caught:
        client(Routes().on("GET /v1/identity", *[answer] * 6)).identity()

    assert "(hidden)" in caught.value.summary
    assert KEY not in caught.value.summary + caught.value.hint + caplog.text


def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    elsewhere = httpx.Response(302, headers={"Location": "https://login.example/"})
    routes = Routes().on("GET /v1/identity", elsewhere)
    with pytest.raises(ApiError, match=r"redirects to https://login\.example/"):
        client(routes).identity()

    assert len(routes.seen) == 1


def test_a_plan_cannot_write_by_mistake() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    stack = read_only_transport(httpx.MockTransport(answer), wait_policy(), Rate())
    with (
        pytest.raises(RuntimeError, match="read-only command"),
        open_client(Connection("https://x", KEY), stack) as api,
    ):
        edit(api, "01A", {Attribute(Field.NAME): "x"})

    assert sent == []


def test_identity_is_the_account() -> None:
    routes = Routes().on(
        "GET /v1/identity",
        {"identity": {"dashboard_url": "https://app.example/acme", "roles": ["viewer"], "name": "CI"}},
    )
    account = client(routes).identity()

    assert (account.endpoint, account.dashboard_url) == ("https://api.example", "https://app.example/acme")
    assert (account.roles, account.key_name) == (("viewer",), "CI")


def test_a_creation_returns_the_server_time() -> None:
    answer = httpx.Response(
        200, json={"incident": incident("a")}, headers={"Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    )
    routes = Routes().on("POST /v2/incidents", answer)
    made = create(client(routes), {Attribute(Field.VISIBILITY): "public"}, idempotency_key="k")

    assert made.live.id == "a"
    assert made.server_now == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_creation_whose_answer_is_lost_is_not_sent_again() -> None:
    routes = Routes().on("POST /v2/incidents", httpx.ReadTimeout("slow"), {"incident": incident("a")})
    public = {Attribute(Field.VISIBILITY): "public"}
    with pytest.raises(NoAnswer, match="may have been carried out"):
        create(client(routes), public, idempotency_key="k", external_id=7)

    (sent,) = routes.bodies("POST /v2/incidents")
    assert (sent["idempotency_key"], sent["retrospective_incident_options"]) == ("k", {"external_id": 7})


def test_the_newest_incidents_are_listed_first_a_page_at_a_time() -> None:
    pages = [
        {"incidents": [incident("b")], "pagination_meta": {"after": "b"}},
        {"incidents": [incident("a")]},
    ]
    routes = Routes().on("GET /v2/incidents", *pages)
    found = client(routes).newest_incidents()

    assert next(found).id == "b"
    assert len(routes.seen) == 1
    assert routes.seen[0].url.params["sort_by"] == "created_at_newest_first"
    assert [each.id for each in found] == ["a"]


def test_the_servers_time_is_that_of_its_latest_answer() -> None:
    dated = [
        httpx.Response(200, json={"incidents": []}, headers={"Date": f"Sun, 01 Mar 2026 12:00:0{n} GMT"})
        for n in (1, 2)
    ]
    api = client(Routes().on("GET /v2/incidents", *dated, {"incidents": []}))
    assert api.server_time() is None
    for seconds in (1, 2, 2):
        list(api.incidents())
        assert api.server_time() == datetime(2026, 3, 1, 12, 0, seconds, tzinfo=UTC)


def test_an_option_is_sent_only_once_after_a_lost_answer() -> None:
    routes = Routes().on("POST /v1/custom_field_options", httpx.Response(502))
    with pytest.raises(NoAnswer):
        create_option(client(routes), Entity(Kind.CUSTOM_FIELD, "F1", "Teams"), "New")

    assert len(routes.seen) == 1


def test_a_postmortem_link_is_attached() -> None:
    route = "POST /v1/postmortem_documents/actions/attach"
    routes = Routes().on(route, {"postmortem_document": {}})
    change(client(routes), AttachPostmortem("01A", "https://docs.example/1"))

    assert routes.bodies(route) == [{"incident_id": "01A", "permalink": "https://docs.example/1"}]


def test_workflows_are_read_or_none_if_the_account_hides_them() -> None:
    listed = [{"name": "Tell", "state": "active", "runs_on_incident_modes": ["retrospective"]}, {}]
    assert client(Routes().on("GET /v2/workflows", {"workflows": listed})).workflows() == (
        Workflow("Tell", "active", ("retrospective",)),
        Workflow("", "", ()),
    )
    assert client(Routes()).workflows() is None
    assert client(Routes().on("GET /v2/workflows", refused(403))).workflows() is None
    with pytest.raises(ApiError):
        client(Routes().on("GET /v2/workflows", refused(400))).workflows()


def test_a_missing_body_where_one_is_promised_raises_no_answer() -> None:
    with pytest.raises(NoAnswer):
        client(Routes().on("GET /v1/identity", httpx.Response(204))).identity()


@pytest.mark.parametrize(
    ("meta", "count"), [({"total_record_count": 9}, 9), ({"page_size": 1}, None), (None, None)]
)
def test_the_incident_count_is_known_if_the_account_reports_it(
    meta: dict[str, int] | None, count: int | None
) -> None:
    routes = Routes().on("GET /v2/incidents", page("a", pagination_meta=meta))

    assert client(routes).incident_count() == count
