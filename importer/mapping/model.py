"""What a mapping file says, as values: where the raw values of a record are, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Table
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from importer.model import Location
from importer.model.diagnostics import Problem


class InvalidRule(Problem):
    """A rule of a mapping cannot be used at all."""


class InvalidValue(Problem):
    """A value cannot be what its field needs."""


@contextmanager
def rule_at(place: Location) -> Iterator[None]:
    """Make a problem with a text that begins at `place` an InvalidRule with the line that it is in."""
    try:
        yield
    except Problem as problem:
        at = problem.at or Location(place.path, place.line + problem.line - 1)
        raise InvalidRule(
            problem.code, problem.summary, detail=problem.detail, hint=problem.hint, at=at
        ) from None


class Format(StrEnum):
    """The kinds of files that a mapping reads."""

    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


TABLES = frozenset({Format.CSV, Format.TSV, Format.XLSX})
"""Formats whose records are rows under a header: a bare word in a mapping is a column there, else a path."""


class Keep(StrEnum):
    """What becomes of several records of one key."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"
    MERGE = "merge"


class Fold(StrEnum):
    """Which instant a local time means that a change of the clocks makes two, or none."""

    EARLIER = "earlier"
    LATER = "later"


class Markup(StrEnum):
    """The markup of a text that becomes Markdown."""

    JIRA = "jira"
    HTML = "html"
    ADF = "adf"


class Unit(StrEnum):
    """What a moment that is a number counts since 1970."""

    SECONDS = "s"
    MILLISECONDS = "ms"


@dataclass(frozen=True, slots=True)
class Bare:
    """A word whose meaning is the format's: a column of a table, a JMESPath elsewhere."""

    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns, or keys of an object. Of `any_of` the first that says something counts; else all do."""

    names: tuple[str, ...]
    any_of: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath."""

    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A Jinja2 template."""

    text: str


Origin = Bare | Columns | Expression | Template


@dataclass(frozen=True, slots=True)
class Named:
    """A value that stands for a thing by another word than its name: `{id: 01...}`, `{email: ...}`."""

    by: str
    name: str


Target = str | Named | None
"""What a value becomes; None leaves it out."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A template that says which records count, and where it stands."""

    text: str
    place: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one field gets its value. What is None was not said; a base's rule then fills it."""

    place: Location
    origin: Origin | None = None
    join: str | None = None
    split: str | None = None
    values: Table[str, Target] | None = None
    default: Target = None
    timezone: str | None = None
    datetime_formats: tuple[str, ...] | None = None
    fold: Fold | None = None
    unit: Unit | None = None
    markup: Markup | None = None
    by: str | None = None
    blank: tuple[str, ...] | None = None
    required: bool | None = None
    optional: bool | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the columns, or the text of the path or template, that the values come from."""
        match self.origin:
            case None:
                return ()
            case Columns(names=names):
                return names
            case origin:
                return (origin.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """How a field that is a list gets one item for each value that `each` finds; for the record itself
    without `each`. A text found is cut at `split` into parts that are called as `into` says."""

    place: Location
    fields: Table[str, Rule]
    each: Bare | Expression | None = None
    split: str | None = None
    into: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping file with what it extends. `shown` is its name in messages; `files` are all that were read
    for it. `places` has where each key of the file itself stands. Records count for which every condition of
    `where` holds."""

    shown: str
    files: tuple[Path, ...] = ()
    places: Table[str, Location] = field(default_factory=dict)
    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    timezone: str | None = None
    datetime_formats: tuple[str, ...] = ()
    fold: Fold | None = None
    months: Table[str, int] = field(default_factory=dict)
    records: str | None = None
    keep: Keep | None = None
    where: tuple[Condition, ...] = ()
    blank: tuple[str, ...] = ()
    fields: Table[str, Rule | Items] = field(default_factory=dict)

    def rules(self) -> Iterator[Rule]:
        """Yield the rules of all fields, those of items included."""
        for rule in self.fields.values():
            yield from rule.fields.values() if isinstance(rule, Items) else (rule,)

    def place(self, key: str) -> Location:
        """Return where a key of the mapping stands; the file's first line where nothing says it."""
        return self.places.get(key, Location(self.shown, 1))
