"""A plan as text: what a person reads before saying yes."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import Attribute, Diagnostic, Entity, Field, FieldChange, Kind, Location, Severity
from importer.renderers import text
from importer.renderers.columns import cells
from tests import plans

ANSI = re.compile(r"\x1b\[[0-9;]*m")
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", plans.PLANS)
def test_a_plan_reads_as_it_should(name, width, golden):
    golden(f"{name}/plan-{width}.txt", text.render_plan(plans.PLANS[name], width=width, colour=False))


@pytest.mark.parametrize("name", ["mixed", "hostile"])
def test_a_coloured_plan_reads_as_it_should(name, golden):
    golden(f"{name}/plan-80-colour.txt", text.render_plan(plans.PLANS[name], width=80, colour=True))


@pytest.mark.parametrize("name", plans.PLANS)
def test_colour_adds_nothing_but_colour(name):
    plain = text.render_plan(plans.PLANS[name], width=80, colour=False)

    assert ANSI.sub("", text.render_plan(plans.PLANS[name], width=80, colour=True)) == plain


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", plans.PLANS)
def test_no_line_is_wider_than_the_terminal(name, width):
    lines = text.render_plan(plans.PLANS[name], width=width, colour=False).splitlines()

    assert [line for line in lines if cells(line) > width and not _may_be_long(line)] == []


def _may_be_long(line: str) -> bool:
    """Places and titles are kept whole, and so is a word: it may be a path or a command."""
    return line.startswith(("  # ", "  + ", "  ~ ")) or " " not in line.strip(" #")


@pytest.mark.parametrize("name", plans.PLANS)
def test_nothing_in_a_plan_reaches_the_terminal_as_a_control_character(name):
    assert UNSAFE.findall(text.render_plan(plans.PLANS[name], width=80, colour=False)) == []


@given(st.text(st.characters(codec=None), max_size=40), st.text(max_size=40))
def test_no_text_of_a_user_adds_a_line(name, key):
    change = plans.create(key, {plans.NAME: name.replace("\n", " "), plans.SEVERITY: plans.MINOR})

    shown = text.render_plan(plans.plan(change), width=120, colour=False)

    usual = text.render_plan(plans.plan(plans.create("K", plans.SHORT)), width=120, colour=False)
    assert UNSAFE.findall(shown) == []
    assert shown.count("\n") == usual.count("\n")


def test_the_difference_is_visible_however_long_the_value():
    change = replace(
        plans.DRIFT, changes=(FieldChange(plans.NAME, "A" * 500 + "before", "A" * 500 + "after"),)
    )

    shown = text.render_plan(plans.plan(change), width=80, colour=False)

    assert "before" in shown
    assert "after" in shown


def test_names_that_look_alike_are_told_apart_by_id():
    shown = text.render_plan(plans.PLANS["hostile"], width=200, colour=False)

    assert '["Payments" (01OLD)] -> ["Payments" (01NEW)]' in shown


def test_two_roles_of_one_name_are_told_apart_by_id():
    first = Attribute(Field.ROLE, Entity(Kind.ROLE, "01A", "Lead"))
    second = Attribute(Field.ROLE, Entity(Kind.ROLE, "01B", "Lead"))
    change = plans.create("K", {plans.NAME: "N", first: plans.LISA, second: plans.LISA})

    shown = text.render_plan(plans.plan(change), width=120, colour=False)

    assert "+ roles.Lead (01A) = " in shown
    assert "+ roles.Lead (01B) = " in shown


def test_a_plan_that_failed_never_says_that_all_is_well():
    shown = text.render_plan(plans.PLANS["errored-empty"], width=80, colour=False)

    assert "No changes" not in shown
    assert "cannot be applied" in shown


def test_a_saved_count_of_unchanged_incidents_is_shown():
    shown = text.render_plan(replace(plans.plan(plans.DRIFT), unchanged=1203), width=80, colour=False)

    assert "Plan: 0 to create, 1 to update, 1203 unchanged." in shown


def test_time_grows_with_the_number_of_incidents_only():
    def seconds(number: int) -> float:
        plan = plans.plan(*[replace(plans.CREATE, idempotency_key=str(each)) for each in range(number)])
        began = time.process_time()
        text.render_plan(plan, width=80, colour=False)
        return time.process_time() - began

    seconds(10)
    assert seconds(800) < 10 * seconds(200)


def test_a_line_of_a_million_characters_is_no_trouble():
    change = plans.create("K", {plans.NAME: "é" * 1_000_000, plans.SUMMARY: "x\n" + "é" * 1_000_000})
    update = replace(
        plans.DRIFT, changes=(FieldChange(plans.SUMMARY, "x\n" + "é" * 100_000, "y\n" + "é" * 100_000),)
    )

    shown = text.render_plan(plans.plan(change, update), width=80, colour=False)

    assert shown.count("é") < 250_000


@pytest.mark.parametrize("width", [80, 200])
def test_diagnostics_read_as_they_should(width, golden):
    found = [plans.UNKNOWN_SEVERITY, plans.INACTIVE_USER, _place(3), _place(4), _hostile()]

    golden(f"diagnostics/stderr-{width}.txt", text.diagnostics(found, width=width, colour=False))


def test_coloured_diagnostics_are_the_same_words():
    found = [plans.UNKNOWN_SEVERITY, plans.INACTIVE_USER]
    coloured = text.diagnostics(found, width=80, colour=True)

    assert ANSI.sub("", coloured) == text.diagnostics(found, width=80, colour=False)
    assert coloured != ANSI.sub("", coloured)


def test_no_diagnostics_are_no_text():
    assert text.diagnostics([], width=80, colour=False) == ""


def test_a_diagnostic_without_words_is_still_a_line():
    assert text.diagnostics([Diagnostic(Severity.ERROR, "x", "")], width=80, colour=False) == "Error: \n\n"


def _place(line: int) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "not-an-incident-file",
        "the file describes no incident " + "and says so at some length " * 5,
        "a long explanation of the matter " * 6,
        locations=(Location("notes.yaml", line),),
    )


def _hostile() -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "unknown-field",
        "field '\x1b[2Jname' is not known",
        locations=(Location("\u202elmay.stnedicni", 1),),
    )
