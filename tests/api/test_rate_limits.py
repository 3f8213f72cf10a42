"""How the rate-limit headers and bodies of an answer are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.api.rate_limits import Limit, allowance, date, retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"


def test_the_documented_header_names_the_binding_quota_and_every_limit() -> None:
    found = allowance(
        {"x-ratelimit-limit": "60, 1200;window=60, 60;window=60", "x-ratelimit-remaining": "59"}
    )

    assert found.limits == {Limit(1200, 60), Limit(60, 60)}
    assert found.binding == Limit(60, 60)
    assert found.remaining == 59


def test_a_quota_without_windows_has_the_documented_window() -> None:
    assert allowance({"x-ratelimit-limit": "600"}).binding == Limit(600, 60)


def test_the_remaining_quota_is_computed_from_the_used_quota() -> None:
    assert allowance({"x-ratelimit-limit": "600", "x-ratelimit-used": "590"}).remaining == 10


def test_of_two_limits_with_the_same_quota_the_slower_binds() -> None:
    found = allowance({"x-ratelimit-limit": "60, 60;window=60, 60;window=3600"})

    assert found.binding == Limit(60, 3600)


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "retry-after"]),
        st.one_of(
            st.text(max_size=30), st.from_regex(r"[0-9]{0,12}(, [0-9]*;window=[0-9]*)*", fullmatch=True)
        ),
    ),
    st.text(max_size=30),
)
def test_no_header_or_body_breaks_the_parser(headers: dict[str, str], body: str) -> None:
    found = allowance(headers)
    seconds = retry_after(headers, body, now=NOW)

    assert all(limit.rate > 0 for limit in found.limits)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, "", 7),
        ({"retry-after": " 1.5 "}, "", 1.5),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, "", 30),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 UTC"}, "", 30),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 -0000"}, "", 30),
        ({"retry-after": "2026-03-01T12:00:30Z"}, "", 30),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, "", 0),
        ({"retry-after": "soon"}, '{"rate_limit": {"retry_after": "2026-03-01T12:00:20Z"}}', 20),
        ({"retry-after": "nan"}, "", None),
        ({}, '{"rate_limit": {"retry_after": 20}}', None),
        ({}, '{"rate_limit": null}', None),
        ({}, "<html>", None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772366415"}, "", 15),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1772366415"}, "", None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999999"}, "", None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "later"}, "", None),
    ],
)
def test_the_time_to_wait_is_read_in_every_format(
    headers: dict[str, str], body: str, seconds: float | None
) -> None:
    assert retry_after(headers, body, now=NOW) == seconds


def test_dates_are_compared_with_the_servers_clock_not_ours() -> None:
    wrong = datetime(2026, 3, 1, 15, tzinfo=UTC)
    body = '{"rate_limit": {"retry_after": "2026-03-01T12:00:20Z"}}'

    assert retry_after({"date": DATE}, body, now=wrong) == 20


def test_seconds_take_precedence_over_the_body_and_the_body_over_the_reset() -> None:
    body = '{"rate_limit": {"retry_after": "2026-03-01T12:00:20Z"}}'
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772366415"}

    assert retry_after({"retry-after": "3", **reset}, body, now=NOW) == 3
    assert retry_after(reset, body, now=NOW) == 20


def test_an_impossible_date_is_ignored() -> None:
    assert date("Sun, 99 Mar 2026 12:00:00 GMT") is None
    assert date("0001-01-01T00:00:00+23:59") is None
