"""Times: read only with the declared formats and time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.mapping import dates, months
from importer.mapping.model import Fold, Unit
from importer.model.diagnostics import Problem
from importer.model.moments import InvalidMoment

NEW_YORK = ZoneInfo("America/New_York")


def read(raw: object, *formats: str, zone: ZoneInfo | None = None, **rest: object) -> str:
    named = months.month_numbers(str(rest.pop("language", "en")))
    patterns = tuple(dates.compile_format(each, named) for each in formats)
    return dates.format_instant(dates.instant_of(raw, dates.Calendar(patterns, zone, **rest)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("09/Jan/24 3:54 PM", "%d/%b/%y %I:%M %p", "2024-01-09T20:54:00Z"),
        ("09/Jan/24 12:05 am", "%d/%b/%y %I:%M %p", "2024-01-09T05:05:00Z"),
        ("09/jan/24 12:05 p.m.", "%d/%b/%y %I:%M %p", "2024-01-09T17:05:00Z"),
        ("16/02/2017 15:26", "%d/%m/%Y %H:%M", "2017-02-16T20:26:00Z"),
        ("January 9, 2024 3:54PM", "%B %d, %Y %I:%M%p", "2024-01-09T20:54:00Z"),
        ("Tue, 9 Sept 2024 7:30", "%a, %d %b %Y %H:%M", "2024-09-09T11:30:00Z"),
        ("2021-12-19T17:49:03.992-0600", "%Y-%m-%dT%H:%M:%S.%f%z", "2021-12-19T23:49:03.992Z"),
        ("2025-04-24T7:30:00-00:00", "%Y-%m-%dT%H:%M:%S%z", "2025-04-24T07:30:00Z"),
        ("2024-01-09 10:00 UTC", "%Y-%m-%d %H:%M %Z", "2024-01-09T10:00:00Z"),
        ("2024-01-09T10:00:00Z", "%d/%m/%Y", "2024-01-09T10:00:00Z"),
        ("01.02.69", "%d.%m.%y", "1969-02-01T05:00:00Z"),
    ],
)
def test_a_time_is_read_in_the_declared_format(text: str, written: str, expected: str) -> None:
    assert read(text, written, zone=NEW_YORK) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "09.Mär.24"), ("de", "9.März.24"), ("fr", "09.mars.24"), ("es", "09.mar.24"), ("nl", "9.mrt.24")],
)
def test_month_names_are_read_in_their_language(language: str, text: str) -> None:
    assert read(text, "%d.%b.%y", zone=ZoneInfo("UTC"), language=language) == "2024-03-09T00:00:00Z"


@pytest.mark.parametrize("language", months.LANGUAGES)
def test_every_language_has_twelve_months(language: str) -> None:
    assert set(months.month_numbers(language).values()) == set(range(1, 13))


def test_day_first_is_never_guessed() -> None:
    with pytest.raises(InvalidMoment) as caught:
        read("03/04/2024", zone=NEW_YORK)
    assert caught.value.code == "bad-datetime"


def test_two_formats_that_disagree_are_refused() -> None:
    with pytest.raises(InvalidMoment) as caught:
        read("03/04/2024", "%d/%m/%Y", "%m/%d/%Y", zone=NEW_YORK)
    assert caught.value.code == "ambiguous-datetime"
    assert read("13/04/2024", "%d/%m/%Y", "%m/%d/%Y", zone=NEW_YORK) == "2024-04-13T04:00:00Z"


@pytest.mark.parametrize(
    "text", ["31/02/2024", "09/Foo/24", "12:53 PM PDT", "", "09/01/2024 25:00", "2024-01-09 12:53 PDT"]
)
def test_a_text_that_matches_no_format_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoment):
        read(text, "%d/%m/%Y", "%d/%b/%y", "%Y-%m-%d %H:%M %Z", zone=NEW_YORK)


@pytest.mark.parametrize(
    ("text", "fold", "expected"),
    [
        ("2023-11-05 01:30", Fold.EARLIER, "2023-11-05T05:30:00Z"),
        ("2023-11-05 01:30", Fold.LATER, "2023-11-05T06:30:00Z"),
        ("2023-03-12 02:30", Fold.EARLIER, "2023-03-12T06:30:00Z"),
        ("2023-03-12 02:30", Fold.LATER, "2023-03-12T07:30:00Z"),
        ("2023-03-12 03:30", Fold.LATER, "2023-03-12T07:30:00Z"),
    ],
)
def test_fold_chooses_the_instant_when_the_clocks_change(text: str, fold: Fold, expected: str) -> None:
    assert read(text, zone=NEW_YORK, side=fold) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [("2023-11-05 01:30", "ambiguous-local-time"), ("2023-03-12 02:30", "impossible-local-time")],
)
def test_without_fold_a_time_when_the_clocks_change_is_an_error(text: str, code: str) -> None:
    with pytest.raises(InvalidMoment) as caught:
        read(text, "%Y-%m-%d %H:%M", zone=NEW_YORK)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raw", "unit", "expected"),
    [
        ("1624564393", Unit.SECONDS, "2021-06-24T19:53:13Z"),
        (1530898627590, Unit.MILLISECONDS, "2018-07-06T17:37:07.590Z"),
        ("1530898627.59", Unit.SECONDS, "2018-07-06T17:37:07.590Z"),
    ],
)
def test_numbers_count_since_1970(raw: object, unit: Unit, expected: str) -> None:
    assert read(raw, unit=unit) == expected


@pytest.mark.parametrize("raw", ["yesterday", "", "9" * 30, "nan", "Infinity"])
def test_a_text_that_is_not_a_number_is_not_a_time_since_1970(raw: str) -> None:
    with pytest.raises(InvalidMoment):
        read(raw, unit=Unit.SECONDS)


def test_a_workbook_date_needs_no_format() -> None:
    assert read(datetime(2024, 1, 9, 15, 54), zone=NEW_YORK) == "2024-01-09T20:54:00Z"
    assert read(date(2024, 1, 9), "%d/%m/%Y", zone=NEW_YORK) == "2024-01-09T05:00:00Z"


@pytest.mark.parametrize(
    "written", ["%d/%m", "%Y-%m-%d %I:%M", "%Q", "%Y-%m-%d %", "%Y-%m-%d %Y", "%Y %p %m %d"]
)
def test_an_incomplete_format_is_refused(written: str) -> None:
    with pytest.raises(Problem):
        dates.compile_format(written, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5400", 5400),
        ("1:30:00", 5400),
        ("1:30", 5400),
        ("2 days, 1:00:00", 176400),
        ("1h 30m", 5400),
        ("PT1H30M", 5400),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, expected: float) -> None:
    assert dates.duration_seconds(text) == expected


@pytest.mark.parametrize("text", ["", "long", "1:99"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        dates.duration_seconds(text)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)).map(lambda at: at.replace(microsecond=0)))
def test_the_output_of_strftime_is_read_back(at: datetime) -> None:
    aware = at.replace(tzinfo=UTC)
    assert (
        dates.instant_of(
            aware.strftime("%d %b %Y %I:%M:%S %p %z"),
            dates.Calendar((dates.compile_format("%d %b %Y %I:%M:%S %p %z", {}),)),
        )
        == aware
    )


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    calendar = dates.Calendar((dates.compile_format("%d/%b/%y %I:%M %p", {}),), NEW_YORK)
    try:
        assert dates.instant_of(text, calendar).utcoffset() == timedelta(0)
    except InvalidMoment as problem:
        assert problem.hint


@pytest.mark.parametrize(
    ("text", "calendar", "hint"),
    [
        ("2023-04-12 09:14", dates.Calendar(), "set `timezone` in the mapping"),
        ("2023-10-29 02:30", dates.Calendar(zone=ZoneInfo("Europe/Berlin")), "`fold: earlier`"),
        ("2023-03-26 02:30", dates.Calendar(zone=ZoneInfo("Europe/Berlin")), "`fold: earlier`"),
        ("1681290840", dates.Calendar(), "set `unit: s`"),
        ("1681290840000", dates.Calendar(), "set `unit: ms`"),
        ("1681290840000", dates.Calendar(unit=Unit.SECONDS), "set `unit: ms`"),
        ("3. März 2023", dates.Calendar((dates.compile_format("%d. %b %Y", {}),)), "set `months: de`"),
        (
            "3. Foo 2023",
            dates.Calendar((dates.compile_format("%d. %b %Y", {}),)),
            "add its format to datetime_formats",
        ),
        ("tomorrow", dates.Calendar(), "add its format to datetime_formats"),
        ("0001-01-01", dates.Calendar(zone=ZoneInfo("UTC")), "correct the year"),
    ],
)
def test_an_unreadable_time_has_a_hint_for_the_mapping(
    text: str, calendar: dates.Calendar, hint: str
) -> None:
    with pytest.raises(InvalidMoment) as problem:
        dates.instant_of(text, calendar)
    assert hint in problem.value.hint


def test_a_number_shortened_by_a_spreadsheet_is_refused() -> None:
    with pytest.raises(InvalidMoment, match="invalid date or time"):
        dates.instant_of("1.62456E+09", dates.Calendar(unit=Unit.SECONDS))
