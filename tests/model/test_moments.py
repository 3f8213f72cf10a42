"""A time is one instant or an error, never a guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import normalise
from importer.model.diagnostics import Problem
from importer.model.moments import InvalidMoment, moment, zone

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-04-12T09:14:00Z", "2023-04-12T09:14:00+00:00"),
        ("2023-04-12t09:14:00z", "2023-04-12T09:14:00+00:00"),
        ("2023-04-12 09:14:00 Z", "2023-04-12T09:14:00+00:00"),
        ("2023-04-12T09:14Z", "2023-04-12T09:14:00+00:00"),
        ("2023-04-12T09:14:00.1234567Z", "2023-04-12T09:14:00.123000+00:00"),
        ("2023-04-12T09:14:00,5+0100", "2023-04-12T08:14:00.500000+00:00"),
        ("2023-04-12T09:14:00-00:00", "2023-04-12T09:14:00+00:00"),
        ("2023-04-12T09:14:00-07:00", "2023-04-12T16:14:00+00:00"),
        ("2023-04-12T09:14:00+05:30", "2023-04-12T03:44:00+00:00"),
        ("2023-04-12 09:14 +01", "2023-04-12T08:14:00+00:00"),
        (" 2023-04-12 09:14 ", "2023-04-12T08:14:00+00:00"),
        ("2023-04-12", "2023-04-11T23:00:00+00:00"),
        ("2023-01-12", "2023-01-12T00:00:00+00:00"),
    ],
)
def test_a_moment_is_one_instant(text: str, expected: str) -> None:
    assert moment(text, LONDON).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "12/04/2023", "04-12-2023", "2023-4-12", "20230412", "2023-W12-3", "2023-04-12T9:14Z", "1681290840", "2023-02-30",
        "2023-04-12T24:00Z", "2023-04-12T09:14:60Z", "2023-04-12T09:14.5Z", "2023-04-12T09:14:00 UTC", "2023-04-12T09:14:00+25:00",
        "2023-04-12Z", "1628-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "٢٠٢٣-04-12", "2023-04-12T09:14:00Z\n2",
    ],
)  # fmt: skip
def test_an_ambiguous_or_unreadable_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoment) as caught:
        moment(text, LONDON)
    assert caught.value.code == "bad-datetime"
    assert text in caught.value.detail


def test_a_time_without_an_offset_needs_a_time_zone() -> None:
    for text in ("2023-04-12 09:14", "2023-04-12"):
        with pytest.raises(InvalidMoment) as caught:
            moment(text, None)
        assert caught.value.code == "naive-datetime"
        assert "defaults.timezone" in caught.value.hint
    assert moment("2023-04-12 09:14Z", None) == datetime(2023, 4, 12, 9, 14, tzinfo=UTC)


def test_an_ambiguous_local_time_is_refused_with_both_readings() -> None:
    with pytest.raises(InvalidMoment) as caught:
        moment("2023-10-29 01:30", LONDON)
    assert caught.value.code == "ambiguous-local-time"
    assert "2023-10-29T01:30:00+01:00 or 2023-10-29T01:30:00+00:00" in caught.value.detail
    assert moment("2023-10-29 01:30+01:00", LONDON).hour == 0


def test_a_nonexistent_local_time_is_refused() -> None:
    with pytest.raises(InvalidMoment) as caught:
        moment("2023-03-26 01:30", LONDON)
    assert caught.value.code == "impossible-local-time"
    assert "Europe/London" in caught.value.summary


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Europe/Lodnon", "Europe/London"),
        ("america/new york", "America/New_York"),
        ("Europe", "Europe/Rome"),
        ("utc", "UTC"),
        ("BST", ""),
        ("CEST", ""),
        ("GMT+2", ""),
        ("/etc/passwd", ""),
        ("../UTC", None),
        ("", ""),
    ],
)
def test_an_unknown_zone_gets_a_suggestion(name: str, nearest: str | None) -> None:
    with pytest.raises(Problem) as caught:
        zone(name)
    hint = f"did you mean `{nearest}`?" if nearest else "time zone names look like Europe/London or UTC"
    assert nearest is None or caught.value.hint == hint


def test_a_known_zone_keeps_its_name() -> None:
    assert zone("America/New_York").key == "America/New_York"


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1901, 1, 1), datetime(2099, 12, 31), timezones=offsets)


@given(instants, st.sampled_from(["T", " "]), st.booleans())
def test_the_output_of_isoformat_is_read_back(instant: datetime, blank: str, colon: bool) -> None:
    text = instant.isoformat(sep=blank)
    if not colon:
        text = text[:-6] + text[-6:].replace(":", "")
    assert moment(text, None) == normalise.to_utc(instant)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)),
    st.sampled_from(["Europe/London", "America/Sao_Paulo", "Asia/Kolkata"]),
)
def test_an_accepted_local_time_is_the_one_that_was_written(naive: datetime, name: str) -> None:
    local = ZoneInfo(name)
    try:
        instant = moment(naive.isoformat(), local)
    except InvalidMoment as problem:
        readings = {naive.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)}
        assert len(readings) == 2
        assert problem.code in ("ambiguous-local-time", "impossible-local-time")
    else:
        back = instant.astimezone(local).replace(tzinfo=None)
        assert back == naive.replace(microsecond=naive.microsecond // 1000 * 1000)
