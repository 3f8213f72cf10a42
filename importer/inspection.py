"""What a source holds -> findings: what each column could be, how its moments are written, what stays open.

Nothing is decided by one look that a person must decide: where two readings fit, both are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from importer.loaders.moments import NotAMoment, moment, zone
from importer.mapping.dates import compiled

MAX_VALUES = 30
"""Different values up to which a column can be a vocabulary, such as that of severities."""

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d")
_DAYS_IN_WORDS = ("%d/%b/%y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M %z", " %H:%M:%S %z")
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$", re.ASCII)
_EPOCHS = {10: "s", 13: "ms"}


class Part(StrEnum):
    """What a column can become."""

    KEY = "key"
    NAME = "name"
    SUMMARY = "summary"
    SEVERITY = "severity"
    STATUS = "status"
    TYPE = "incident type"
    BEGINNING = "beginning"
    END = "end"


_WORDS = {
    Part.KEY: ("key", "number", "id", "reference", "ref", "slug", "stem"),
    Part.NAME: ("name", "title", "summary", "subject", "short_description", "headline"),
    Part.SUMMARY: ("description", "notes", "details", "body", "message", "summary"),
    Part.SEVERITY: ("severity", "sev", "priority", "urgency", "impact"),
    Part.STATUS: ("status", "state"),
    Part.TYPE: ("incident_type", "type", "kind"),
    Part.BEGINNING: ("started", "began", "opened", "created", "reported", "start", "date", "time"),
    Part.END: ("resolved", "closed", "ended", "completed", "end"),
}
"""The words that stand in the names of such columns, the most telling first."""


@dataclass(frozen=True, slots=True)
class Moments:
    """How the moments of a column are written: in one of `formats` (several: it is open which), in the ISO
    forms where there are none, or as a number of `unit` since 1970. `naive` says that they lack an offset."""

    formats: tuple[str, ...] = ()
    unit: str | None = None
    naive: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or one path of objects. `share` of the records have a value; `values` are how often each
    was seen, the most frequent first, as far as they were counted."""

    name: str
    share: float
    is_unique: bool
    values: Mapping[str, int]
    moments: Moments | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All columns in their order, and for each part those that could be it, the likeliest first."""

    columns: tuple[Column, ...]
    candidates: Mapping[Part, tuple[Column, ...]]


def inspect(
    names: Sequence[str], *, values: Mapping[str, Mapping[str, int]], filled: Mapping[str, int], records: int
) -> Findings:
    """Return what the columns of so many records could be. `values` may have only the first ones of each
    column, `filled` counts all that are not blank."""
    columns = tuple(_column(name, values.get(name, {}), filled.get(name, 0), records) for name in names)
    return Findings(columns, {part: _likely(part, columns) for part in Part})


def _column(name: str, values: Mapping[str, int], filled: int, records: int) -> Column:
    ranked = dict(sorted(values.items(), key=lambda each: (-each[1], each[0])))
    is_unique = bool(values) and filled == records and set(values.values()) == {1}
    share = min(1.0, filled / records) if records else 0.0  # a list counts once for each value
    return Column(name, share, is_unique, ranked, _moments(tuple(values)))


def _moments(texts: Sequence[str]) -> Moments | None:
    """Return how all the texts are written as moments; None where they are none."""
    if not texts:
        return None
    digits = {len(each) for each in texts if each.isascii() and each.isdigit()}
    if len(digits) == 1 and digits <= _EPOCHS.keys() and all(each.isdigit() for each in texts):
        return Moments(unit=_EPOCHS[digits.pop()])
    if all(_is_iso(each) for each in texts):
        return Moments(naive=not all(_OFFSET.search(each) and ":" in each for each in texts))
    fitting = [
        f"{day}{clock}"
        for day, clock in product(_DAYS + _DAYS_IN_WORDS, _CLOCKS)
        if _fits(f"{day}{clock}", texts)
    ]
    return Moments(tuple(fitting), naive="%z" not in fitting[0]) if fitting else None


def _is_iso(text: str) -> bool:
    try:
        moment(text, zone("UTC"))
    except NotAMoment:
        return False
    return True


def _fits(written: str, texts: Iterable[str]) -> bool:
    pattern = compiled(written, {})
    return all(pattern.read(each.strip()) is not None for each in texts)


def _likely(part: Part, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns whose names and values fit, the likeliest first."""
    ranked = [
        (rank, number, column)
        for number, column in enumerate(columns)
        if _could_be(part, column) and (rank := _rank(part, column.name)) is not None
    ]
    return tuple(column for _, _, column in sorted(ranked, key=lambda each: each[:2]))


def _could_be(part: Part, column: Column) -> bool:
    match part:
        case Part.KEY:
            return column.is_unique and column.moments is None
        case Part.SEVERITY | Part.STATUS | Part.TYPE:
            return 0 < len(column.values) <= MAX_VALUES and column.moments is None
        case Part.BEGINNING | Part.END:
            return column.moments is not None
        case _:
            return column.share > 0 and column.moments is None


def _rank(part: Part, name: str) -> tuple[bool, int] | None:
    """Return how telling the name of a column is, the least being most; None where it tells nothing. A name
    that is nothing but a telling word goes before one that has it among others."""
    whole, *words = _parts(name)
    for place, word in enumerate(_WORDS[part]):
        if word == whole or word in words:
            return (word != whole, place)
    return None


def _parts(name: str) -> Iterator[str]:
    """Yield the words of a name such as `Issue key`, `createdAt` or `fields.short_description`."""
    last = name.rpartition(".")[2]
    yield last.casefold()
    for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", last):
        yield word.casefold()
