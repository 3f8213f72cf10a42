"""Problems that depend on the account are reported before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from importer.account.catalogue import marker
from importer.account.rules import check_marker, check_resolved
from importer.model import (
    Account,
    Attribute,
    Catalogue,
    CustomField,
    Diagnostic,
    Entity,
    Field,
    Incident,
    IncidentType,
    Kind,
    Location,
    Severity,
    Status,
    Value,
)
from importer.model.identity import Marker
from importer.model.settings import Settings

CATEGORIES = ("triage", "live", "paused", "learning", "closed", "declined", "canceled", "merged")
OPEN, SECRET = Entity(Kind.INCIDENT_TYPE, "I1", "Open"), Entity(Kind.INCIDENT_TYPE, "I2", "Security")
LEGACY, NUMBER = (
    Entity(Kind.CUSTOM_FIELD, "F1", "Legacy ID"),
    Entity(Kind.CUSTOM_FIELD, "F2", "Legacy number"),
)
CATALOGUE = Catalogue(
    statuses=tuple(Status(Entity(Kind.STATUS, each, each.title()), each, 1) for each in CATEGORIES),
    incident_types=(IncidentType(SECRET, True, False), IncidentType(OPEN, False, True)),
    custom_fields=(CustomField(LEGACY, "text"), CustomField(NUMBER, "numeric")),
)
SETTINGS = Settings(root=Path())
MARKED = replace(SETTINGS, marker_field="legacy id")
ACCOUNT = Account(
    "https://api.incident.io", "https://app.incident.io/acme", ("incident_creator", "global_access")
)
TYPE, VISIBILITY, STATUS = (
    Attribute(Field.INCIDENT_TYPE),
    Attribute(Field.VISIBILITY),
    Attribute(Field.STATUS),
)
MARKER = Attribute(Field.CUSTOM_FIELD, LEGACY)


def incident(attributes: dict[Attribute, Value] | None = None, *, key: str = "A", line: int = 1) -> Incident:
    return Incident(key, None, attributes or {}, Location("a.yaml", line))


def check(
    *incidents: Incident,
    catalogue: Catalogue = CATALOGUE,
    settings: Settings = SETTINGS,
    account: Account = ACCOUNT,
    ignores_case: bool = False,
) -> tuple[Diagnostic, ...]:
    found = marker(catalogue, settings)
    carrier = found and replace(found, ignores_case=ignores_case)
    return check_resolved(incidents, catalogue, settings, account, carrier)


def only(found: tuple[Diagnostic, ...], code: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    (one,) = found
    assert (one.code, one.severity) == (code, severity)
    assert one.hint
    return one


def in_status(category: str, key: str = "A") -> Incident:
    return incident({STATUS: Entity(Kind.STATUS, category, "")}, key=key)


def test_a_plain_incident_has_no_problem() -> None:
    public = incident({TYPE: OPEN, VISIBILITY: "public"}, key="B")
    assert check(incident(), public, in_status("closed", "C"), settings=MARKED) == ()


@pytest.mark.parametrize("category", ["triage", "live", "paused"])
def test_a_live_status_is_an_error_that_counts_its_incidents(category: str) -> None:
    assert only(check(in_status(category), in_status(category)), "live-status").count == 2


def test_a_learning_status_warns_of_the_tasks_it_creates() -> None:
    only(check(in_status("learning")), "learning-status", Severity.WARNING)


@pytest.mark.parametrize("category", ["declined", "canceled", "merged"])
def test_a_status_that_the_api_may_refuse_is_a_warning(category: str) -> None:
    only(check(in_status(category)), "doubtful-status", Severity.WARNING)


def test_a_status_is_never_left_to_the_api() -> None:
    only(check(incident({STATUS: None})), "cleared-status")
    catalogue = replace(
        CATALOGUE, statuses=tuple(each for each in CATALOGUE.statuses if each.category != "closed")
    )
    only(check(incident(), catalogue=catalogue), "no-closed-status")


@pytest.mark.parametrize(
    "attributes", [{TYPE: SECRET}, {TYPE: SECRET, VISIBILITY: "public"}, {TYPE: SECRET, VISIBILITY: None}]
)
def test_a_private_only_type_refuses_public_incidents(attributes: dict[Attribute, Value]) -> None:
    assert only(check(incident(attributes, line=4)), "private-only-type").locations == (
        Location("a.yaml", 4),
    )


def test_a_private_incident_may_have_any_type() -> None:
    assert check(incident({TYPE: SECRET, VISIBILITY: "private"}), incident({VISIBILITY: "private"})) == ()


@pytest.mark.parametrize("attributes", [{}, {TYPE: None}])
def test_the_default_type_is_checked_if_none_is_declared(attributes: dict[Attribute, Value]) -> None:
    catalogue = replace(
        CATALOGUE, incident_types=(IncidentType(SECRET, True, True), IncidentType(OPEN, False, False))
    )
    only(check(incident(attributes), catalogue=catalogue), "private-only-type")
    assert check(incident({TYPE: OPEN}), catalogue=catalogue) == ()


def test_an_account_without_a_default_type_is_no_problem() -> None:
    assert check(incident(), catalogue=replace(CATALOGUE, incident_types=())) == ()


def test_a_key_that_cannot_see_private_incidents_is_a_warning() -> None:
    blind = replace(ACCOUNT, roles=("viewer",))
    private = incident({VISIBILITY: "private"})
    assert only(check(private, private, account=blind), "private-unseen", Severity.WARNING).count == 2
    assert check(incident(), account=blind) == ()


def test_an_account_that_lists_no_roles_causes_no_warning() -> None:
    silent = replace(ACCOUNT, roles=())
    assert check(incident({VISIBILITY: "private"}), account=silent) == ()


@pytest.mark.parametrize(
    ("name", "code"),
    [("Legacy IDs", "marker-field-missing"), ("Legacy number", "marker-field-type")],
)
def test_a_marker_field_is_checked_without_any_incident(name: str, code: str) -> None:
    only(check_marker(CATALOGUE, replace(SETTINGS, marker_field=name), ACCOUNT), code)


def test_a_good_marker_field_or_none_at_all_is_no_problem() -> None:
    assert check_marker(CATALOGUE, MARKED, ACCOUNT) == ()
    assert check_marker(CATALOGUE, SETTINGS, ACCOUNT) == ()


def test_a_missing_marker_field_is_an_error_with_the_next_step() -> None:
    found = only(check(settings=replace(SETTINGS, marker_field="Legacy IDs")), "marker-field-missing")
    assert "type text" in found.hint
    assert "'Legacy ID'" in found.hint
    other = only(check(settings=replace(SETTINGS, marker_field="Q")), "marker-field-missing")
    assert "correct it to" not in other.hint


def test_a_marker_field_of_another_type_is_an_error() -> None:
    only(check(settings=replace(SETTINGS, marker_field="Legacy number")), "marker-field-type")


def test_an_ambiguous_marker_field_is_an_error() -> None:
    twin = CustomField(Entity(Kind.CUSTOM_FIELD, "F9", "LEGACY ID"), "text")
    catalogue = replace(CATALOGUE, custom_fields=(*CATALOGUE.custom_fields, twin))
    only(check(catalogue=catalogue, settings=MARKED), "marker-field-ambiguous")


def test_a_marker_field_without_problems_is_the_one_from_the_catalogue() -> None:
    assert check(settings=MARKED) == ()
    assert marker(CATALOGUE, MARKED) == Marker(Attribute(Field.CUSTOM_FIELD, LEGACY), "default")


def test_two_incidents_never_carry_the_same_key() -> None:
    found = only(check(incident(), incident(line=2), settings=MARKED), "same-marker")
    assert found.locations == (Location("a.yaml", 2),)
    assert "a.yaml:1" in found.detail
    assert check(incident(), incident(key="a"), settings=MARKED) == ()


@pytest.mark.parametrize("other", [r"A\_1 & b", "A_1  & b", "A_1 &amp; b"])
def test_two_keys_that_only_the_accounts_form_makes_equal_are_an_error_with_both_places(other: str) -> None:
    one, two = incident(key="A_1 & b"), incident(key=other, line=2)
    found = only(check(one, two, settings=MARKED), "same-marker")
    assert found.locations == (Location("a.yaml", 2),)
    assert "a.yaml:1" in found.detail
    assert check(one, two) == ()


def test_two_keys_that_differ_only_in_case_are_an_error_where_the_account_changes_it() -> None:
    one, two = incident(key="ABC-1"), incident(key="abc-1", line=2)
    assert check(one, two, settings=MARKED) == ()
    found = only(check(one, two, settings=MARKED, ignores_case=True), "same-marker")
    assert found.locations == (Location("a.yaml", 2),)
    assert "case" in found.hint


@pytest.mark.parametrize("key", ["A ", "Cafe\u0301", " "])
def test_a_key_that_the_marker_field_would_change_is_an_error(key: str) -> None:
    only(check(incident(key=key), settings=MARKED), "unmarkable-key")
    assert check(incident(key=key)) == ()


@pytest.mark.parametrize("value", ["B", None])
def test_a_declared_marker_that_is_not_the_key_is_an_error(value: Value) -> None:
    only(check(incident({MARKER: value}), settings=MARKED), "marker-differs")
    assert check(incident({MARKER: "A"}), settings=MARKED) == ()
    assert check(incident({MARKER: value})) == ()
