"""Aliases match as names do, and the lines in hints are valid YAML with the right meaning."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from importer.account.naming import WORDS, Aliases, alias_lines
from importer.model import Kind

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.json"

printable = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1, max_size=12)


@given(printable, printable | st.none())
def test_the_yaml_lines_of_a_hint_define_the_alias(name: str, target: str | None) -> None:
    read = yaml.safe_load(alias_lines("custom_fields.Root: cause", name, target))
    assert read == {"aliases": {"custom_fields.Root: cause": {name: target}}}


def test_plain_names_are_not_quoted() -> None:
    assert alias_lines("severity", "SEV-1", "Very bad") == "aliases:\n  severity: {SEV-1: Very bad}"
    assert alias_lines("severity", "No", "1") == 'aliases:\n  severity: {"No": "1"}'


def test_an_exact_alias_beats_a_folded_one() -> None:
    aliases = Aliases([("P1", "Critical"), ("p1", "Minor")])
    assert aliases.targets("P1") == ("Critical",)
    assert aliases.targets("p1") == ("Minor",)
    assert set(aliases.targets("P 1")) == {"Critical", "Minor"}
    assert aliases.targets("P2") == ()


def test_spellings_with_the_same_target_have_one_target() -> None:
    assert Aliases([("P1", None), ("p1", None)]).targets("P 1") == (None,)


def test_importer_yaml_accepts_exactly_the_sections_that_are_used() -> None:
    settings = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]
    assert set(settings["on_unresolved"]["then"]["properties"]) == {"default", *WORDS.values()}
    assert set(settings["aliases"]["properties"]) == {*WORDS.values()} - {WORDS[Kind.OPTION]}
    assert settings["create_missing"]["items"]["enum"] == [WORDS[Kind.OPTION]]
