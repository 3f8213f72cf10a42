"""Files -> the incidents that they declare, with the place of each value, and all mistakes at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from importer.model import Diagnostic, Incident, Input
from importer.model.diagnostics import Diagnostics
from importer.model.settings import MappedSource, Settings

if TYPE_CHECKING:
    from importer.mapping.blocks import RecordCounts
    from importer.model.settings import SourceFile
    from importer.sources.files import Files


@dataclass(frozen=True, slots=True)
class Loaded:
    """The contents of the files. `inputs` are all files that were read, post-mortems too, sorted by path;
    `incidents` are sorted by the paths of their files, then by line."""

    incidents: tuple[Incident, ...]
    inputs: tuple[Input, ...]
    diagnostics: tuple[Diagnostic, ...]
    record_counts: Mapping[str, RecordCounts] = field(default_factory=dict)
    """The counts of the records of each source with a mapping, by the path of the source."""


def load(settings: Settings, paths: Sequence[Path] = ()) -> Loaded:
    """Read the files and folders at `paths`, or the sources of the settings if `paths` is empty.

    An incident with the wrong shape is left out, with an error. Nothing is raised.
    """
    from importer.sources import discovery, files  # noqa: PLC0415  YAML and JSON Schema are slow to import

    diagnostics = Diagnostics()
    read = files.Files(settings.root, diagnostics)
    with _no_garbage_collection():
        found = discovery.discover(settings, paths, diagnostics)
        incidents: list[Incident] = []
        record_counts: dict[str, RecordCounts] = {}
        for mapped, group in _groups(found):
            if mapped is None:
                incidents += (incident for each in group for incident in _incidents(each, settings, read))
            else:
                from importer.sources.mapped import Mapped  # noqa: PLC0415  loaded only for a mapped source

                source = Mapped(mapped, settings, read)
                incidents += source.incidents(group)
                record_counts[mapped.path] = source.counts
    inputs = tuple(read.inputs[name] for name in sorted(read.inputs))
    return Loaded(tuple(incidents), inputs, tuple(diagnostics.found), record_counts)


def _groups(found: Sequence[SourceFile]) -> list[tuple[MappedSource | None, list[SourceFile]]]:
    """Return the files in order, with all files of a mapped source at the position of its first."""
    groups: dict[MappedSource | SourceFile, list[SourceFile]] = {}
    for each in found:
        groups.setdefault(each.mapped or each, []).append(each)
    return [(group[0].mapped, group) for group in groups.values()]


def _incidents(found: SourceFile, settings: Settings, read: Files) -> Iterator[Incident]:
    from importer.formats import shape  # noqa: PLC0415  as above
    from importer.formats.tree import Block  # noqa: PLC0415
    from importer.model import moments  # noqa: PLC0415  as above
    from importer.sources import documents, incidents  # noqa: PLC0415  as above

    data = read.read(found.path)
    if data is None:
        return
    zone = found.timezone or settings.timezone
    context = incidents.FileContext(
        path=found.shown,
        settings=settings,
        zone=moments.zone(zone) if zone else None,
        read_document=lambda name, place: read.document(found.path.parent, name, place),
        diagnostics=read.diagnostics,
        policy=found.policy or settings.policy,
    )
    source_of = cache(lambda path: replace(context, path=path))
    for candidate in documents.candidates(found, data, read.diagnostics):
        problems = shape.validate(candidate.node, shape.INCIDENT, candidate.path, line=candidate.line)
        read.diagnostics.found += problems
        # An incident with an unknown field is still read, to report its other mistakes at once.
        can_be_read = all(each.code == "unknown-field" for each in problems)
        if can_be_read and isinstance(candidate.node, Block):
            yield incidents.incident(candidate.node, source_of(candidate.path))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the collector from traversing a tree that only grows, and afterwards the incidents built from it,
    which live as long as the process."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()
