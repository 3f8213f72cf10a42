"""Offline rules that a schema cannot check."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from importer.model import (
    Attribute,
    Field,
    Incident,
    Kind,
    Location,
    Membership,
    Reference,
    Severity,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.model.policy import Ignored, Policy
from importer.sources.rules import check_declared

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE = Reference(Kind.STATUS_PAGE, "Acme")


def incident(
    attributes: dict[Attribute, Value] | None = None,
    *,
    key: str = "A",
    line: int = 1,
    external_id: int | None = None,
    idempotency_key: str | None = None,
) -> Incident:
    return Incident(key, external_id, attributes or {}, Location("a.yaml", line), idempotency_key)


def stamp(name: str, line: int = 5) -> Attribute:
    return Attribute(Field.TIMESTAMP, Reference(Kind.TIMESTAMP, name, location=Location("a.yaml", line)))


def messages(*incidents: Incident) -> list[str]:
    found = check_declared(incidents, now=NOW)
    return [f"{each.severity} {' '.join(map(str, each.locations))} {each.code}" for each in found]


def test_distinct_incidents_have_no_problems() -> None:
    one = incident({stamp("Resolved at"): NOW - HOUR}, key="A", external_id=1, idempotency_key="a:1")
    assert messages(one, incident(key="B", external_id=2), incident(key="C"), incident(key="D")) == []


def test_incidents_may_come_from_an_iterator() -> None:
    assert len(check_declared(iter([incident(), incident(line=2)]), now=NOW)) == 1


def test_a_duplicate_key_or_number_names_both_places() -> None:
    one = incident(key="A", line=1, external_id=1, idempotency_key="k")
    assert messages(one, incident(key="A", line=2)) == ["error a.yaml:1 a.yaml:2 duplicate-key"]
    assert messages(one, incident(key="B", line=2, external_id=1)) == [
        "error a.yaml:1 a.yaml:2 duplicate-external-id"
    ]
    assert messages(one, incident(key="B", line=2, idempotency_key="k")) == [
        "error a.yaml:1 a.yaml:2 duplicate-idempotency-key"
    ]
    assert (
        messages(one, incident(key="A", line=2), incident(key="A", line=3))[1]
        == "error a.yaml:1 a.yaml:3 duplicate-key"
    )
    (problem,) = check_declared([one, incident(key="A", line=2)], now=NOW)
    assert problem.detail == "`A` at a.yaml:1 and a.yaml:2"


@pytest.mark.parametrize(
    ("number", "right"), [(-1, False), (0, False), (1, True), (2**63 - 1, True), (2**63, False)]
)
def test_an_external_id_is_a_number_that_the_api_takes(number: int, right: bool) -> None:
    assert messages(incident(external_id=number)) == ([] if right else ["error a.yaml:1 bad-external-id"])


@pytest.mark.parametrize(
    ("key", "right"),
    [("a" * 64, True), ("a" * 65, False), ("a b", False), ("é", False), ("a:b-c_d.e", True), ("a\n", False)],
)
def test_an_explicit_idempotency_key_is_short_and_plain(key: str, right: bool) -> None:
    assert messages(incident(idempotency_key=key)) == (
        [] if right else ["error a.yaml:1 bad-idempotency-key"]
    )


def test_a_time_in_the_future_is_a_warning() -> None:
    assert messages(
        incident({stamp("Fixed at"): NOW, stamp("Reviewed at", 6): NOW + HOUR, stamp("Closed at"): None})
    ) == ["warning a.yaml:6 future-moment"]


def test_resolved_before_the_impact_started_is_a_warning() -> None:
    early, late = NOW - 2 * HOUR, NOW - HOUR
    assert messages(incident({stamp("Impact started at"): late, stamp("Incident RESOLVED", 6): early})) == [
        "warning a.yaml:6 resolved-before-started"
    ]
    assert messages(incident({stamp("Impact started"): early, stamp("Resolved at"): early})) == []
    assert messages(incident({stamp("Identified at"): late, stamp("Resolved at"): early})) == []


def test_members_of_a_public_incident_are_one_error() -> None:
    place = Location("a.yaml", 7)
    members: dict[Attribute, Value] = {
        Attribute(Field.MEMBER, Reference(Kind.USER, name, location=place)): Membership() for name in "ab"
    }
    visibility = Attribute(Field.VISIBILITY)
    assert messages(incident(members)) == ["error a.yaml:7 members-of-public"]
    assert messages(incident({**members, visibility: "public"})) == ["error a.yaml:7 members-of-public"]
    assert messages(incident({**members, visibility: "private"})) == []
    nowhere = {Attribute(Field.MEMBER, Reference(Kind.USER, "a")): Membership()}
    assert messages(incident({**nowhere})) == ["error a.yaml:1 members-of-public"]


def test_a_timeline_out_of_order_is_a_warning() -> None:
    def timeline(*hours: int) -> Incident:
        return incident(
            {
                Attribute(Field.TIMELINE, str(n)): TimelineItem(NOW + hour * HOUR)
                for n, hour in enumerate(hours)
            }
        )

    assert messages(timeline(-3, -2, -2, -1)) == []
    assert messages(timeline(-3, -1, -2)) == ["warning a.yaml:1 timeline-order"]


def page(*updates: tuple[int, str]) -> Incident:
    made = tuple(StatusPageUpdate(NOW + hour * HOUR, status, "M", ()) for hour, status in updates)
    return incident({Attribute(Field.STATUS_PAGE, PAGE): StatusPageIncident(PAGE, "N", made)})


@pytest.mark.parametrize(
    ("declared", "codes"),
    [
        (page((-3, "investigating"), (-2, "resolved")), []),
        (page((-2, "investigating"), (-3, "resolved")), ["status-page-order"]),
        (page((-3, "resolved"), (-2, "monitoring")), ["status-page-unresolved"]),
        (page((1, "resolved")), ["status-page-future"]),
        (page(), []),
    ],
)
def test_status_page_updates_are_past_in_order_and_end_resolved(declared: Incident, codes: list[str]) -> None:
    found = check_declared([declared], now=NOW)
    assert [each.code for each in found] == codes
    assert all(each.severity is Severity.ERROR for each in found)


def test_a_cleared_value_that_the_api_never_shows_is_a_warning() -> None:
    assert messages(incident({Attribute(Field.SLACK_CHANNEL_NAME): None})) == [
        "warning a.yaml:1 cannot-be-cleared"
    ]
    assert messages(incident({Attribute(Field.SLACK_CHANNEL_NAME): "inc-1"})) == []
    assert messages(incident({Attribute(Field.SUMMARY): None})) == []


@pytest.mark.parametrize(
    ("path", "severity"), [("a.yaml", Severity.ERROR), ("importer.yaml", Severity.WARNING)]
)
def test_a_title_to_ignore_that_no_incident_has_is_reported_with_a_suggestion(
    path: str, severity: Severity
) -> None:
    item = Attribute(Field.TIMELINE, "Rolled back")
    ignored = Ignored(Attribute(Field.TIMELINE, "roledback"), "timeline.Roled back", Location(path, 9))
    one = replace(incident({item: TimelineItem(NOW)}), policy=Policy(ignore_changes=frozenset({ignored})))
    (found,) = check_declared([one], now=NOW)
    assert (found.severity, found.code, found.locations) == (severity, "unknown-title", (Location(path, 9),))
    assert found.hint == "did you mean `timeline.Rolled back`?"
    fitting = replace(ignored, attribute=Attribute(Field.TIMELINE, "rolledback"))
    assert check_declared([replace(one, policy=Policy(ignore_changes=frozenset({fitting})))], now=NOW) == ()


def test_the_name_of_an_incident_that_is_too_long_for_its_status_page_is_an_error_of_validate() -> None:
    update = StatusPageUpdate(NOW - HOUR, "resolved", "Over", ())
    page = Attribute(Field.STATUS_PAGE, PAGE)
    assert messages(incident({page: StatusPageIncident(PAGE, "x" * 200, (update,))})) == []
    assert messages(incident({page: StatusPageIncident(PAGE, "x" * 201, (update,))})) == [
        "error a.yaml:1 status-page-name"
    ]
