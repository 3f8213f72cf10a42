"""All problems are reported, each cause once, with the right count."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from importer.model import Diagnostic, Location, Severity
from importer.model.diagnostics import SHOWN_LOCATIONS, Diagnostics, grouped
from tests import strategies

HERE, THERE = Location("a.yaml", 1), Location("a.yaml", 2)
some = st.lists(
    st.builds(
        Diagnostic,
        st.sampled_from(Severity),
        st.sampled_from(["one", "two"]),
        st.sampled_from(["this", "that"]),
        strategies.texts,
        strategies.texts,
        st.lists(strategies.locations, max_size=3).map(tuple),
        st.integers(1, 9),
    ),
    max_size=8,
)


def test_problems_stay_in_the_order_in_which_they_were_found() -> None:
    problems = Diagnostics()
    problems.warning("odd", "it is odd", HERE)
    had_errors = problems.has_errors
    problems.error("bad", "it is bad", detail="very", hint="mend it")
    assert not had_errors
    assert problems.has_errors
    assert problems.found == [
        Diagnostic(Severity.WARNING, "odd", "it is odd", "", "", (HERE,)),
        Diagnostic(Severity.ERROR, "bad", "it is bad", "very", "mend it", ()),
    ]


def test_one_cause_is_one_diagnostic_with_all_its_locations_and_errors_come_first() -> None:
    odd = Diagnostic(Severity.WARNING, "odd", "it is odd", locations=(HERE,))
    bad = Diagnostic(Severity.ERROR, "bad", "it is bad", "first", "mend", (HERE,))
    worse = Diagnostic(Severity.ERROR, "bad", "it is bad", "second", "leave", (THERE,), 3)
    assert grouped([odd, bad, worse]) == (
        Diagnostic(Severity.ERROR, "bad", "it is bad", "first", "mend; leave", (HERE, THERE), 4),
        odd,
    )


@given(some)
def test_grouping_keeps_the_count_and_shows_the_first_few_locations(found: list[Diagnostic]) -> None:
    groups = grouped(found)
    assert sum(each.count for each in groups) == sum(each.count for each in found)
    assert len(groups) == len({(each.severity, each.code, each.summary) for each in found})
    assert [each.severity for each in groups] == sorted((each.severity for each in groups), key=str)
    for each in groups:
        members = [
            one
            for one in found
            if (one.severity, one.code, one.summary) == (each.severity, each.code, each.summary)
        ]
        places = tuple(place for one in members for place in one.locations)
        hints = list(dict.fromkeys(one.hint for one in members if one.hint))
        more = [f"and {len(hints) - 3} more"] if len(hints) > 3 else []
        assert (each.detail, each.hint) == (members[0].detail, "; ".join([*hints[:3], *more]))
        assert each.locations == places[:SHOWN_LOCATIONS]


@given(some)
def test_every_location_is_kept_on_request(found: list[Diagnostic]) -> None:
    shown, every = grouped(found), grouped(found, places=None)
    assert Counter(place for each in every for place in each.locations) == Counter(
        place for each in found for place in each.locations
    )
    assert grouped(every) == shown


@given(some)
def test_grouping_again_changes_nothing(found: list[Diagnostic]) -> None:
    assert grouped(grouped(found)) == grouped(found)
