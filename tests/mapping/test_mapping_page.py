"""docs/mapping.md explains every key, rule and filter, and its examples are valid mappings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from importer.formats import schemas
from importer.mapping import dates, markups
from importer.mapping.mapping_file import read_mapping
from importer.mapping.templates import Templates
from importer.model.diagnostics import Diagnostics

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_key_of_a_mapping_and_of_a_rule_is_explained() -> None:
    schema = schemas.read("mapping")
    assert set(schema["properties"]) <= WORDS
    assert set(schema["$defs"]["rule"]["properties"]) <= WORDS
    assert {"each", "into", "parent", "item"} <= WORDS


def test_every_filter_is_explained() -> None:
    environment = Templates(strict=True, filters=markups.filters(dates.Calendar())).environment()
    assert {name for name in environment.filters if not name.startswith("_")} <= WORDS


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_valid_mapping(tmp_path: Path, example: str) -> None:
    path = tmp_path / "example.mapping.yaml"
    path.write_text(example, encoding="utf-8")
    diagnostics = Diagnostics()
    assert read_mapping(path, diagnostics) is not None
    assert diagnostics.found == []
