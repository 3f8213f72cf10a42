"""`importer convert`: an export becomes files that load to the same incidents; nobody's edits are lost."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from importer.model import Incident, Location
from importer.model.settings import MappedSource, Settings
from importer.sources import load
from tests.cli.conftest import Folder

MAPPING = """version: 1
timezone: UTC
fields:
  key: id
  name: title
  severity: {column: priority, values: {P1: Critical, "*": Minor}}
  summary: notes
  timestamps.Impact started at: began
"""
EXPORT = (
    "id,title,priority,notes,began\n"
    'B-2,"Slow, again",P2,"no\n- really",2023-05-01 10:00\n'
    "A-1,Down,P1,,2023-04-12 09:14\n"
    "C-3,yes,P2,,\n"
)


@pytest.fixture
def export(folder: Folder) -> Folder:
    folder.write("export.csv", EXPORT)
    folder.write("legacy.mapping.yaml", MAPPING)
    return folder


def convert(folder: Folder, *words: str) -> tuple[int, str]:
    result = folder.run("convert", "export.csv", "--mapping", "legacy.mapping.yaml", *words)
    return result.code, result.err


def files(folder: Folder, name: str = "incidents") -> list[str]:
    return sorted(path.name for path in (folder.path / name).glob("*.yaml"))


def bare(incidents: tuple[Incident, ...]) -> list[Incident]:
    return sorted((replace(each, location=Location("", 1)) for each in incidents), key=lambda each: each.key)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("month", ["2023-04.yaml", "2023-05.yaml", "undated.yaml"]),
        ("year", ["2023.yaml", "undated.yaml"]),
        ("one", ["incidents.yaml"]),
    ],
)
def test_what_convert_writes_loads_to_the_incidents_of_the_export(
    export: Folder, by: str, expected: list[str]
) -> None:
    assert convert(export, "--by", by)[0] == 0
    assert files(export) == expected
    source = MappedSource("export.csv", mapping="legacy.mapping.yaml")
    mapped = load(Settings(root=export.path, sources=(source,)))
    again = load(Settings(root=export.path), [export.path / "incidents"])
    assert again.diagnostics == ()
    assert bare(again.incidents) == bare(mapped.incidents)
    assert export.run("validate", "incidents").code == 0


def test_convert_says_how_many_records_became_what(export: Folder) -> None:
    result = export.run("convert", "export.csv", "--mapping", "legacy.mapping.yaml", "--by", "one")
    assert result.out == "incidents/incidents.yaml  3\n"
    assert "3 records read, 3 incidents written" in result.err
    assert "importer validate incidents" in result.err


@pytest.mark.parametrize(
    ("keep", "counts"),
    [
        ("last", "4 records read, 1 incident written, 1 excluded by `where`, 2 duplicates dropped."),
        ("first", "4 records read, 1 incident written, 1 excluded by `where`, 2 duplicates dropped."),
        ("merge", "4 records read, 1 incident written, 1 excluded by `where`, 2 duplicates merged."),
    ],
)
def test_convert_tells_dropped_duplicates_from_merged_ones(export: Folder, keep: str, counts: str) -> None:
    export.write("rows.csv", "Key,Name\nA,x\nA,y\nA,z\nB,w\n")
    mapping = f"version: 1\nkeep: {keep}\nwhere: \"{{{{ Key == 'A' }}}}\"\nfields: {{key: Key, name: Name}}\n"
    export.write("rows.mapping.yaml", mapping + "defaults: {severity: Minor}\n")
    result = export.run("convert", "rows.csv", "--mapping", "rows.mapping.yaml", "--out", "rows")
    assert counts in result.err


def test_the_same_convert_twice_gives_the_same_files(export: Folder) -> None:
    convert(export)
    before = {path: path.read_bytes() for path in (export.path / "incidents").iterdir()}
    assert convert(export)[0] == 0
    assert {path: path.read_bytes() for path in (export.path / "incidents").iterdir()} == before


def test_what_somebody_edited_is_overwritten_only_by_force(export: Folder) -> None:
    convert(export)
    edited = export.path / "incidents" / "2023-04.yaml"
    edited.write_text(edited.read_text("utf-8").replace("Down", "All down"), encoding="utf-8")
    export.write("export.csv", EXPORT.replace("Slow", "Slower"))
    code, words = convert(export)
    assert code == 1
    assert "will not overwrite incidents/2023-04.yaml" in words
    assert "All down" in edited.read_text("utf-8")
    assert "Slower" not in (export.path / "incidents" / "2023-05.yaml").read_text("utf-8")
    assert convert(export, "--force")[0] == 0
    assert "All down" not in edited.read_text("utf-8")


@pytest.mark.parametrize("content", [b"mine\n", b"", b"\xff\xfe"])
def test_a_file_of_somebody_else_is_not_overwritten(export: Folder, content: bytes) -> None:
    own = export.write("incidents/2023-04.yaml", "")
    own.write_bytes(content)
    assert convert(export)[0] == 1
    assert own.read_bytes() == content
    assert files(export) == ["2023-04.yaml"]


def test_files_of_an_earlier_convert_are_named(export: Folder) -> None:
    convert(export, "--by", "year")
    assert "wrote incidents/2023.yaml" in convert(export, "--by", "month")[1]


def test_a_record_with_a_mistake_stops_convert_before_it_writes(export: Folder) -> None:
    export.write("export.csv", EXPORT.replace("2023-05-01 10:00", "yesterday"))
    code, words = convert(export)
    assert code == 1
    assert "export.csv:2:5" in words
    assert not (export.path / "incidents").exists()


def test_rejects_are_written_with_the_reason_and_the_rest_goes_on(export: Folder) -> None:
    export.write("export.csv", EXPORT.replace("2023-05-01 10:00", "yesterday"))
    code, words = convert(export, "--rejects", "rejects.csv")
    assert code == 0
    assert "Warning" in words and "3 records read, 2 incidents written, 1 rejected." in words
    assert files(export) == ["2023-04.yaml", "undated.yaml"]
    rejects = (export.path / "rejects.csv").read_text("utf-8")
    assert "B-2" in rejects and "yesterday" in rejects and "A-1" not in rejects


def test_rejects_take_the_place_of_earlier_rejects_and_of_nothing_else(export: Folder) -> None:
    assert convert(export, "--rejects", "rejects.csv")[0] == 0
    assert convert(export, "--rejects", "rejects.csv")[0] == 0
    code, words = convert(export, "--rejects", "export.csv", "--out", "other")
    assert code == 1
    assert "export.csv already exists" in words
    assert (export.path / "export.csv").read_text("utf-8") == EXPORT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "page"),
        (b"", "empty"),
        (b"id,title,priority,notes,began\n", "no record"),
        (b"PK\x03\x04rest", "ZIP"),
    ],
)
def test_an_export_that_is_none_is_told_in_one_message(export: Folder, content: bytes, words: str) -> None:
    (export.path / "export.csv").write_bytes(content)
    code, output = convert(export)
    assert code == 1
    assert words in output and "export.csv:1" in output
    assert output.count("Error") == 1
    assert not (export.path / "incidents").exists()


def test_a_source_that_is_not_there_is_named(export: Folder) -> None:
    result = export.run("convert", "exports.csv", "--mapping", "legacy.mapping.yaml")
    assert result.code == 1
    assert "exports.csv" in result.err


def test_a_mistake_in_the_mapping_is_told_with_its_line(export: Folder) -> None:
    export.write("legacy.mapping.yaml", MAPPING.replace("summary: notes", "sumary: notes"))
    code, words = convert(export)
    assert code == 1
    assert "legacy.mapping.yaml:7" in words and "summary" in words


def test_an_unknown_preset_suggests_a_known_one(export: Folder) -> None:
    result = export.run("convert", "export.csv", "--preset", "pager-duty")
    assert result.code == 1
    assert "unknown preset `pager-duty`" in result.err
    assert "importer.yaml" not in result.err


def test_one_of_preset_and_mapping_is_needed(export: Folder) -> None:
    assert "init --from export.csv" in export.run("convert", "export.csv").err
    assert convert(export, "--preset", "jira")[0] == 1


def test_a_zone_of_the_command_line_is_that_of_the_times(export: Folder) -> None:
    convert(export, "--timezone", "Asia/Tokyo")
    assert "2023-04-12T00:14:00Z" in (export.path / "incidents" / "2023-04.yaml").read_text("utf-8")
    assert "did you mean `Asia/Tokyo`" in convert(export, "--timezone", "Asia/Tokio")[1]


def test_a_folder_that_cannot_be_written_is_named(export: Folder) -> None:
    export.write("taken", "a file")
    code, words = convert(export, "--out", "taken/below")
    assert code == 1
    assert "cannot write taken/below" in words


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_named(export: Folder) -> None:
    (export.path / "shut").mkdir(mode=0o555)
    assert "cannot write shut" in convert(export, "--out", "shut")[1]


def test_paths_are_those_of_the_working_directory(export: Folder) -> None:
    export.write("elsewhere/importer.yaml", "version: 1\ndefaults: {visibility: private}\n")
    assert convert(export, "--config", "elsewhere/importer.yaml")[0] == 0
    assert "visibility: private" in (Path("incidents") / "2023-04.yaml").read_text("utf-8")


def test_an_encoding_that_is_none_is_told(export: Folder) -> None:
    asked = export.run("convert", "legacy/jira.csv", "--preset", "jira", "--encoding", "latin-99")
    assert asked.code == 1
    assert "unknown encoding `latin-99`" in asked.err
