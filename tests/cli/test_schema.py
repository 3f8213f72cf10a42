"""`importer schema`: light without an account; with one it fits the examples, and later runs do not undo it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cli.conftest import Account, Folder, declared

EXAMPLES = Path(__file__).parents[2] / "examples"


class CoreYaml(yaml.SafeLoader):
    """Reads plain scalars as YAML 1.2's core schema does, which is what editors do."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


for tag, form, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    CoreYaml.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{form})$"), list(first))


def documents(folder: Path) -> Iterator[Any]:
    """Yield what the incident files of a folder hold, as an editor reads them."""
    for path in sorted(folder.glob("incidents/*.*")):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yaml":
            yield from yaml.load_all(text, CoreYaml)
        elif path.suffix in (".json", ".jsonl"):
            yield from map(json.loads, text.splitlines() if path.suffix == ".jsonl" else [text])


def example(folder: Folder, name: str) -> None:
    shutil.copytree(EXAMPLES / name, folder.path, dirs_exist_ok=True)


@pytest.mark.parametrize("name", ["full", "quickstart"])
def test_the_examples_fit_the_schema_of_the_sandbox(folder: Folder, name: str) -> None:
    example(folder, name)
    result = folder.run("schema", "incident", "--account", "--sandbox")
    assert (result.code, result.err) == (0, "")
    words, fast = (
        Draft202012Validator(result.json()),
        jsonschema_rs.Draft202012Validator(result.json()),
    )
    found = list(documents(folder.path))
    assert len(found) >= 3
    for each in found:
        assert [error.message for error in words.iter_errors(each)] == []
        assert fast.is_valid(each)


def test_the_account_is_read_with_a_key_that_may_only_read(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_API_KEY", "sandbox-read-only")
    result = folder.run("schema", "incident", "--account")
    assert result.code == 0, result.err
    schema = result.json()
    assert (
        schema["title"] == f"An incident file for {account.get('/v1/identity')['identity']['dashboard_url']}"
    )
    assert all(request.startswith("GET") for request in account.sandbox.journal().requests)
    assert folder.run("schema", "incident", "--account").out == result.out
    assert list(folder.path.iterdir()) == []


def test_a_schema_without_an_account_needs_neither_key_nor_configuration(folder: Folder) -> None:
    folder.write("importer.yaml", "no: [configuration")
    assert folder.run("schema", "incident").code == 0
    assert (
        "INCIDENT_API_KEY is not set"
        in Folder(folder.path, folder.capture)
        .run("schema", "incident", "--account", "--config", str(folder.write("other.yaml", "version: 1\n")))
        .err
    )


@pytest.mark.parametrize("name", ["config", "mapping", "plan"])
def test_only_incidents_have_names_of_an_account(folder: Folder, name: str) -> None:
    result = folder.run("schema", name, "--account", "--sandbox")
    assert (result.code, result.out) == (1, "")
    assert "hint: importer schema incident --account" in result.err
    assert not (folder.path / ".importer").exists()


def test_a_mistake_in_importer_yaml_is_told_and_nothing_printed(folder: Folder) -> None:
    folder.write("importer.yaml", "aliases: {sevrity: {P1: Major}}\n")
    result = folder.run("schema", "incident", "--account", "--sandbox")
    assert (result.code, result.out) == (1, "")
    assert "importer.yaml:1" in result.err


def test_no_command_overwrites_a_schema_that_was_narrowed(folder: Folder) -> None:
    schema = folder.path / "incidents" / ".incident.schema.json"
    folder.run("init")
    generic = schema.read_text(encoding="utf-8")
    narrowed = folder.run("schema", "incident", "--account", "--sandbox").out
    schema.write_text(narrowed, encoding="utf-8")
    folder.run("init")
    folder.declare(declared("A"))
    folder.run("apply", "incidents.json", "--sandbox", "--auto-approve")
    assert folder.run("pull", "--sandbox").code == 0
    folder.write("export.csv", "key,title,rank\nA,Down,Minor\n")
    folder.write("m.yaml", "version: 1\nformat: csv\nfields: {key: key, name: title, severity: rank}\n")
    assert folder.run("convert", "export.csv", "--mapping", "m.yaml", "--force").code == 0
    assert schema.read_text(encoding="utf-8") == narrowed
    for broken in ("", "{", generic.replace("A file", "An old file")):
        schema.write_text(broken, encoding="utf-8")
        folder.run("init")
        assert schema.read_text(encoding="utf-8") == generic


def test_init_tells_how_an_editor_learns_the_names_of_the_account(folder: Folder) -> None:
    message = folder.run("init").err
    line = re.search(r"`importer (schema .*) > (.*)` ", message)
    assert line is not None
    modeline = (folder.path / "incidents" / "example.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert modeline == f"# yaml-language-server: $schema={Path(line[2]).name}"
    assert (folder.path / line[2]).is_file()
    assert folder.run(*line[1].split(), "--sandbox").code == 0
