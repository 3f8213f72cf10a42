"""Very many creations, told in a few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from importer.model import Attribute, Create, Entity, Field, Kind, Location
from importer.renderers import markdown, text
from importer.renderers.columns import cells
from importer.renderers.creations import MANY, Group, split_creations, summarise_creations, table_lines
from tests import hostile, plans


def created(number: int, **attributes):
    return replace(plans.create(f"K-{number}", plans.SHORT), **attributes)


def many(number: int) -> list[Create]:
    return [each for each in plans.many(number).changes if isinstance(each, Create)]


def groups(changes, title: str) -> list[Group]:
    tables = summarise_creations(changes).tables
    return next((list(each.groups) for each in tables if each.title == title), [])


@pytest.mark.parametrize("width", [80, 200])
def test_two_thousand_creations_are_counted(width, golden):
    golden(f"many/plan-{width}.txt", text.render_plan(plans.many(2000), width=width, colour=False))


def test_two_thousand_creations_are_counted_in_a_comment(golden):
    golden("many/plan.md", markdown.render_plan(plans.many(2000), audience=markdown.Audience()))


def test_full_shows_each():
    shown = text.render_plan(plans.many(2000), width=80, colour=False, most=None)

    assert shown.count("will be created") == 2000


def test_up_to_fifty_creations_are_shown_each():
    assert split_creations(plans.many(MANY).changes, MANY) == (plans.many(MANY).changes, ())
    assert split_creations(plans.many(MANY + 1).changes, MANY) == ((), plans.many(MANY + 1).changes)


def test_other_changes_are_shown_beside_what_is_counted():
    changes = (plans.UPDATE, *plans.many(60).changes, plans.noop(1), plans.BLOCKED)

    alone, counted = split_creations(changes, MANY)

    assert alone == (plans.UPDATE, plans.BLOCKED)
    assert len(counted) == 60


def test_without_a_limit_nothing_is_counted():
    assert split_creations(plans.many(60).changes, None)[1] == ()


def test_months_are_in_order_and_without_a_timestamp_comes_last():
    began = [
        datetime(2023, 5, 1, tzinfo=UTC),
        datetime(33, 1, 1, tzinfo=UTC),
        None,
        datetime(2023, 5, 31, tzinfo=UTC),
    ]
    changes = [
        plans.create(f"K-{day}", {plans.NAME: "N"} | ({plans.STARTED: day} if day else {})) for day in began
    ]

    assert groups(changes, "by month") == [Group("0033-01", 1), Group("2023-05", 2), Group("no timestamp", 1)]


def test_more_than_two_years_of_months_are_years():
    changes = plans.many(400).changes

    assert groups(changes, "by month") == []
    assert groups(changes, "by year") == [Group("2020", 157), Group("2021", 157), Group("2022", 86)]


def test_the_largest_groups_come_first_and_the_smallest_are_one():
    changes = [
        created(
            each, incident=replace(plans.incident(f"K-{each}", {}), location=Location(f"{file:02}.yaml", 1))
        )
        for file in range(20)
        for each in range(21 - file)
    ]

    found = groups(changes, "by file")

    assert found[:2] == [Group("00.yaml", 21), Group("01.yaml", 20)]
    assert found[12:] == [Group("(8 others)", 9 + 8 + 7 + 6 + 5 + 4 + 3 + 2)]


def test_a_single_small_group_keeps_its_name():
    changes = [
        created(
            each, incident=replace(plans.incident(f"K-{each}", {}), location=Location(f"{each:02}.yaml", 1))
        )
        for each in range(13)
    ]

    assert len(groups(changes, "by file")) == 13


def test_what_is_not_given_is_counted_so():
    assert groups([plans.create("K", {plans.NAME: "N"})], "by severity") == [Group("none given", 1)]


def test_a_name_that_the_account_does_not_tell_is_an_id():
    severity = Entity(Kind.SEVERITY, "01SEV", "")

    assert groups([plans.create("K", {plans.SEVERITY: severity})], "by severity") == [Group("01SEV", 1)]


def test_few_keys_are_all_told():
    assert "more)" not in "\n".join(table_lines(summarise_creations(many(5)), 80))
    assert list(table_lines(summarise_creations(many(6)), 80))[-1] == "  (and 1 more)"


@pytest.mark.parametrize("name", hostile.TEXTS)
@pytest.mark.parametrize("width", [34, 74])
def test_hostile_names_stay_in_their_column(name, width):
    told = hostile.TEXTS[name][:2000]
    kind = Attribute(Field.INCIDENT_TYPE)
    changes = [
        plans.create(
            told,
            {
                plans.SEVERITY: Entity(Kind.SEVERITY, str(each), told),
                kind: Entity(Kind.INCIDENT_TYPE, "1", told * each),
            },
        )
        for each in range(8)
    ]

    lines = list(table_lines(summarise_creations(changes), width))

    usual = [plans.create("K", {kind: Entity(Kind.INCIDENT_TYPE, "1", f"K{each}")}) for each in range(8)]
    assert all(cells(line) <= width for line in lines)
    assert [line for line in lines if not line.startswith("  ")] == [
        line for line in table_lines(summarise_creations(usual), width) if not line.startswith("  ")
    ]
