"""Mapping files: their contents, what they extend, and every mistake with its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from importer.formats import schemas
from importer.mapping.mapping_file import preset_names, read_mapping, read_preset
from importer.mapping.model import Bare, Columns, Condition, Fold, Format, Keep, Mapping, Named, Rule
from importer.model import Location
from importer.model.diagnostics import Diagnostics
from tests.mapping.conftest import Mapped


def read(folder: Path, text: str) -> tuple[Mapping | None, list[str]]:
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    diagnostics = Diagnostics()
    found = read_mapping(folder / "m.yaml", diagnostics, shown="m.yaml")
    messages = [
        f"{each.locations[0] if each.locations else '-'} {each.code}: {each.summary} | {each.hint}"
        for each in diagnostics.found
    ]
    return found, messages


WHOLE = """
version: 1
format: csv
encoding: auto
delimiter: tab
header_row: 2
sheet: Log
timezone: Europe/Berlin
datetime_formats: ["%d.%B %Y"]
fold: later
months: de
records: a.b
keep: merge
where: "{{ true }}"
blank: ["?"]
defaults: {severity: Minor, status: Closed, custom_fields.X: {id: 01H}}
fields:
  key: Issue key
  severity: {column: P, values: {A: B}}
"""


def test_every_key_of_a_mapping_file_is_read(tmp_path: Path) -> None:
    found, messages = read(tmp_path, WHOLE)
    assert messages == []
    assert found is not None
    assert (found.format, found.encoding, found.delimiter, found.header_row) == (Format.CSV, None, "\t", 2)
    assert (found.sheet, found.timezone, found.datetime_formats) == ("Log", "Europe/Berlin", ("%d.%B %Y",))
    assert (found.fold, found.months["märz"], found.records, found.keep) == (Fold.LATER, 3, "a.b", Keep.MERGE)
    assert (found.where, found.blank, found.files) == (
        (Condition("{{ true }}", Location("m.yaml", 14)),),
        ("?",),
        (tmp_path / "m.yaml",),
    )
    severity = found.fields["severity"]
    assert isinstance(severity, Rule)
    assert (severity.origin, severity.values, severity.default) == (
        Columns(("P",), any_of=True),
        {"A": "B"},
        "Minor",
    )
    assert found.fields["status"] == Rule(place=Location("m.yaml", 16), default="Closed")
    assert found.fields["custom_fields.X"] == Rule(place=Location("m.yaml", 16), default=Named("id", "01H"))
    assert found.fields["key"] == Rule(place=Location("m.yaml", 18), origin=Bare("Issue key"))
    assert found.place("where") == Location("m.yaml", 14)
    assert found.place("nothing") == Location("m.yaml", 1)


def test_months_may_be_twelve_names(tmp_path: Path) -> None:
    found, messages = read(
        tmp_path,
        f"months: [{', '.join(f'M{n}' for n in range(1, 13))}]\nencoding: latin-1\ndelimiter: ';'\nfields: {{key: k}}",
    )
    assert messages == []
    assert found is not None
    assert (found.months["m12"], found.encoding, found.delimiter) == (12, "latin-1", ";")


def test_a_mapping_extends_another(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "format: csv\ntimezone: UTC\nfields: {key: Key, name: Name, summary: S, severity: {column: P, values: {a: A, b: B}}}\n"
    )
    found, messages = read(
        tmp_path,
        "extends: base.yaml\ntimezone: Europe/Paris\nfields: {severity: {values: {b: C}}, name: {column: Title}, summary: null}\n",
    )
    assert messages == []
    assert found is not None
    assert (found.format, found.timezone, sorted(found.fields)) == (
        Format.CSV,
        "Europe/Paris",
        ["key", "name", "severity"],
    )
    severity, name = found.fields["severity"], found.fields["name"]
    assert isinstance(severity, Rule) and isinstance(name, Rule)
    assert (severity.origin, severity.values) == (Columns(("P",), any_of=True), {"a": "A", "b": "C"})
    assert severity.place == Location("m.yaml", 3)
    assert name.origin == Columns(("Title",), any_of=True)
    assert found.files == (tmp_path / "base.yaml", tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "m.yaml:1 wrong-type: the mapping must be a YAML mapping"),
        ("version: 1", "m.yaml:1 missing-field: `fields` is missing"),
        (
            "field: {}\nfields: {key: k}",
            "m.yaml:1 unknown-field: unknown field `field` | did you mean `fields`?",
        ),
        (
            "fields:\n  key: k\n  sumary: s",
            "m.yaml:3 unknown-field: unknown field `fields.sumary` | did you mean `summary`?",
        ),
        (
            "fields:\n  key: {colunm: k}",
            "m.yaml:2 unknown-field: unknown field `fields.key.colunm` | did you mean `column`?",
        ),
        ("fields:\n  name: n", "m.yaml:1 missing-field: the mapping has no `key`"),
        (
            "timezone: Europe/Lodnon\nfields: {key: k}",
            "m.yaml:1 unknown-timezone: unknown time zone `Europe/Lodnon` | did you mean `Europe/London`?",
        ),
        ("fields:\n  key: k\n  timestamps.A: {column: a, timezone: X/Y}", "m.yaml:3 unknown-timezone"),
        (
            "datetime_formats: '%d/%m'\nfields: {key: k}",
            "m.yaml:1 bad-format: invalid datetime format `%d/%m`",
        ),
        ("fields:\n  key: k\n  timestamps.A: {column: a, datetime_formats: ['%Q']}", "m.yaml:3 bad-format"),
        ("fields:\n  key: {path: 'a[?'}", "m.yaml:2 bad-path: invalid JMESPath `a[?`"),
        ("records: 'a['\nfields: {key: k}", "m.yaml:1 bad-path"),
        ("where: '{{ '\nfields: {key: k}", "m.yaml:1 bad-template: invalid template"),
        (
            "fields:\n  key: {template: '{% include 1 %}'}",
            "m.yaml:2 bad-template: `include` is not allowed in the templates",
        ),
        (
            "fields:\n  key: {column: a,\n    path: b}",
            "m.yaml:3 bad-value: a rule may have only one of column, columns, path, template",
        ),
        ("months: xx\nfields: {key: k}", "m.yaml:1 bad-value: unknown language `xx` for month names"),
        ("keep: some\nfields: {key: k}", "m.yaml:1 bad-value: `keep` must be error, last, first or merge"),
        ("delimiter: ab\nfields: {key: k}", "m.yaml:1 bad-value: `delimiter` must be one character"),
        ("extends: nope\nfields: {key: k}", "m.yaml:1 unknown-preset: unknown preset `nope`"),
        ("extends: nope.yaml\nfields: {key: k}", "- unreadable: the mapping `nope.yaml` cannot be read"),
        ("extends: m.yaml\nfields: {key: k}", "m.yaml:1 bad-value: `m.yaml` extends itself"),
        (
            "fields: {key: k}\n---\nfields: {key: l}",
            "m.yaml:1 wrong-type: the mapping must be one YAML document",
        ),
        ("fields: [", "m.yaml:1 syntax: invalid YAML"),
        ("a\0", "m.yaml:1 not-text"),
        ("encoding: klingon\nfields: {key: k}", "m.yaml:1 bad-value: unknown encoding `klingon`"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, expected: str) -> None:
    found, messages = read(tmp_path, text)
    assert found is None
    assert messages[0].startswith(expected)


def test_a_mistake_in_a_template_of_several_lines_has_its_line(tmp_path: Path) -> None:
    _, messages = read(tmp_path, "fields:\n  key:\n    template: |\n      a\n      {{ b | nope }}\n")
    assert messages[0].startswith("m.yaml:4 bad-template")


def test_an_unknown_preset_is_an_error() -> None:
    diagnostics = Diagnostics()
    assert read_preset("nope", diagnostics, at=Location("importer.yaml", 3)) is None
    assert [(each.code, each.locations) for each in diagnostics.found] == [
        ("unknown-preset", (Location("importer.yaml", 3),))
    ]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid(name: str) -> None:
    diagnostics = Diagnostics()
    found = read_preset(name, diagnostics)
    assert diagnostics.found == []
    assert found is not None and found.fields


@pytest.mark.parametrize(
    ("own", "counted"),
    [("", ["A", "B"]), ("where: \"{{ size == 'big' }}\"\n", ["A"]), ("where: null\n", ["A", "B", "C", "D"])],
)
def test_the_condition_of_a_base_is_inherited(
    mapped: Mapped, tmp_path: Path, own: str, counted: list[str]
) -> None:
    (tmp_path / "base.yaml").write_text("where: \"{{ kind != 'drill' }}\"\nfields: {key: key}\n")
    data = "key,kind,size\nA,real,big\nB,real,small\nC,drill,big\nD,drill,small\n"
    outcome = mapped(f"extends: base.yaml\n{own}fields: {{}}\n", data)
    assert [each["key"] for each in outcome.blocks] == counted


def test_a_mistake_in_the_condition_of_a_base_has_its_place_there(mapped: Mapped, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text('fields: {key: key}\nwhere: "{{ knd }}"\n')
    outcome = mapped('extends: base.yaml\nwhere: "{{ key }}"\nfields: {}\n', "key,kind\nA,x\n")
    assert outcome.messages == [
        "base.yaml:2 unknown-column x1: the template uses `knd`, which is not a column"
    ]


def test_an_editor_finds_a_description_for_every_field() -> None:
    fields = schemas.read("mapping")["properties"]["fields"]["properties"]
    incident = schemas.read("incident")["$defs"]["incident"]["properties"]
    groups = {"timestamps", "roles", "custom_fields"}
    of_sources = {"on_drift", "ignore_changes"}
    assert {name.partition(".")[0] for name in fields} == incident.keys() - groups - of_sources
    assert all(each["description"].endswith(".") for each in fields.values())


def test_a_source_can_override_its_mapping() -> None:
    assert replace(Mapping(shown="m"), timezone="UTC").timezone == "UTC"
