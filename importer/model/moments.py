"""Text -> an instant in UTC, using the given time zone; nothing is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from importer.model import normalise
from importer.model.diagnostics import Problem

WITH_OFFSET = "2023-04-12T09:14:00Z"
EXPECTED = f"{WITH_OFFSET}, 2023-04-12 09:14 or 2023-04-12"
YEARS = range(1900, 2101)
"""Any other year is a typo, or a placeholder such as 0001 or 9999."""

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""The most common format, which needs no parsing of its own."""


class InvalidMoment(Problem):
    """The text is not a valid date or time."""


class UnknownMomentFormat(InvalidMoment):
    """The text is in none of the supported formats."""


def zone(name: str) -> ZoneInfo:
    """Return the time zone with an IANA name (`Europe/London`, `UTC`). Raises Problem (unknown-timezone)."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        hint = _zone_hint(name)
        raise Problem("unknown-timezone", f"unknown time zone `{name}`", hint=hint) from None


def moment(text: str, local: ZoneInfo | None, side: str | None = None) -> datetime:
    """Return the instant of a text, in UTC and truncated to milliseconds.

    The text is RFC 3339 or shorter: a space for `T`, no seconds, an offset without a colon, or a date alone
    (its midnight). `local` is the time zone of texts without an offset; `side` (earlier or later) picks the
    instant of a local time that a clock change repeats or skips. Raises InvalidMoment (bad-datetime,
    naive-datetime, ambiguous-local-time, impossible-local-time).
    """
    return instant(_parsed(text), text, local, side)


def instant(parsed: datetime, text: str, local: ZoneInfo | None, side: str | None) -> datetime:
    """Return the instant of a parsed datetime, as `moment` does; `text` is the original, for messages."""
    if parsed.year not in YEARS:
        raise InvalidMoment(
            "bad-datetime",
            "a year is out of range",
            detail=f"`{text}`: the year must be between {YEARS[0]} and {YEARS[-1]}",
            hint="correct the year, or leave the timestamp out if it is not known",
        )
    if parsed.tzinfo is None:
        if local is None:
            raise InvalidMoment(
                "naive-datetime",
                "a time has no UTC offset, and no time zone is set",
                detail=f"`{text}`",
                hint="add the offset (2023-04-12T09:14:00Z), or set defaults.timezone in importer.yaml",
            )
        parsed = _in_zone(parsed, local, text, side)
    return normalise.to_utc(parsed)


def _zone_hint(name: str) -> str:
    """Suggest the time zone with the most similar name, but never an abbreviation or an offset: BST is not
    close to MST, and Etc/GMT+2 is two hours behind UTC."""
    known = {each.casefold(): each for each in available_timezones()}
    places = [each for each in known if "/" in each and not each.startswith("etc/")]
    wanted = name.strip().casefold().replace(" ", "_")
    near = [wanted] if wanted in known else get_close_matches(wanted, places, 1)
    return f"did you mean `{known[near[0]]}`?" if near else "time zone names look like Europe/London or UTC"


def _parsed(text: str) -> datetime:
    try:
        if _USUAL.fullmatch(text):
            return datetime.fromisoformat(text)
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError("unknown format")
        day, clock, fraction, offset = match.groups()
        if clock is None:
            return datetime.fromisoformat(day)
        offset = (offset or "").upper()
        return datetime.fromisoformat(f"{day}T{clock}{_seconds(clock, fraction)}{offset}")
    except ValueError as error:
        raise UnknownMomentFormat(
            "bad-datetime",
            "invalid date or time",
            detail=f"`{text}`: {error}",
            hint=f"write it like {EXPECTED}",
        ) from None


def _seconds(clock: str, fraction: str | None) -> str:
    """Return the fraction as fromisoformat reads it. Raises ValueError for a fraction of a minute."""
    if fraction is None:
        return ""
    if len(clock) == len("00:00"):
        raise ValueError("a fraction must follow the seconds")
    return f".{fraction[:6]:0<6}"


def _in_zone(naive: datetime, local: ZoneInfo, text: str, side: str | None) -> datetime:
    """Return the instant of a local time. Raises InvalidMoment if it is ambiguous or skipped, without
    `side`."""
    first, second = _offset(naive, local), _offset(naive.replace(fold=1), local)
    if first == second:
        return (naive - first).replace(tzinfo=UTC)
    earlier, later = naive.replace(tzinfo=local), naive.replace(tzinfo=local, fold=1)
    if side is not None:
        by_instant = sorted((earlier, later), key=lambda each: each.astimezone(UTC))
        return by_instant[0 if side == "earlier" else 1]
    if first > second:
        raise InvalidMoment(
            "ambiguous-local-time",
            f"ambiguous local time: it occurred twice when the clocks went back in {local.key}",
            detail=f"`{text}` is {earlier.isoformat()} or {later.isoformat()}",
            hint="add the UTC offset of the one that you mean",
        )
    raise InvalidMoment(
        "impossible-local-time",
        f"nonexistent local time: it was skipped when the clocks went forward in {local.key}",
        detail=f"`{text}` was skipped",
        hint="correct the time, or add its UTC offset",
    )


def _offset(naive: datetime, local: ZoneInfo) -> timedelta:
    return local.utcoffset(naive) or timedelta()
