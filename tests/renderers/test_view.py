"""What every format shows of a plan, and how it is decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer.model import (
    Attribute,
    Blocked,
    Diagnostic,
    Field,
    FollowUp,
    Location,
    NoOp,
    Plan,
    PostmortemDocument,
    Scope,
    Severity,
)
from importer.plan.changes import new_options
from importer.plan.estimate import Estimate, estimate
from importer.plan.summary import Action, Summary, actions, summarise
from importer.renderers import view
from importer.renderers.cards import Card, card, legend
from importer.renderers.hunks import DiffLine, difference, whole
from importer.renderers.verdict import no_drift
from tests import plans, strategies


def shown_of(plan: Plan) -> list[Card]:
    return [card(each, plan.scope) for each in plan.changes if not isinstance(each, NoOp)]


def test_an_incident_with_a_blocked_difference_counts_twice():
    assert summarise(plans.PLANS["partly-blocked"]) == Summary(update=1, blocked=1)
    adopted = replace(plans.ADOPT, blocked=plans.PARTLY_BLOCKED.blocked)
    assert summarise(plans.plan(adopted)) == Summary(adopt=1, blocked=1)


def test_the_summary_counts_everything():
    assert summarise(plans.PLANS["mixed"]).as_dict() == {
        "create": 1,
        "update": 2,
        "adopt": 1,
        "delete": 0,
        "unchanged": 3,
        "blocked": 2,
        "pending": 1,
        "unmanaged": 7,
    }


@pytest.mark.parametrize(
    ("name", "has_changes", "has_work"),
    [
        ("create", True, True),
        ("drift", True, True),
        ("adopt", True, True),
        ("pending", True, True),
        ("blocked", True, False),
        ("empty", False, False),
    ],
)
def test_blocked_is_a_change_but_no_work(name, has_changes, has_work):
    summary = summarise(plans.PLANS[name])

    assert (summary.has_changes, summary.has_work) == (has_changes, has_work)


def test_the_legend_has_only_symbols_in_use():
    assert legend(shown_of(plans.PLANS["drift"])) == (("~", "update"),)
    assert legend(shown_of(plans.PLANS["empty"])) == ()
    assert legend(shown_of(plans.PLANS["mixed"])) == tuple(view.MEANINGS.items())


def test_the_counts_say_what_is_always_asked_and_leave_out_what_is_not():
    assert view.counts(Summary()) == "Plan: 0 to create, 0 to update, 0 unchanged."
    assert view.counts(Summary(412, 6, 1, unchanged=1203, blocked=3)) == (
        "Plan: 412 to create, 6 to update, 1 to adopt, 1203 unchanged, 3 blocked."
    )
    assert view.counts(Summary(pending=2)).endswith("0 unchanged, 2 pending.")


def test_a_report_of_drift_counts_incidents():
    blocked = Blocked(plans.UPDATE.incident, "01", "INC-1", "create-only", "why", plans.DRIFT.changes)
    report = plans.plan(plans.DRIFT, blocked, NoOp(plans.UPDATE.incident, "02", "INC-2"))
    assert view.ending(replace(report, scope=Scope(drift_only=True))) == "Drift: 2 incidents."
    assert view.ending(report) == "Plan: 0 to create, 1 to update, 1 unchanged, 1 blocked."


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        (1, "About 1 request: 1 s at the limit of 1200/min."),
        (431, "About 431 requests: 22 s at the limit of 1200/min."),
        (2380, "About 2380 requests: 119 s at the limit of 1200/min."),
        (2400, "About 2400 requests: 2 min at the limit of 1200/min."),
        (2401, "About 2401 requests: 3 min at the limit of 1200/min."),
        (150_000, "About 150000 requests: 2 h 5 min at the limit of 1200/min."),
    ],
)
def test_the_effort_is_told_in_the_units_that_a_person_plans_with(requests, words):
    assert view.format_estimate(Estimate(requests, -(-requests // 20), 1200)) == words


@pytest.mark.parametrize(
    ("attribute", "value", "requests"),
    [
        (plans.NAME, "Name", 1),
        (plans.CALL_URL, "https://meet.example.com", 2),
        (plans.POSTMORTEM_URL, "https://docs.example.com", 1),
        (plans.TEAMS_FIELD, (plans.SEARCH,), 2),
        (Attribute(Field.FOLLOW_UP, "a"), FollowUp(), 2),
        (Attribute(Field.FOLLOW_UP, "a"), FollowUp(status="outstanding"), 2),
        (Attribute(Field.FOLLOW_UP, "a"), FollowUp(status="completed"), 3),
        (Attribute(Field.POSTMORTEM), PostmortemDocument("text"), 2),
        (Attribute(Field.POSTMORTEM), PostmortemDocument("text", "completed"), 3),
    ],
)
def test_a_creation_takes_as_many_requests_as_it_has_parts(attribute, value, requests):
    assert estimate(plans.plan(plans.create("K", {attribute: value}))).requests == requests


def test_what_needs_no_request_is_not_counted():
    plan = plans.plan(plans.ADOPT_AS_IS, plans.BLOCKED, plans.noop(1))

    assert estimate(plan) == Estimate(0, 0, 1200)


def test_a_new_option_is_counted_once():
    assert new_options([plans.CREATE, plans.CREATE_SHORT, plans.UPDATE]) == (plans.SEARCH,)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(strategies.plans)
def test_every_plan_has_cards_without_control_characters(plan):
    shown = shown_of(plan)

    assert len(shown) == len(plan.changes) - sum(actions(each) == (Action.NO_OP,) for each in plan.changes)
    for each in shown:
        words = [each.key, each.title, each.place, each.reference, each.explanation]
        words += [text for row in each.rows for text in (row.label, row.before or "", row.after, row.note)]
        words += [line.text for row in each.rows for line in row.lines]
        assert [text for text in words if any(character < " " for character in text)] == []


def test_a_card_of_an_incident_that_is_as_declared_says_so():
    shown = card(plans.noop(1), Scope())

    assert (shown.title, shown.symbol, shown.rows) == ('incident "JIRA-1" (INC-1) is unchanged', " ", ())


@pytest.mark.parametrize(
    ("change", "private"),
    [
        (plans.CREATE, False),
        (plans.create("K", {plans.VISIBILITY: "private"}), True),
        (plans.PARTLY_BLOCKED, True),
        (replace(plans.DRIFT, live=plans.live(1, {plans.VISIBILITY: "private"})), True),
    ],
)
def test_private_is_what_the_file_or_the_account_says(change, private):
    assert card(change, Scope()).is_private is private


def test_a_saved_plan_shows_all_that_is_sent():
    shown = {row.label for row in card(plans.CREATE, Scope()).rows}

    assert {"external_id", "status", "visibility", "name"} <= shown


def test_a_value_of_several_lines_that_is_cleared_is_shown_as_gone():
    change = replace(plans.DRIFT, changes=(replace(plans.UPDATE.changes[1], before="one\ntwo", after=None),))

    (row,) = card(change, Scope()).rows

    assert (row.symbol, row.before, row.after) == ("-", "(2 lines)", "null")
    assert row.lines == (DiffLine("-", "one"), DiffLine("-", "two"))


def test_the_keys_that_no_file_declares_are_named():
    assert view.unmanaged(plans.PLANS["empty"]) == ""
    assert view.unmanaged(plans.PLANS["hostile"]) == (
        "1 incident is no longer managed (not in any file), and left alone: OLD\\x1b[1m (INC-1)."
    )
    assert view.unmanaged(plans.PLANS["mixed"]).endswith("OLD-5 (INC-5) (and 2 more).")


def test_more_places_than_are_known_are_counted():
    place = Location("a.yaml", 1)
    found = Diagnostic(Severity.ERROR, "x", "y", locations=(place,))

    assert view.places(found) == ("a.yaml:1",)
    assert view.places(replace(found, count=2)) == ("a.yaml:1", "(and 1 more place)")
    assert view.places(replace(found, count=3)) == ("a.yaml:1", "(and 2 more places)")
    assert view.places(replace(found, locations=(), count=3)) == ()


def test_a_hunk_has_two_lines_of_context():
    before = "\n".join(str(number) for number in range(1, 11))

    found = difference(before, before.replace("5", "five"))

    assert found.changed == 1
    assert [line.marker + line.text for line in found.lines] == [
        "@@ -3,5 +3,5 @@", " 3", " 4", "-5", "+five", " 6", " 7"
    ]  # fmt: skip


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_a_diff_shows_every_line_that_went_and_came(before, after):
    found = difference("\n".join(before), "\n".join(after))

    gone = [line.text for line in found.lines if line.marker == "-"]
    came = [line.text for line in found.lines if line.marker == "+"]
    old, new = before or [""], after or [""]
    assert len(old) - len(gone) == len(new) - len(came)
    assert bool(found.changed) is (old != new)


@pytest.mark.parametrize(("number", "last"), [(10, "+10"), (11, "… 1 more line"), (13, "… 3 more lines")])
def test_a_whole_text_is_ten_lines_at_most(number, last):
    found = whole("\n".join(str(each) for each in range(1, number + 1)), "+")

    assert found.changed == number
    assert found.lines[-1].marker + found.lines[-1].text == last


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("shown-differently", "Possible drift: 1 value shown differently than written."),
        ("drift-kept", "Possible drift: edits made in incident.io are kept in 1 incident."),
    ],
)
def test_a_report_does_not_deny_what_may_be_drift(code: str, words: str) -> None:
    warned = replace(plans.plan(), diagnostics=(Diagnostic(Severity.WARNING, code, "left as it is"),))
    told = no_drift(warned)
    assert told == f"{words} Apart from that, nothing was edited in incident.io."
