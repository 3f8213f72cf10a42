"""The architecture: which package imports which, what is pure, what loads fast, and how long code may be."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from importer.model import Change, Child, Outcome
from importer.model.steps import Step
from importer.plan.matching import Match

PACKAGE = Path(__file__).parent.parent / "importer"

ROWS = (
    "importer",
    "model",
    "markup",
    "wire",
    "account",
    "formats",
    "mapping",
    "sources",
    "plan",
    "state",
    "api",
    "apply",
    "pull",
    "renderers",
    "workflow",
    "cli",
    "__main__",
)
"""Every package, one per row. A package imports only itself and rows above it, in functions too."""
FLAT = {"importer", "workflow", "__main__"}
"""The rows that are modules, not packages. `importer` is the root itself, with the version."""
ISLAND = "sandbox"
"""A package that imports nothing of importer and that only the command line imports."""

PURE = {"importer", "model", "markup", "wire", "account", "mapping", "plan", "pull", "renderers"}
"""The packages without effects: no files, network, clock or randomness."""
ALLOWED_EFFECTS: dict[str, set[str]] = {
    "mapping/mapping_file.py": {"glob", "read_bytes", "resolve"},
    "mapping/records.py": set(),
    "plan/file.py": {"is_file", "open", "read_bytes"},
    "renderers/html.py": {"read_text"},
}
"""Modules of pure packages that may touch files (mappings and presets, exports, saved plans, the page template),
with the effects allowed to each."""


def words(text: str) -> set[str]:
    return set(text.split())


PURE_LIBRARIES = words(
    """__future__ base64 bisect collections contextlib csv dataclasses datetime decimal deepdiff difflib enum fnmatch
    functools hashlib heapq html html_to_markdown importer io itertools jinja2 json jsonschema_rs markupsafe math
    pathlib re shlex textwrap typing unicodedata urllib.parse zoneinfo"""
)
"""What a pure module may import; everything else may have effects."""
METHODS = words(
    """absolute chmod cwd exists expanduser glob hardlink_to home is_dir is_file is_symlink iterdir lstat mkdir now
    open read_bytes read_text readlink rename resolve rglob rmdir samefile stat symlink_to today touch unlink utcnow
    write_bytes write_text"""
)
BUILTINS = words("open print input breakpoint exec eval")
"""Effects that need no import: on paths, the clock and the interpreter."""
DYNAMIC = words("importlib pkgutil runpy")
EFFECTFUL = words("httpx sqlite3 os sys time random secrets shutil socket subprocess tempfile")
"""Libraries with effects; pure modules do not import modules that use them either."""
HEAVY = {"httpx", "jsonschema", "jsonschema_rs", "deepdiff", "rich", "yaml", "sqlite3", "werkzeug", "cheroot"}
HEAVY |= {"jinja2", "jmespath", "python_calamine", "html_to_markdown"}

INTERFACES = {"cli": "command", "markup": "to_markdown", "formats": "read", "renderers": "render_plan"}
"""The function that several modules of a package share as their interface."""

LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 40, 10

UNIONS = {each.__name__ for union in (Change, Step, Child, Match, Outcome) for each in get_args(union)}

MODULES = sorted(PACKAGE.rglob("*.py"))
every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def row_of(path: Path) -> str:
    """Return the row of a module: its package, or its own name if it is top-level."""
    top = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "importer" if top == "__init__" else top


def imported(path: Path) -> Iterator[str]:
    """Yield the full names that a module imports, at the top or in functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides from these tests"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def libraries(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def rows_imported(path: Path) -> set[str]:
    names = [name.split(".") for name in imported(path) if name == "importer" or name.startswith("importer.")]
    tops = {name[1] if len(name) > 1 else "importer" for name in names}
    return {"importer" if top == "__version__" else top for top in tops}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def called(path: Path) -> set[str]:
    """Return the names of the functions and methods that a module calls."""
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }


def effects(path: Path) -> set[str]:
    """Return the effects that a module names, whether called or passed on."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    methods = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & METHODS
    return methods | {node.id for node in nodes if isinstance(node, ast.Name)} & BUILTINS


def within(name: str, parents: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{each}.") for each in parents)


def dotted(path: Path) -> str:
    return "importer." + inside(path).removesuffix(".py").replace("/", ".")


DOERS = {"importer.api", "importer.state", "importer.sources.load"} | {
    dotted(path)
    for path in MODULES
    if row_of(path) not in PURE and (effects(path) or libraries(path) & EFFECTFUL)
}


def classes(pattern: ast.pattern) -> Iterator[str]:
    """Yield the classes that a match tests its subject for, not the ones of its parts."""
    match pattern:
        case ast.MatchClass(cls=ast.Name(id=name)):
            yield name
        case ast.MatchOr(patterns=patterns):
            for each in patterns:
                yield from classes(each)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            yield from classes(inner)
        case _:
            pass


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_every_package_has_a_row_and_no_other_module_is_top_level() -> None:
    assert {row_of(path) for path in MODULES} == {*ROWS, ISLAND}
    assert {row_of(path) for path in MODULES if path.parent == PACKAGE} == FLAT
    assert {row_of(path) for path in MODULES if path.parent != PACKAGE} == {*ROWS, ISLAND} - FLAT


@every_module
def test_a_package_imports_only_those_above_it(path: Path) -> None:
    row = row_of(path)
    if row == ISLAND:
        assert rows_imported(path) <= {ISLAND}
        return
    allowed = set(ROWS[: ROWS.index(row) + 1])
    assert rows_imported(path) <= allowed | ({ISLAND} if row == "cli" else set())


@every_module
def test_only_the_command_line_imports_renderers(path: Path) -> None:
    assert "renderers" not in rows_imported(path) or row_of(path) in {"renderers", "cli"}


@every_module
def test_nothing_is_imported_by_a_computed_name(path: Path) -> None:
    """Commands, which are looked up by name, are the exception."""
    named = {name for name in imported(path) if within(name, DYNAMIC)} - {"importlib.resources.files"}
    assert not named | called(path) & {"__import__", "exec", "eval"} or inside(path) == "cli/main.py"


@every_module
def test_pure_packages_have_no_effects(path: Path) -> None:
    row = row_of(path)
    if row in PURE:
        assert [name for name in imported(path) if not within(name, PURE_LIBRARIES)] == []
        assert effects(path) <= ALLOWED_EFFECTS.get(inside(path), set())
        assert (
            inside(path) in ALLOWED_EFFECTS or [name for name in imported(path) if within(name, DOERS)] == []
        )
    assert "httpx" not in libraries(path) or row == "api"
    assert "click" not in libraries(path) or row == "cli"


@every_module
def test_every_match_over_a_closed_union_names_all_its_members(path: Path) -> None:
    """mypy finds a missing member only if the match ends in `assert_never`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Match)
            and {name for case in node.cases for name in classes(case.pattern)} & UNIONS
        ):
            last = node.cases[-1]
            assert isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None, (
                f"line {node.lineno}"
            )
            assert ast.unparse(last.body[0]).startswith("assert_never("), f"line {node.lineno}"


def repeated(places: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """Return names that occur in several places, with the places, each counted once."""
    found: dict[str, set[str]] = {}
    for name, place in places:
        found.setdefault(name, set()).add(place)
    return {name: sorted(several) for name, several in sorted(found.items()) if len(several) > 1}


def class_names() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and row_of(path) != ISLAND:
                yield node.name.lstrip("_"), f"{inside(path)}:{node.lineno}"


def public_functions() -> Iterator[tuple[str, str]]:
    """Yield the functions of modules; functions of one interface count once, for their package."""
    for path in MODULES:
        row = row_of(path)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and row != ISLAND:
                yield node.name, f"{row}/*" if INTERFACES.get(row) == node.name else inside(path)


def test_a_class_name_is_used_once() -> None:
    """Names are compared without leading underscores and outside the sandbox."""
    assert repeated(class_names()) == {}


def test_a_public_function_name_is_used_once() -> None:
    assert repeated(public_functions()) == {}


@every_module
def test_files_functions_and_signatures_are_short(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE
    assert [each.name for each in functions(path) if length(each) > LONGEST_FUNCTION] == []


def test_the_median_function_is_short() -> None:
    assert statistics.median(length(each) for path in MODULES for each in functions(path)) < MEDIAN_FUNCTION


@every_module
def test_every_module_begins_with_a_docstring(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(('"""', 'r"""'))


@pytest.mark.parametrize("words", ["--help", "schema incident", "completion bash"])
def test_commands_without_files_or_account_import_nothing_heavy(words: str) -> None:
    program = f"""
import sys
from importer.cli.main import run
run({words.split()!r})
print("loaded:", *({HEAVY!r} & sys.modules.keys()))
"""
    # An empty environment, since measuring coverage would load more.
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "loaded:"
