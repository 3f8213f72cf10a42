"""Each preset has a page, and each snippet on a page can extend its preset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from importer.mapping.mapping_file import preset_names, read_mapping
from importer.model import Severity
from importer.model.diagnostics import Diagnostics
from importer.model.settings import MappedSource, Settings
from importer.sources import load
from tests.mapping.conftest import valid_preset

PAGES = Path(__file__).parent.parent.parent / "docs" / "sources"
FIXTURES = Path(__file__).parent / "presets"
INDEX = (PAGES / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [^|]+ \| ([^|]+) \| \[([\w.-]+)\]\(([\w.-]+)\) \|$", INDEX, re.MULTILINE)
PAGE_OF = {preset: page for presets, _, page in ROWS for preset in re.findall(r"`([\w-]+)`", presets)}

FIELD = re.compile(r"(?:timestamps\.|roles\.|custom_fields\.|(?:name|severity|visibility|external_id):)")
OF_A_MAPPING = re.compile(r"(?:where|defaults|timezone):")


def snippets(page: str) -> Iterator[str]:
    """Yield the snippets of a page, each as the text of a mapping file without its base."""
    text = (PAGES / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if block.startswith("fields:"):
            yield block
    for words in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        snippet = words.replace("\n", " ")
        if FIELD.match(snippet):
            yield f"fields:\n  {snippet}\n"
        elif OF_A_MAPPING.match(snippet) and snippet != "timezone:":
            yield f"{snippet}\nfields: {{}}\n"


ADDITIONS = [(preset, each) for preset, page in sorted(PAGE_OF.items()) for each in snippets(page)]


def test_every_preset_has_a_page() -> None:
    assert tuple(sorted(PAGE_OF)) == preset_names()
    assert {page for _, _, page in ROWS} == {each.name for each in PAGES.glob("*.md")} - {"README.md"}
    assert all(name == page for _, name, page in ROWS)


@pytest.mark.parametrize("page", sorted(set(PAGE_OF.values())))
def test_a_page_has_its_required_sections(page: str) -> None:
    headings = re.findall(r"^## (.+)$", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert [each for each in headings if each != "Left out"] == ["Export", "Carried", "Lost", "Check"]


@pytest.mark.parametrize("page", sorted(set(PAGE_OF.values())))
def test_a_page_says_what_is_left_out_if_the_preset_filters(page: str) -> None:
    filtered = any(bool(valid_preset(preset).where) for preset, known in PAGE_OF.items() if known == page)
    assert ("\n## Left out\n" in (PAGES / page).read_text(encoding="utf-8")) == filtered


@pytest.mark.parametrize(("preset", "addition"), ADDITIONS)
def test_the_snippets_of_a_page_extend_its_preset(preset: str, addition: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"version: 1\nextends: {FIXTURES / preset}/mapping.yaml\n{addition}", encoding="utf-8")
    source = MappedSource("export", mapping=str(file))
    loaded = load(Settings(root=FIXTURES / preset, sources=(source,)), ())
    errors = {each.code for each in loaded.diagnostics if each.severity is Severity.ERROR}
    # A small fixture lacks most columns of a real export.
    assert errors <= {"unknown-column"}


def test_the_mapping_in_the_index_extends_its_preset(tmp_path: Path) -> None:
    (block,) = (
        each
        for each in re.findall(r"^```yaml\n(.*?)^```$", INDEX, re.MULTILINE | re.DOTALL)
        if "extends" in yaml.safe_load(each)
    )
    (tmp_path / "own.yaml").write_text(block, encoding="utf-8")
    diagnostics = Diagnostics()
    assert read_mapping(tmp_path / "own.yaml", diagnostics) is not None, diagnostics.found
