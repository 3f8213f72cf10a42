"""Findings about a source -> the text of a draft mapping, and the questions that it leaves open."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from importer.account.catalogue import Found, Index, find_custom_field
from importer.formats.yaml_writer import MODELINE, scalar
from importer.mapping.draft.inspection import MAX_VALUES, Column, Findings, Moments, Part, has_matching_name
from importer.mapping.draft.vocabulary import Vocabulary, block, one_line
from importer.model import Catalogue, Entity, Kind, Reference
from importer.model.wording import numbered

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MISSING = "NO COLUMN FOUND"
_OF_JIRA = re.compile(r"Custom field \((.+)\)")
_SELECTS = ("single_select", "multi_select")
_DEFAULTS = {Kind.INCIDENT_TYPE: "default type", Kind.STATUS: "closed status"}
_MOMENTS = {Part.BEGINNING: "Reported at", Part.END: "Resolved at"}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Facts about the source besides its columns. `encoding` is set if the file does not determine it,
    `records` is the path to the records if one was found, and `catalogue` has the names of the account if one
    is connected."""

    name: str
    format: str
    encoding: str | None
    records: str | None
    is_table: bool
    catalogue: Catalogue | None

    @property
    def origin_key(self) -> str:
        """Return the key of a rule for its source."""
        return "column" if self.is_table else "path"

    @property
    def index(self) -> Index | None:
        return None if self.catalogue is None else Index(self.catalogue)


def custom_field_name(column: str) -> str:
    """Return the name of a column as a custom field: `Team` for Jira's `Custom field (Team)`, and the last
    step of a path."""
    match = _OF_JIRA.fullmatch(column)
    return match[1] if match else column.removesuffix("[]").rpartition(".")[2]


def skeleton(findings: Findings, source: SourceInfo) -> str:
    """Return the mapping. Whatever is uncertain is written as a comment."""
    head = [f"{MODELINE}.mapping.schema.json", f"# Maps {source.name} to incidents.", "version: 1"]
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
    """Yield the open questions, one sentence each."""
    for part in (Part.KEY, Part.NAME, Part.SEVERITY, Part.BEGINNING):
        yield from _open_choice(part, findings)
    for column in _used(findings):
        yield from _open_moments(column, column.moments or Moments())
    for column in findings.candidates[Part.KEY][:1]:
        if not column.is_unique:
            yield f"several records have the same `{column.name}`: set `keep` to choose which one counts"


def _open_choice(part: Part, findings: Findings) -> Iterator[str]:
    summary = _summary(findings) if part is Part.NAME else []
    several = [each for each in findings.candidates[part] if each not in summary]
    if not several:
        other = ", or build one with `template`" if part in (Part.KEY, Part.NAME) else ""
        yield f"no column looks like the {part}: name one in the mapping{other}"
    elif not has_matching_name(part, several[0]):
        yield f"`{several[0].name}` was chosen as the {part} by its values alone: check it"
    elif len(several) > 1:
        yield f"the {part} could be {' or '.join(f'`{each.name}`' for each in several)}: the first was chosen"


def _open_moments(column: Column, moments: Moments) -> Iterator[str]:
    if len(moments.formats) > 1:
        yield f"`{column.name}` fits {' and '.join(moments.formats)}: keep the right one"
    if moments.naive:
        yield f"`{column.name}` has no UTC offset: set `timezone`"
    if moments.outliers:
        count, first = len(moments.outliers), one_line(moments.outliers[0][:40])
        yield (
            f"`{column.name}` has {numbered(count, 'value')} in other formats, such as `{first}`: add the"
            " formats to `datetime_formats`, or the values to `blank`"
        )


def _used(findings: Findings) -> Iterator[Column]:
    for part in _MOMENTS:
        yield from findings.candidates[part][:1]


def _zone(findings: Findings) -> Iterator[str]:
    if any(each.moments is not None and each.moments.naive for each in _used(findings)):
        yield "# timezone: Europe/London            # set the time zone of times without an offset"


def _shared(findings: Findings) -> Iterator[str]:
    if any(not each.is_unique for each in findings.candidates[Part.KEY][:1]):
        yield "# keep: last                        # several records have the same key: last, first or merge"
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
    """Return the column for the summary that is not the name, if any."""
    name = findings.candidates[Part.NAME][:1]
    return [each for each in findings.candidates[Part.SUMMARY] if each not in name][:1]


def _severity(column: Column, source: SourceInfo) -> Iterator[str]:
    yield "  severity:"
    yield f"    {source.origin_key}: {scalar(_origin(column, source))}"
    if source.catalogue is not None:
        names = ", ".join(each.name for each in source.catalogue.severities)
        yield f"    # The account's severities: {one_line(names)}"
    lines = Vocabulary(source.index, Kind.SEVERITY).lines(column.values)
    yield from (f"    {each}" for each in block(lines))


def _left_out(field: Kind, column: Column, source: SourceInfo) -> Iterator[str]:
    """Yield a rule as a comment, with a line for each value."""
    yield f"  # Left out, so that the account's {_DEFAULTS[field]} is used:"
    yield f"  # {field}:"
    yield f"  #   {source.origin_key}: {scalar(_origin(column, source))}"
    yield "  #   values:"
    for line in Vocabulary(source.index, field).lines(column.values):
        yield f"  #     {line.removeprefix('# ')}"


def _custom_fields(findings: Findings, source: SourceInfo) -> Iterator[str]:
    """Yield a rule for each column with the name of a custom field of the account."""
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
    yield f"    {source.origin_key}: {origin}"
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
    yield f"    {source.origin_key}: {written}"
    if moments.unit is not None:
        yield f"    unit: {moments.unit}"
    # Day-first or month-first is never guessed: until the user decides, dates in that column are errors.
    undecided = "# either " if len(moments.formats) > 1 else ""
    for each in moments.formats:
        yield f"    {undecided}datetime_formats: [{scalar(each)}]"


def _rest(findings: Findings) -> Iterator[str]:
    yield "# All columns, and how many records fill each:"
    for column in findings.columns:
        samples = "; ".join(value[:30] for value in list(column.values)[:3])
        yield f"#   {one_line(column.name)}  {column.share:.0%}  {one_line(samples)}"


def _origin(column: Column, source: SourceInfo) -> str:
    """Return the column, or the JMESPath of a name with dots."""
    if source.is_table:
        return column.name
    steps = column.name.removesuffix("[]").split(".")
    return ".".join(each if _IDENTIFIER.fullmatch(each) else f'"{each}"' for each in steps)
