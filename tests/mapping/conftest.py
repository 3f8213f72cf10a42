"""Fixtures that run a mapping on a file, and return its blocks and messages."""

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
    """The result of mapping a source."""

    candidates: list[MappedRecord]
    counts: RecordCounts
    diagnostics: Diagnostics

    @property
    def blocks(self) -> list[dict[str, object]]:
        return [dict(each.block) for each in self.candidates]

    @property
    def messages(self) -> list[str]:
        return [
            f"{each.locations[0] if each.locations else '-'} {each.code} x{each.count}: {each.summary}"
            for each in grouped(self.diagnostics.found)
        ]

    @property
    def hints(self) -> str:
        return "\n".join(each.hint for each in self.diagnostics.found)


Mapped = Callable[..., Outcome]


def valid_preset(name: str) -> Mapping:
    """Return a preset, which must be valid."""
    found = read_preset(name, Diagnostics())
    assert found is not None
    return found


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    """Return a function that maps `data`, a path or the contents of a file called `name`, with a mapping."""

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
