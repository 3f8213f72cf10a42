"""The files of a source and its mapping -> candidate incidents, and the records that are rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from importer.formats.record import Contents, InvalidRecord, Record, TableHeader
from importer.formats.tree import Block, Malformed, Series
from importer.mapping.model import InvalidRule, InvalidValue, Keep, Mapping
from importer.mapping.program import Program, compile_mapping
from importer.mapping.records import no_records, records
from importer.mapping.rejects import Reject, as_csv, reject
from importer.model import Diagnostic, Location, Severity
from importer.model.diagnostics import Diagnostics
from importer.model.settings import SourceFile


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """A block as in an incident file, with the record that it comes from."""

    block: Block
    found: SourceFile
    record: Record
    table: TableHeader | None

    def rejected(self, problems: Sequence[Diagnostic]) -> Reject:
        """Return the record as a reject, with these problems as the reason."""
        place = Location(self.found.shown, self.record.line)
        return reject(self.record, self.table, place, problems)


@dataclass(slots=True)
class RecordCounts:
    """How many records of a source were read, excluded by `where`, and merged into or dropped for another of
    the same key; and the rejects. A table of these must have `delimiter` and `header_row` to be read with the
    same mapping."""

    read: int = 0
    filtered: int = 0
    merged: int = 0
    dropped: int = 0
    rejects: list[Reject] = field(default_factory=list)
    delimiter: str = ","
    header_row: int = 1

    def rejected(self) -> str:
        """Return the rejects as CSV, which the same mapping reads once they are fixed."""
        return as_csv(self.rejects, delimiter=self.delimiter, header_row=self.header_row)


def map_records(
    mapping: Mapping, files: Sequence[SourceFile], diagnostics: Diagnostics, counts: RecordCounts
) -> Iterator[MappedRecord]:
    """Yield the mapped records of the files, in the order of files and records.

    Records are read lazily. Mistakes go to `diagnostics`; a record with a mistake is left out and also added
    to the rejects of `counts`. Nothing is raised.
    """
    source = _MappingRun(mapping, diagnostics, counts)
    candidates = (each for found in files for each in source.candidates(found))
    yield from _merged_by_key(candidates, source)
    source.report_totals()


@dataclass(slots=True)
class _MappingRun:
    """One run of a mapping. Files with the same columns share a program."""

    mapping: Mapping
    diagnostics: Diagnostics
    counts: RecordCounts
    programs: dict[tuple[str, ...] | None, Program | None] = field(default_factory=dict)
    empty: list[Diagnostic] = field(default_factory=list)
    """Diagnostics about readable files without records."""

    def candidates(self, found: SourceFile) -> Iterator[MappedRecord]:
        contents = records(found, self.mapping, self.diagnostics)
        compiled = self.program_for(contents, found) if contents else None
        if contents is None or compiled is None:
            return
        about = {"stem": found.path.stem, "name": found.path.name}
        before = self.counts.read
        try:
            for record in contents.records:
                self.counts.read += 1
                if isinstance(record, InvalidRecord):
                    self.refuse(record, contents)
                    continue
                record.values.setdefault("file", about)
                record.values.setdefault("row_number", record.line)
                if candidate := self.candidate(record, compiled, contents, found):
                    yield candidate
        except Malformed as problem:
            self.diagnostics.report(problem, Location(found.shown, problem.line))
        except InvalidRule as problem:
            self.report(problem, found)
        else:
            if self.counts.read == before:
                self.empty.append(no_records(found.shown))

    def candidate(
        self, record: Record, compiled: Program, contents: Contents, found: SourceFile
    ) -> MappedRecord | None:
        """Return the mapped record; None if `where` excludes it or it has mistakes."""
        problems = Diagnostics()
        try:
            if not compiled.where(record.values):
                self.counts.filtered += 1
                return None
            block = compiled.block(record, found.shown, problems)
        except InvalidValue as problem:
            block = Block(record.line)
            problems.report(problem, Location(found.shown, record.line))
        candidate = MappedRecord(block, found, record, contents.table)
        if not problems.found:
            return candidate
        self.diagnostics.found += problems.found
        self.counts.rejects.append(candidate.rejected(problems.found))
        return None

    def refuse(self, invalid: InvalidRecord, contents: Contents) -> None:
        self.diagnostics.report(invalid.problem, invalid.place)
        problems = self.diagnostics.found[-1:]
        self.counts.rejects.append(reject(invalid, contents.table, invalid.place, problems))

    def program_for(self, contents: Contents, found: SourceFile) -> Program | None:
        header = contents.table.header if contents.table else None
        if header not in self.programs:
            try:
                columns = contents.table.columns if contents.table else None
                self.programs[header] = compile_mapping(self.mapping, columns)
            except InvalidRule as problem:
                self.report(problem, found)
                self.programs[header] = None
        return self.programs[header]

    def report(self, problem: InvalidRule, found: SourceFile) -> None:
        problem.detail = problem.detail or f"in {found.shown}"
        self.diagnostics.report(problem, self.mapping.place("fields"))

    def report_totals(self) -> None:
        """Report files without records, a `where` that excludes all, and fields that no record has.

        A file without records may be the last page of an API; it is an error if all files are empty.
        """
        severity = Severity.WARNING if self.counts.read else Severity.ERROR
        self.diagnostics.found += (replace(each, severity=severity) for each in self.empty)
        if self.counts.read and self.counts.filtered == self.counts.read:
            place = self.mapping.place("where")
            self.diagnostics.warning("nothing-left", "`where` excludes every record", place)
            return
        for compiled in self.programs.values() if self.counts.read and not self.counts.rejects else ():
            for label in compiled.labels_without_values() if compiled else ():
                self.diagnostics.warning(
                    "never-found",
                    f"`{label}` has no value in any record",
                    self.mapping.fields[label].place,
                    hint="correct its path, or set `optional: true`",
                )


def _merged_by_key(candidates: Iterator[MappedRecord], source: _MappingRun) -> Iterator[MappedRecord]:
    """Yield one candidate per key, as `keep` says. A missing key is reported by a later stage."""
    keep = source.mapping.keep or Keep.ERROR
    if keep in (Keep.ERROR, Keep.FIRST):
        yield from _first(candidates, source, keep)
        return
    known: dict[str, MappedRecord] = {}
    for number, candidate in enumerate(candidates):
        key = _key(candidate.block) or f"\0{number}"
        before = known.get(key)
        if before is not None:
            if keep is Keep.MERGE:
                source.counts.merged += 1
                _merge(before.block, candidate.block)
                continue
            source.counts.dropped += 1
        known[key] = candidate
    for key in list(known):
        yield known.pop(key)


def _first(candidates: Iterator[MappedRecord], source: _MappingRun, keep: Keep) -> Iterator[MappedRecord]:
    places: dict[str, tuple[str, int]] = {}
    for candidate in candidates:
        key = _key(candidate.block)
        here = (candidate.found.shown, candidate.record.line)
        first = places.setdefault(key, here) if key else here
        if first is here:
            yield candidate
        elif keep is Keep.FIRST:
            source.counts.dropped += 1
        else:
            source.diagnostics.error(
                "duplicate-key",
                "two records have the same key",
                candidate.block.place(candidate.found.shown, "key"),
                detail=f"`{key}` is also at {Location(*first)}",
                hint="set `keep: last`, `first` or `merge` in the mapping to make them one incident",
            )
            source.counts.rejects.append(candidate.rejected(source.diagnostics.found[-1:]))


def _key(block: Block) -> str:
    key = block.get("key") or block.get("external_id")
    return key.strip() if isinstance(key, str) else ""


def _merge(block: Block, later: Block) -> None:
    """Merge a later record with the same key: its values win, and its new list items are appended."""
    for name, value in later.items():
        known = block.get(name)
        if isinstance(known, Block) and isinstance(value, Block):
            _merge(known, value)
        elif isinstance(known, Series) and isinstance(value, Series):
            for each, line in zip(value, value.lines, strict=True):
                if each not in known:
                    known.append(each)
                    known.lines.append(line)
        else:
            block[name] = value
        if name in later.lines or later.line != block.line:
            block.lines[name] = later.lines.get(name, later.line)
