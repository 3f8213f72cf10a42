"""Which parts of a catalogue are requested, and how they are read."""

from __future__ import annotations

import pytest

from importer.model import (
    Entity,
    Kind,
    Needs,
    Reference,
)
from importer.model.errors import NoAnswer
from tests.api.scripted import Routes, client, refused


def catalogue_routes() -> Routes:
    def field(identity: str, name: str, kind: str, **more: str) -> dict[str, str]:
        return {"id": identity, "name": name, "field_type": kind, **more}

    fields = [
        field("F1", "Teams", "multi_select", catalog_type_id="C1"),
        field("F2", "Root Cause", "single_select"),
        field("F3", "Region", "single_select"),
        field("F4", "Customers", "numeric"),
    ]
    entry = {"id": "E1", "name": "Payments", "external_id": "pay", "aliases": ["p"]}
    groups = {"group": {"components": [{"component_id": "c2", "name": "Web"}]}}
    items = [
        {"component": {"component_id": "c1", "name": "API"}},
        {"sub_page": {"items": [groups, {"component": {"component_id": "c1", "name": "API"}}]}},
    ]
    return (
        Routes()
        .on("GET /v2/custom_fields", {"custom_fields": fields})
        .on("GET /v1/severities", {"severities": [{"id": "S1", "name": "Major"}]})
        .on(
            "GET /v1/incident_statuses",
            {"incident_statuses": [{"id": "X1", "name": "Closed", "category": "new"}]},
        )
        .on("GET /v1/incident_types", {"incident_types": [{"id": "Y1", "name": "Prod", "is_default": True}]})
        .on(
            "GET /v2/incident_roles",
            {"incident_roles": [{"id": "R0", "name": "Rep", "role_type": "reporter"}]},
        )
        .on("GET /v2/incident_timestamps", {"incident_timestamps": [{"id": "T1", "name": "Resolved at"}]})
        .on("GET /v1/custom_field_options", {"custom_field_options": [{"id": "O1", "value": "Capacity"}]})
        .on(
            "GET /v3/catalog_entries", {"catalog_entries": [entry, {**entry, "id": "E2", "archived_at": "x"}]}
        )
        .on("GET /v2/users", {"users": [{"id": "U1", "name": "Lisa", "email": "", "is_active": False}]})
        .on("GET /v2/status_pages", {"status_pages": [{"id": "P1", "name": "Acme"}]})
        .on("GET /v2/status_page_structures/P1", {"current_structure": {"items": items}})
    )


def test_the_catalogue_requests_only_what_is_needed() -> None:
    routes = catalogue_routes()
    catalogue = client(routes).catalogue(Needs())

    assert len(routes.seen) == 6
    assert [each.entity.name for each in catalogue.custom_fields] == [
        "Teams",
        "Root Cause",
        "Region",
        "Customers",
    ]
    assert (catalogue.options, catalogue.catalog_entries, catalogue.users) == ({}, {}, ())
    assert catalogue.statuses[0].category == "new"
    assert catalogue.roles == (Entity(Kind.REPORTER, "R0", "Rep"),)


def test_the_catalogue_has_the_options_and_entries_of_fields_in_use() -> None:
    routes = catalogue_routes()
    needed = frozenset(
        {
            Reference(Kind.CUSTOM_FIELD, "root  cause"),
            Reference(Kind.CUSTOM_FIELD, "F1", "id"),
            Reference(Kind.CUSTOM_FIELD, "F4", "id"),
            Reference(Kind.CUSTOM_FIELD, "Region", "id"),
        }
    )
    catalogue = client(routes).catalogue(Needs(needed, users=True, status_pages=True))

    assert catalogue.options == {"F2": (Entity(Kind.OPTION, "O1", "Capacity"),)}
    (entry,) = catalogue.catalog_entries["C1"]
    assert (entry.entity.id, entry.external_id, entry.aliases) == ("E1", "pay", ("p",))
    (user,) = catalogue.users
    assert (user.email, user.slack_user_id, user.is_active) == (None, None, False)
    (acme,) = catalogue.status_pages
    assert [each.name for each in acme.components] == ["API", "Web"]
    asked = {each.url.path: dict(each.url.params) for each in routes.seen}
    assert asked["/v2/users"] == {"include_inactive": "true", "page_size": "1000"}


def test_a_catalogue_that_is_not_from_the_api_raises_no_answer() -> None:
    with pytest.raises(NoAnswer, match="catalogue"):
        client(catalogue_routes().on("GET /v1/severities", {"severities": [{}]})).catalogue(Needs())
    with pytest.raises(NoAnswer):
        client(catalogue_routes().on("GET /v1/severities", {})).catalogue(Needs())


@pytest.mark.parametrize("status", [403, 404, 410])
def test_status_pages_that_cannot_be_read_end_nothing_else(status: int) -> None:
    needed = Needs(status_pages=True)
    routes = catalogue_routes().on("GET /v2/status_page_structures/P1", refused(status))
    (page,) = client(routes).catalogue(needed).status_pages
    assert page.components == ()
    assert page.unreadable is not None
    assert "the structure of the status page" in page.unreadable
    catalogue = client(catalogue_routes().on("GET /v2/status_pages", refused(status))).catalogue(needed)
    assert catalogue.status_pages == ()
    assert catalogue.no_status_pages is not None
    assert "the list of status pages" in catalogue.no_status_pages
    assert catalogue.custom_fields
