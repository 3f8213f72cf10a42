"""Each preset reads an export of its tracker: an invented fixture and its expected incidents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from importer.mapping.mapping_file import preset_names
from importer.mapping.model import Format
from importer.model import Applied, Attribute, Create, Field, Incident, NoOp, Reference, Severity
from importer.model.settings import MappedSource, Settings
from importer.sandbox import Sandbox, SandboxOptions, open_sandbox
from importer.sources import Loaded, load
from tests.mapping.conftest import valid_preset
from tests.rehearsal import Rehearsal

FIXTURES = Path(__file__).parent / "presets"
NO_EXPORT = {
    "error.json": '{"error": {"code": 401, "message": "Unauthorized"}}',
    "message.json": '{"message": "Not Found"}',
    "nothing.json": '{"incidents": [], "data": [], "issues": [], "result": []}',
    "list.json": "[]",
    "numbers.json": "[1, 2]",
    "page.json": "<!DOCTYPE html><html><body>Log in</body></html>",
    "zero.json": "",
    "error.csv": "error\nUnauthorized\n",
    "header.csv": "number,id\n",
    "page.csv": "<html>Log in</html>",
    "error.md": "404: Not Found",
    "blank.md": "---\n---\n",
}
SUFFIX_OF = {Format.CSV: "csv", Format.JSON: "json", Format.MARKDOWN: "md"}
NAMES = sorted(each.name for each in FIXTURES.iterdir())


def settings(name: str, state: Path) -> Settings:
    source = MappedSource("export", mapping="mapping.yaml")
    return Settings(root=FIXTURES / name, sources=(source,), state=state / "state.db")


def loaded(name: str, state: Path) -> Loaded:
    found = load(settings(name, state), ())
    assert [each for each in found.diagnostics if each.severity is Severity.ERROR] == []
    return found


def fields_of(incident: Incident) -> dict[str, Any]:
    return {attribute.label: shown(value) for attribute, value in incident.attributes.items()}


def shown(value: object) -> Any:
    match value:
        case Reference(name=name):
            return name
        case datetime():
            return value.isoformat()
        case _:
            return value


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox(None, options=SandboxOptions())
    yield opened
    opened.close()


def test_every_preset_has_a_fixture() -> None:
    assert tuple(NAMES) == preset_names()


@pytest.mark.parametrize("name", NAMES)
def test_an_export_becomes_the_expected_incidents(
    name: str, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    incidents = {str(each.key): fields_of(each) for each in loaded(name, tmp_path).incidents}
    golden(f"presets/{name}.json", json.dumps(incidents, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_applied_and_then_plans_empty(name: str, tmp_path: Path, sandbox: Sandbox) -> None:
    rehearsal = Rehearsal(FIXTURES / name, sandbox, settings(name, tmp_path))
    count = len(loaded(name, tmp_path).incidents)
    planned = rehearsal.plan()
    assert [type(each) for each in planned.changes] == [Create] * count
    assert [type(each) for each in rehearsal.apply().outcomes] == [Applied] * count
    assert len(rehearsal.incidents()) == count
    assert [type(each) for each in rehearsal.plan().changes] == [NoOp] * count


def test_servicenows_list_and_table_have_the_same_instants(tmp_path: Path) -> None:
    listed, table = (
        {each.key: moments(each) for each in loaded(name, tmp_path).incidents}
        for name in ("servicenow", "servicenow-table")
    )
    assert listed == table


def moments(incident: Incident) -> dict[Attribute, object]:
    return {key: value for key, value in incident.attributes.items() if key.field is Field.TIMESTAMP}


@pytest.mark.parametrize("name", ["jira", "jira-rest", "rootly", "datadog", "incidentio"])
def test_restricted_issues_stay_private(name: str, tmp_path: Path) -> None:
    seen = [fields_of(each).get("visibility") for each in loaded(name, tmp_path).incidents]
    assert seen.count("private") == 1


def test_an_unmapped_severity_is_an_error_with_its_name(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = FIXTURES / "opsgenie"
    bare = Settings(
        root=folder, sources=(MappedSource("export", preset="opsgenie"),), state=tmp_path / "state.db"
    )
    planned = Rehearsal(folder, sandbox, bare).plan()
    asked = [each for each in planned.diagnostics if each.code == "unknown-severity"]
    assert planned.errored
    assert sorted(
        word for word in ("P1", "P3") for each in asked if word in f"{each.summary} {each.detail}"
    ) == [
        "P1",
        "P3",
    ]


def test_a_missing_severity_is_an_error_with_a_hint(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = FIXTURES / "betterstack"
    bare = Settings(
        root=folder, sources=(MappedSource("export", preset="betterstack"),), state=tmp_path / "state.db"
    )
    planned = Rehearsal(folder, sandbox, bare).plan()
    assert {each.code for each in planned.diagnostics} == {"missing-severity"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_an_export_is_an_error(name: str, tmp_path: Path) -> None:
    kind = valid_preset(name).format
    for file, text in NO_EXPORT.items():
        if kind is not None and Path(file).suffix[1:] != SUFFIX_OF[kind]:
            continue
        (tmp_path / file).write_text(text, encoding="utf-8")
        found = load(Settings(root=tmp_path, sources=(MappedSource(file, preset=name),)), ())
        assert list(found.incidents) == [], file
        assert any(each.severity is Severity.ERROR for each in found.diagnostics), file
