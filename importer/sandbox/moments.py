"""Turn RFC 3339 text into milliseconds since 1970 and back, as incident.io writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def from_text(text: str) -> int:
    """Read an RFC 3339 time with an offset, truncated to milliseconds. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 time with an offset")
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND


def from_date_or_text(text: str) -> int:
    """Read `2024-05-01` (midnight UTC) or a full RFC 3339 time, in milliseconds. Raises ValueError."""
    if _DATE.fullmatch(text):
        return (datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) - _EPOCH) // _MILLISECOND
    return from_text(text)


def to_text(milliseconds: int) -> str:
    """Write `2024-05-01T09:14:47.6Z`: UTC, at most three decimals, without trailing zeros."""
    seconds, fraction = divmod(milliseconds, 1000)
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    decimals = f".{fraction:03}".rstrip("0") if fraction else ""
    return f"{whole}{decimals}Z"
