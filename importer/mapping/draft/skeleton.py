"""Findings about a source -> the text of a mapping to begin with, and what a person has to decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from importer.account.catalogue import Found, Index, find_custom_field
from importer.formats.yaml_writer import MODELINE, scalar
from importer.mapping.draft.inspection import MAX_VALUES, Column, Findings, Moments, Part, is_called_so
from importer.mapping.draft.vocabulary import Vocabulary, block, one_line
from importer.model import Catalogue, Entity, Kind, Reference

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MISSING = "NO COLUMN FOUND"
_OF_JIRA = re.compile(r"Custom field \((.+)\)")
_SELECTS = ("single_select", "multi_select")
_DEFAULTS = {Kind.INCIDENT_TYPE: "default type", Kind.STATUS: "closed status"}
_MOMENTS = {Part.BEGINNING: "Reported at", Part.END: "Resolved at"}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of the source beside its columns. `encoding` is given where the file does not say it
    itself, `records` is the path to them where one was found, and `catalogue` has the account's names where
    an account is at hand."""

    name: str
    format: str
    encoding: str | None
    records: str | None
    is_table: bool
    catalogue: Catalogue | None

    @property
    def origin_word(self) -> str:
        """Return how a rule calls where its values are."""
        return "column" if self.is_table else "path"

    @property
    def index(self) -> Index | None:
        return None if self.catalogue is None else Index(self.catalogue)


def custom_field_name(column: str) -> str:
    """Return what a column would be called as a custom field: Jira writes `Custom field (Team)`, and a name
    with dots tells a path."""
    match = _OF_JIRA.fullmatch(column)
    return match[1] if match else column.removesuffix("[]").rpartition(".")[2]


def skeleton(findings: Findings, source: SourceInfo) -> str:
    """Return the mapping. What is not certain stands in it as a comment."""
    head = [f"{MODELINE}.mapping.schema.json", f"# How {source.name} becomes incidents.", "version: 1"]
    head.append(f"format: {source.format}")
    if source.encoding is not None:
        head.append(f"encoding: {source.encoding}")
    if source.records is not None:
        head.append(f"records: {scalar(source.records)}")
    return "\n".join(
        [
            *head,
            *_shared(findings),
            *_zone(findings),
            "fields:",
            *_fields(findings, source),
            *_rest(findings),
            "",
        ]
    )


def open_questions(findings: Findings) -> Iterator[str]:
    """Yield what the source leaves open, a sentence each."""
    for part in (Part.KEY, Part.NAME, Part.SEVERITY, Part.BEGINNING):
        yield from _open_choice(part, findings)
    for column in _used(findings):
        yield from _open_moments(column, column.moments or Moments())
    for column in findings.candidates[Part.KEY][:1]:
        if not column.is_unique:
            yield f"several records have one `{column.name}`: say with `keep` which of them counts"


def _open_choice(part: Part, findings: Findings) -> Iterator[str]:
    summary = _summary(findings) if part is Part.NAME else []
    several = [each for each in findings.candidates[part] if each not in summary]
    if not several:
        other = ", or put one together with `template`" if part in (Part.KEY, Part.NAME) else ""
        yield f"no column looks like the {part}: name one in the mapping{other}"
    elif not is_called_so(part, several[0]):
        yield f"`{several[0].name}` was taken for the {part} for its values alone: check it"
    elif len(several) > 1:
        yield f"the {part} could be {', '.join(each.name for each in several)}: the first was taken"


def _open_moments(column: Column, moments: Moments) -> Iterator[str]:
    if len(moments.formats) > 1:
        yield f"`{column.name}` fits {' and '.join(moments.formats)}: keep the one that is meant"
    if moments.naive:
        yield f"`{column.name}` has no UTC offset: name the `timezone`"
    if moments.outliers:
        count, first = len(moments.outliers), one_line(moments.outliers[0][:40])
        yield (
            f"`{column.name}` has other forms too ({count} seen, such as `{first}`): say them in"
            " `datetime_formats`, or in `blank` what says nothing"
        )


def _used(findings: Findings) -> Iterator[Column]:
    for part in _MOMENTS:
        yield from findings.candidates[part][:1]


def _zone(findings: Findings) -> Iterator[str]:
    if any(each.moments is not None and each.moments.naive for each in _used(findings)):
        yield "# timezone: Europe/London            # the zone of times without an offset: name it"


def _shared(findings: Findings) -> Iterator[str]:
    if any(not each.is_unique for each in findings.candidates[Part.KEY][:1]):
        yield "# keep: last                        # several records have one key: last, first or merge"
    for language in dict.fromkeys(each.moments.months for each in _used(findings) if each.moments):
        if language:
            yield f"months: {language}"


def _fields(findings: Findings, source: SourceInfo) -> Iterator[str]:
    for part in (Part.KEY, Part.NAME):
        first = next(iter(findings.candidates[part]), None)
        yield f"  {part}: {scalar(_MISSING if first is None else _origin(first, source))}"
    for column in _summary(findings):
        yield f"  summary: {scalar(_origin(column, source))}"
    for column in findings.candidates[Part.SEVERITY][:1]:
        yield from _severity(column, source)
    for part, label in _MOMENTS.items():
        for column in findings.candidates[part][:1]:
            yield from _moment(label, column, source)
    yield from _custom_fields(findings, source)
    for part, field in ((Part.TYPE, Kind.INCIDENT_TYPE), (Part.STATUS, Kind.STATUS)):
        for column in findings.candidates[part][:1]:
            yield from _left_out(field, column, source)


def _summary(findings: Findings) -> list[Column]:
    """Return the column for the summary, if one is left."""
    name = findings.candidates[Part.NAME][:1]
    return [each for each in findings.candidates[Part.SUMMARY] if each not in name][:1]


def _severity(column: Column, source: SourceInfo) -> Iterator[str]:
    yield "  severity:"
    yield f"    {source.origin_word}: {scalar(_origin(column, source))}"
    if source.catalogue is not None:
        names = ", ".join(each.name for each in source.catalogue.severities)
        yield f"    # The account's severities: {one_line(names)}"
    lines = Vocabulary(source.index, Kind.SEVERITY).lines(column.values)
    yield from (f"    {each}" for each in block(lines))


def _left_out(field: Kind, column: Column, source: SourceInfo) -> Iterator[str]:
    """Yield a rule as a comment: one that is right has a line for each value."""
    yield f"  # Left out, so that the account's own {_DEFAULTS[field]} is taken:"
    yield f"  # {field}:"
    yield f"  #   {source.origin_word}: {scalar(_origin(column, source))}"
    yield "  #   values:"
    for line in Vocabulary(source.index, field).lines(column.values):
        yield f"  #     {line.removeprefix('# ')}"


def _custom_fields(findings: Findings, source: SourceInfo) -> Iterator[str]:
    """Yield a rule for each column that is called like a custom field of the account."""
    if source.index is None:
        return
    used = {each.name for part in Part for each in findings.candidates[part][:1]}
    for column in findings.columns:
        if column.name in used or not column.values:
            continue
        answer = source.index.find(Reference(Kind.CUSTOM_FIELD, custom_field_name(column.name)))
        if isinstance(answer, Found):
            yield from _custom_field(answer.entity, column, source)


def _custom_field(field: Entity, column: Column, source: SourceInfo) -> Iterator[str]:
    known = find_custom_field(source.index.catalogue, field.id) if source.index else None
    kind = known.type if known else ""
    values, packed = column.values, kind == "multi_select" and any(";" in each for each in column.values)
    if packed:
        values = Counter(part.strip() for each in values for part in each.split(";") if part.strip())
    options = Vocabulary(source.index, Kind.OPTION, field)
    asks = kind in _SELECTS and len(values) <= MAX_VALUES and any(options.unknown(values))
    name, origin = scalar(f"custom_fields.{field.name}"), scalar(_origin(column, source))
    if not (packed or asks):
        yield f"  {name}: {origin}"
        return
    yield f"  {name}:"
    yield f"    {source.origin_word}: {origin}"
    if packed:
        yield '    split: ";"'
    if asks:
        yield from (f"    {each}" for each in block(options.lines(values)))


def _moment(label: str, column: Column, source: SourceInfo) -> Iterator[str]:
    written, moments = scalar(_origin(column, source)), column.moments
    if moments is None or (not moments.formats and moments.unit is None):
        yield f"  timestamps.{label}: {written}"
        return
    yield f"  timestamps.{label}:"
    yield f"    {source.origin_word}: {written}"
    if moments.unit is not None:
        yield f"    unit: {moments.unit}"
    # Day or month first is never guessed: until somebody decides, a date of that column is an error.
    undecided = "# either " if len(moments.formats) > 1 else ""
    for each in moments.formats:
        yield f"    {undecided}datetime_formats: [{scalar(each)}]"


def _rest(findings: Findings) -> Iterator[str]:
    yield "# All columns, and how many records fill each:"
    for column in findings.columns:
        samples = "; ".join(value[:30] for value in list(column.values)[:3])
        yield f"#   {one_line(column.name)}  {column.share:.0%}  {one_line(samples)}"


def _origin(column: Column, source: SourceInfo) -> str:
    """Return a column, or the JMESPath to a value that a name with dots tells."""
    if source.is_table:
        return column.name
    steps = column.name.removesuffix("[]").split(".")
    return ".".join(each if _IDENTIFIER.fullmatch(each) else f'"{each}"' for each in steps)
