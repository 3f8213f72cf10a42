"""The geometry of incidents over time: nothing is lost, nothing overlaps, whatever the counts are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import MonthCount
from importer.renderers.chart import NO_SEVERITY, OTHERS, Chart, chart, undated

RANKED = ("Minor", "Major", "Critical")
counts = st.lists(
    st.builds(
        MonthCount,
        st.dates().map(lambda day: day.isoformat()[:7]) | st.just(""),
        st.sampled_from([*RANKED, "", "Old", "A", "B", "C", "D"]),
        st.integers(1, 10_000),
    ),
    max_size=30,
)


def drawn(*added: MonthCount, there: tuple[MonthCount, ...] = ()) -> Chart:
    made = chart(added, there, RANKED)
    assert made
    return made


def test_nothing_that_has_a_month_is_nothing_to_draw():
    assert chart([], [], RANKED) is None
    assert chart([MonthCount("", "Minor", 3)], [], RANKED) is None
    assert undated([MonthCount("", "Minor", 3), MonthCount("2023-01", "Minor", 2)]) == 3


def test_what_is_added_stands_above_the_axis_and_what_is_there_below():
    made = drawn(MonthCount("2023-04", "Minor", 1), there=(MonthCount("2023-04", "Minor", 3),))

    above, below = made.bars
    assert above.y + above.height == pytest.approx(made.zero - 1)
    assert below.y == pytest.approx(made.zero + 1)
    assert below.height == pytest.approx(3 * above.height)


def test_the_most_severe_is_nearest_to_the_axis_and_warmest():
    made = drawn(*(MonthCount("2023-04", each, 5) for each in RANKED))

    assert made.severities == ("Critical", "Major", "Minor")
    assert made.coloured == (("Critical", 0), ("Major", 1), ("Minor", 3))
    assert [bar.colour for bar in sorted(made.bars, key=lambda bar: -bar.y)] == [0, 1, 3]


def test_severities_that_the_account_no_longer_has_come_after_those_that_it_has():
    made = drawn(*(MonthCount("2023-04", each, 1) for each in ("", "Zeta", "Alpha", "Major")))

    assert made.severities == ("Major", "Alpha", "Zeta", NO_SEVERITY)


def test_very_many_severities_are_one():
    made = drawn(*(MonthCount("2023-04", f"S{each}", each) for each in range(1, 10)))

    assert made.severities == ("S1", "S2", "S3", "S4", "S5", OTHERS)
    assert made.periods[0].added == (1, 2, 3, 4, 5, 6 + 7 + 8 + 9)


@pytest.mark.parametrize(
    ("first", "last", "unit", "names"),
    [
        ("2023-04", "2023-05", "month", ["Apr 2023", "May 2023"]),
        ("2014-01", "2023-12", "month", ["Jan 2014", "Dec 2023"]),
        ("2013-12", "2023-12", "quarter", ["Q4 2013", "Q4 2023"]),
        ("1990-01", "2023-12", "year", ["1990", "2023"]),
        ("1850-01", "2023-12", "decade", ["1850–1859", "2020–2029"]),
        ("0001-01", "9999-12", "century", ["0–99", "9900–9999"]),
    ],
)
def test_a_period_is_as_long_as_the_history_needs(first, last, unit, names):
    made = drawn(MonthCount(first, "Minor", 1), MonthCount(last, "Minor", 1))

    assert made.unit == unit
    assert [made.periods[0].name, made.periods[-1].name] == names
    assert len(made.periods) <= 120


def test_months_between_have_a_place_though_nothing_happened():
    made = drawn(MonthCount("2022-12", "Minor", 1), MonthCount("2023-03", "Minor", 1))

    assert [each.name for each in made.periods] == ["Dec 2022", "Jan 2023", "Feb 2023", "Mar 2023"]
    assert [each.text for each in made.across] == ["Dec 2022", "Jan 2023", "Feb 2023", "Mar 2023"]


def test_many_months_are_named_by_their_years():
    made = drawn(MonthCount("2021-06", "Minor", 1), MonthCount("2023-03", "Minor", 1))

    assert [each.text for each in made.across] == ["2022", "2023"]


@pytest.mark.parametrize(
    ("added", "there", "expected"),
    [
        (1, 0, ["0", "1"]),
        (5, 0, ["0", "1", "2", "3", "4", "5"]),
        (6, 5, ["5", "0", "5"]),
        (90, 0, ["0", "20", "40", "60", "80"]),
        (0, 1234, ["1000", "500", "0"]),
    ],
)
def test_numbers_at_the_axis_are_round(added, there, expected):
    above, below = ([MonthCount("2023-04", "Minor", number)] if number else [] for number in (added, there))

    made = chart(above, below, RANKED)

    assert made
    assert [each.text for each in made.down] == expected


@given(counts, counts)
def test_every_incident_is_counted_and_inside_the_picture(added, there):
    made = chart(added, there, RANKED)

    if made is None:
        assert not any(each.month for each in (*added, *there))
        return
    for side, number, periods in (
        (added, made.added, [each.added for each in made.periods]),
        (there, made.there, [each.there for each in made.periods]),
    ):
        dated = sum(each.incidents for each in side) - undated(side)
        assert number == dated == sum(map(sum, periods))
    assert all(bar.y >= 0 and bar.y + bar.height <= made.height for bar in made.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100.001 for bar in made.bars)
    assert all(tick.at < later.at for tick, later in pairwise(made.across))
    assert all(tick.at > later.at for tick, later in pairwise(made.down))
