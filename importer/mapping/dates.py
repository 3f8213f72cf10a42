"""A time as an export writes it -> an instant, using the formats and the zone that the mapping declares.

Nothing is guessed: without a format only ISO 8601 is read; a text that two declared formats read differently
is refused. An ISO text with an offset is always read, because it is unambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from importer.mapping import months
from importer.mapping.model import Fold, Unit
from importer.model.diagnostics import Problem
from importer.model.moments import EXPECTED, WITH_OFFSET, InvalidMoment, UnknownMomentFormat, instant, moment

_ENGLISH = months.month_numbers("en")
_DAYS = r"[^\W\d]+\.?"
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d\d)",
    "m": r"(?P<m>1[0-2]|0?[1-9])",
    "d": r"(?P<d>3[01]|[12]\d|0?[1-9])",
    "H": r"(?P<H>2[0-3]|[01]?\d)",
    "I": r"(?P<I>1[0-2]|0?[1-9])",
    "M": r"(?P<M>[0-5]?\d)",
    "S": r"(?P<S>[0-5]?\d)",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp])\.?\s?[Mm]\.?",
    "z": r"(?P<z>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)",
    "Z": r"(?P<z>[Zz]|UTC|GMT)",
    "b": r"(?P<b>[^\W\d]+\.?)",
    "B": r"(?P<b>[^\W\d]+\.?)",
    "a": _DAYS,
    "A": _DAYS,
    "%": "%",
}
"""The directives of strptime. Two-digit years are 1969 to 2068, as in POSIX; of the abbreviations of zones,
only UTC and GMT are unambiguous."""
_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt ].*(?:[Zz]|[+-]\d\d(?::?\d\d)?)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+)\s*d(?:ays?)?,?\s*)?(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?", re.ASCII)
_N = r"(\d+(?:\.\d+)?)"
_ISO = re.compile(rf"P(?:{_N}W)?(?:{_N}D)?(?:T(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?", re.ASCII | re.IGNORECASE)
_PARTS = re.compile(
    rf"\s*(?:{_N}\s*w[a-z]*)?,?\s*(?:{_N}\s*d[a-z]*)?,?\s*(?:{_N}\s*h[a-z]*)?,?\s*"
    rf"(?:{_N}\s*m(?:in[a-z]*)?)?,?\s*(?:{_N}\s*s[a-z]*)?",
    re.ASCII | re.IGNORECASE,
)
EPOCHS = {10: "s", 13: "ms"}
"""Digits of a number -> its unit since 1970, for the years 2001 to 2286."""
_HINTS = {
    "naive-datetime": "set `timezone` in the mapping or next to its source, or convert with --timezone",
    "ambiguous-local-time": "set `fold: earlier` or `fold: later` in the mapping to choose one of the two",
    "impossible-local-time": "correct the time, or set `fold: earlier` or `fold: later` in the mapping to use"
    " the instant before or after the clocks changed",
}
"""Hints for a mapping, which can resolve times that an incident file would have to correct."""
_SECONDS = (604_800, 86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled format."""

    written: str
    expression: re.Pattern[str]
    months: Mapping[str, int]

    def read(self, text: str) -> datetime | None:
        """Return the time, naive if the text has no offset; None if it does not match."""
        match = self.expression.fullmatch(text)
        return None if match is None else _assembled(match.groupdict(), self.months)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How the times of a field are written."""

    patterns: tuple[Pattern, ...] = ()
    zone: ZoneInfo | None = None
    side: Fold | None = None
    unit: Unit | None = None


def compile_format(written: str, named: Mapping[str, int]) -> Pattern:
    """Return the compiled form of a format such as `%d/%b/%y %I:%M %p`. Raises a Problem (bad-format)."""
    parts: list[str] = []
    seen: set[str] = set()
    letters = iter(re.sub(r"%-([dmHIMSy])", r"%\1", written))
    for letter in letters:
        if letter != "%":
            parts.append(r"\s+" if letter.isspace() else re.escape(letter))
            continue
        directive = next(letters, "")
        if directive not in _DIRECTIVES:
            known = " %".join(_DIRECTIVES)
            raise _bad_format(written, f"`%{directive}` is not supported; use one of %{known}")
        group = {"Z": "z", "B": "b"}.get(directive, directive)
        if group in seen:
            raise _bad_format(written, f"`%{directive}` appears twice")
        seen |= {group} - {"a", "A", "%"}
        parts.append(_DIRECTIVES[directive])
    _check(written, seen)
    flags = re.ASCII if "b" not in seen else 0
    return Pattern(written, re.compile("".join(parts), flags), {**_ENGLISH, **named})


def _check(written: str, seen: set[str]) -> None:
    """Refuse a format that does not determine the day, or AM and PM."""
    if not (seen & {"Y", "y"} and seen & {"m", "b"} and "d" in seen):
        raise _bad_format(written, "it needs a year (%Y), a month (%m or %b) and a day (%d)")
    if ("I" in seen) != ("p" in seen):
        raise _bad_format(written, "a 12-hour clock needs both %I and %p")


def _bad_format(written: str, why: str) -> Problem:
    return Problem("bad-format", f"invalid datetime format `{written}`", detail=why)


def instant_of(raw: object, calendar: Calendar) -> datetime:
    """Return the instant of a text, a number or a spreadsheet's date. Raises InvalidMoment, with a hint for
    the mapping."""
    text = str(raw).strip()
    try:
        return _instant(raw, text, calendar)
    except UnknownMomentFormat as problem:
        raise _unreadable(text, calendar, problem.detail) from None
    except InvalidMoment as problem:
        problem.hint = _HINTS.get(problem.code, problem.hint)
        raise


def _instant(raw: object, text: str, calendar: Calendar) -> datetime:
    if isinstance(raw, datetime):
        return instant(raw, raw.isoformat(" "), calendar.zone, calendar.side)
    if isinstance(raw, date):
        return instant(datetime(raw.year, raw.month, raw.day), raw.isoformat(), calendar.zone, calendar.side)  # noqa: DTZ001  the zone is added
    if calendar.unit is not None:
        return _since_1970(text, calendar)
    found = [parsed for pattern in calendar.patterns if (parsed := pattern.read(text)) is not None]
    if not calendar.patterns or (not found and _WITH_OFFSET.fullmatch(text)):
        return moment(text, calendar.zone, calendar.side)
    if not found:
        raise _unreadable(text, calendar)
    if len(found) > 1 and any(each != found[0] for each in found):
        raise InvalidMoment(
            "ambiguous-datetime",
            "two of the datetime_formats read a time differently",
            detail=f"`{text}` could be {' or '.join(each.isoformat(' ') for each in found)}",
            hint="declare only one of the formats, or one for each column",
        )
    return instant(found[0], text, calendar.zone, calendar.side)


def format_instant(at: datetime) -> str:
    """Return an instant in UTC as an incident file writes it."""
    return f"{at.isoformat(timespec='milliseconds' if at.microsecond else 'seconds')[:-6]}Z"


def duration_seconds(text: str) -> float:
    """Return a duration in seconds, from `5400`, `1:30:00`, `2h 30m` or `PT1H30M`. Raises ValueError."""
    written = text.strip()
    if _NUMBER.fullmatch(written):
        return float(written)
    if clock := _CLOCK.fullmatch(written):
        days, hours, minutes, rest = clock.groups()
        return int(days or 0) * 86_400 + int(hours) * 3_600 + int(minutes) * 60 + float(rest or 0)
    parts = _ISO.fullmatch(written) or _PARTS.fullmatch(written)
    if parts is None or not any(parts.groups()):
        raise ValueError(f"`{text}` is not a duration such as 5400, 1:30:00, 1h 30m or PT1H30M")
    return sum(float(part or 0) * size for part, size in zip(parts.groups(), _SECONDS, strict=True))


def _assembled(parts: Mapping[str, str], named: Mapping[str, int]) -> datetime | None:
    get = parts.get
    month = named.get(months.fold_month(parts["b"])) if "b" in parts else int(parts["m"])
    if month is None:
        return None
    hour = int(get("H") or get("I") or 0)
    if half := get("p"):
        hour = hour % 12 + (12 if half in "Pp" else 0)
    try:
        return datetime(
            int(parts["Y"]) if "Y" in parts else _year(int(parts["y"])),
            month,
            int(parts["d"]),
            hour,
            int(get("M", 0)),
            int(get("S", 0)),
            int(f"{parts['f']:0<6}"[:6]) if "f" in parts else 0,
            _offset(get("z")),
        )
    except ValueError:
        return None


def _year(short: int) -> int:
    return short + (1900 if short >= 69 else 2000)


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(offset if text[0] == "+" else -offset)


def _since_1970(text: str, calendar: Calendar) -> datetime:
    try:
        if not _NUMBER.fullmatch(text):  # a spreadsheet may have shortened 1624564393 to `1.62456E+09`
            raise ValueError(text)
        number = Decimal(text)
        scale = 1000 if calendar.unit is Unit.MILLISECONDS else 1
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(number * (1000 // scale)))
    except (InvalidOperation, OverflowError, ValueError):
        raise InvalidMoment(
            "bad-datetime",
            "invalid date or time",
            detail=f"`{text}` is not a number of {'milliseconds' if calendar.unit == 'ms' else 'seconds'}",
            hint=_hint(text, "`unit` is s or ms for numbers since 1970; leave it out for dates"),
        ) from None
    return instant(at, text, None, None)


def _unreadable(text: str, calendar: Calendar, detail: str = "") -> InvalidMoment:
    formats = ", ".join(each.written for each in calendar.patterns)
    example = WITH_OFFSET if formats else EXPECTED
    return InvalidMoment(
        "bad-datetime",
        "invalid date or time",
        detail=detail or f"`{text}` matches none of the formats {formats}",
        hint=_hint(text, f"add its format to datetime_formats, or write it like {example}"),
    )


def _hint(text: str, usual: str) -> str:
    """Return how to make a text readable as a time."""
    if text.isdecimal() and len(text) in EPOCHS:
        return f"if it is a number since 1970, set `unit: {EPOCHS[len(text)]}`"
    languages = months.languages_of([text])
    if languages and "en" not in languages:
        return f"for its month names, set `months: {languages[0]}` in the mapping; or {usual}"
    return usual
