"""A mapping file as values: where the raw values of a record are, and how they become fields."""

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
    """A rule of a mapping is invalid for every record."""


class InvalidValue(Problem):
    """A value is invalid for its field."""


@contextmanager
def rule_at(place: Location) -> Iterator[None]:
    """Turn a problem in a text that begins at `place` into an InvalidRule with its line in the file."""
    try:
        yield
    except Problem as problem:
        at = problem.at or Location(place.path, place.line + problem.line - 1)
        raise InvalidRule(
            problem.code, problem.summary, detail=problem.detail, hint=problem.hint, at=at
        ) from None


class Format(StrEnum):
    """The file formats that a mapping reads."""

    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


TABLES = frozenset({Format.CSV, Format.TSV, Format.XLSX})
"""Formats whose records are rows under a header, so that a plain rule names a column rather than a path."""


class Keep(StrEnum):
    """What happens to several records with the same key."""

    ERROR = "error"
    FIRST = "first"
    LAST = "last"
    MERGE = "merge"


class Fold(StrEnum):
    """The instant of a local time that is ambiguous or nonexistent because the clocks changed."""

    EARLIER = "earlier"
    LATER = "later"


class Markup(StrEnum):
    """The markup of a text that becomes Markdown."""

    JIRA = "jira"
    HTML = "html"
    ADF = "adf"


class Unit(StrEnum):
    """The unit of a time that is a number since 1970."""

    SECONDS = "s"
    MILLISECONDS = "ms"


@dataclass(frozen=True, slots=True)
class Bare:
    """A plain text, whose meaning depends on the format: a column of a table, otherwise a JMESPath."""

    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns, or keys of an object: with `any_of` the first that is not blank, otherwise all."""

    names: tuple[str, ...]
    any_of: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression."""

    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A Jinja2 template."""

    text: str


Origin = Bare | Columns | Expression | Template


@dataclass(frozen=True, slots=True)
class Named:
    """A value that identifies an entity by something other than its name: `{id: 01...}`, `{email: ...}`."""

    by: str
    name: str


Target = str | Named | None
"""The replacement of a value; None leaves it out."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A template that selects records, and its place."""

    text: str
    place: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one field gets its value. None means not set, and is inherited from the rule of the base."""

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
    """How a list field gets an item for each value that `each` selects, or one for the record without `each`.
    A text is split at `split` into parts that are named by `into`."""

    place: Location
    fields: Table[str, Rule]
    each: Bare | Expression | None = None
    split: str | None = None
    into: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping file merged with what it extends. `shown` is its name in messages, `files` are all files that
    were read for it, and `places` has the place of each key. `where` selects the records that meet every
    condition."""

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
        """Yield the rules of all fields, including the rules of items."""
        for rule in self.fields.values():
            yield from rule.fields.values() if isinstance(rule, Items) else (rule,)

    def place(self, key: str) -> Location:
        """Return the place of a key of the mapping, or the file's first line if it is not set."""
        return self.places.get(key, Location(self.shown, 1))
