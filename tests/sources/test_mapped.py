"""Sources with a mapping, from importer.yaml to incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from importer.model import Attribute, Field, Location, PostmortemDocument
from importer.model.diagnostics import Diagnostics, grouped
from importer.sources import Loaded, load
from importer.sources.settings_file import load_settings

MAPPING = "fields: {key: Key, name: Name, severity: {default: Minor}, timestamps.Reported at: {column: At, optional: true}}\n"


def project(root: Path, sources: str, paths: tuple[str, ...] = (), /, **files: str) -> Loaded:
    for name, text in {
        "importer.yaml": f"version: 1\nsources: {sources}\n",
        "m.yaml": MAPPING,
        **files,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    diagnostics = Diagnostics()
    settings = load_settings(None, root, diagnostics)
    assert diagnostics.found == []
    return load(settings, [root / path for path in paths])


def messages(loaded: Loaded) -> list[str]:
    return [
        f"{each.locations[0] if each.locations else '-'} {each.code}: {each.summary}"
        for each in grouped(loaded.diagnostics)
    ]


def test_an_export_is_read_with_its_mapping(tmp_path: Path) -> None:
    table = "Key,Name,At\nA,x,2024-01-09 15:54\n"
    loaded = project(
        tmp_path, "[{path: a.csv, mapping: m.yaml, timezone: America/New_York}]", **{"a.csv": table}
    )
    assert messages(loaded) == []
    (incident,) = loaded.incidents
    assert (incident.key, incident.location) == ("A", Location("a.csv", 2))
    assert datetime(2024, 1, 9, 20, 54, tzinfo=UTC) in incident.attributes.values()
    assert [each.path for each in loaded.inputs] == ["a.csv", "m.yaml"]
    assert (loaded.record_counts["a.csv"].read, loaded.record_counts["a.csv"].rejects) == (1, [])


def test_a_semicolon_in_a_cell_splits_only_if_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = MAPPING.replace("key: Key", "key: Key, custom_fields.T: T")
    loaded = project(
        tmp_path, "[{path: a.csv, mapping: m.yaml}]", **{"m.yaml": mapping, "a.csv": "Key,Name,T\nA,x,a;b\n"}
    )
    assert "a;b" in loaded.incidents[0].attributes.values()


def test_the_default_timezone_is_the_last_resort(tmp_path: Path) -> None:
    sources = "[{path: a.csv, mapping: m.yaml}]\ndefaults: {timezone: Europe/Berlin}"
    loaded = project(tmp_path, sources, **{"a.csv": "Key,Name,At\nA,x,2024-01-09 15:54\n"})
    assert datetime(2024, 1, 9, 14, 54, tzinfo=UTC) in loaded.incidents[0].attributes.values()


@pytest.mark.parametrize("source", ["exports", "exports/*.*"])
def test_a_folder_source_reads_the_files_of_the_format(tmp_path: Path, source: str) -> None:
    mapping = "format: markdown\nfields: {key: file.stem, name: name, severity: {default: Minor}, postmortem.content: body}"
    files = {f"exports/{name}.md": f"---\nname: {name}\n---\nText {name}." for name in "ba"}
    loaded = project(
        tmp_path,
        f"[{{path: '{source}', mapping: m.yaml}}]",
        **{"m.yaml": mapping, "exports/x.csv": "a,b", "exports/x.png": "", **files},
    )
    assert messages(loaded) == []
    assert [each.key for each in loaded.incidents] == ["a", "b"]
    assert loaded.incidents[0].attributes[Attribute(Field.POSTMORTEM)] == PostmortemDocument("Text a.", None)


@pytest.mark.parametrize("path", ["legacy/a.csv", "legacy", "."])
def test_a_named_path_is_read_with_the_mapping_of_its_source(tmp_path: Path, path: str) -> None:
    sources = "[{path: legacy/a.csv, mapping: m.yaml}, x.yaml]"
    loaded = project(tmp_path, sources, (path,), **{"legacy/a.csv": "Key,Name\nA,x\n"})
    assert [each.key for each in loaded.incidents] == ["A"]
    assert [each for each in messages(loaded) if "error" in each] == []


def test_a_mapping_is_not_an_incident_file(tmp_path: Path) -> None:
    loaded = project(
        tmp_path,
        "['*.yaml', {path: a.csv, mapping: m.yaml}]",
        **{"b.yaml": "key: B\nname: b\n", "a.csv": "Key,Name\nA,x\n"},
    )
    assert [each.key for each in loaded.incidents] == ["A", "B"]
    assert messages(loaded) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            "[{path: no.csv, mapping: m.yaml}]",
            "importer.yaml:2 no-such-file: there is no file or folder `no.csv`",
        ),
        ("[{path: 'no/*', mapping: m.yaml}]", "importer.yaml:2 no-match: the source `no/*` matches no file"),
        ("[{path: a.csv, mapping: no.yaml}]", "importer.yaml:2 no-such-file: there is no mapping `no.yaml`"),
        ("[{path: a.csv, preset: no}]", "importer.yaml:2 unknown-preset: unknown preset `no`"),
    ],
)
def test_a_missing_source_is_reported_at_its_line(tmp_path: Path, sources: str, expected: str) -> None:
    loaded = project(tmp_path, sources, **{"a.csv": "Key,Name\nA,x\n"})
    assert (messages(loaded), loaded.incidents) == ([expected], ())


def test_a_mapping_with_a_mistake_yields_no_incidents(tmp_path: Path) -> None:
    loaded = project(
        tmp_path,
        "[{path: a.csv, mapping: m.yaml}]",
        **{"m.yaml": "fields: {name: n}", "a.csv": "Key,Name\nA,x\n"},
    )
    assert messages(loaded) == ["m.yaml:1 missing-field: the mapping has no `key`"]


def test_a_record_of_the_wrong_shape_is_rejected_with_its_row(tmp_path: Path) -> None:
    mapping = MAPPING.replace("severity: {default: Minor}", "visibility: V")
    loaded = project(
        tmp_path,
        "[{path: a.csv, mapping: m.yaml}]",
        **{"m.yaml": mapping, "a.csv": "Key,Name,V\nA,x,public\nB,x,secret\n,x,\n"},
    )
    assert messages(loaded) == [
        "a.csv:3:3 bad-value: `visibility` must be public or private",
        "a.csv:4 missing-field: `key` is missing",
    ]
    assert [(each.location.line, each.reason) for each in loaded.record_counts["a.csv"].rejects] == [
        (3, "`visibility` must be public or private: found `secret`"),
        (4, "`key` is missing"),
    ]
    assert [each.key for each in loaded.incidents] == ["A"]
