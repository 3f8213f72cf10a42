"""A file -> its records, in the format that the mapping or the file's name determines; or their profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from importer.formats import csv_file, json_file, markdown_file, text_file, xlsx_file
from importer.formats.paths import InvalidPath
from importer.formats.record import Contents, Record
from importer.formats.tree import Malformed
from importer.mapping.model import Format, Mapping, Template
from importer.model import Diagnostic, Location, Severity
from importer.model.diagnostics import Diagnostics
from importer.model.settings import MAPPED_SUFFIXES, SourceFile

_FALLBACK = "windows-1252"
_MOST_RECORDS, _MOST_VALUES = 100_000, 200
"""Limits of a profile: the records that are read, and the distinct values per column that are counted."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """The contents of a source. `columns` has the names in order (of appearance for objects, with dots for
    nested ones), `distinct` the counts of the first distinct values of each, `filled` how often each has a
    value in the `records` that were read."""

    format: Format
    detected: dict[str, str]
    filled: dict[str, int]
    distinct: dict[str, Counter[str]]
    records: int
    diagnostics: Diagnostics = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.distinct)


def format_of(path: Path, mapping: Mapping) -> Format | None:
    """Return the format of a file: from the mapping, or else from its name; None if neither determines it."""
    if mapping.format is not None:
        return mapping.format
    suffix = path.suffix.lower()
    return Format(MAPPED_SUFFIXES[suffix]) if suffix in MAPPED_SUFFIXES else None


def records(found: SourceFile, mapping: Mapping, diagnostics: Diagnostics) -> Contents | None:
    """Open a file and return its records, or None after reporting why it cannot be read.

    A detected encoding or delimiter is reported.
    """
    try:
        contents = _contents(found, mapping, diagnostics)
    except Malformed as problem:
        diagnostics.report(problem, Location(found.shown, problem.line))
    except OSError as error:
        place = Location(found.shown, 1)
        diagnostics.error("unreadable", "a file cannot be read", place, detail=f"{error.strerror}")
    except InvalidPath as problem:
        place = mapping.place("records")
        diagnostics.error("bad-path", "`records` cannot be used", place, detail=problem.detail)
    else:
        if contents is not None:
            _report_detected(found, contents, mapping, diagnostics)
        return contents
    return None


def no_records(shown: str) -> Diagnostic:
    """Return the error for a readable file without records."""
    return Diagnostic(
        Severity.ERROR,
        "no-records",
        "a file has no records",
        hint="it is a table with only a header, or an empty list: export it again",
        locations=(Location(shown, 1),),
    )


def expected_columns(mapping: Mapping) -> frozenset[str]:
    """Return the columns that a mapping reads, except those that only templates read."""
    rules = (rule for rule in mapping.rules() if not isinstance(rule.origin, Template))
    return frozenset(each for rule in rules for each in rule.sources)


def mentioned_words(mapping: Mapping) -> frozenset[str]:
    """Return every word in the sources of the rules, which include all names that the mapping reads."""
    texts = (text for rule in mapping.rules() for text in rule.sources)
    return frozenset(word for text in texts for word in _WORD.findall(text))


def profile_file(path: Path, *, shown: str, mapping: Mapping | None = None) -> SourceProfile:
    """Read the first records of a source and return their profile."""
    diagnostics = Diagnostics()
    chosen = mapping or Mapping(shown=shown, encoding=_FALLBACK)
    found = SourceFile(path, shown, named=True)
    kind = format_of(path, chosen) or Format.CSV
    contents = records(found, chosen, diagnostics)
    table = contents.table if contents else None
    distinct: dict[str, Counter[str]] = {name: Counter() for name in (table.columns if table else ())}
    filled: Counter[str] = Counter()
    count = 0
    for record in _first_records(contents):
        count += 1
        for name, value in _flat(record.values, "" if table is None else None):
            known = distinct.setdefault(name, Counter())
            filled[name] += 1
            if value in known or len(known) < _MOST_VALUES:
                known[value] += 1
    detected = dict(contents.detected) if contents else {}
    return SourceProfile(kind, detected, dict(filled), distinct, count, diagnostics)


def _contents(found: SourceFile, mapping: Mapping, diagnostics: Diagnostics) -> Contents | None:
    kind = format_of(found.path, mapping)
    if kind is None:
        raise Malformed(
            "not-supported",
            f"files of type `{found.path.suffix}` need a `format` in the mapping",
            1,
            hint=f"the formats are {', '.join(Format)}",
        )
    if kind is Format.XLSX:
        return xlsx_file.read(found.path, sheet=mapping.sheet, header_row=mapping.header_row)
    text = text_file.detect(found.path, mapping.encoding)
    match kind:
        case Format.JSON:
            known = mentioned_words(mapping)
            return json_file.read_records(text, found.shown, records=mapping.records, known=known)
        case Format.JSONL:
            return json_file.read_record_lines(text, found.shown, known=mentioned_words(mapping))
        case Format.MARKDOWN:
            return markdown_file.read_record(text, found.shown, diagnostics)
        case Format.CSV | Format.TSV:
            return csv_file.read(
                text,
                found.shown,
                delimiter="\t" if kind is Format.TSV and mapping.delimiter is None else mapping.delimiter,
                header_row=mapping.header_row,
                expected=expected_columns(mapping),
            )


def _report_detected(
    found: SourceFile, contents: Contents, mapping: Mapping, diagnostics: Diagnostics
) -> None:
    encoding = contents.detected.get("encoding", "utf-8")
    if encoding != "utf-8":
        diagnostics.warning("encoding", f"the file was read as {encoding}", Location(found.shown, 1))
    delimiter = contents.detected.get("delimiter", "a comma")
    if delimiter != "a comma" and mapping.delimiter is None and mapping.format is not Format.TSV:
        diagnostics.warning(
            "delimiter", f"the cells are separated by {delimiter}, not by a comma", Location(found.shown, 1)
        )


def _first_records(contents: Contents | None) -> Iterator[Record]:
    found = islice(contents.records if contents else (), _MOST_RECORDS)
    return (each for each in found if isinstance(each, Record))


def _flat(values: Any, prefix: str | None) -> Iterator[tuple[str, str]]:
    """Yield the names and values that are not blank; names of nested objects have dots."""
    for name, value in values.items():
        label = f"{prefix}{name}" if prefix is not None else name
        match value:
            case dict() if prefix is not None:
                yield from _flat(value, f"{label}.")
            case list():
                for each in value:
                    if isinstance(each, str) and each.strip():
                        yield (label, each) if prefix is None else (f"{label}[]", each)
                if value and isinstance(value[0], dict):
                    yield f"{label}[]", f"{len(value)} objects with {', '.join(value[0])}"
            case None:
                pass
            case _:
                if str(value).strip():
                    yield label, str(value)
