"""Every endpoint's answer has the shape that the official OpenAPI document gives it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from importer.sandbox.routes import ROUTES

DOCUMENT = Path(__file__).parents[3] / "shared" / "api" / "openapi.json"
pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the OpenAPI document is not here")


@pytest.fixture(scope="module")
def document():
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def path_of(document, url_path):
    """The document's path for a request's, the literal one before those with parameters."""
    matching = [
        path for path in document["paths"] if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), url_path)
    ]
    return min(matching, key=lambda path: path.count("{"), default=None)


def visit_everything(api):
    """Answers of every endpoint, on an account that has one of everything."""
    incident = api.create(
        summary="words",
        severity_id=api.severity("Major"),
        incident_role_assignments=[
            {"incident_role_id": api.role("Reporter"), "assignee": {"email": "lisa@example.com"}}
        ],
        incident_timestamp_values=[
            {"incident_timestamp_id": api.timestamp("Fixed at"), "value": "2023-01-01T00:00:00Z"}
        ],
        custom_field_entries=[
            api.entry("Affected teams", [{"value_catalog_entry_id": "pay"}]),
            api.entry("Root cause", [{"value_option_id": api.option("Root cause", "Capacity")}]),
            api.entry("Customers affected", [{"value_numeric": "12"}]),
            api.entry("Runbook", [{"value_link": "https://example.com"}]),
            api.entry("Legacy ID", [{"value_text": "J-1"}]),
        ],
    )
    identifier = incident["id"]
    private = api.create(visibility="private")["id"]
    of_incident = {"incident_id": identifier}
    bob = api.id_of("/v2/users", "Bob Okafor")
    page = api.id_of("/v2/status_pages", "Acme status")
    component = api.get(f"/v2/status_page_structures/{page}")["current_structure"]["items"][0]["component"]
    post, get, put, patch = api.http.post, api.http.get, api.http.put, api.http.patch
    follow_up = {
        "title": "x",
        "assignee_id": bob,
        "assignee_team_id": api.id_of("/v3/teams", "Data"),
        **of_incident,
    }
    made = {
        version: post(f"/{version}/follow_ups", json=follow_up).json()["follow_up"]["id"]
        for version in ("v2", "v3")
    }
    item = {"idempotency_key": "k", "timestamp": "2023-01-01T00:00:00Z", "title": "x", "description": "y"}
    item_id = post("/v2/incident_timeline_items", json={**item, **of_incident}).json()[
        "incident_timeline_item"
    ]["id"]
    imported = post(
        f"/v2/incidents/{identifier}/actions/import_postmortem_document", json={"title": "x", "content": "y"}
    )
    document_id = imported.json()["postmortem_document"]["id"]
    update = {
        "published_at": "2023-01-01T00:00:00Z",
        "incident_status": "resolved",
        "message": "x",
        "component_statuses": [
            {"component_id": component["component_id"], "component_status": "full_outage"}
        ],
    }
    outage = {"idempotency_key": "k", "name": "x", "status_page_id": page, "updates": [update]}
    teams = api.id_of("/v3/catalog_types", "Team")
    field = api.field("Root cause")
    edit = {"incident": {"call_url": "https://call.example.com"}, "notify_incident_channel": False}
    link = {"resource_type": "arbitrary_url", "url": "https://example.com"}
    return [
        get("/v2/incidents"),
        post("/v2/incidents", json=api.payload()),
        get(f"/v2/incidents/{identifier}"),
        post(f"/v2/incidents/{identifier}/actions/edit", json=edit),
        imported,
        *(
            get(path)
            for path in (
                "/v1/severities",
                "/v1/incident_statuses",
                "/v1/incident_types",
                "/v2/incident_roles",
                "/v2/incident_timestamps",
                "/v2/custom_fields",
                "/v2/users",
                "/v3/catalog_types",
                "/v3/teams",
                "/v1/identity",
                "/v2/follow_ups",
                "/v3/follow_ups",
                "/v2/incident_updates",
                "/v2/status_pages",
                "/v3/incident_forms",
                "/v2/workflows",
                "/v1/postmortem_documents",
                f"/v1/postmortem_documents/{document_id}",
                f"/v1/postmortem_documents/{document_id}/content",
                f"/v2/status_page_structures/{page}",
                f"/v1/severities/{api.severity('Minor')}",
                f"/v1/incident_statuses/{api.status('Closed')}",
                f"/v2/follow_ups/{made['v2']}",
            )
        ),
        get("/v1/custom_field_options", params={"custom_field_id": field}),
        post("/v1/custom_field_options", json={"custom_field_id": field, "value": "Weather"}),
        get("/v3/catalog_entries", params={"catalog_type_id": teams, "page_size": 2}),
        *(post(f"/{version}/follow_ups", json=follow_up) for version in made),
        *(
            put(f"/{version}/follow_ups/{made[version]}", json={"status": "completed", "title": "x"})
            for version in made
        ),
        post("/v2/actions", json={"description": "x", "assignee_id": bob, **of_incident}),
        get("/v2/actions", params=of_incident),
        post("/v1/incident_attachments", json={"resource": link, **of_incident}),
        get("/v1/incident_attachments", params=of_incident),
        post("/v1/incident_memberships", json={"incident_id": private, "user_id": bob}),
        post(
            "/v1/postmortem_documents/actions/attach",
            json={"incident_id": private, "permalink": "https://a.example"},
        ),
        get("/v1/incident_relationships", params=of_incident),
        post("/v2/status_page_retrospective_incidents", json=outage),
        get("/v2/status_page_incidents", params={"status_page_id": page}),
        post("/v2/incident_timeline_items", json={**item, **of_incident}),
        get("/v2/incident_timeline_items", params=of_incident),
        patch(f"/v2/incident_timeline_items/{item_id}", json={"title": "z"}),
    ]


def test_every_endpoint_answers_in_the_documented_shape(api, document):
    visited = set()
    for answer in visit_everything(api):
        method = answer.request.method.lower()
        path = path_of(document, answer.request.url.path)
        operation = document["paths"][path][method]
        assert str(answer.status_code) in operation["responses"], (method, path, answer.text)
        content = operation["responses"][str(answer.status_code)].get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        validator = Draft202012Validator({**schema, "components": document["components"]})
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())]
        assert errors == [], (method, path)
        visited.add((method, path))
    documented = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert visited == documented


def test_every_documented_endpoint_asks_for_the_documented_scope(document):
    scopes = {
        (method, path): operation["x-rbac-scopes"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("x-rbac-scopes")
    }
    asked = {(route.method.lower(), route.path): [route.scope] for route in ROUTES}
    assert {place: asked[place] for place in scopes} == scopes
