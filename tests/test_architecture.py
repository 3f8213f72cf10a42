"""The shape that ARCHITECTURE draws: who imports whom, what stays light, and how long anything may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "importer"

ROWS: tuple[set[str], ...] = (
    {"model", "codec", "errors", "normalise"},
    {
        "diagnostics",
        "changes",
        "summary",
        "history",
        "identity",
        "privacy",
        "private_file",
        "schemas",
        "revision",
        "importer",
    },
    {
        "catalogue",
        "differences",
        "drift",
        "editor_words",
        "answers",
        "markup",
        "matching",
        "renderers",
        "state",
        "yaml_writer",
    },
    {
        "config",
        "account_rules",
        "editor_schema",
        "inspection",
        "loaders",
        "mapping",
        "naming",
        "resolver",
        "rules",
        "planner",
        "preflight",
        "refresh",
    }
    | {"mapping", "markup", "rediscovery"}
    | {
        "planned_requests",
        "planfile",
        "planfile_changes",
        "ledger",
        "ledger_file",
        "lock",
        "state_file",
        "pull",
        "api",
    },
    {"execution", "applier"},
    {"workflow"},
    {"cli", "__main__"},
)
"""A module imports from its own row and from those above it."""

PURE = {
    "model",
    "errors",
    "history",
    "normalise",
    "diagnostics",
    "naming",
    "identity",
    "catalogue",
    "codec",
    "differences",
    "drift",
}
PURE |= {
    "answers",
    "editor_schema",
    "editor_words",
    "matching",
    "resolver",
    "rules",
    "account_rules",
    "planner",
    "planned_requests",
    "preflight",
    "privacy",
    "pull",
    "renderers",
    "state",
    "yaml_writer",
}
IMPURE_LIBRARIES = {"httpx", "click", "yaml", "sqlite3", "os", "sys", "time", "random"}
HEAVY = {"httpx", "jsonschema", "jsonschema_rs", "deepdiff", "rich", "yaml", "sqlite3", "werkzeug", "cheroot"}
HEAVY |= {"jinja2", "jmespath", "python_calamine", "html_to_markdown"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """Return the word under which the rows know a module: its package or its own name."""
    inside = path.relative_to(PACKAGE).parts
    return "importer" if inside == ("__init__.py",) else inside[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the full names that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def own_parts(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imported(path) if name.startswith("importer.")}
    return {"importer" if name == "__version__" else name for name in names}


def above(name: str) -> set[str]:
    """Return what a module may import: all rows down to its own."""
    row = next(number for number, row in enumerate(ROWS) if name in row)
    return {each for known in ROWS[: row + 1] for each in known}


def test_every_module_has_its_row() -> None:
    parts = {part(path) for path in MODULES} - {"sandbox"}
    assert parts - {each for row in ROWS for each in row} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upwards_only(path: Path) -> None:
    if part(path) == "sandbox":
        assert own_parts(path) <= {"sandbox"}
        return
    allowed = above(part(path))
    sandbox = {"sandbox"} if part(path) == "cli" else set()
    assert own_parts(path) - allowed - sandbox == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_effects_stay_at_the_ends(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}
    if part(path) in PURE:
        assert libraries & IMPURE_LIBRARIES == set()
    if part(path) != "api":
        assert "httpx" not in libraries
    if part(path) != "cli":
        assert "click" not in libraries


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{node.name} is long"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_in_its_first_line_what_it_does(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text or text.startswith('"""')


@pytest.mark.parametrize("words", ["--help", "schema incident", "completion bash"])
def test_what_needs_no_files_and_no_account_loads_nothing_heavy(words: str) -> None:
    program = f"""
import sys
from importer.cli.main import run
run({words.split()!r})
print("loaded:", *({HEAVY!r} & sys.modules.keys()))
"""
    # An empty environment: a program that measures coverage would load more.
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "loaded:"
