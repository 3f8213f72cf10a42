"""Incidents are counted by the month in which they began."""

from __future__ import annotations

from datetime import UTC, datetime

from importer.model import Attributes, Entity, Kind, MonthCount
from importer.plan.history import by_month
from tests.plans import BEGAN, ENDED, MAJOR, MINOR, RESOLVED, SEVERITY, SHORT, STARTED


def test_incidents_are_counted_by_month_and_severity() -> None:
    other: Attributes = {SEVERITY: MINOR, STARTED: BEGAN.replace(year=2022)}

    assert by_month([{SEVERITY: MAJOR, STARTED: BEGAN}, other, {SEVERITY: MAJOR, STARTED: ENDED}]) == (
        MonthCount("2022-04", "Minor", 1),
        MonthCount("2023-04", "Major", 2),
    )


def test_the_month_comes_from_the_earliest_timestamp() -> None:
    late = datetime(2023, 5, 1, tzinfo=UTC)

    assert by_month([{RESOLVED: late, STARTED: BEGAN}]) == (MonthCount("2023-04", "", 1),)
    assert by_month([{STARTED: datetime(803, 5, 1, tzinfo=UTC)}]) == (MonthCount("0803-05", "", 1),)


def test_an_incident_without_a_timestamp_is_counted_without_a_month() -> None:
    assert by_month([SHORT, {}]) == (MonthCount("", "", 1), MonthCount("", "Minor", 1))


def test_a_severity_without_a_name_is_shown_by_its_id() -> None:
    assert by_month([{SEVERITY: Entity(Kind.SEVERITY, "01X", "")}]) == (MonthCount("", "01X", 1),)


def test_no_incidents_have_an_empty_history() -> None:
    assert by_month([]) == ()
