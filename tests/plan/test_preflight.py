"""Foreseeable failures are reported before anything is sent, and there are no warnings without a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from importer.model import (
    Account,
    Attribute,
    Change,
    Diagnostic,
    Field,
    FieldChange,
    Membership,
    NoOp,
    Severity,
    TimelineItem,
    Workflow,
)
from importer.model.settings import Settings
from importer.plan.preflight import check_key, check_namespace, check_roles, check_workflows
from tests import plans

PULLED = "01M8CHFG5W00013VDBCB9FV84A"

ACCOUNT = Account("https://api.incident.io", "https://app.incident.io/acme")
PLAIN = plans.create("A", plans.SHORT)
WITH_CALL = plans.create("B", {**plans.SHORT, plans.CALL_URL: "https://meet"})
MEMBER = FieldChange(next(each for each in plans.FULL if each.field is Field.MEMBER), None, Membership())
TIMELINE = FieldChange(Attribute(Field.TIMELINE, "x"), None, TimelineItem(plans.BEGAN))
MEMBER_ADDED = replace(plans.UPDATE, changes=(MEMBER,))


def with_roles(*roles: str) -> Account:
    return replace(ACCOUNT, roles=roles)


def details(found: tuple[Diagnostic, ...], code: str) -> list[str]:
    assert all(each.severity is Severity.WARNING and each.hint for each in found)
    return [each.summary for each in found if each.code == code]


@pytest.mark.parametrize(
    ("change", "roles"),
    [
        (PLAIN, {"incident_creator"}),
        (plans.PENDING, {"incident_creator"}),
        (WITH_CALL, {"incident_creator", "incident_editor"}),
        (
            plans.CREATE,
            {
                "incident_creator",
                "incident_editor",
                "incident_memberships_editor",
                "status_page_publisher",
                "postmortems_manage",
                "manage_settings",
            },
        ),
        (plans.UPDATE, {"incident_editor", "postmortems_manage"}),
        (replace(plans.UPDATE, changes=(TIMELINE,)), {"incident_editor"}),
        (plans.ADOPT, {"incident_editor"}),
        (plans.ADOPT_AS_IS, set()),
        (MEMBER_ADDED, {"incident_memberships_editor"}),
        (plans.BLOCKED, set()),
        (plans.noop(1), set()),
    ],
)
def test_a_change_needs_the_roles_of_its_requests_and_no_others(change: Change, roles: set[str]) -> None:
    found = details(check_roles(with_roles("viewer"), [change, change]), "key-lacks-role")
    assert {each.removeprefix("the API key lacks the role ").split(",")[0] for each in found} == roles
    assert len(found) == len(roles)
    assert check_roles(with_roles("viewer", *roles), [change]) == ()


def test_an_account_that_lists_no_roles_causes_no_warning() -> None:
    assert check_roles(ACCOUNT, [plans.CREATE, plans.UPDATE]) == ()
    assert check_key(ACCOUNT) == ()


def test_a_key_for_an_import_needs_to_read_create_edit_and_see_private_incidents() -> None:
    needed = ("viewer", "incident_creator", "incident_editor", "global_access")
    assert check_key(with_roles(*needed)) == ()
    assert details(
        check_key(with_roles("incident_creator", "incident_editor", "global_access")), "key-lacks-role"
    )
    assert len(details(check_key(with_roles("global_access")), "key-lacks-role")) == 3
    (private,) = check_key(with_roles(*needed[:3]))
    assert private.code == "key-without-private"


def test_active_workflows_that_run_on_retrospective_incidents_are_named() -> None:
    found = check_workflows(
        (
            Workflow("Announce", "active", ("standard", "retrospective")),
            Workflow("Escalate", "active", ("standard",)),
            Workflow("Old", "disabled", ("retrospective",)),
        )
    )
    assert [(each.code, each.detail) for each in found] == [("risky-workflow", "workflow 'Announce'")]


def test_workflows_that_cannot_be_listed_are_a_warning() -> None:
    assert [each.code for each in check_workflows(None)] == ["workflows-unknown"]
    assert check_workflows(()) == ()


@pytest.mark.parametrize(
    ("key", "visibility", "roles", "is_doubtful"),
    [
        (PULLED, "private", ("viewer",), True),
        (PULLED, "private", ("viewer", "global_access"), False),
        (PULLED, "private", (), False),
        (PULLED, "public", ("viewer",), False),
        ("JIRA-1", "private", ("viewer",), False),
    ],
)
def test_only_a_private_incident_that_was_pulled_and_may_be_hidden_is_not_created(
    key: str, visibility: str, roles: tuple[str, ...], *, is_doubtful: bool
) -> None:
    change = plans.create(key, {**plans.SHORT, plans.VISIBILITY: visibility})
    found = check_roles(with_roles(*roles), [change, plans.UPDATE])
    errors = [each.code for each in found if each.severity is Severity.ERROR]
    assert errors == ["private-in-doubt"] * is_doubtful


@pytest.mark.parametrize(("others", "is_doubtful"), [(PULLED[:-1] + "X", True), ("JIRA-2", False)])
def test_an_incident_pulled_from_this_account_is_not_created_in_it_again(
    others: str, *, is_doubtful: bool
) -> None:
    here = NoOp(plans.incident(others, plans.SHORT), others if is_doubtful else "01LIVE", "INC-1")
    found = check_roles(ACCOUNT, [here, plans.create(PULLED, plans.SHORT)])
    assert [each.code for each in found] == ["pulled-in-doubt"] * is_doubtful


# -- the namespace --------------------------------------------------------------------------------------

DEFAULT = Settings(root=Path())


def test_the_default_namespace_is_a_warning_with_its_risk() -> None:
    (found,) = check_namespace(DEFAULT, is_first=True)
    assert (found.severity, found.code) == (Severity.WARNING, "default-namespace")
    assert "another repository that imports into this account" in found.summary
    assert "before the first apply, set `identity.namespace`" in found.hint
    assert check_namespace(replace(DEFAULT, namespace="default"), is_first=True)


def test_nobody_is_told_to_change_the_namespace_after_the_first_apply() -> None:
    (found,) = check_namespace(DEFAULT, is_first=False)
    assert found.hint.startswith("keep it, since a change would make every incident a new one")


@pytest.mark.parametrize("is_first", [True, False])
def test_a_namespace_of_its_own_is_no_warning(is_first: bool) -> None:
    assert check_namespace(replace(DEFAULT, namespace="acme"), is_first=is_first) == ()
