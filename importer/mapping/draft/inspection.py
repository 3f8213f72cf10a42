"""The profile of a source -> findings: what each column may be, and how its times are written.

Nothing ambiguous is decided: if two readings fit, both are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from importer.mapping import months
from importer.mapping.dates import EPOCHS, compile_format
from importer.model.moments import InvalidMoment, moment, zone

MAX_VALUES = 30
"""The most distinct values of a column that can be a vocabulary, such as severities."""

_DAYS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%d.%m.%y"),
    *("%Y/%m/%d", "%Y-%m-%d", "%d/%b/%y", "%d/%b/%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d. %b %Y"),
    *("%b %d, %Y", "%a, %d %b %Y"),
)
_CLOCKS = (
    *("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M %z", " %H:%M:%S %z"),
    *(", %H:%M", ", %H:%M:%S", ", %I:%M %p", ", %I:%M:%S %p", "T%H:%M:%S%z"),
)
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$", re.ASCII)
_FIRST_FEW = 10


class Part(StrEnum):
    """The role of a column in an incident."""

    KEY = "key"
    NAME = "name"
    SUMMARY = "summary"
    SEVERITY = "severity"
    STATUS = "status"
    TYPE = "incident type"
    BEGINNING = "beginning"
    END = "end"


_TELLTALE_NAMES = {
    Part.KEY: "key number id reference ref slug stem schlüssel nummer nr kennung",
    Part.NAME: (
        "name title titel summary subject betreff short_description kurzbeschreibung zusammenfassung headline"
        " message description"
    ),
    Part.SUMMARY: "description beschreibung notes details body message summary",
    Part.SEVERITY: "severity sev schweregrad priority priorität urgency dringlichkeit impact",
    Part.STATUS: "status state",
    Part.TYPE: "incident_type type typ kind",
    Part.BEGINNING: (
        "started began beginn opened geöffnet created erstellt reported start begin date datum time"
    ),
    Part.END: "resolved gelöst erledigt closed ended ende completed end",
}
"""Words in the names of such columns, the most telling first."""
_WORDS = {part: words.split() for part, words in _TELLTALE_NAMES.items()}
COMMON = frozenset(word for words in _WORDS.values() for word in words)
_WRAPPERS = frozenset({"attributes", "fields", "data"})
_LEAVES = frozenset({"name", "value", "display_value", "displayname", "label"})
"""Steps of a path, wrappers at any place and leaves at its end, that say nothing about the value."""
_LONGEST_KEY = 64
_OFTEN = 0.8
"""The share of a column's values that must be times before the other values are treated as outliers."""


@dataclass(frozen=True, slots=True)
class Moments:
    """How the times of a column are written: in one of `formats` (if several, which one is unknown), in ISO
    8601 if there are none, or as a number of `unit` since 1970. `naive` means without an offset, `months` is
    the language of the month names if not English, `outliers` are the values in other formats."""

    formats: tuple[str, ...] = ()
    unit: str | None = None
    naive: bool = False
    months: str = ""
    outliers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or one path of objects. `share` is the share of records with a value; `values` has the
    counted values, the most frequent first."""

    name: str
    share: float
    is_unique: bool
    values: Mapping[str, int]
    moments: Moments | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All columns in order, and the candidates for each part, the most likely first."""

    columns: tuple[Column, ...]
    candidates: Mapping[Part, tuple[Column, ...]]


def inspect(
    names: Sequence[str], *, values: Mapping[str, Mapping[str, int]], filled: Mapping[str, int], records: int
) -> Findings:
    """Return the findings about the columns of `records` records. `values` may have only the first values of
    each column; `filled` counts all values that are not blank."""
    columns = tuple(_column(name, values.get(name, {}), filled.get(name, 0), records) for name in names)
    return Findings(columns, {part: _likely(part, columns) for part in Part})


def _column(name: str, values: Mapping[str, int], filled: int, records: int) -> Column:
    ranked = dict(sorted(values.items(), key=lambda each: (-each[1], each[0])))
    is_unique = bool(values) and filled == records and set(values.values()) == {1}
    share = min(1.0, filled / records) if records else 0.0  # a list counts once for each value
    return Column(name, share, is_unique, ranked, _moments(tuple(values)))


def _moments(texts: Sequence[str]) -> Moments | None:
    """Return how the texts are written as times; None if most of them are not times."""
    if not texts:
        return None
    digits = {len(each) for each in texts if each.isascii() and each.isdigit()}
    if len(digits) == 1 and digits <= EPOCHS.keys() and all(each.isdigit() for each in texts):
        return Moments(unit=EPOCHS[digits.pop()])
    iso = [each for each in texts if _is_iso(each)]
    if len(iso) >= _OFTEN * len(texts):
        is_naive = not all(_OFFSET.search(each) and ":" in each for each in iso)
        return Moments(naive=is_naive, outliers=_without(texts, iso))
    return next(filter(None, (_with_months_of(language, texts) for language in _languages(texts))), None)


def _languages(texts: Sequence[str]) -> Iterator[str]:
    """Yield English, then the languages with a month name in a text."""
    yield "en"
    yield from (each for each in months.languages_of(texts) if each != "en")


def _with_months_of(language: str, texts: Sequence[str]) -> Moments | None:
    """Return the formats that read all of the texts, or else the formats that read most of them."""
    named = {} if language == "en" else months.month_numbers(language)
    read = {written: _read(written, named, texts) for written in map("".join, product(_DAYS, _CLOCKS))}
    most = max(map(len, read.values()))
    if most < _OFTEN * len(texts):
        return None
    enough = len(texts) if most == len(texts) else _OFTEN * len(texts)
    fitting = tuple(written for written, found in read.items() if len(found) >= enough)
    outliers = _without(texts, [text for written in fitting for text in read[written]])
    months_in = "" if language == "en" else language
    return Moments(fitting, naive="%z" not in fitting[0], months=months_in, outliers=outliers)


def _is_iso(text: str) -> bool:
    try:
        moment(text, zone("UTC"))
    except InvalidMoment:
        return False
    return True


def _read(written: str, named: Mapping[str, int], texts: Sequence[str]) -> list[str]:
    """Return the texts that a format reads; empty if it reads none of the first few."""
    pattern = compile_format(written, named)
    if all(pattern.read(each.strip()) is None for each in texts[:_FIRST_FEW]):
        return []
    return [each for each in texts if pattern.read(each.strip()) is not None]


def _without(texts: Iterable[str], read: Iterable[str]) -> tuple[str, ...]:
    known = set(read)
    return tuple(each for each in texts if each not in known)


def _likely(part: Part, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns whose names and values fit, the most likely first. A key that is not unique, or a
    column with a single value, is used only if there is nothing better. If no column name fits a key or a
    name, columns are chosen by their values."""
    ranked = [
        (rank, number, column)
        for number, column in enumerate(columns)
        if _could_be(part, column) and (rank := _rank(part, column.name)) is not None
    ]
    found = [column for _, _, column in sorted(ranked, key=lambda each: each[:2])]
    better = [each for each in found if (each.is_unique if part is Part.KEY else len(each.values) > 1)]
    return tuple(better or found or [each for each in columns if _has_fitting_values(part, each)])


def has_matching_name(part: Part, column: Column) -> bool:
    """Whether the name of a column suggests the part, and not its values alone."""
    return _rank(part, column.name) is not None


def _could_be(part: Part, column: Column) -> bool:
    if column.moments is not None:
        return part in (Part.BEGINNING, Part.END)
    match part:
        case Part.KEY:
            return column.share == 1 and (column.is_unique or len(column.values) > 1)
        case Part.SEVERITY | Part.STATUS | Part.TYPE:
            return 0 < len(column.values) <= MAX_VALUES
        case Part.BEGINNING | Part.END:
            return False
        case _:
            return column.share > 0


def _has_fitting_values(part: Part, column: Column) -> bool:
    """Whether the values alone could be keys (unique, short, single words) or names (often filled, mostly
    several words on one line)."""
    if column.moments is not None or len(column.values) < 2:
        return False
    several_words = sum(" " in each.strip() for each in column.values) / max(1, len(column.values))
    match part:
        case Part.KEY:
            return (
                column.is_unique
                and several_words == 0
                and all(len(each) <= _LONGEST_KEY for each in column.values)
            )
        case Part.NAME:
            is_short = not any("\n" in each for each in column.values)
            return column.share > _OFTEN and several_words > 1 - _OFTEN and is_short
        case _:
            return False


def _rank(part: Part, name: str) -> tuple[bool, int, int] | None:
    """Return the rank of a column's name, the lowest being best; None if it does not match. An exact match
    ranks before a name with several words, and before a more deeply nested one."""
    steps = [each for each in name.removesuffix("[]").split(".") if each and each not in _WRAPPERS] or [name]
    if len(steps) > 1 and steps[-1].casefold() in _LEAVES:
        del steps[-1]
    whole, *words = _parts(steps[-1])
    for place, word in enumerate(_WORDS[part]):
        if word == whole or word in words:
            return (word != whole, len(steps), place)
    return None


def _parts(step: str) -> Iterator[str]:
    """Yield the whole name, then each word of it: `Issue key`, `createdAt`, `short_description`."""
    yield re.sub(r"[\W_]+", "_", step).strip("_").casefold()
    for word in re.findall(r"[A-ZÄÖÜ]?[a-zäöüß]+|[A-ZÄÖÜ]+|\d+", step):
        yield word.casefold()
