"""Every endpoint's answer has the shape of the API's contract."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from importer.sandbox import identifiers
from importer.sandbox.routes import ROUTES
from tests.contract import CONTRACT, text_of
from tests.contract import contract as contract_of

DOCUMENT = Path(__file__).parents[3] / "shared" / "api" / "openapi.json"
"""The official document, if it lies next to the checkout."""

LEFT_OUT = {
    ("delete", "/v1/custom_field_options/{id}"),
    ("get", "/v1/custom_field_options/{id}"),
    ("put", "/v1/custom_field_options/{id}"),
    ("post", "/v1/incident_memberships/actions/revoke"),
    ("post", "/v1/incident_statuses"),
    ("post", "/v1/incident_team_memberships"),
    ("post", "/v1/incident_team_memberships/actions/revoke"),
    ("get", "/v1/openapiV3.json"),
    ("post", "/v1/severities"),
    ("post", "/v2/custom_fields"),
    ("get", "/v2/incident_activity_log_entries"),
    ("post", "/v2/incident_roles"),
    ("get", "/v2/users/{id}"),
    ("get", "/v2/workflow_runs"),
    ("get", "/v2/workflow_runs/{id}"),
    ("get", "/v3/actions"),
    ("post", "/v3/actions"),
    ("delete", "/v3/actions/{id}"),
    ("get", "/v3/actions/{id}"),
    ("put", "/v3/actions/{id}"),
    ("post", "/v3/follow_ups/actions/create_from_link"),
}
"""Operations that importer does not use and the sandbox therefore does not serve."""


@pytest.fixture(scope="module")
def contract():
    return json.loads(CONTRACT.read_text(encoding="utf-8"))


def path_of(contract, url_path):
    """Return the contract's path for a request's path; literal paths come before those with parameters."""
    matching = [
        path for path in contract["paths"] if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), url_path)
    ]
    return min(matching, key=lambda path: path.count("{"), default=None)


def visit_everything(api):
    """Return answers of every endpoint, from an account that has one of everything."""
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
        "follow_up_priority_option_id": identifiers.named("follow_up_priorities", "High"),
        "follow_up_category_id": identifiers.named("follow_up_categories", "Process"),
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
    attached = post("/v1/incident_attachments", json={"resource": link, **of_incident})
    attachment_id = attached.json()["incident_attachment"]["id"]
    published = post("/v2/status_page_retrospective_incidents", json=outage)
    outage_id = published.json()["status_page_incident"]["id"]
    return [
        attached,
        published,
        get("/v2/incidents"),
        post("/v2/incidents", json=api.payload()),
        get(f"/v2/incidents/{identifier}"),
        post(f"/v2/incidents/{identifier}/actions/edit", json=edit),
        imported,
        put(f"/v1/postmortem_documents/{document_id}", json={"status": "completed"}),
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
                *(f"/{version}/follow_ups/{identity}" for version, identity in made.items()),
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
        get("/v1/incident_attachments", params=of_incident),
        post("/v1/incident_memberships", json={"incident_id": private, "user_id": bob}),
        post(
            "/v1/postmortem_documents/actions/attach",
            json={"incident_id": private, "permalink": "https://a.example"},
        ),
        get("/v1/incident_relationships", params=of_incident),
        get("/v2/status_page_incidents", params={"status_page_id": page}),
        get(f"/v2/status_page_incidents/{outage_id}"),
        put(f"/v2/status_page_incidents/{outage_id}", json={"name": "y"}),
        post("/v2/incident_timeline_items", json={**item, **of_incident}),
        get("/v2/incident_timeline_items", params=of_incident),
        patch(f"/v2/incident_timeline_items/{item_id}", json={"title": "z"}),
        api.http.delete(f"/v1/incident_attachments/{attachment_id}"),
        api.http.delete(f"/v3/follow_ups/{made['v3']}"),
    ]


def errors_of(answer, described, contract):
    """Return the errors of an answer's body against its documented response."""
    content = described.get("content")
    if content is None:
        return ["has a body"] if answer.content else []
    schema = content["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": contract["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())]


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the official OpenAPI document is not here")
def test_the_contract_is_the_official_document_without_its_prose():
    """If the document is missing, the next two tests still check the contract."""
    official = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert CONTRACT.read_text(encoding="utf-8") == text_of(contract_of(official))


def test_the_contract_file_is_normalised(contract):
    assert CONTRACT.read_text(encoding="utf-8") == text_of(contract_of(contract))


def test_a_contract_keeps_requirements_and_no_prose():
    demanded = {
        "type": "object",
        "required": ["description"],
        "properties": {"description": {"type": "string"}},
    }
    answers = {"200": {"$ref": "#/components/responses/Boat"}}
    row = {"parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}]}
    kept = {
        "openapi": "3.0.3",
        "paths": {"/boats/{id}": {"get": {**row, "responses": answers, "x-rbac-scopes": ["boats.view"]}}},
        "components": {
            "responses": {"Boat": {"content": {"application/json": {"schema": demanded}}}},
            "schemas": {"Boat": {"allOf": [demanded], "nullable": True}},
        },
    }
    official: dict[str, Any] = copy.deepcopy(kept) | {"info": {"title": "Boats"}}
    operation = official["paths"]["/boats/{id}"]["get"]
    operation |= {"summary": "Show a boat.", "tags": ["Boats"]}
    operation["parameters"][0] |= {"description": "Which.", "example": "b1"}
    operation["responses"]["200"]["description"] = "Here it is."
    official["components"]["responses"]["Boat"]["description"] = "A boat."
    official["components"]["schemas"]["Boat"] |= {
        "description": "Floats.",
        "example": {"description": "Red."},
    }
    assert contract_of(official) == kept
    assert json.loads(text_of(kept)) == kept


def test_every_endpoint_answers_in_the_documented_shape(api, contract):
    visited = set()
    for answer in visit_everything(api):
        method = answer.request.method.lower()
        path = path_of(contract, answer.request.url.path)
        responses = contract["paths"][path][method]["responses"]
        assert str(answer.status_code) in responses, (method, path, answer.text)
        assert errors_of(answer, responses[str(answer.status_code)], contract) == [], (method, path)
        visited.add((method, path))
    documented = {(method, path) for path, methods in contract["paths"].items() for method in methods}
    assert documented - visited == LEFT_OUT


def test_an_operation_is_left_out_only_if_the_sandbox_does_not_serve_it():
    assert LEFT_OUT.isdisjoint((route.method.lower(), route.path) for route in ROUTES)


def test_a_refusal_has_the_documented_shape(api, contract):
    """Except `source.pointer`, which the document requires but its example and real answers omit."""
    refused = [
        api.http.get("/v2/incidents", headers={"Authorization": "Bearer nobody"}),
        api.http.get("/v2/incidents/01HZZZZZZZZZZZZZZZZZZZZZZZ"),
        api.http.post("/v2/incidents", json={"visibility": "public"}),
        api.http.post("/v2/incidents", content=b"{"),
    ]
    assert [answer.status_code for answer in refused] == [401, 404, 422, 400]
    described = contract["components"]["responses"]["Error"]
    wrong = [error for answer in refused for error in errors_of(answer, described, contract)]
    assert {error.partition(": ")[2] for error in wrong} == {"'pointer' is a required property"}


def test_every_documented_endpoint_asks_for_the_documented_scope(contract):
    documented = {
        (method, path): operation["x-rbac-scopes"]
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if operation.get("x-rbac-scopes") and (method, path) not in LEFT_OUT
    }
    asked = {(route.method.lower(), route.path): [route.scope] for route in ROUTES}
    assert {place: asked[place] for place in documented} == documented
