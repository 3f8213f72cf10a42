"""The pages in docs/ name every command, option, field and code of the program, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
import pytest

from importer.cli.main import cli
from importer.formats import schemas
from importer.model import Kind
from importer.model.diagnostics import Diagnostics
from importer.sources import load
from importer.sources.settings_file import load_settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
DIAGNOSTICS = (DOCS / "diagnostics.md").read_text(encoding="utf-8")
FILES = (DOCS / "files.md").read_text(encoding="utf-8")
SOURCES = [
    path for path in sorted((ROOT / "importer").rglob("*.py")) if "sandbox" not in path.parent.parts[-1:]
]

CODE = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
REPORTING = {
    "error",
    "warning",
    "report",
    "_error",
    "_warning",
    "_refused",
    "_wrong",
    "_duplicates",
    "_failed",
    "add_missing",
    "_diagnostic",
}
REPORTING |= {
    "Diagnostic",
    "Malformed",
    "InvalidMoment",
    "Failed",
    "InvalidRule",
    "InvalidValue",
    "Problem",
    "InvalidTemplate",
    "InvalidPath",
}
"""Functions and classes that take a code as one of their first arguments."""


# -- commands ------------------------------------------------------------------------------------------


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")


ALL = dict(commands(cli, "importer"))


def section(heading: str) -> str:
    """Return the text of a section, up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#|\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert match, f"docs/commands.md has no section `{heading}`"
    return match[1]


def long_options(command: click.Command) -> set[str]:
    return {
        word
        for each in command.params
        if isinstance(each, click.Option)
        for word in each.opts
        if word[:2] == "--"
    }


def named_options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


@pytest.mark.parametrize("words", ALL)
def test_every_option_of_a_command_is_in_its_section(words: str) -> None:
    text = section(words)
    named = named_options(text)
    shared = text + (section("importer state") if words.startswith("importer state ") else "")
    if re.search(r"common\s+options", shared):
        named |= named_options(section("Common options"))
    if re.search(r"output\s+options", text):
        named |= {"--format", "--json"}
    assert long_options(ALL[words]) - {"--help"} <= named


def test_the_page_names_no_unknown_option() -> None:
    known = {option for command in ALL.values() for option in long_options(command)}
    assert named_options(COMMANDS) - known == {"--version", "--help"}


def test_the_page_names_no_unknown_command() -> None:
    assert set(re.findall(r"^#+ (importer .*)$", COMMANDS, re.MULTILINE)) == set(ALL)


def test_every_key_of_a_plan_is_explained() -> None:
    schema = schemas.read("plan")
    text = section("The plan's JSON")
    for key in (*schema["properties"], *schema["$defs"]["change"]["properties"]):
        assert f"`{key}`" in text, key


# -- codes ---------------------------------------------------------------------------------------------


def texts(nodes: list[ast.expr]) -> list[str]:
    return [each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def codes_of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in REPORTING:
        yield from [each for each in texts(node.args[:3]) if CODE.fullmatch(each)][:1]
    yield from texts([each.value for each in node.keywords if each.arg == "code"])


def codes() -> set[str]:
    """Return every code that the sources can report, including the codes of unknown names."""
    found = {f"unknown-{each.value.replace('_', '-')}" for each in Kind}
    found -= {"unknown-reporter", "unknown-catalog-entry"}  # files say role and option for these
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= {each for each in codes_of_call(node) if each}
            elif isinstance(node, ast.ClassDef) and path.name == "errors.py":
                assigned = [each for each in node.body if isinstance(each, ast.Assign)]
                found |= {
                    text
                    for each in assigned
                    if ast.unparse(each.targets[0]) == "code"
                    for text in texts([each.value])
                }
    return found


def reasons() -> set[str]:
    """Return every reason for which the planner blocks an incident."""
    paths = [ROOT / "importer" / "plan" / name for name in ("planner.py", "staleness.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    found: set[str] = set()
    for node in chain.from_iterable(map(ast.walk, trees)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Blocked":
            found |= set(texts(node.args))
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Tuple)
            and ast.unparse(node.targets[0]).startswith("(reason,")
        ):
            found |= set(texts(node.value.elts[:1]))
    return found


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_code_in_the_sources_is_explained_and_no_other() -> None:
    told = first_cells(DIAGNOSTICS.partition("## Why an incident is blocked")[0])
    assert len(told) == len(set(told))
    assert set(told) == codes()


def test_every_reason_for_blocking_is_explained_and_no_other() -> None:
    assert set(first_cells(DIAGNOSTICS.partition("## Why an incident is blocked")[2])) == reasons()


# -- files ---------------------------------------------------------------------------------------------


def properties(schema: object) -> Iterator[str]:
    """Yield the name of every property anywhere in a schema."""
    match schema:
        case dict():
            for name, value in schema.items():
                if name == "properties":
                    yield from value
                yield from properties(value)
        case list():
            for each in schema:
                yield from properties(each)
        case _:
            pass


@pytest.mark.parametrize("name", ["incident", "config"])
def test_every_field_of_a_file_is_explained(name: str) -> None:
    for field in set(properties(schemas.read(name))):
        assert re.search(rf"`[^`\n]*\b{field}\b[^`\n]*`", FILES), field


def test_every_example_of_a_file_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"```(yaml|csv)\n(.*?)```", FILES, re.DOTALL)
    assert len(blocks) == 5
    for number, (language, text) in enumerate(blocks):
        problems = Diagnostics()
        if text.startswith("version:"):
            (tmp_path / "importer.yaml").write_text(text, encoding="utf-8")
            load_settings(None, tmp_path, problems)
        else:
            path = tmp_path / f"{number}.{language}"
            path.write_text(text, encoding="utf-8")
            loaded = load(load_settings(None, tmp_path, problems), [path])
            problems.found += loaded.diagnostics
            assert loaded.incidents
        assert problems.found == []


# -- links ---------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    }
    assert set(DOCS.glob("*.md")) <= linked


def test_every_test_that_a_page_names_exists() -> None:
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))}
    assert named
    assert named <= there


def test_every_file_that_the_contributors_page_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.[a-z]+)`", text))
    assert len(named) > 20
    assert [
        each for each in sorted(named) if not any((top / each).exists() for top in (ROOT, ROOT / "importer"))
    ] == []
