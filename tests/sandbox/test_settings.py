"""The catalogue endpoints, keys and roles, and the seeds of catalogues."""

from __future__ import annotations

import pytest

from importer.sandbox import default_seed, open_sandbox


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "missing_authorization_material"),
        ("Bearer nobody", "unauthenticated"),
        ("Basic sandbox-key", "unauthenticated"),
    ],
)
def test_without_a_known_key_everything_is_401(api, key, code):
    api.http.headers.pop("Authorization")
    answer = api.http.get("/v1/severities", headers={"Authorization": key} if key else {})
    assert answer.status_code == 401
    assert answer.json()["type"] == "authentication_error"
    assert answer.json()["errors"][0]["code"] == code
    assert "X-RateLimit-Limit" not in answer.headers


def test_a_key_without_the_role_is_403_with_the_scope(api):
    reader = api.with_key("sandbox-read-only")
    answer = reader.post("/v2/incidents", reader.payload(), 403)
    assert answer["type"] == "resource_forbidden"
    assert answer["errors"] == [
        {
            "code": "missing_required_scope",
            "message": "missing a required scope: incidents.create",
            "metadata": {"scope": "incidents.create"},
        }
    ]
    identifier = api.create()["id"]
    assert reader.edit(identifier, {"summary": "x"}, 403)["errors"][0]["metadata"] == {
        "scope": "incidents.update_summary"
    }
    assert reader.edit(identifier, {"call_url": ""}, 403)["errors"][0]["metadata"] == {
        "scope": "incident_calls.destroy"
    }
    assert reader.http.get("/v2/workflows").status_code == 403


def test_a_read_only_key_can_read_all_that_a_plan_needs(api):
    reader = api.with_key("sandbox-read-only")
    for path in (
        "/v1/severities",
        "/v2/users",
        "/v2/custom_fields",
        "/v3/catalog_types",
        "/v3/teams",
        "/v2/incidents",
    ):
        reader.get(path)


def test_a_key_is_shown_its_own_identity(api):
    identity = api.with_key("sandbox-read-only").get("/v1/identity")["identity"]
    assert identity["roles"] == ["viewer"]
    assert identity["dashboard_url"] == "https://app.incident.io/acme"
    assert "global_access" in api.get("/v1/identity")["identity"]["roles"]


def test_unknown_paths_are_404_and_methods_405(api):
    assert api.http.get("/v2/nothing").status_code == 404
    answer = api.http.delete("/v2/incidents")
    assert answer.status_code == 405
    assert answer.json()["type"] == "method_not_allowed"
    assert api.sandbox.journal().requests == {"DELETE /v2/incidents 405": 1, "GET /v2/nothing 404": 1}


def test_an_endpoint_may_be_missing_on_an_account(open_api):
    api = open_api(missing=frozenset({"/v3/incident_forms"}))
    assert api.http.get("/v3/incident_forms").status_code == 404
    assert api.http.get("/v2/workflows").status_code == 200


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_400(api, content):
    answer = api.http.post("/v2/incidents", content=content)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_json"


def test_a_body_that_is_too_large_is_413(open_api):
    api = open_api(largest_body=1000)
    answer = api.http.post("/v2/incidents", json=api.payload(summary="x" * 1000))
    assert answer.status_code == 413
    assert answer.json()["type"] == "payload_too_large"


def test_severities_and_statuses_can_be_read_one_by_one(api):
    severity, status = api.severity("Major"), api.status("Closed")
    assert api.get(f"/v1/severities/{severity}")["severity"]["name"] == "Major"
    assert api.get(f"/v1/incident_statuses/{status}")["incident_status"]["category"] == "closed"
    assert api.http.get("/v1/severities/01X").status_code == 404
    assert api.http.get("/v1/incident_statuses/01X").status_code == 404


def test_inactive_users_are_hidden_unless_asked_for(api):
    def emails(**query):
        return [user["email"] for user in api.get("/v2/users", page_size=10_000, **query)["users"]]

    assert "sven@example.com" not in emails()
    assert "sven@example.com" in emails(include_inactive="true")
    assert emails(email="Lisa@Example.com") == ["lisa@example.com"]
    assert emails(slack_user_id="U02AYNF2XJN") == ["bob@example.com"]
    assert len(emails(email="tara@example.com")) == 1
    assert len(emails(email="tara@example.com", include_inactive="true")) == 2
    assert len(emails(email="uma@example.com")) == 2
    first = api.get("/v2/users", page_size=20)
    rest = api.get("/v2/users", page_size=20, after=first["pagination_meta"]["after"])
    assert len(first["users"]) + len(rest["users"]) == len(emails())


def test_catalog_entries_are_found_by_every_identifier(api):
    teams = api.id_of("/v3/catalog_types", "Team")

    def names(**query):
        answer = api.get("/v3/catalog_entries", catalog_type_id=teams, page_size=250, **query)
        assert answer["catalog_type"]["name"] == "Team"
        return [entry["name"] for entry in answer["catalog_entries"]]

    assert len(names()) == 6
    for identifier in ("team-payments", "pay", "Payments"):
        assert names(identifier=identifier) == ["Payments"]
    assert names(identifier="payments") == []
    assert api.http.get("/v3/catalog_entries").status_code == 422
    assert api.http.get("/v3/catalog_entries", params={"catalog_type_id": "01X"}).status_code == 404


def test_custom_fields_are_listed_without_their_options(api):
    assert all("options" not in field for field in api.get("/v2/custom_fields")["custom_fields"])
    assert api.http.get("/v1/custom_field_options").status_code == 422


def test_a_new_option_can_be_used_at_once(api, shown):
    field = api.field("Root cause")
    option = api.post("/v1/custom_field_options", {"custom_field_id": field, "value": "Weather"})[
        "custom_field_option"
    ]
    assert option["sort_key"] == 1000
    values = [{"value_option_id": option["id"]}]
    incident = api.create(custom_field_entries=[{"custom_field_id": field, "values": values}])
    assert shown.values(incident, "Root cause")[0]["value_option"] == option


@pytest.mark.parametrize(
    ("field", "value", "refused"),
    [
        ("Root cause", " Weather", "value"),
        ("Root cause", "Bad\tweather", "value"),
        ("Root cause", "Capacity", "value"),
        ("Legacy ID", "Weather", "custom_field_id"),
        ("Affected teams", "Weather", "custom_field_id"),
    ],
)
def test_an_invalid_option_is_refused(api, field, value, refused):
    body = {"custom_field_id": api.field(field), "value": value}
    assert list(api.refusals("/v1/custom_field_options", body)) == [refused]


def test_identifiers_of_the_seed_are_the_same_in_every_sandbox(open_api):
    assert open_api().get("/v2/users") == open_api().get("/v2/users")


def test_the_answers_of_an_account_are_a_seed_for_the_same_answers(api, open_api):
    lists = {
        "severities": "/v1/severities",
        "incident_statuses": "/v1/incident_statuses",
        "incident_types": "/v1/incident_types",
        "incident_roles": "/v2/incident_roles",
        "incident_timestamps": "/v2/incident_timestamps",
        "custom_fields": "/v2/custom_fields",
        "users": "/v2/users?include_inactive=true&page_size=1000",
        "catalog_types": "/v3/catalog_types",
        "teams": "/v3/teams",
        "status_pages": "/v2/status_pages",
        "workflows": "/v2/workflows",
        "incident_forms": "/v3/incident_forms",
    }
    seed = {name: api.get(path)[name] for name, path in lists.items()}
    for page in seed["status_pages"]:
        page["items"] = api.get(f"/v2/status_page_structures/{page['id']}")["current_structure"]["items"]
    for field in seed["custom_fields"]:
        query = {"custom_field_id": field["id"]}
        field["options"] = api.get("/v1/custom_field_options", **query)["custom_field_options"]
    for catalog_type in seed["catalog_types"]:
        query = {"catalog_type_id": catalog_type["id"], "page_size": 250}
        catalog_type["entries"] = api.get("/v3/catalog_entries", **query)["catalog_entries"]
    copy = open_api(seed=seed)
    for path in lists.values():
        assert copy.get(path) == api.get(path)
    page_id = seed["status_pages"][0]["id"]
    structure = f"/v2/status_page_structures/{page_id}"
    assert copy.get(structure) == api.get(structure)
    assert copy.create()["custom_field_entries"] == api.create()["custom_field_entries"]


def test_a_minimal_seed_works(open_api, shown):
    seed = {
        "incident_statuses": [{"name": "Done", "category": "closed"}],
        "catalog_types": [{"name": "Service", "entries": ["search"]}],
        "custom_fields": [{"name": "Services", "field_type": "multi_select", "catalog_type": "Service"}],
    }
    api = open_api(seed=seed)
    service = api.get("/v3/catalog_entries", catalog_type_id=api.id_of("/v3/catalog_types", "Service"))
    entry_id = service["catalog_entries"][0]["id"]
    incident = api.create(
        custom_field_entries=[api.entry("Services", [{"value_catalog_entry_id": entry_id}])]
    )
    assert "incident_type" not in incident
    entry = {"id": entry_id, "name": "search", "aliases": []}
    assert shown.values(incident, "Services") == [{"value_catalog_entry": entry}]


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        ({"severities": [{"rank": 1}]}, "severities number 1 has no name"),
        ({"custom_fields": [{"name": "X", "catalog_type": "Nothing"}]}, "'Nothing'"),
    ],
)
def test_an_invalid_seed_is_refused(seed, words):
    with pytest.raises(ValueError, match=words):
        open_sandbox(None, seed=seed)


def test_a_file_keeps_its_account(tmp_path):
    path = tmp_path / "new" / "sandbox.db"
    first = {**default_seed(), "name": "First"}
    open_sandbox(path, seed=first).close()
    open_sandbox(path, seed=first).close()
    open_sandbox(path).close()
    with pytest.raises(ValueError, match="another seed"):
        open_sandbox(path, seed={"name": "Second"})
