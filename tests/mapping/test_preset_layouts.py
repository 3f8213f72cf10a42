"""Presets also read the less usual layouts of a tracker."""

from __future__ import annotations

import json

import pytest

from tests.mapping.conftest import Mapped


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("09/Jan/24 3:54 PM", "2024-01-09T15:54:00Z"),
        ("09/Jan/24 15:54", "2024-01-09T15:54:00Z"),
        ("2024-01-09 15:54", "2024-01-09T15:54:00Z"),
        ("2024-01-09 15:54:30", "2024-01-09T15:54:30Z"),
        ("09.01.2024 15:54", "2024-01-09T15:54:00Z"),
    ],
)
def test_jira_times_are_read_in_any_usual_format(mapped: Mapped, written: str, expected: str) -> None:
    outcome = mapped(
        "extends: jira\ntimezone: UTC\nfields: {}", f"Issue key,Summary,Created\nA-1,Down,{written}\n"
    )
    assert [each["timestamps"] for each in outcome.blocks] == [{"Reported at": expected}]


def test_opsgenie_csv_is_read_like_its_json(mapped: Mapped) -> None:
    incident = {"id": "u1", "message": "Down", "priority": "P1", "createdAt": "2023-04-12T09:14:12.08Z"}
    table = f"{','.join(incident)}\n{','.join(incident.values())}\n"
    by_table = mapped("extends: opsgenie\nfields: {}", table, "a.csv")
    by_object = mapped("extends: opsgenie\nfields: {}", json.dumps({"data": [incident]}), "a.json")
    assert by_table.blocks == by_object.blocks != []


@pytest.mark.parametrize("suffix", ["_at", "_on"])
def test_pagerduty_reports_have_two_names_for_times(mapped: Mapped, suffix: str) -> None:
    table = (
        f"id,description,urgency,created{suffix},resolved{suffix}\n"
        "P1,Down,high,2023-04-12T09:14:00-07:00,2023-04-12T10:14:00-07:00\n"
    )
    outcome = mapped("extends: pagerduty-analytics\nfields: {}", table)
    assert [each["timestamps"] for each in outcome.blocks] == [
        {"Reported at": "2023-04-12T16:14:00Z", "Resolved at": "2023-04-12T17:14:00Z"}
    ]


def test_a_list_in_a_status_page_update_begins_on_its_own_line(mapped: Mapped) -> None:
    at = "2023-04-12T09:14:00Z"
    updates = [
        {"status": "resolved", "body": "<ul><li>one</li><li>two</li></ul>", "created_at": at},
        {"status": "investigating", "body": None, "created_at": at},
    ]
    incident = {"id": "a", "name": "Down", "created_at": at, "incident_updates": updates}
    outcome = mapped("extends: statuspage\nfields: {}", json.dumps({"incidents": [incident]}), "a.json")
    assert outcome.blocks[0]["summary"] == (
        f"**investigating** ({at}): \n\n**resolved** ({at}):\n\n- one\n- two"
    )


@pytest.mark.parametrize(
    ("header", "place"), [("kind,urgency", "a.csv:2:5"), ("priority,urgency", "a.csv:2")]
)
def test_a_path_in_a_table_has_a_column_if_only_one_matches(mapped: Mapped, header: str, place: str) -> None:
    outcome = mapped(
        "extends: pagerduty\nfields: {severity: {values: {low: Minor}}}",
        f"id,title,created_at,{header}\nP1,Down,2023-04-12T09:14:00Z,,high\n",
    )
    assert [each.partition(" ")[0] for each in outcome.messages] == [place]
