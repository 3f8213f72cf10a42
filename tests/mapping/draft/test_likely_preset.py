"""The tracker of an export: the preset of each fixture is found, and none for a generic table."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.mapping.draft.likely_preset import likely
from importer.mapping.mapping_file import preset_names
from importer.mapping.model import Format
from importer.model.settings import Settings
from importer.sources.profile import profile_source

FIXTURES = Path(__file__).parents[1] / "presets"


@pytest.mark.parametrize("preset", preset_names())
def test_the_fixture_of_a_preset_is_recognised(preset: str) -> None:
    folder = FIXTURES / preset / "export"
    source = folder if preset == "cstate" else sorted(folder.iterdir())[0]
    looked, _ = profile_source(source, Settings(root=folder))
    assert preset in likely(looked.columns, looked.format)


@pytest.mark.parametrize(
    "columns",
    [
        ("id", "title", "status", "severity", "created_at", "resolved_at"),
        ("key", "name", "description", "priority", "start", "end"),
        (),
    ],
)
def test_generic_names_match_no_tracker(columns: tuple[str, ...]) -> None:
    assert likely(columns, Format.CSV) == ()
    assert likely(columns, Format.JSON) == ()


def test_a_preset_for_another_format_does_not_match() -> None:
    columns = ("Issue key", "Summary", "Description", "Priority", "Created", "Resolved")
    assert likely(columns, Format.XLSX) == ("jira",)
    assert likely(columns, Format.JSON) == ()
