"""A mapping and a file of text in, the blocks and what was said out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from importer.mapping.blocks import MappedRecord, RecordCounts, map_records
from importer.mapping.mapping_file import read_mapping, read_preset
from importer.mapping.model import Mapping
from importer.model.diagnostics import Diagnostics, grouped
from importer.model.settings import SourceFile


@dataclass(frozen=True)
class Outcome:
    """What came of a source."""

    candidates: list[MappedRecord]
    counts: RecordCounts
    diagnostics: Diagnostics

    @property
    def blocks(self) -> list[dict[str, object]]:
        return [dict(each.block) for each in self.candidates]

    @property
    def said(self) -> list[str]:
        return [
            f"{each.locations[0] if each.locations else '-'} {each.code} x{each.count}: {each.summary}"
            for each in grouped(self.diagnostics.found)
        ]

    @property
    def hints(self) -> str:
        return "\n".join(each.hint for each in self.diagnostics.found)


Mapped = Callable[..., Outcome]


def shipped(name: str) -> Mapping:
    """Return a preset, which has no mistakes."""
    found = read_preset(name, Diagnostics())
    assert found is not None
    return found


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    """Return what maps `data`, in a file called `name` or a path, by the text of a mapping."""

    def run(mapping: str, data: str | bytes | Path, name: str = "a.csv") -> Outcome:
        (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
        source = tmp_path / name
        if isinstance(data, Path):
            data.rename(source)
        else:
            source.write_bytes(data if isinstance(data, bytes) else data.encode())
        diagnostics, counts = Diagnostics(), RecordCounts()
        chosen = read_mapping(tmp_path / "m.yaml", diagnostics, shown="m.yaml")
        found = [SourceFile(source, name, named=True)]
        candidates = list(map_records(chosen, found, diagnostics, counts)) if chosen else []
        return Outcome(candidates, counts, diagnostics)

    return run
