"""Listing incidents: pages, order, filters."""

from __future__ import annotations

from typing import Any

import pytest


def references(api, **query):
    parameters = {
        name.replace("_OF_", "[") + "]" if "_OF_" in name else name: each for name, each in query.items()
    }
    return [incident["reference"] for incident in api.get("/v2/incidents", **parameters)["incidents"]]


def test_pages_hold_everything_once_and_the_last_has_no_cursor(api):
    for _ in range(7):
        api.create()
    found: list[str] = []
    after: dict[str, Any] = {}
    for size in (3, 3, 1):
        answer = api.get("/v2/incidents", page_size=3, sort_by="created_at_oldest_first", **after)
        assert len(answer["incidents"]) == size
        assert answer["pagination_meta"]["total_record_count"] == 7
        found += [incident["reference"] for incident in answer["incidents"]]
        after = {"after": answer["pagination_meta"].get("after")}
    assert after == {"after": None}
    assert found == [f"INC-{number}" for number in range(1, 8)]


def test_the_newest_comes_first_unless_asked_otherwise_even_if_the_clock_goes_back(api):
    api.create()
    api.clock.now -= 3600
    api.create()
    assert references(api) == ["INC-2", "INC-1"]


def test_a_page_has_25_items_by_default_and_250_at_most(api):
    for _ in range(26):
        api.create()
    assert len(references(api)) == 25
    assert api.get("/v2/incidents", page_size=500)["pagination_meta"]["page_size"] == 250


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "0"),
        ("page_size", "many"),
        ("page_size", "9" * 5000),
        ("sort_by", "name"),
        ("filter_mode", "some"),
        ("created_at[gte]", "yesterday"),
        ("created_at[around]", "2024-01-01"),
        ("updated_at[date_range]", "2024-01-01"),
        ("mode[not_in]", "test"),
        ("status[is]", "x"),
        ("custom_field[01X][one_of]", "x"),
    ],
)
def test_an_invalid_parameter_is_refused(api, name, value):
    answer = api.http.get("/v2/incidents", params={name: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"]["field"] == name


def test_parameters_that_the_api_does_not_know_are_ignored(api):
    api.create()
    assert references(api, reference="INC-9") == ["INC-1"]
    assert api.http.get("/v2/incidents?status_category[]=live").status_code == 422
    assert api.http.get("/v2/incidents?team[one_of]=x").status_code == 200


def test_tests_are_not_listed_unless_asked_for(api):
    api.create()
    api.create(mode="standard")
    api.create(mode="test")
    assert references(api) == ["INC-2", "INC-1"]
    assert references(api, mode_OF_one_of="retrospective") == ["INC-1"]
    assert references(api, mode_OF_one_of=["test", "standard"]) == ["INC-3", "INC-2"]


def test_filters_narrow_and_combine(api):
    minor, major = api.severity("Minor"), api.severity("Major")
    api.create(severity_id=minor, incident_status_id=api.status("Documenting"))
    api.clock.sleep(86_400)
    api.create(severity_id=major, incident_type_id=api.incident_type("Internal"))
    api.create(mode="standard", severity_id=minor, incident_status_id=api.status("Fixing"))
    assert references(api, severity_OF_one_of=major) == ["INC-2"]
    assert references(api, severity_OF_not_in=major) == ["INC-3", "INC-1"]
    assert references(api, severity_OF_gte=major) == ["INC-2"]
    assert references(api, severity_OF_lte=minor) == ["INC-3", "INC-1"]
    assert references(api, status_category_OF_one_of=["learning", "closed"]) == ["INC-2", "INC-1"]
    assert references(api, status_category_OF_not_in="closed") == ["INC-3", "INC-1"]
    assert references(api, status_category_OF_one_of="active") == ["INC-3"]
    assert references(api, status_OF_one_of=api.status("Documenting")) == ["INC-1"]
    assert references(api, incident_type_OF_one_of=api.incident_type("Internal")) == ["INC-2"]
    assert references(api, created_at_OF_gte="2023-11-15") == ["INC-3", "INC-2"]
    assert references(api, updated_at_OF_lte="2023-11-14T22:13:20Z") == ["INC-1"]
    assert references(api, created_at_OF_date_range="2023-11-14~2023-11-15") == ["INC-1"]
    both = {"severity_OF_one_of": minor, "created_at_OF_gte": "2023-11-15"}
    assert references(api, **both) == ["INC-3"]
    assert references(api, filter_mode="any", **both) == ["INC-3", "INC-2", "INC-1"]
    assert references(api, filter_mode="any", mode_OF_one_of="retrospective", **both) == ["INC-2", "INC-1"]
