"""The files of a source with a mapping -> the incidents that their records declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from importer.formats import shape
from importer.mapping.blocks import MappedRecord, RecordCounts, map_records
from importer.mapping.mapping_file import preset_names, read_mapping, read_preset
from importer.mapping.model import Format, Mapping
from importer.model import Incident, Severity
from importer.model.settings import MAPPED_SUFFIXES, MappedSource, Settings, SourceFile
from importer.sources.discovery import config_place, display_path
from importer.sources.files import Files
from importer.sources.incidents import FileContext, incident


@dataclass(slots=True)
class Mapped:
    """A source with a mapping. Its `counts` are complete once all of its incidents are read."""

    source: MappedSource
    settings: Settings
    read: Files
    counts: RecordCounts = field(default_factory=RecordCounts)

    def incidents(self, files: Sequence[SourceFile]) -> Iterator[Incident]:
        """Yield the incidents of the files; nothing after reporting the mistakes of the mapping."""
        mapping = self.mapping()
        if mapping is None:
            return
        mapping = replace(
            mapping,
            timezone=self.source.timezone or mapping.timezone or self.settings.timezone,
            encoding=self.source.encoding or mapping.encoding,
        )
        self.counts.header_row = mapping.header_row or 1
        self.counts.delimiter = mapping.delimiter or ("\t" if mapping.format is Format.TSV else ",")
        readable = [found for found in files if _has_format(found, mapping) and self.read.note(found.path)]
        contexts = {found.shown: self.file_context(found) for found in readable}
        for candidate in map_records(mapping, readable, self.read.diagnostics, self.counts):
            built = self.build(candidate, contexts[candidate.found.shown])
            if built is not None:
                yield built

    def build(self, candidate: MappedRecord, source: FileContext) -> Incident | None:
        """Return the incident of a candidate. One with a mistake is left out: a rejected record can be fixed
        and imported again, a partially imported one cannot."""
        found = self.read.diagnostics.found
        before = len(found)
        found += shape.validate(candidate.block, shape.INCIDENT, source.path, line=candidate.block.line)
        built = None if len(found) > before else incident(candidate.block, source)
        problems = [each for each in found[before:] if each.severity is Severity.ERROR]
        if problems:
            self.counts.rejects.append(candidate.rejected(problems))
            return None
        return built

    def file_context(self, found: SourceFile) -> FileContext:
        return FileContext(
            path=found.shown,
            settings=self.settings,
            zone=None,
            read_document=lambda name, place: self.read.document(found.path.parent, name, place),
            diagnostics=self.read.diagnostics,
            packs_cells=False,
            policy=self.source.policy or self.settings.policy,
        )

    def mapping(self) -> Mapping | None:
        """Return the preset, or the mapping file, which then is one of the inputs."""
        place = config_place(self.settings, self.source.line)
        if self.source.preset is not None:
            return read_preset(self.source.preset, self.read.diagnostics, at=place)
        path = self.settings.root / str(self.source.mapping)
        if not path.is_file():
            name = str(self.source.mapping)
            is_preset = name in preset_names()
            hint = f"there is a preset of that name: `preset: {name}`" if is_preset else "check the path"
            self.read.diagnostics.error("no-such-file", f"there is no mapping `{name}`", place, hint=hint)
            return None
        mapping = read_mapping(path, self.read.diagnostics, shown=display_path(path, self.settings.root))
        for each in mapping.files if mapping else ():
            self.read.note(each)
        return mapping


def _has_format(found: SourceFile, mapping: Mapping) -> bool:
    """Whether a mapping reads a file; from a folder or glob, it reads only files of its format."""
    kind = MAPPED_SUFFIXES.get(found.path.suffix.lower())
    return found.named or mapping.format is None or kind == mapping.format
