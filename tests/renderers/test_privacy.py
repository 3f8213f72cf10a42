"""What a private incident says is in no output that others read, unless they may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from importer.model import (
    Adopt,
    Attributes,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    FieldChange,
    Kind,
    Location,
    NewOption,
    NoOp,
    Pending,
    Plan,
    Severity,
    Update,
)
from importer.plan.privacy import of_changes, of_incidents
from importer.renderers import html, markdown
from importer.renderers.privacy import HIDDEN
from tests import plans

HUSH = "hush"
ENTITY = Entity(Kind.SEVERITY, f"01{HUSH}", f"{HUSH} severity")
SAID: Attributes = {
    plans.NAME: f'{HUSH} "name"',
    plans.SUMMARY: f"{HUSH}\nsummary",
    plans.SEVERITY: ENTITY,
    plans.TEAMS_FIELD: (NewOption(plans.TEAMS, f"{HUSH} option"),),
    plans.STARTED: plans.BEGAN,
    plans.VISIBILITY: "private",
}
PUBLIC: Attributes = {**SAID, plans.VISIBILITY: "public"}
RENDERED: dict[str, Callable[[Plan, bool], str]] = {
    "markdown": lambda plan, all_seen: markdown.render_plan(
        plan, audience=markdown.Audience(show_private=all_seen)
    ),
    "html": lambda plan, all_seen: html.render_plan(plan, show_private=all_seen),
}
EVERY = pytest.mark.parametrize("rendered", RENDERED.values(), ids=RENDERED)

DECLARED = plans.incident("KEY-1", SAID)
LIVE = replace(plans.live(1, SAID), reference="INC-1")
CHANGES = (FieldChange(plans.NAME, f"{HUSH} before", f"{HUSH} after"),)
CREATE = Create(DECLARED, "importer-1", SAID)
PRIVATE: dict[str, Change] = {
    "create": CREATE,
    "pending": Pending(DECLARED, "importer-1", SAID),
    "update": Update(DECLARED, LIVE, CHANGES, CHANGES),
    "adopt": Adopt(DECLARED, LIVE, CHANGES),
    "blocked": Blocked(DECLARED, "01", "INC-1", "not-ours", f"{HUSH} explanation", CHANGES),
    "declared public, live private": Update(plans.incident("KEY-1", PUBLIC), LIVE, CHANGES),
    "declared private, live public": Update(DECLARED, replace(LIVE, attributes=PUBLIC), CHANGES),
    "blocked because it is private": Blocked(
        plans.incident("KEY-1", PUBLIC),
        "01",
        "INC-1",
        "cannot-change",
        HUSH,
        (FieldChange(plans.VISIBILITY, "private", "public"),),
    ),
}


@EVERY
@pytest.mark.parametrize("change", PRIVATE.values(), ids=PRIVATE)
def test_of_a_private_incident_others_see_key_action_and_place(rendered, change):
    plan = plans.plan(change)

    shown = rendered(plan, False)

    assert HUSH not in shown
    assert "KEY-1" in shown
    assert "incidents/2023.yaml:12" in shown
    assert HIDDEN in shown
    assert re.search("(1|One)( private)? incident is", shown)
    assert HUSH in rendered(plan, True)


@EVERY
def test_what_is_public_is_shown_whole(rendered):
    shown = rendered(plans.plan(Create(plans.incident("KEY-1", PUBLIC), "importer-1", PUBLIC)), False)

    assert HUSH in shown
    assert HIDDEN not in shown


@EVERY
def test_several_private_incidents_are_counted(rendered):
    others = [replace(CREATE, incident=plans.incident(f"KEY-{each}", SAID)) for each in (1, 2)]

    assert re.search("2 (private )?incidents are", rendered(plans.plan(*others), False))


@EVERY
def test_counts_of_many_creations_leave_out_what_is_private(rendered):
    secret = Create(plans.incident("KEY-1", SAID), "importer-1", SAID)

    shown = rendered(plans.plan(*plans.many(60).changes, secret), False)

    assert HUSH not in shown
    assert re.search("(1 private incident, not counted|One private incident to be added is not shown)", shown)


@EVERY
def test_many_creations_that_are_all_private_are_a_number(rendered):
    secrets = [replace(CREATE, incident=plans.incident(f"KEY-{each}", SAID)) for each in range(60)]

    assert HUSH not in rendered(plans.plan(*secrets), False)


PLACE = DECLARED.location


def with_problem(change: Change, found: Diagnostic) -> Plan:
    """Return a plan whose problem is marked as planning marks it."""
    plan = plans.plan(change)
    return replace(plan, diagnostics=(of_changes(plan.changes).marked(found),))


def problem(text: str, *places: Location, field: str = "summary") -> Diagnostic:
    said = {"summary": "words", "detail": "", "hint": "", field: text}
    return Diagnostic(
        Severity.WARNING, "some-code", said["summary"], said["detail"], said["hint"], locations=places
    )


@EVERY
@pytest.mark.parametrize("field", ["summary", "detail", "hint"])
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(PLACE, id="where it begins"),
        pytest.param(Location(PLACE.path, PLACE.line + 3, 4), id="inside it"),
    ],
)
def test_a_problem_of_a_private_incident_is_told_without_its_words(rendered, field, place):
    plan = with_problem(CREATE, problem(f"{HUSH} problem", place, field=field))

    shown = rendered(plan, False)

    assert HUSH not in shown
    assert f"{place.path}:{place.line}" in shown
    assert HUSH in rendered(plan, True)


@EVERY
@pytest.mark.parametrize("said", ['hush "name"', r"hush \"name\""], ids=["as it is", "quoted"])
def test_a_problem_that_tells_a_private_name_is_told_without_its_words(rendered, said):
    plan = with_problem(CREATE, problem(f"incident {said} is odd"))

    assert HUSH not in rendered(plan, False)


@EVERY
def test_a_problem_that_tells_the_name_that_a_private_incident_has_in_the_account_is_hidden(rendered):
    renamed = replace(LIVE, attributes={**SAID, plans.NAME: f"{HUSH} name in the account"})
    change = Update(DECLARED, renamed, (FieldChange(plans.NAME, f"{HUSH} name in the account", "new"),))

    plan = with_problem(change, problem(f"{HUSH} name in the account is odd"))

    assert HUSH not in rendered(plan, False)


def test_a_problem_of_the_next_incident_is_its_own():
    other = replace(CREATE, incident=plans.incident("KEY-2", PUBLIC, line=20), attributes=PUBLIC)
    secrets = of_changes([CREATE, other])

    assert secrets.marked(problem("words", Location(PLACE.path, 19))).is_private
    for place in (Location(PLACE.path, 20), Location(PLACE.path, 11), Location("other.yaml", 12)):
        assert not secrets.marked(problem("words", place)).is_private


def test_a_cause_that_others_share_is_told_where_the_words_are_theirs():
    shared = problem("words", Location("other.yaml", 12), PLACE)

    assert not of_incidents([DECLARED]).marked(shared).is_private
    assert of_incidents([DECLARED]).marked(problem("words", PLACE, Location("other.yaml", 12))).is_private


def test_an_incident_without_a_name_hides_no_problem_of_others():
    nameless = plans.incident("KEY-1", {plans.VISIBILITY: "private"})

    assert not of_incidents([nameless]).marked(problem("words")).is_private


def test_what_is_unchanged_and_private_hides_its_problems_too():
    plan = with_problem(NoOp(DECLARED, "01", "INC-1"), problem(HUSH, PLACE))

    assert HUSH not in markdown.render_plan(plan, audience=markdown.Audience())
