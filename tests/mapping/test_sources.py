"""Workbooks, JSON, JSON Lines and Markdown: their records, and the errors for other files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from importer.mapping.records import SourceProfile, profile_file
from tests.mapping.conftest import Mapped
from tests.workbooks import row, workbook

KEYED = "fields: {key: id, name: name}"


def test_a_workbook_has_dates_and_numbers(mapped: Mapped) -> None:
    rows = row(2, "id", "name", "at") + (
        '<row r="4"><c r="A4"><v>1042</v></c><c r="B4" t="inlineStr"><is><t>down</t></is></c>'
        '<c r="C4" s="1"><v>45300.6625</v></c></row>'
    )
    outcome = mapped(
        "timezone: UTC\nfields: {key: id, name: name, timestamps.Reported at: at}", workbook(rows), "a.xlsx"
    )
    assert outcome.messages == []
    assert [(each.record.line, dict(each.block)) for each in outcome.candidates] == [
        (4, {"key": "1042", "name": "down", "timestamps": {"Reported at": "2024-01-09T15:54:00Z"}})
    ]


@pytest.mark.parametrize(
    ("rows", "mapping", "expected"),
    [
        ("", KEYED, "a.xlsx:1 no-records x1: the sheet `Log` is empty"),
        (row(1, "id", "name"), KEYED, "a.xlsx:1 no-records x1: a file has no records"),
        (
            row(1, "id"),
            f"sheet: Other\n{KEYED}",
            "a.xlsx:1 no-such-sheet x1: the workbook has no sheet `Other`",
        ),
        (
            row(1, "id") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            KEYED,
            "a.xlsx:1 too-large x1: a sheet is too large",
        ),
    ],
)
def test_a_workbook_without_records_is_an_error(
    mapped: Mapped, rows: str, mapping: str, expected: str
) -> None:
    assert mapped(mapping, workbook(rows), "a.xlsx").messages == [expected]


def test_every_type_of_workbook_cell_is_text_or_a_time(mapped: Mapped) -> None:
    cells = (
        ("b", "1", ""),
        ("n", "0.5", ""),
        ("n", "45300", ' s="2"'),
        ("n", "45300.6625", ' s="1"'),
        ("n", "1.5", ' s="3"'),
        ("n", "7", ""),
    )
    written = "".join(
        f'<c r="{chr(66 + place)}3" t="{kind}"{style}><v>{value}</v></c>'
        for place, (kind, value, style) in enumerate(cells)
    )
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="4">'
        '<xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="14"/><xf numFmtId="46"/></cellXfs></styleSheet>'
    )
    rows = row(1, "A title") + row(2, "id", "yes", "half", "day", "moment", "duration", "count")
    rows += f'<row r="3"><c r="A3" t="inlineStr"><is><t>A</t></is></c>{written}</row>'
    names = ("yes", "half", "day", "moment", "duration", "count")
    fields = "".join(f", custom_fields.{name}: {name}" for name in names)
    outcome = mapped(
        f"header_row: 2\nfields: {{key: id{fields}}}", workbook(rows, **{"xl/styles.xml": styles}), "a.xlsx"
    )
    assert outcome.blocks[0]["custom_fields"] == {
        "yes": "true",
        "half": "0.5",
        "day": "2024-01-09",
        "moment": "2024-01-09 15:54:00",
        "duration": "129600",
        "count": "7",
    }


@pytest.mark.parametrize("spoil", ["cut", "stranger", "moved"])
def test_an_archive_with_false_member_sizes_is_refused(mapped: Mapped, spoil: str) -> None:
    target = io.BytesIO()
    packing = zipfile.ZIP_BZIP2 if spoil == "stranger" else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", packing) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>" * 10)
        archive.writestr("b.xml", "<b/>")
        if spoil == "cut":
            archive.infolist()[1].compress_size = 1_000_000
        if spoil == "moved":
            archive.infolist()[1].header_offset -= 3
    outcome = mapped(KEYED, target.getvalue(), "a.xlsx")
    assert outcome.messages == ["a.xlsx:1 not-this-format x1: the file is not an XLSX workbook"]


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_a_workbook_that_would_exhaust_memory_is_refused(mapped: Mapped) -> None:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/a.xml", "w", force_zip64=True) as file,
    ):
        for _ in range(1_001):
            file.write(b" " * 1_000_000)
    outcome = mapped(KEYED, target.getvalue(), "a.xlsx")
    assert outcome.messages == ["a.xlsx:1 too-large x1: the workbook unpacks to more than 1000 MB"]


@pytest.mark.parametrize("data", [b"Key,Name\n", b"PK\x03\x04 no archive", b""])
def test_a_file_that_is_not_a_workbook_is_refused(mapped: Mapped, data: bytes) -> None:
    assert mapped(KEYED, data, "a.xlsx").messages == [
        "a.xlsx:1 not-this-format x1: the file is not an XLSX workbook"
    ]


def test_a_zip_that_is_not_a_workbook_is_refused(mapped: Mapped) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("incidents.csv", "id,name\n")
    assert mapped(KEYED, target.getvalue(), "a.xlsx").messages == [
        "a.xlsx:1 syntax x1: the workbook cannot be read"
    ]


def test_json_records_have_their_lines(mapped: Mapped) -> None:
    data = '{"page": {"id": "}"},\n "incidents": [\n  {"id": "A", "name": "x {",\n   "sub": {"n": 1.10}},\n  {"id": "B", "name": null}\n]}'
    outcome = mapped(
        "records: incidents[]\nfields: {key: id, name: name, custom_fields.N: {path: sub.n, optional: true}}",
        data,
        "a.json",
    )
    assert [(each.record.line, dict(each.block)) for each in outcome.candidates] == [
        (3, {"key": "A", "name": "x {", "custom_fields": {"N": "1.10"}}),
        (5, {"key": "B"}),
    ]


@pytest.mark.parametrize(
    ("data", "expected", "hint"),
    [
        (
            '{"incident": [{"id": 1}]}',
            "a.json:1 no-records x1: `records: incidents[]` finds nothing",
            "did you mean `records: incident[]`?",
        ),
        (
            '{"errorMessages": "denied"}',
            "a.json:1 not-this-format x1: the export contains an error message instead of a record",
            "the service refused",
        ),
        ('{"incidents": []}', "a.json:1 no-records x1: a file has no records", "an empty list"),
        ('{"incidents": [\n{"id": 1},\n', "a.json:3 syntax x1: invalid JSON", "download is complete"),
        ('{"incidents": [{"id": 1}, {"id": "cut', "a.json:1 syntax x1: invalid JSON", "download is complete"),
        ('{"id": 1}\n{"id": 2}\n', "a.json:2 syntax x1: invalid JSON", "`format: jsonl`"),
        ("Rate limit exceeded", "a.json:1 syntax x1: invalid JSON", "error message"),
        (f'{{"incidents": [{{"id": {"1" * 5000}}}]}}', "a.json:1 syntax x1: invalid JSON", ""),
        ('{"incidents": [1, 2}', "a.json:1 syntax x1: invalid JSON", ""),
        (
            '{"incidents": [\n{"id": 1, "id": 2}]}',
            "a.json:2 duplicate-field x1: `id` appears twice in one object",
            "",
        ),
        ("[" * 100_000, "a.json:1 too-deep x1: the values are nested too deeply", ""),
        (
            "<html>Sign in</html>",
            "a.json:1 not-this-format x1: the file is an HTML page, not an export",
            "again",
        ),
        ('"x"', "a.json:1 no-records x1: `records: incidents[]` finds nothing", ""),
    ],
)
def test_json_that_is_not_an_export_is_refused_with_an_explanation(
    mapped: Mapped, data: str, expected: str, hint: str
) -> None:
    outcome = mapped(f"records: incidents[]\n{KEYED}", data, "a.json")
    assert outcome.messages == [expected]
    assert hint in outcome.hints


@pytest.mark.slow
def test_a_json_file_that_would_exhaust_memory_is_refused(mapped: Mapped, tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.write(b"[1," + b" " * 70_000)
        file.truncate(800_000_001)
    outcome = mapped(KEYED, tmp_path / "large.json", "a.json")
    assert outcome.messages == ["a.json:1 too-large x1: the file is larger than 800 MB"]


def test_an_unusable_records_path_is_reported_at_its_line(mapped: Mapped) -> None:
    outcome = mapped(f"records: abs(x)\n{KEYED}", '{"x": "no number"}', "a.json")
    assert outcome.messages == ["m.yaml:1 bad-path x1: `records` cannot be used"]


def test_a_nul_byte_in_json_has_its_line(mapped: Mapped) -> None:
    outcome = mapped(KEYED, b"[\n" + b" " * 70_000 + b"\n\0]", "a.json")
    assert outcome.messages == ["a.json:3 not-text x1: the file is not text: it holds a NUL byte"]


def test_a_nested_error_message_is_found(mapped: Mapped) -> None:
    outcome = mapped(KEYED, '{"errors": [{"code": 7, "detail": "no such report"}, "sorry"]}', "a.json")
    assert [each.detail for each in outcome.diagnostics.found] == ["found `no such report; sorry`"]


@pytest.mark.slow
def test_a_text_that_is_too_long_is_refused_with_its_place(mapped: Mapped) -> None:
    data = '[{"id": "A", "name": "x"},\n{"id": "B", "name": "' + "x" * 50_000_000 + '"}]'
    outcome = mapped(KEYED.replace("Key", "id").replace("Name", "name"), data, "a.json")
    assert outcome.messages == ["a.json:2 too-large x1: a text has more than 10 million characters"]
    assert outcome.blocks == [{"key": "A", "name": "x"}]


def test_an_invalid_json_line_is_rejected_and_the_others_are_read(mapped: Mapped) -> None:
    outcome = mapped(KEYED, '{"id": "A"}\n\n{"id":\n"x"\n{"id": "B"}\n', "a.jsonl")
    assert [(each.record.line, each.block["key"]) for each in outcome.candidates] == [(1, "A"), (5, "B")]
    assert [str(each.location) for each in outcome.counts.rejects] == ["a.jsonl:3", "a.jsonl:4"]


@pytest.mark.parametrize(
    "data",
    [
        "---\nid: A\nname: x\nat: 2024-01-09 15:54\n---\n\nBody.\n",
        '+++\nid = "A"\nname = "x"\nat = 2024-01-09T15:54:00\n+++\nBody.\n',
        "---\r\nid: A\r\nname: x\r\nat: 2024-01-09 15:54\r\n---\r\nBody.",
    ],
)
def test_front_matter_is_a_record(mapped: Mapped, data: str) -> None:
    outcome = mapped(
        "timezone: UTC\nfields: {key: file.stem, name: name, summary: body, timestamps.Reported at: at, external_id: {path: n, optional: true}}",
        data,
        "2024-01-09-down.md",
    )
    assert outcome.blocks == [
        {
            "key": "2024-01-09-down",
            "name": "x",
            "summary": "Body.",
            "timestamps": {"Reported at": "2024-01-09T15:54:00Z"},
        }
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("# Text", "a.md:1 no-front-matter x1: the file has no front matter"),
        ("---\n- x\n---\n", "a.md:1 wrong-type x1: the front matter is not a mapping"),
        ("+++\nx\n+++\n", "a.md:1 syntax x1: invalid TOML in the front matter"),
        ("---\nid: [\n---\n", "a.md:2 syntax x1: invalid YAML"),
    ],
)
def test_invalid_front_matter_is_refused(mapped: Mapped, data: str, expected: str) -> None:
    assert mapped(KEYED, data, "a.md").messages == [expected]


def test_a_mistake_in_front_matter_has_its_line(mapped: Mapped) -> None:
    outcome = mapped("fields: {key: id, timestamps.Reported at: at}", "---\nid: A\nat: soon\n---\n", "a.md")
    assert outcome.messages == ["a.md:3 bad-datetime x1: `timestamps.Reported at`: invalid date or time"]


def test_the_file_name_is_available_in_every_format(mapped: Mapped) -> None:
    mapping = "fields:\n  key: {template: '{{ file.stem }}-{{ row_number }}'}\n  name: file.name\n"
    assert mapped(mapping, "a,b\n1,2\n", "x.csv").blocks == [{"key": "x-2", "name": "x.csv"}]
    assert mapped(mapping, '{"a": 1}', "x.json").blocks == [{"key": "x-1", "name": "x.json"}]


def test_an_unknown_suffix_needs_a_format(mapped: Mapped) -> None:
    assert mapped(KEYED, "id,name\n1,2\n", "a.dat").messages == [
        "a.dat:1 not-supported x1: files of type `.dat` need a `format` in the mapping"
    ]
    assert mapped(f"format: csv\n{KEYED}", "id,name\n1,2\n", "a.dat").blocks == [{"key": "1", "name": "2"}]


def test_the_profile_of_a_table_has_its_columns_and_values(tmp_path: object) -> None:
    path = tmp_path / "a.csv"  # type: ignore[operator]
    path.write_text("Key;Team;Team;Note\nA;x;y;\nB;x;;\n")
    found: SourceProfile = profile_file(path, shown="a.csv")
    assert (found.format, found.columns, found.records) == ("csv", ("Key", "Team", "Note"), 2)
    seen = {name: tuple(values) for name, values in found.distinct.items()}
    assert seen == {"Key": ("A", "B"), "Team": ("x", "y"), "Note": ()}
    assert found.filled == {"Key": 2, "Team": 3}
    assert found.detected == {"encoding": "utf-8", "delimiter": "a semicolon"}


def test_the_profile_of_objects_has_their_paths_and_values(tmp_path: object) -> None:
    path = tmp_path / "a.json"  # type: ignore[operator]
    path.write_text('[{"id": 1, "p": {"n": "High"}, "tags": ["a"], "u": [{"at": 1}], "x": null}]')
    found = profile_file(path, shown="a.json")
    assert found.columns == ("id", "p.n", "tags[]", "u[]")
    assert tuple(found.distinct["u[]"]) == ("1 objects with at",)


def test_the_profile_of_an_unreadable_file_says_why(tmp_path: object) -> None:
    path = tmp_path / "a.csv"  # type: ignore[operator]
    found = profile_file(path, shown="a.csv")
    assert [each.code for each in found.diagnostics.found] == ["unreadable"]
    assert (found.columns, found.records) == ((), 0)


@pytest.mark.parametrize(
    ("rule", "place", "code"),
    [("'id['", "m.yaml:1", "bad-path"), ("{path: abs(id)}", "a.json:1", "bad-path")],
)
def test_an_unusable_path_is_reported_at_its_place(mapped: Mapped, rule: str, place: str, code: str) -> None:
    outcome = mapped(f"fields: {{key: {rule}}}", '[{"id": "A"}]', "a.json")
    assert [each.split()[:2] for each in outcome.messages] == [[place, code]]


def test_a_date_in_a_header_becomes_text(mapped: Mapped) -> None:
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" s="2"><v>45300</v></c></row>'
    outcome = mapped(
        "fields: {key: id, name: '2024-01-09'}", workbook(header + row(2, "A", "Down")), "a.xlsx"
    )
    assert outcome.blocks == [{"key": "A", "name": "Down"}]
