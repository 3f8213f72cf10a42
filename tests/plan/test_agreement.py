"""A new plan may do what was reviewed, or less, and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from importer.model import (
    Account,
    Adopt,
    Attribute,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Input,
    Kind,
    Location,
    NewOption,
    Origin,
    Pending,
    Plan,
    Scope,
    Unmanaged,
    Update,
)
from importer.model.errors import ExitCode, Refused
from importer.plan.agreement import Agreement, compare_plans
from importer.plan.steps import creation
from importer.plan.unreviewed import refuse_unreviewed
from importer.wire.requests import request
from tests import plans
from tests.plans import CLOSED, MAJOR, MINOR, NAME, SEVERITY, SHORT, STATUS, SUMMARY, VISIBILITY

FIX = Attribute(Field.FOLLOW_UP, "Add an alert")
CREATE, UPDATE, ADOPT, PENDING = plans.create("A", SHORT), plans.UPDATE, plans.ADOPT, plans.PENDING
ACTING: tuple[Change, ...] = (plans.CREATE, plans.CREATE_SHORT, plans.PARTLY_BLOCKED, UPDATE, ADOPT, PENDING)


def agreement(reviewed: Change, now: Change) -> Agreement:
    return compare_plans(plans.plan(reviewed), plans.plan(now))


def is_accepted(reviewed: Change, now: Change) -> bool:
    found = agreement(reviewed, now)
    refuse = [*found.other_parts, *found.unreviewed]
    return not refuse


def reasons(reviewed: Plan, now: Plan) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refused) as refused:
        refuse_unreviewed(compare_plans(reviewed, now))
    assert (refused.value.exit_code, refused.value.code) == (ExitCode.REFUSED, "not-reviewed")
    assert "make a new plan and review it" in refused.value.hint
    return refused.value.diagnostics


def detail(reviewed: Change, now: Change) -> list[str]:
    (found,) = reasons(plans.plan(reviewed), plans.plan(now))
    return found.detail.splitlines()


# -- the same plan --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(plans.PLANS))
def test_a_plan_agrees_with_itself(name: str) -> None:
    plan = plans.PLANS[name]
    assert compare_plans(plan, plan) == Agreement((), (), ())


def test_what_a_plan_was_made_of_and_tells_its_reader_may_differ() -> None:
    reviewed = plans.plan(CREATE)
    now = replace(
        reviewed,
        made_at=datetime(2027, 1, 1, tzinfo=UTC),
        tool_version="0.2.0",
        inputs=(Input("other.yaml", "1" * 64),),
        revision=None,
        unmanaged=(Unmanaged("OLD", "INC-1"),),
        diagnostics=(plans.INACTIVE_USER,),
        unchanged=7,
        severities=("Minor",),
        history=plans.HISTORY,
        scope=Scope(left_out=3),
    )
    assert compare_plans(reviewed, now) == Agreement((), (), ())


OTHER_PARTS: dict[str, tuple[Any, str]] = {
    "account": (
        Account("https://other.example", "https://app.incident.io/other"),
        "https://app.incident.io/acme at https://api.incident.io -> https://app.incident.io/other at https://other.example",
    ),
    "namespace": ("acme", "acme"),
    "scope": (Scope(("A*",), 5), "all incidents -> --only A* --limit 5"),
}


@pytest.mark.parametrize("name", OTHER_PARTS)
def test_a_plan_for_another_account_namespace_or_part_is_refused(name: str) -> None:
    value, words = OTHER_PARTS[name]
    (found,) = reasons(plans.plan(CREATE), replace(plans.plan(CREATE), **{name: value}))
    assert found.summary == f"the {name} of the reviewed plan differs"
    assert words in found.detail


def test_each_field_of_a_plan_counts_or_is_known_to_differ() -> None:
    differ = "made_at tool_version inputs revision changes unmanaged diagnostics unchanged severities history"
    differ += " left_to_people"
    assert {each.name for each in fields(Plan)} == {*OTHER_PARTS, *differ.split()}


def test_a_reviewed_plan_with_errors_or_a_drift_report_is_refused() -> None:
    now = plans.plan(CREATE)
    (found,) = reasons(replace(now, diagnostics=(plans.UNKNOWN_SEVERITY,)), now)
    assert found.summary == "the reviewed plan has errors"
    (found,) = reasons(replace(now, scope=Scope(drift_only=True)), now)
    assert "--drift-only -> all incidents" in found.detail


# -- changes --------------------------------------------------------------------------------------------


def test_a_change_that_was_not_reviewed_is_refused_and_named() -> None:
    (found,) = reasons(plans.plan(CREATE), plans.plan(CREATE, ADOPT))
    assert found.summary == "'JIRA-51' is not in the reviewed plan"
    assert found.detail == 'action: nothing -> "adopt"\nincident: nothing -> "INC-51 (01LIVE51)"'
    assert found.locations == (ADOPT.incident.location,)


def test_a_forged_adoption_binds_nothing() -> None:
    adopted = Adopt(CREATE.incident, plans.live(3, SHORT), ())
    assert detail(CREATE, adopted)[:2] == [
        'action: "create" -> "adopt"',
        'incident: nothing -> "INC-3 (01LIVE3)"',
    ]
    assert not is_accepted(adopted, CREATE)
    assert not is_accepted(Update(adopted.incident, adopted.live, ()), adopted)


@pytest.mark.parametrize("change", [UPDATE, ADOPT, plans.ADOPT_AS_IS])
def test_a_swapped_incident_is_refused(change: Update | Adopt) -> None:
    swapped = replace(change, live=replace(change.live, id="01FOREIGN", reference="INC-9"))
    assert detail(change, swapped) == [
        f'incident: "{change.live.reference} ({change.live.id})" -> "INC-9 (01FOREIGN)"'
    ]


def test_a_field_that_the_review_did_not_show_is_refused() -> None:
    shown = replace(UPDATE, changes=tuple(each for each in UPDATE.changes if each.attribute != SEVERITY))
    assert detail(shown, UPDATE) == ['severity in the account: "Major" -> "Minor"']
    cleared = replace(UPDATE, changes=(FieldChange(SUMMARY, plans.SUMMARY_BEFORE, None),))
    assert not is_accepted(replace(UPDATE, changes=()), cleared)


def test_a_value_that_differs_is_named_as_reviewed_and_as_it_is_now() -> None:
    now = plans.create("A", {**SHORT, SEVERITY: MAJOR})
    assert detail(CREATE, now) == ['severity: "Minor" -> "Major"']


def test_another_name_for_the_same_thing_is_refused_since_the_review_showed_the_name() -> None:
    renamed = replace(MINOR, name="Catastrophic")
    assert renamed == MINOR
    now = plans.create("A", {**SHORT, SEVERITY: renamed})
    assert detail(CREATE, now) == ['severity: "Minor" -> "Catastrophic"']
    changes = (FieldChange(SEVERITY, None, renamed),)
    assert not is_accepted(ADOPT, replace(ADOPT, changes=changes))


def test_a_value_that_was_edited_since_is_refused() -> None:
    (change,) = plans.DRIFT.changes
    moved = replace(
        plans.DRIFT,
        live=replace(plans.DRIFT.live, attributes={NAME: "Edited", SEVERITY: MINOR}),
        changes=(replace(change, before="Edited"),),
    )
    assert detail(plans.DRIFT, moved) == ['name in the account: "Search slow (again)" -> "Edited"']


def test_an_edit_of_what_no_file_declares_is_refused() -> None:
    attributes = {**plans.DRIFT.live.attributes, SUMMARY: "By hand."}
    moved = replace(plans.DRIFT, live=replace(plans.DRIFT.live, attributes=attributes))
    assert detail(plans.DRIFT, moved) == ['summary in the account: nothing -> "By hand."']


def test_another_idempotency_key_is_refused() -> None:
    assert detail(CREATE, replace(CREATE, idempotency_key="other")) == [
        'idempotency_key: "importer-A" -> "other"'
    ]


def test_lines_moments_and_reasons_may_differ() -> None:
    moved = replace(
        plans.DRIFT,
        incident=replace(plans.DRIFT.incident, location=Location("elsewhere.csv", 9, 4)),
        live=replace(plans.DRIFT.live, updated_at="2027-01-01T00:00:00Z"),
        changes=tuple(replace(each, origin=Origin.UNKNOWN) for each in plans.DRIFT.changes),
    )
    assert is_accepted(plans.DRIFT, moved)


def _altered(value: object) -> object:
    """Return another value of the same type, for a field that nobody thought of."""
    match value:
        case str():
            return value + "x"
        case None | int():
            return (value or 0) + 1
        case datetime():
            return value.replace(year=1999)
        case frozenset():
            return value | {SUMMARY}
        case tuple():
            return (*value, FieldChange(STATUS, "a", "b"))
        case dict():
            return {**value, NAME: "Altered"}
        case _:
            raise AssertionError(value)


MAY_DIFFER = {"incident", "live", "location", "policy", "updated_at", "content"}
"""The fields of a change that are compared part by part, or may differ."""


@pytest.mark.parametrize("change", ACTING, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("holder", ["", "incident", "live"])
def test_no_field_of_a_change_is_forgotten(change: Any, holder: str) -> None:
    inner: Any = getattr(change, holder, None) if holder else change
    for name in () if inner is None else {each.name for each in fields(inner)} - MAY_DIFFER:
        altered: Any = replace(inner, **{name: _altered(getattr(inner, name))})
        now: Any = replace(change, **{holder: altered}) if holder else altered
        assert not is_accepted(change, now), name


def test_what_is_blocked_now_is_not_sent_and_needs_no_review() -> None:
    found = agreement(CREATE, Blocked(CREATE.incident, "01LIVE3", "INC-3", "not-ours", "Not ours."))
    assert found == Agreement((), (), ("A",))


# -- what was done since --------------------------------------------------------------------------------


def test_what_was_done_since_is_gone_and_told() -> None:
    found = compare_plans(plans.plan(CREATE, UPDATE, plans.noop(1)), plans.plan(UPDATE, plans.noop(1)))
    assert found == Agreement((), (), ("A",))


@pytest.mark.parametrize("content", [None, request(creation(CREATE)).content])
def test_a_creation_without_an_answer_is_the_creation_that_was_reviewed(content: str | None) -> None:
    pending = Pending(CREATE.incident, CREATE.idempotency_key, CREATE.attributes, content=content)
    assert is_accepted(CREATE, pending)
    assert not is_accepted(CREATE, replace(pending, content="{}"))
    assert not is_accepted(CREATE, replace(pending, attributes={**CREATE.attributes, NAME: "Other"}))


WITH_FIX = plans.create("A", {**SHORT, FIX: FollowUp("On errors.", status="completed"), SUMMARY: "Slow."})
MADE = plans.live(3, {**SHORT, SUMMARY: "Slow.", STATUS: CLOSED, VISIBILITY: "public"})


@pytest.mark.parametrize(
    "before", [None, FollowUp("On errors."), FollowUp("On errors.", status="outstanding")]
)
def test_the_children_of_an_incident_that_was_created_since_are_the_rest_of_its_creation(
    before: FollowUp | None,
) -> None:
    after = FollowUp("On errors.", status="completed")
    assert is_accepted(WITH_FIX, Update(WITH_FIX.incident, MADE, (FieldChange(FIX, before, after),)))


@pytest.mark.parametrize(
    "change",
    [
        FieldChange(FIX, FollowUp("By hand."), FollowUp("On errors.", status="completed")),
        FieldChange(FIX, None, FollowUp("Another.")),
        FieldChange(SUMMARY, "Somebody wrote this.", "Slow."),
        FieldChange(Attribute(Field.CALL_URL), None, "https://meet.example.com"),
    ],
)
def test_an_edit_is_not_the_rest_of_a_creation(change: FieldChange) -> None:
    now = Update(WITH_FIX.incident, MADE, (change,))
    assert detail(WITH_FIX, now)[0] == 'action: "create" -> "update"'


def test_the_rest_of_an_edit_whose_first_part_was_done_is_accepted() -> None:
    kept = tuple(each for each in UPDATE.changes if each.attribute.is_child)
    done = {each.attribute: each.after for each in UPDATE.changes if each not in kept}
    live = replace(UPDATE.live, attributes={**UPDATE.live.attributes, **done}, updated_at="later")
    assert is_accepted(UPDATE, replace(UPDATE, live=live, changes=kept))
    assert not is_accepted(UPDATE, replace(UPDATE, live=replace(live, id="01OTHER"), changes=kept))


def test_an_adoption_that_was_made_since_leaves_its_edit() -> None:
    assert is_accepted(ADOPT, Update(ADOPT.incident, ADOPT.live, ADOPT.changes))


def test_an_option_that_was_created_since_is_the_option_that_was_reviewed() -> None:
    def with_option(option: Entity | NewOption) -> Create:
        return plans.create("A", {**SHORT, plans.TEAMS_FIELD: (plans.PAYMENTS, option)})

    search = Entity(Kind.OPTION, "01ZZZSEARCH", "Search")
    assert is_accepted(with_option(plans.SEARCH), with_option(search))
    assert not is_accepted(with_option(search), with_option(plans.SEARCH))
    assert not is_accepted(with_option(plans.SEARCH), with_option(replace(search, name="Other")))


# -- words ----------------------------------------------------------------------------------------------


def test_nothing_of_a_private_incident_is_shown_but_its_key_and_action() -> None:
    secret = plans.create("S", {NAME: "Secret breach", SEVERITY: MAJOR, VISIBILITY: "private"})
    now = plans.create("S", {NAME: "Secret leak", SEVERITY: MAJOR, VISIBILITY: "private"})
    (found,) = reasons(plans.plan(secret), plans.plan(now))
    assert found.is_private
    assert found.detail == "the values of a private incident are not shown"
    (found,) = reasons(plans.plan(), plans.plan(now))
    assert "Secret" not in f"{found.summary}{found.detail}"
    assert detail(secret, replace(secret, idempotency_key="other")) == [
        'idempotency_key: "importer-S" -> "other"'
    ]
    opened = plans.create("S", {NAME: "Secret breach", SEVERITY: MAJOR, VISIBILITY: "public"})
    assert detail(secret, opened) == ["the values of a private incident are not shown"]


def test_many_differences_are_counted() -> None:
    several = [plans.create(f"K{number}", SHORT) for number in range(30)]
    found = reasons(plans.plan(), plans.plan(*several))
    assert len(found) == 20
    with pytest.raises(Refused, match="30 changes that nobody reviewed; the first 20 are listed"):
        refuse_unreviewed(compare_plans(plans.plan(), plans.plan(*several)))
    lines = detail(plans.CREATE, replace(plans.CREATE, attributes={**SHORT, VISIBILITY: "public"}))
    assert len(lines) == 6 and lines[-1].startswith("and ") and lines[-1].endswith(" more")


def test_a_difference_at_the_end_of_a_long_text_is_shown() -> None:
    one, other = (plans.create("A", {**SHORT, SUMMARY: "x" * 500 + end}) for end in ("left", "right"))
    (line,) = detail(one, other)
    assert "left" in line and "right" in line and len(line) < 200


def test_a_difference_that_a_reader_does_not_see_is_named_by_its_place() -> None:
    (line,) = detail(UPDATE, replace(UPDATE, live=replace(UPDATE.live, mode="standard")))
    assert line == 'resolved.live.mode: "retrospective" -> "standard"'


def test_nothing_is_refused_where_all_was_reviewed() -> None:
    refuse_unreviewed(compare_plans(plans.plan(CREATE), plans.plan(CREATE)))
