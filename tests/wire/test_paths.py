"""Each API path is defined once in importer, and exists in the contract."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from importer.model.steps import LATER
from importer.wire import paths
from tests.contract import CONTRACT

PACKAGE = Path(paths.__file__).parents[1]
CONSTANTS = {name: value for name, value in vars(paths).items() if name.isupper() and isinstance(value, str)}


def written(path: Path) -> Iterator[str]:
    """Return the API paths in the strings of a module, including docstrings and parts of f-strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"/v[0-9]+/[a-z_]+", node.value)


def test_each_path_is_defined_once() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    found = Counter(each for path in modules for each in written(path))
    assert found == Counter(CONSTANTS.values())


@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_the_contract_has_each_path(name: str) -> None:
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    known = {path.partition("/{")[0] for path in contract["paths"]}
    assert CONSTANTS[name] in known


def test_an_id_cannot_escape_its_path_segment() -> None:
    assert paths.below(paths.INCIDENTS, "a/../b?c", "actions", "edit") == (
        "/v2/incidents/a%2F..%2Fb%3Fc/actions/edit"
    )
    assert paths.below(paths.FOLLOW_UPS, LATER) == "/v3/follow_ups/(known after apply)"
