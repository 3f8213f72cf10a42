"""Names become entities, each problem is reported once with its count, and nothing unknown is guessed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.account.resolver import Resolved, needs, resolve
from importer.model import (
    Attachment,
    Attribute,
    CatalogEntry,
    Catalogue,
    CustomField,
    Diagnostic,
    Entity,
    Field,
    FollowUp,
    Incident,
    IncidentType,
    Kind,
    Link,
    Location,
    Membership,
    Needs,
    NewOption,
    Packed,
    Reference,
    Severity,
    Status,
    StatusPage,
    StatusPageIncident,
    StatusPageUpdate,
    User,
    Value,
)
from importer.model.diagnostics import grouped
from importer.model.settings import OnUnresolved, Settings

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
MAJOR, MINOR = Entity(Kind.SEVERITY, "S1", "Major"), Entity(Kind.SEVERITY, "S2", "Minor")
CLOSED = Entity(Kind.STATUS, "T1", "Closed")
PRODUCTION = Entity(Kind.INCIDENT_TYPE, "I1", "Production")
LEAD, REPORTER = Entity(Kind.ROLE, "R1", "Incident Lead"), Entity(Kind.REPORTER, "R2", "Reporter")
RESOLVED_AT = Entity(Kind.TIMESTAMP, "M1", "Resolved at")
LISA, BOB, GONE = (Entity(Kind.USER, f"U{name}", name) for name in ("Lisa", "Bob", "Gone"))
TEXT, LINK, NUMBER, CAUSE, TEAMS, SERVICE, ODD = (
    Entity(Kind.CUSTOM_FIELD, f"F-{name}", name)
    for name in ("Notes", "Ticket", "Customers", "Root cause", "Teams", "Service", "Odd")
)
CAPACITY, NETWORK = Entity(Kind.OPTION, "O1", "Capacity"), Entity(Kind.OPTION, "O2", "Network")
PAYMENTS, PLATFORM = Entity(Kind.OPTION, "O3", "Payments"), Entity(Kind.OPTION, "O4", "Platform")
API = Entity(Kind.CATALOG_ENTRY, "E1", "Public API")
PAGE, COMPONENT, SITE = (
    Entity(Kind.STATUS_PAGE, "P1", "Acme status"),
    Entity(Kind.COMPONENT, "C1", "API"),
    Entity(Kind.COMPONENT, "C2", "Site"),
)
CATALOGUE = Catalogue(
    severities=(MAJOR, MINOR),
    statuses=(Status(CLOSED, "closed", 1),),
    incident_types=(IncidentType(PRODUCTION, False, True),),
    roles=(LEAD, REPORTER),
    timestamps=(RESOLVED_AT,),
    custom_fields=(
        CustomField(TEXT, "text"),
        CustomField(LINK, "link"),
        CustomField(NUMBER, "numeric"),
        CustomField(CAUSE, "single_select"),
        CustomField(TEAMS, "multi_select"),
        CustomField(SERVICE, "multi_select", "CT1"),
        CustomField(ODD, "hologram"),
    ),
    options={CAUSE.id: (CAPACITY, NETWORK), TEAMS.id: (PAYMENTS, PLATFORM)},
    catalog_entries={"CT1": (CatalogEntry(API, "api", ("edge",)),)},
    users=(
        User(LISA, "lisa@new", "ULISA", True),
        User(BOB, "bob@new", None, True),
        User(GONE, "gone@new", None, False),
        User(Entity(Kind.USER, "Uold", "Old Lisa"), "lisa@new", None, False),
    ),
    status_pages=(StatusPage(PAGE, (COMPONENT, SITE)),),
)
SETTINGS = Settings(root=Path())
SEVERITY = Attribute(Field.SEVERITY)


def named(kind: Kind, name: str, by: str = "name") -> Reference:
    return Reference(kind, name, by)


def incident(
    *given: tuple[Attribute, Value], key: str = "A", line: int = 1, severity: str | None = "Major"
) -> Incident:
    attributes: dict[Attribute, Value] = (
        {} if severity is None else {SEVERITY: named(Kind.SEVERITY, severity)}
    )
    return Incident(key, None, attributes | dict(given), Location("a.yaml", line))


def custom(name: str, value: Value, line: int | None = None) -> tuple[Attribute, Value]:
    at = Location("a.yaml", line) if line else None
    return Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, name, location=at)), value


def role(name: str, value: Value) -> tuple[Attribute, Value]:
    return Attribute(Field.ROLE, named(Kind.ROLE, name)), value


def of(
    *given: tuple[Attribute, Value], settings: Settings = SETTINGS, catalogue: Catalogue = CATALOGUE
) -> Resolved:
    return resolve((incident(*given),), catalogue, settings)


def without_problems(resolved: Resolved) -> dict[Attribute, Value]:
    assert resolved.diagnostics == ()
    return only(resolved)


def only(resolved: Resolved) -> dict[Attribute, Value]:
    (one,) = resolved.incidents
    return {attribute: value for attribute, value in one.attributes.items() if attribute != SEVERITY}


def problem(resolved: Resolved, code: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    (found,) = resolved.diagnostics
    assert (found.code, found.severity) == (code, severity)
    return found


def policy(word: str, choice: OnUnresolved) -> Settings:
    return replace(SETTINGS, on_unresolved={word: choice})


def aliases(**sections: dict[str, str | None]) -> Settings:
    return replace(SETTINGS, aliases=sections)


def test_names_in_keys_and_values_become_entities() -> None:
    resolved = without_problems(
        of(
            (Attribute(Field.NAME), "Outage"),
            (Attribute(Field.STATUS), named(Kind.STATUS, "closed")),
            (Attribute(Field.INCIDENT_TYPE), named(Kind.INCIDENT_TYPE, "I1", "id")),
            (Attribute(Field.TIMESTAMP, named(Kind.TIMESTAMP, "Resolved At")), NOON),
            role("Incident lead", named(Kind.USER, "bob@new")),
            role("Reporter", None),
            custom("Teams", None),
        )
    )
    assert resolved == {
        Attribute(Field.NAME): "Outage",
        Attribute(Field.STATUS): CLOSED,
        Attribute(Field.INCIDENT_TYPE): PRODUCTION,
        Attribute(Field.TIMESTAMP, RESOLVED_AT): NOON,
        Attribute(Field.ROLE, LEAD): BOB,
        Attribute(Field.ROLE, REPORTER): None,
        Attribute(Field.CUSTOM_FIELD, TEAMS): None,
    }
    assert next(each for each in resolved if each.key == REPORTER).is_create_only


def test_children_are_resolved_too() -> None:
    update = StatusPageUpdate(
        NOON,
        "resolved",
        "Done",
        ((named(Kind.COMPONENT, "site"), "operational"), (named(Kind.COMPONENT, "API"), "operational")),
    )
    link = (Attribute(Field.ATTACHMENT, "arbitrary_url https://x"), Attachment("arbitrary_url", "https://x"))
    resolved = without_problems(
        of(
            (
                Attribute(Field.FOLLOW_UP, "Alert"),
                FollowUp(assignee=named(Kind.USER, "bob@new", "email"), labels=("db",)),
            ),
            (Attribute(Field.FOLLOW_UP, "Docs"), FollowUp()),
            (Attribute(Field.MEMBER, named(Kind.USER, "Bob")), Membership()),
            (
                Attribute(Field.STATUS_PAGE, named(Kind.STATUS_PAGE, "ACME status")),
                StatusPageIncident(named(Kind.STATUS_PAGE, "ACME status"), "Outage", (update,)),
            ),
            link,
        )
    )
    components = ((COMPONENT, "operational"), (SITE, "operational"))
    assert resolved == {
        Attribute(Field.FOLLOW_UP, "Alert"): FollowUp(assignee=BOB, labels=("db",)),
        Attribute(Field.FOLLOW_UP, "Docs"): FollowUp(),
        Attribute(Field.MEMBER, BOB): Membership(),
        Attribute(Field.STATUS_PAGE, PAGE): StatusPageIncident(
            PAGE, "Outage", (replace(update, components=components),)
        ),
        link[0]: link[1],
    }


OTHER_PAGE = Entity(Kind.STATUS_PAGE, "P2", "Partners")


def on_page(name: str) -> tuple[Attribute, Value]:
    page = named(Kind.STATUS_PAGE, name)
    update = StatusPageUpdate(NOON, "resolved", "Done", ((named(Kind.COMPONENT, "API"), "operational"),))
    return Attribute(Field.STATUS_PAGE, page), StatusPageIncident(page, "Outage", (update,))


def test_a_page_whose_components_cannot_be_read_stays_unresolved_and_no_other_does() -> None:
    pages = (StatusPage(PAGE, (COMPONENT,)), StatusPage(OTHER_PAGE, (), unreadable="no role"))
    (_, history), other = on_page("Acme status"), on_page("Partners")
    resolved = of(on_page("Acme status"), other, catalogue=replace(CATALOGUE, status_pages=pages))
    found = without_problems(resolved)
    assert isinstance(history, StatusPageIncident)
    updates = (replace(history.updates[0], components=((COMPONENT, "operational"),)),)
    assert found == {
        Attribute(Field.STATUS_PAGE, PAGE): replace(history, page=PAGE, updates=updates),
        Attribute(Field.STATUS_PAGE, OTHER_PAGE): other[1],
    }
    assert resolved.unreadable == {Attribute(Field.STATUS_PAGE, OTHER_PAGE): "no role"}


def test_an_unknown_page_is_an_error_though_another_cannot_be_read() -> None:
    pages = (StatusPage(OTHER_PAGE, (), unreadable="no role"),)
    problem(of(on_page("Acme"), catalogue=replace(CATALOGUE, status_pages=pages)), "unknown-status-page")


def test_pages_that_cannot_be_listed_stay_unresolved() -> None:
    page = on_page("Acme status")
    resolved = of(page, catalogue=replace(CATALOGUE, status_pages=(), no_status_pages="no role"))
    assert without_problems(resolved) == dict([page])
    assert resolved.unreadable == {page[0]: "no role"}


def test_resolved_incidents_resolve_to_themselves() -> None:
    page = StatusPageIncident(named(Kind.STATUS_PAGE, "Acme status"), "x", ())
    once = of(
        role("Reporter", named(Kind.USER, "Bob")),
        custom("Teams", ("Payments",)),
        (Attribute(Field.STATUS_PAGE, page.page), page),
    )
    assert resolve(once.incidents, CATALOGUE, SETTINGS) == once


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("Notes", "a\r\nb  ", "a\nb"),
        ("Notes", Packed("one; two"), "one; two"),
        ("Notes", " \n", None),
        ("Ticket", " https://jira.example/A-1 ", Link("https://jira.example/A-1")),
        ("Ticket", "HTTP://x", Link("HTTP://x")),
        ("Customers", "1_000", Decimal(1000)),
        ("Customers", Packed(" 1200.50 "), Decimal("1200.5")),
        ("Customers", "", None),
        ("Root cause", "capacity", (CAPACITY,)),
        ("Root cause", "O2", (NETWORK,)),
        ("Root cause", ("Network", "Network"), (NETWORK,)),
        ("Root cause", Reference(Kind.OPTION, "O2", "id"), (NETWORK,)),
        ("Root cause", Packed(" Network "), (NETWORK,)),
        ("Root cause", Packed(" "), None),
        ("Teams", "Platform", (PLATFORM,)),
        ("Teams", ("Platform", "payments", "Payments", " "), (PAYMENTS, PLATFORM)),
        ("Teams", (Reference(Kind.OPTION, "O3", "id"), "Platform"), (PAYMENTS, PLATFORM)),
        ("Teams", Packed("Platform ;; Payments;"), (PAYMENTS, PLATFORM)),
        ("Teams", (Packed("Platform; "), Packed("Payments;Platform")), (PAYMENTS, PLATFORM)),
        ("Teams", (Packed("Platform"), Packed("Payments")), (PAYMENTS, PLATFORM)),
        ("Root cause", (Packed("Network"), Packed(" ")), (NETWORK,)),
        ("Service", ("edge", "api", "E1", "public api"), (API,)),
    ],
)
def test_a_custom_field_gets_the_value_of_its_type(name: str, written: Value, value: Value) -> None:
    assert list(without_problems(of(custom(name, written))).values()) == [value]


@pytest.mark.parametrize(
    ("name", "written", "code"),
    [
        ("Notes", ("a",), "wrong-type"),
        ("Customers", Reference(Kind.OPTION, "O1", "id"), "wrong-type"),
        ("Ticket", "jira.example/A-1", "wrong-value"),
        ("Ticket", "javascript:alert(1)", "wrong-value"),
        ("Ticket", "https://", "wrong-value"),
        ("Ticket", "https://a b", "wrong-value"),
        ("Customers", "abc", "wrong-value"),
        ("Customers", "1,000", "wrong-value"),
        ("Customers", "NaN", "wrong-value"),
        ("Customers", "12345678901234567890123456789", "wrong-value"),
        ("Root cause", ("Capacity", "Network"), "several-values"),
        ("Root cause", (Reference(Kind.OPTION, "O1", "id"), "Network"), "several-values"),
        ("Root cause", Packed("Capacity;Network"), "unknown-option"),
        ("Odd", "x", "unsupported-type"),
        ("Nothing", "x", "unknown-custom-field"),
        ("Service", "Nothing", "unknown-option"),
    ],
)
def test_a_value_that_its_field_cannot_take_is_an_error_at_its_line(
    name: str, written: Value, code: str
) -> None:
    resolved = of(custom(name, written, line=7))
    assert problem(resolved, code).locations == (Location("a.yaml", 7),)
    assert only(resolved) == {}


def test_a_wrong_value_is_in_the_detail_so_that_causes_group() -> None:
    found = problem(
        resolve(
            (incident(custom("Customers", "x")), incident(custom("Customers", "y"))), CATALOGUE, SETTINGS
        ),
        "wrong-value",
    )
    assert (found.count, found.detail) == (2, "the value is 'x'")


def test_an_unknown_name_counts_its_incidents_and_keeps_every_location() -> None:
    twice = (
        (Attribute(Field.FOLLOW_UP, title), FollowUp(assignee=named(Kind.USER, "ghost@x"))) for title in "ab"
    )
    incidents = (
        incident(*twice),
        *(incident(role("Reporter", named(Kind.USER, "ghost@x")), line=at) for at in range(2, 9)),
    )
    found = problem(resolve(incidents, CATALOGUE, SETTINGS), "unknown-user")
    assert found.count == 8
    assert found.locations == tuple(Location("a.yaml", at) for at in range(1, 9))
    assert found.summary == "user 'ghost@x' is not in the account"
    assert "users: {ghost@x: null}" in found.hint


def test_the_location_of_a_reference_beats_the_one_of_its_incident() -> None:
    reference = Reference(Kind.USER, "ghost@x", location=Location("a.yaml", 9))
    assert problem(of(role("Reporter", reference)), "unknown-user").locations == (Location("a.yaml", 9),)


def test_a_hint_has_the_nearest_names_and_the_lines_of_importer_yaml() -> None:
    found = problem(resolve((incident(severity="Mayor"),), CATALOGUE, SETTINGS), "unknown-severity")
    assert found.hint.startswith("did you mean 'Major'")
    assert found.hint.endswith("aliases:\n  severity: {Mayor: Major}")


def test_a_hint_lists_all_names_if_they_are_few() -> None:
    found = problem(resolve((incident(severity="SEV-1"),), CATALOGUE, SETTINGS), "unknown-severity")
    assert found.hint.startswith("the account has 'Major', 'Minor'\n")
    assert found.hint.endswith("severity: {SEV-1: NAME}")


def test_an_unknown_option_names_its_field_and_how_to_create_it() -> None:
    found = problem(of(custom("root cause", "infra")), "unknown-option")
    assert found.summary == "option 'infra' of custom field 'Root cause' is not in the account"
    assert "custom_fields.Root cause: {infra: NAME}" in found.hint
    assert found.hint.endswith("create_missing: [custom_field_options]")
    assert "create_missing" not in problem(of(custom("Service", "infra")), "unknown-option").hint


def test_the_hint_for_an_unknown_id_offers_no_alias() -> None:
    settings = aliases(severity={"S9": "Major"})
    broken = incident((SEVERITY, named(Kind.SEVERITY, "S9", "id")))
    found = problem(resolve((broken,), CATALOGUE, settings), "unknown-severity")
    assert found.summary == "severity ID 'S9' is not in the account"
    assert "aliases" not in found.hint


def test_a_hint_offers_no_alias_if_importer_yaml_cannot_have_one() -> None:
    page = StatusPageIncident(named(Kind.STATUS_PAGE, "Acme"), "x", ())
    found = problem(of((Attribute(Field.STATUS_PAGE, page.page), page)), "unknown-status-page")
    assert found.hint == "the account has 'Acme status'"


def test_an_ambiguous_name_is_refused_whatever_the_policy() -> None:
    catalogue = replace(CATALOGUE, severities=(MAJOR, Entity(Kind.SEVERITY, "S9", "MAJOR")))
    settings = policy("default", OnUnresolved.SKIP)
    found = problem(resolve((incident(severity="major"),), catalogue, settings), "ambiguous-name")
    assert "'Major' (S1)" in found.summary
    assert "'MAJOR' (S9)" in found.summary


@pytest.mark.parametrize("severity", [None, "null"])
def test_an_incident_without_a_severity_is_an_error(severity: str | None) -> None:
    cleared = {SEVERITY: None} if severity else {}
    broken = replace(incident(), attributes=cleared)
    found = problem(resolve((broken, broken), CATALOGUE, SETTINGS), "missing-severity")
    assert found.count == 2
    assert "defaults:\n  severity:" in found.hint


def test_an_alias_stands_for_a_name_of_the_account_in_any_spelling() -> None:
    settings = aliases(
        severity={"P1": "major"}, users={"bob@old": "bob@new"}, roles={"Boss": "Incident Lead"}
    )
    (one,) = resolve(
        (incident(role("boss", named(Kind.USER, "BOB@old", "email")), severity="p 1"),), CATALOGUE, settings
    ).incidents
    assert one.attributes == {SEVERITY: MAJOR, Attribute(Field.ROLE, LEAD): BOB}


def test_an_alias_comes_before_the_account_and_is_applied_once() -> None:
    settings = aliases(severity={"Major": "Minor", "Minor": "Major"})
    (one,) = resolve((incident(),), CATALOGUE, settings).incidents
    assert one.attributes[SEVERITY] == MINOR


def test_an_alias_to_nobody_leaves_the_assignment_out_silently() -> None:
    settings = aliases(users={"gone@old": None})
    gone = named(Kind.USER, "gone@old")
    resolved = of(
        role("Reporter", gone),
        (Attribute(Field.MEMBER, gone), Membership()),
        (Attribute(Field.FOLLOW_UP, "Alert"), FollowUp("text", gone)),
        settings=settings,
    )
    assert without_problems(resolved) == {Attribute(Field.FOLLOW_UP, "Alert"): FollowUp("text")}


def test_a_severity_cannot_be_aliased_away() -> None:
    problem(
        resolve((incident(severity="P1"),), CATALOGUE, aliases(severity={"P1": None})), "missing-severity"
    )


@pytest.mark.parametrize("choice", list(OnUnresolved))
def test_an_alias_without_a_target_is_an_error_of_importer_yaml(choice: OnUnresolved) -> None:
    settings = replace(aliases(users={"bob@old": "bob@nwe"}), on_unresolved={"default": choice})
    found = problem(
        of(role("Reporter", named(Kind.USER, "bob@old")), settings=settings), "unknown-alias-target"
    )
    assert (
        found.summary
        == "user 'bob@nwe' (aliases.users in importer.yaml, for 'bob@old') is not in the account"
    )
    assert found.hint.startswith("did you mean 'bob@new'")


def test_aliases_that_disagree_about_a_spelling_are_an_error() -> None:
    settings = aliases(severity={"P1": "Major", "p1": None})
    found = problem(resolve((incident(severity="P 1"),), CATALOGUE, settings), "ambiguous-alias")
    assert found.summary.endswith("'Major', null")


def test_options_have_aliases_by_field_under_any_of_its_names() -> None:
    sections: dict[str, dict[str, str | None]] = {
        "custom_fields": {"Cause": "Root cause"},
        "custom_fields.cause": {"infra": "Capacity"},
        "custom_fields.root cause": {"net": "Network", "junk": None},
    }
    settings = replace(SETTINGS, aliases=sections)
    for word, option in {"Infra": CAPACITY, "net": NETWORK}.items():
        assert without_problems(of(custom("Cause", word), settings=settings)) == {
            Attribute(Field.CUSTOM_FIELD, CAUSE): (option,)
        }
    assert without_problems(of(custom("Cause", "junk"), settings=settings)) == {}
    problem(of(custom("Teams", "net"), settings=settings), "unknown-option")


def test_aliases_of_an_unknown_field_are_a_warning() -> None:
    settings = replace(
        SETTINGS,
        aliases={
            "custom_fields.Rot cause": {"a": "b"},
            "custom_fields": {"Gone": None},
            "custom_fields.Gone": {"a": "b"},
        },
    )
    problem(of(settings=settings), "unused-aliases", Severity.WARNING)


def test_skip_leaves_the_incident_out_and_names_the_cause() -> None:
    settings = policy("severity", OnUnresolved.SKIP)
    incidents = (incident(severity="P1"), incident(key="B"), incident(severity="P1", key="C"))
    resolved = resolve(incidents, CATALOGUE, settings)
    assert [each.key for each in resolved.incidents] == ["B"]
    found = problem(resolved, "unknown-severity", Severity.WARNING)
    assert found.count == 2
    assert "left out" in found.summary


def test_drop_leaves_the_value_out_and_the_rest_in() -> None:
    settings = policy("default", OnUnresolved.DROP)
    update = StatusPageUpdate(NOON, "resolved", "Done", ((named(Kind.COMPONENT, "Nothing"), "operational"),))
    resolved = of(
        custom("Teams", ("Payments", "Nothing")),
        custom("Root cause", "Nothing"),
        custom("Nothing", Reference(Kind.OPTION, "O1", "id")),
        role("Reporter", named(Kind.USER, "Nothing")),
        role("Nothing", named(Kind.USER, "Bob")),
        (Attribute(Field.TIMESTAMP, named(Kind.TIMESTAMP, "Nothing")), NOON),
        (
            Attribute(Field.STATUS_PAGE, named(Kind.STATUS_PAGE, "Nothing")),
            StatusPageIncident(named(Kind.STATUS_PAGE, "Nothing"), "a", ()),
        ),
        (
            Attribute(Field.STATUS_PAGE, named(Kind.STATUS_PAGE, "Acme status")),
            StatusPageIncident(named(Kind.STATUS_PAGE, "Acme status"), "b", (update,)),
        ),
        settings=settings,
    )
    assert only(resolved) == {
        Attribute(Field.CUSTOM_FIELD, TEAMS): (PAYMENTS,),
        Attribute(Field.STATUS_PAGE, PAGE): StatusPageIncident(PAGE, "b", (replace(update, components=()),)),
    }
    assert {each.severity for each in resolved.diagnostics} == {Severity.WARNING}
    assert len(resolved.diagnostics) == 8


def test_a_severity_cannot_be_dropped() -> None:
    problem(
        resolve((incident(severity="P1"),), CATALOGUE, policy("severity", OnUnresolved.DROP)),
        "unknown-severity",
    )


def test_a_policy_for_a_kind_beats_the_default() -> None:
    settings = replace(SETTINGS, on_unresolved={"default": OnUnresolved.DROP, "users": OnUnresolved.ERROR})
    problem(of(role("Reporter", named(Kind.USER, "Nothing")), settings=settings), "unknown-user")


CREATING = replace(SETTINGS, create_missing=frozenset({"custom_field_options"}))


def test_a_missing_option_is_created_if_that_is_allowed() -> None:
    resolved = without_problems(of(custom("Teams", ("Payments", "Cafe\u0301")), settings=CREATING))
    assert resolved == {Attribute(Field.CUSTOM_FIELD, TEAMS): (NewOption(TEAMS, "Caf\u00e9"), PAYMENTS)}


def test_the_target_of_an_alias_is_created_too() -> None:
    settings = replace(CREATING, aliases={"custom_fields.Root cause": {"infra": "Infrastructure"}})
    assert without_problems(of(custom("Root cause", "infra"), settings=settings)) == {
        Attribute(Field.CUSTOM_FIELD, CAUSE): (NewOption(CAUSE, "Infrastructure"),)
    }


@pytest.mark.parametrize("name", [" edge", "edge ", "a\tb", "a\nb", "a\rb"])
def test_an_option_that_the_api_refuses_is_an_error(name: str) -> None:
    problem(of(custom("Root cause", name), settings=CREATING), "invalid-option")


def test_an_alias_to_a_blank_option_is_an_error() -> None:
    settings = replace(CREATING, aliases={"custom_fields.Root cause": {"infra": ""}})
    problem(of(custom("Root cause", "infra"), settings=settings), "invalid-option")


def test_catalog_entries_and_ids_are_never_created() -> None:
    problem(of(custom("Service", "Nothing"), settings=CREATING), "unknown-option")
    problem(of(custom("Teams", Reference(Kind.OPTION, "O9", "id")), settings=CREATING), "unknown-option")


def test_one_option_is_not_created_under_two_spellings() -> None:
    incidents = (
        incident(custom("Teams", ("Infra",), 3)),
        incident(custom("Teams", ("infra",), 4)),
        incident(custom("Teams", ("Infra",), 5)),
    )
    found = problem(resolve(incidents, CATALOGUE, CREATING), "option-spelled-twice")
    assert found.locations == (Location("a.yaml", 4),)
    assert "custom_fields.Teams: {infra: Infra}" in found.hint


def test_an_inactive_user_is_allowed_with_a_warning() -> None:
    resolved = of(role("Reporter", named(Kind.USER, "gone@new")))
    problem(resolved, "inactive-user", Severity.WARNING)
    assert only(resolved) == {Attribute(Field.ROLE, REPORTER): GONE}


def test_the_active_one_of_several_users_is_used_with_a_warning() -> None:
    resolved = of(role("Reporter", named(Kind.USER, "lisa@new")))
    assert "Uold" in problem(resolved, "shared-email", Severity.WARNING).summary
    assert only(resolved) == {Attribute(Field.ROLE, REPORTER): LISA}


def test_an_attribute_set_under_two_names_is_an_error_unless_the_values_agree() -> None:
    bob, lisa = named(Kind.USER, "bob@new"), named(Kind.USER, "ULISA")
    assert problem(of(role("Reporter", bob), role("reporter", lisa)), "given-twice").summary.startswith(
        "roles.Reporter "
    )
    assert without_problems(of(role("Reporter", bob), role("reporter", named(Kind.USER, "Bob")))) == {
        Attribute(Field.ROLE, REPORTER): BOB
    }


def test_a_component_with_two_statuses_in_one_update_is_an_error() -> None:
    pairs = ((named(Kind.COMPONENT, "API"), "operational"), (named(Kind.COMPONENT, "api"), "degraded"))
    page = StatusPageIncident(
        named(Kind.STATUS_PAGE, "Acme status"), "a", (StatusPageUpdate(NOON, "resolved", "x", pairs),)
    )
    problem(of((Attribute(Field.STATUS_PAGE, page.page), page)), "given-twice")


def test_an_incident_with_an_error_is_kept_for_later_checks() -> None:
    resolved = of(custom("Customers", "abc"), (Attribute(Field.STATUS), named(Kind.STATUS, "Closed")))
    problem(resolved, "wrong-value")
    assert only(resolved) == {Attribute(Field.STATUS): CLOSED}


def test_plain_incidents_need_nothing() -> None:
    assert needs((incident(role("Reporter", None)),), SETTINGS) == Needs()


@pytest.mark.parametrize(
    "given_attribute",
    [
        role("Reporter", named(Kind.USER, "Bob")),
        (Attribute(Field.MEMBER, named(Kind.USER, "Bob")), Membership()),
        (Attribute(Field.FOLLOW_UP, "x"), FollowUp(assignee=named(Kind.USER, "Bob"))),
    ],
)
def test_users_are_needed_if_anybody_is_named(given_attribute: tuple[Attribute, Value]) -> None:
    assert needs((incident(given_attribute), incident()), SETTINGS) == Needs(users=True)


def test_status_pages_are_needed_if_any_is_named() -> None:
    page = StatusPageIncident(named(Kind.STATUS_PAGE, "x"), "x", ())
    assert needs((incident((Attribute(Field.STATUS_PAGE, page.page), page)),), SETTINGS) == Needs(
        status_pages=True
    )


def test_needed_custom_fields_include_alias_targets_and_the_marker() -> None:
    settings = replace(aliases(custom_fields={"Cause": "Root cause", "Junk": None}), marker_field="Legacy ID")
    by_id = Attribute(Field.CUSTOM_FIELD, named(Kind.CUSTOM_FIELD, "Cause", "id"))
    declared = (incident(custom("cause", "x"), custom("Teams", None), custom("junk", "x"), (by_id, "x")),)
    names = {("Root cause", "name"), ("Teams", "name"), ("Cause", "id"), ("Legacy ID", "name")}
    found = needs(declared, settings).custom_fields
    assert {(each.name, each.by) for each in found} == names


words = st.sampled_from(["Major", "major", "Minor", "P1", "p1", "SEV 2", "Mayor"])


@given(st.lists(words, max_size=12), st.randoms())
def test_every_unknown_name_is_reported_once_with_its_count_in_any_order(
    used: list[str], random: object
) -> None:
    incidents = [incident(severity=word, key=str(at)) for at, word in enumerate(used)]
    resolved = resolve(incidents, CATALOGUE, SETTINGS)
    unknown = Counter(word for word in used if word.lower() not in {"major", "minor"})
    counts = {each.summary: each.count for each in resolved.diagnostics}
    assert counts == {f"severity {word!r} is not in the account": count for word, count in unknown.items()}
    assert len(grouped(resolved.diagnostics)) == len(unknown)
    random.shuffle(incidents)  # type: ignore[attr-defined]
    shuffled = resolve(incidents, CATALOGUE, SETTINGS)
    assert {each.key: each.attributes for each in shuffled.incidents} == {
        each.key: each.attributes for each in resolved.incidents
    }
    assert {each.summary: each.count for each in shuffled.diagnostics} == counts


@given(
    st.dictionaries(st.sampled_from(["P1", "P2", "Critical"]), st.sampled_from(["Major", "minor"])),
    words | st.just("P2"),
)
def test_writing_the_target_of_an_alias_changes_nothing(table: dict[str, str], word: str) -> None:
    settings = replace(SETTINGS, aliases={"severity": dict(table)})
    meant = table.get(word, word)
    aliased = resolve((incident(severity=word),), CATALOGUE, settings)
    assert [each.attributes for each in aliased.incidents] == [
        each.attributes for each in resolve((incident(severity=meant),), CATALOGUE, settings).incidents
    ]
