"""Workbooks under the header convention: rows of incidents, each value with its sheet, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.model import Attribute, Field, Packed
from importer.model.settings import Settings
from importer.sources import Loaded, load
from tests.workbooks import book, row

HEADER = ("key", "name", "severity", "timestamps.Resolved at", "custom_fields.Teams")
MOMENT = '<row r="2"><c r="A2"><v>1042</v></c>{}<c r="D2" s="1"><v>45300.6625</v></c>{}</row>'
ROW = MOMENT.format(
    '<c r="B2" t="inlineStr"><is><t>Down</t></is></c>', '<c r="E2" t="inlineStr"><is><t>a;b</t></is></c>'
)


def loaded(folder: Path, data: bytes, *, named: bool = False) -> Loaded:
    (folder / "a.xlsx").write_bytes(data)
    return load(Settings(root=folder, timezone="Europe/Berlin"), [folder / "a.xlsx"] if named else [])


def messages(found: Loaded) -> list[str]:
    return [f"{each.severity} {each.locations[0]} {each.code}" for each in found.diagnostics]


def test_a_row_of_a_workbook_is_an_incident(tmp_path: Path) -> None:
    found = loaded(tmp_path, book({"Log": row(1, *HEADER) + ROW}))
    assert found.diagnostics == ()
    (incident,) = found.incidents
    assert (incident.key, str(incident.location)) == ("1042", "a.xlsx:2")
    values = {attribute.label: value for attribute, value in incident.attributes.items()}
    assert values["name"] == "Down"
    assert str(values["timestamps.Resolved at"]) == "2024-01-09 14:54:00+00:00"
    assert values["custom_fields.Teams"] == Packed("a;b")


def test_a_date_without_a_time_is_midnight(tmp_path: Path) -> None:
    rows = row(1, *HEADER) + ROW.replace('s="1"><v>45300.6625', 's="2"><v>45300')
    (incident,) = loaded(tmp_path, book({"Log": rows})).incidents
    values = {attribute.label: value for attribute, value in incident.attributes.items()}
    assert str(values["timestamps.Resolved at"]) == "2024-01-08 23:00:00+00:00"


def test_places_have_the_row_and_column_of_the_workbook(tmp_path: Path) -> None:
    rows = row(3, None, "key", "name", "timestamps.Resolved at") + row(5, None, "A", "Down", "soon")
    assert messages(loaded(tmp_path, book({"Log": rows}))) == ["error a.xlsx:5:4 bad-datetime"]


def test_places_name_the_sheet_if_there_are_several(tmp_path: Path) -> None:
    first = row(1, "key", "name") + row(2, "A", "Down")
    second = row(1, "key", "name") + row(2, "B", None)
    found = loaded(tmp_path, book({"2022": first, "2023": second, "Empty": ""}))
    assert [str(each.location) for each in found.incidents] == ["a.xlsx[2022]:2"]
    assert messages(found) == ["error a.xlsx[2023]:2 missing-field"]


def test_a_sheet_without_incidents_is_reported_and_a_hidden_one_is_skipped(tmp_path: Path) -> None:
    incidents, words = row(1, "key", "name") + row(2, "A", "Down"), row(1, "Word") + row(2, "P1")
    found = loaded(tmp_path, book({"Log": incidents, "Words": words, "Lists": words}, hidden=["Lists"]))
    assert [each.key for each in found.incidents] == ["A"]
    assert messages(found) == ["warning a.xlsx[Words]:1 not-an-incident-file"]


@pytest.mark.parametrize(("named", "expected"), [(True, "error"), (False, "warning")])
def test_a_workbook_without_incidents_is_named(tmp_path: Path, named: bool, expected: str) -> None:
    found = loaded(tmp_path, book({"Log": row(1, "Word") + row(2, "P1"), "Empty": ""}), named=named)
    assert messages(found) == [f"{expected} a.xlsx:1 not-an-incident-file"]


def test_a_cell_without_a_header_is_an_error_and_a_blank_column_is_not(tmp_path: Path) -> None:
    rows = row(1, "key", None, "name") + row(2, "A", None, "Down") + row(3, "B", "stray", "Down")
    found = loaded(tmp_path, book({"Log": rows}))
    assert [each.key for each in found.incidents] == ["A"]
    assert messages(found) == ["error a.xlsx:3:2 no-header"]


def test_a_file_that_is_not_a_workbook_is_refused(tmp_path: Path) -> None:
    assert messages(loaded(tmp_path, b"key,name\nA,Down\n")) == ["error a.xlsx:1 not-this-format"]
    broken = book({"Log": ""}, more={"xl/workbook.xml": "<workbook"})
    assert messages(loaded(tmp_path, broken)) == ["error a.xlsx:1 syntax"]
    broken = book({"Log": ""}, more={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row><c"})
    assert messages(loaded(tmp_path, broken)) == ["error a.xlsx:1 syntax"]


def test_the_lock_file_of_an_open_workbook_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "~$a.xlsx").write_bytes(b"somebody")
    assert loaded(tmp_path, book({"Log": row(1, "key", "name") + row(2, "A", "Down")})).diagnostics == ()


def test_an_attribute_is_named_by_its_header(tmp_path: Path) -> None:
    found = loaded(tmp_path, book({"Log": row(1, "key", "name") + row(2, "A", " Down ")}))
    assert found.incidents[0].attributes == {Attribute(Field.NAME): "Down"}
