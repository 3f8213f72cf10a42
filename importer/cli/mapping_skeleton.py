"""Findings about a source -> the text of a mapping to begin with, and what a person has to decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from importer.catalogue import Found, Index, Missing
from importer.inspection import Column, Findings, Part
from importer.model import Catalogue, Kind, Reference
from importer.yaml_writer import MODELINE, scalar

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MISSING = "NO COLUMN FOUND"
_MOMENTS = {Part.BEGINNING: "Reported at", Part.END: "Resolved at"}


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of the source beside its columns. `encoding` is told where the file itself does not say
    it, `records` is the path to them where one was found, and `catalogue` has the account's names where an
    account is at hand."""

    name: str
    format: str
    encoding: str | None
    records: str | None
    is_table: bool
    catalogue: Catalogue | None


def skeleton(findings: Findings, source: Source) -> str:
    """Return the mapping. What is not certain stands in it as a comment."""
    head = [f"{MODELINE}.mapping.schema.json", f"# How {source.name} becomes incidents.", "version: 1"]
    head.append(f"format: {source.format}")
    if source.encoding is not None:
        head.append(f"encoding: {source.encoding}")
    if source.records is not None:
        head.append(f"records: {scalar(source.records)}")
    return "\n".join([*head, *_zone(findings), "fields:", *_fields(findings, source), *_rest(findings), ""])


def open_questions(findings: Findings) -> Iterator[str]:
    """Yield what the source leaves open, a sentence each."""
    for part in (Part.KEY, Part.NAME, Part.SEVERITY, Part.BEGINNING):
        several = [each.name for each in findings.candidates[part]]
        if not several:
            yield f"no column looks like the {part}: name one in the mapping"
        elif len(several) > 1:
            yield f"the {part} could be {', '.join(several)}: the first was taken"
    for column in _used(findings):
        if column.moments is not None and len(column.moments.formats) > 1:
            yield f"`{column.name}` fits {' and '.join(column.moments.formats)}: keep the one that is meant"
        if column.moments is not None and column.moments.naive:
            yield f"`{column.name}` has no UTC offset: name the `timezone`"


def _used(findings: Findings) -> Iterator[Column]:
    for part in _MOMENTS:
        yield from findings.candidates[part][:1]


def _zone(findings: Findings) -> Iterator[str]:
    if any(each.moments is not None and each.moments.naive for each in _used(findings)):
        yield "# timezone: Europe/London            # the zone of times without an offset: name it"


def _fields(findings: Findings, source: Source) -> Iterator[str]:
    for part in (Part.KEY, Part.NAME):
        first = next(iter(findings.candidates[part]), None)
        yield f"  {part}: {scalar(_MISSING if first is None else _origin(first, source))}"
    name = next(iter(findings.candidates[Part.NAME]), None)
    for column in [each for each in findings.candidates[Part.SUMMARY] if each != name][:1]:
        yield f"  summary: {scalar(_origin(column, source))}"
    for column in findings.candidates[Part.SEVERITY][:1]:
        yield from _severity(column, source)
    for part, label in _MOMENTS.items():
        for column in findings.candidates[part][:1]:
            yield from _moment(label, column, source)
    for column in findings.candidates[Part.STATUS][:1]:
        yield f"  # {_one_line(column.name)} is left out: the account's closed status is taken. Its values:"
        yield from (f"  #   {_one_line(value)}  ({count})" for value, count in column.values.items())


def _severity(column: Column, source: Source) -> Iterator[str]:
    yield "  severity:"
    yield f"    {'column' if source.is_table else 'path'}: {scalar(_origin(column, source))}"
    if source.catalogue is not None:
        names = ", ".join(each.name for each in source.catalogue.severities)
        yield f"    # The account's severities: {_one_line(names)}"
    lines = [_value(value, count, source.catalogue) for value, count in column.values.items()]
    yield "    values:" if any(not each.startswith("#") for each in lines) else "    # values:"
    yield from (f"      {each}" for each in lines)


def _value(value: str, count: int, catalogue: Catalogue | None) -> str:
    """Return what a value becomes: the account's name where it is the same, else a question."""
    asked = f"# {scalar(value)}:   # {count}"
    if catalogue is None:
        return asked
    match Index(catalogue).find(Reference(Kind.SEVERITY, value)):
        case Found(entity=entity):
            return f"{scalar(value)}: {scalar(entity.name)}   # {count}"
        case Missing(nearest=(nearest, *_)):
            return f"{asked}; did you mean {_one_line(nearest)}?"
        case _:
            return asked


def _moment(label: str, column: Column, source: Source) -> Iterator[str]:
    written, moments = scalar(_origin(column, source)), column.moments
    if moments is None or (not moments.formats and moments.unit is None):
        yield f"  timestamps.{label}: {written}"
        return
    yield f"  timestamps.{label}:"
    yield f"    {'column' if source.is_table else 'path'}: {written}"
    if moments.unit is not None:
        yield f"    unit: {moments.unit}"
    # Day or month first is never guessed: until somebody decides, a date of that column is an error.
    undecided = "# either " if len(moments.formats) > 1 else ""
    for each in moments.formats:
        yield f"    {undecided}datetime_formats: [{scalar(each)}]"


def _rest(findings: Findings) -> Iterator[str]:
    yield "# All columns, and the share of records that have them:"
    for column in findings.columns:
        samples = "; ".join(value[:30] for value in list(column.values)[:3])
        yield f"#   {_one_line(column.name)}  {column.share:.0%}  {_one_line(samples)}"


def _one_line(text: str) -> str:
    """Return a text for a comment, which must not end early and has only printable characters."""
    return "".join(each if each.isprintable() else " " for each in text)


def _origin(column: Column, source: Source) -> str:
    """Return a column, or the JMESPath to a value that a name with dots tells."""
    if source.is_table:
        return column.name
    steps = column.name.split(".")
    return ".".join(each if _IDENTIFIER.fullmatch(each) else f'"{each}"' for each in steps)
