"""Whoever adds an output format hears from a failing test where it is still missing."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from importer.cli import plan
from tests.cli.conftest import Account, Folder, declared

DOCS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
FORMATS = next(
    each.type.choices
    for each in plan.command.params
    if each.name == "format" and isinstance(each.type, click.Choice)
)


@pytest.mark.parametrize("form", FORMATS)
def test_a_plan_can_be_shown_in_each_format(folder: Folder, account: Account, form: str) -> None:
    folder.declare(declared("A"))
    shown = folder.run("plan", "--format", form)
    assert shown.code == 0, shown.err


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_explained(form: str) -> None:
    assert re.search(rf"(?:`|\\\||--format ){form}\b", DOCS)
