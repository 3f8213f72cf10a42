"""Tables of any dialect and encoding: each cell is read with its row and column."""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from importer.formats.record import Record
from importer.mapping.model import Bare, Mapping, Rule
from importer.mapping.records import records
from importer.model import Location
from importer.model.diagnostics import Diagnostics
from importer.model.settings import SourceFile
from tests.mapping.conftest import Mapped

KEYED = "fields: {key: Key, name: Name}"
MARKS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "windows-1252": b"",
}


@pytest.mark.parametrize(
    "data",
    [
        b"Key,Name\nA,x\n",
        b"Key;Name\r\nA;x\r\n",
        b"Key\tName\nA\tx\n",
        b"Key|Name\nA|x\n",
        b"sep=;\nKey;Name\nA;x\n",
        b"\xef\xbb\xbfKey,Name\nA,x\n",
        codecs.BOM_UTF16_LE + '#TYPE System.Object\r\n"Key","Name"\r\n"A","x"\r\n'.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Key\tName\r\nA\tx\r\n".encode("utf-16-be"),
        b"\n\nKey,Name\n,\n  ,\nA,x\n,\n",
        b"Key,Name,\nA,x,\n",
        b"Key,Name\nA,x,,\n",
    ],
)
def test_a_table_is_read_with_any_delimiter(mapped: Mapped, data: bytes) -> None:
    outcome = mapped(KEYED, data)
    assert outcome.blocks == [{"key": "A", "name": "x"}]


def test_a_detected_encoding_and_delimiter_are_reported(mapped: Mapped) -> None:
    outcome = mapped(f"encoding: windows-1252\n{KEYED}", "Key;Name\nA;Störung\n".encode("cp1252"))
    assert outcome.blocks == [{"key": "A", "name": "Störung"}]
    assert outcome.messages == [
        "a.csv:1 encoding x1: the file was read as windows-1252",
        "a.csv:1 delimiter x1: the cells are separated by a semicolon, not by a comma",
    ]


def test_utf_8_wins_over_the_named_encoding(mapped: Mapped) -> None:
    outcome = mapped(f"encoding: windows-1252\n{KEYED}", "Key,Name\nA,Störung\n")
    assert (outcome.blocks, outcome.messages) == ([{"key": "A", "name": "Störung"}], [])


def test_an_undecodable_byte_is_reported_with_its_line(mapped: Mapped) -> None:
    outcome = mapped(KEYED, b"Key,Name\nA,x\nB,\x85\n")
    assert outcome.messages == ["a.csv:3 not-utf-8 x1: the file is not valid UTF-8"]
    assert "windows-1252" in outcome.hints


def test_doubled_line_endings_add_no_rows(mapped: Mapped) -> None:
    outcome = mapped(KEYED, b'Key,Name\r\r\nA,"x\r\r\ny"\r\r\nB,z\r\r\n')
    assert [(each.record.line, each.block["name"]) for each in outcome.candidates] == [
        (2, "x\r\ny"),
        (3, "z"),
    ]


def test_a_unicode_line_separator_does_not_end_a_line(mapped: Mapped) -> None:
    outcome = mapped(KEYED, "Key,Name\nA,x\u2028y\nB,z\n")
    assert [each.block["name"] for each in outcome.candidates] == ["x\u2028y", "z"]


def test_repeated_columns_become_one_list(mapped: Mapped) -> None:
    outcome = mapped("fields: {key: Key, custom_fields.Teams: Team}", "Key,Team,Team,Team\nA,x,,y\nB,,,\n")
    assert outcome.blocks == [{"key": "A", "custom_fields": {"Teams": ["x", "y"]}}, {"key": "B"}]


def test_a_ragged_row_is_rejected_with_its_reason(mapped: Mapped) -> None:
    outcome = mapped(KEYED, "Key,Name\nA,x\nB\nC,x,y\nD,z\n")
    assert [each["key"] for each in outcome.blocks] == ["A", "D"]
    assert [(str(each.location), list(each.cells)) for each in outcome.counts.rejects] == [
        ("a.csv:3:2", ["B"]),
        ("a.csv:4:3", ["C", "x", "y"]),
    ]
    assert outcome.messages == ["a.csv:3:2 ragged-row x2: a row has more or fewer cells than the header"]


def test_the_header_can_be_in_another_row(mapped: Mapped) -> None:
    outcome = mapped(f"header_row: 3\n{KEYED}", "Export of 2024\nof things,x\nKey,Name\nA,x\n")
    assert [(each.record.line, each.block["key"]) for each in outcome.candidates] == [(4, "A")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "a.csv:1 empty-file x1: the file is empty"),
        (b" \n\n", "a.csv:1 empty-file x1: the file is empty"),
        (b"Key,Name\n", "a.csv:1 no-records x1: a file has no records"),
        (b"PK\x03\x04rest", "a.csv:1 not-this-format x1: the file is a ZIP archive or a workbook"),
        (b"\x1f\x8brest", "a.csv:1 not-this-format x1: the file is compressed"),
        (
            b"<!DOCTYPE html><html><body>Sign in",
            "a.csv:1 not-this-format x1: the file is an HTML page, not an export",
        ),
        (b"Key,Name\nA,\0\n", "a.csv:2 not-text x1: the file is not text: it holds a NUL byte"),
        (b'Key,Name\nA,"x', "a.csv:2 syntax x1: invalid CSV"),
        (b'Key,Name\nA,"' + b"x" * 50_000_000, "a.csv:2 syntax x1: invalid CSV"),
        (
            b"Key,Name\n" + b",\n" * 40_000 + b"B,\0\n",
            "a.csv:40002 not-text x1: the file is not text: it holds a NUL byte",
        ),
        (b"Internal Server Error\n", "a.csv:1 not-this-format x1: the file is not a table"),
        (
            b"You may not export issues, sorry\nAsk them.\n",
            "m.yaml:1 unknown-column x1: there is no column `Key`",
        ),
        (
            b'<?xml version="1.0"?><unload><incident/></unload>',
            "a.csv:1 not-this-format x1: the file is XML, which cannot be read",
        ),
        (b'{"errorMessages": ["denied"]}', "a.csv:1 not-this-format x1: the file is JSON, not a table"),
        (b"sep=;\n\n", "a.csv:1 no-records x1: the table has no header"),
        (b"x" * 100_000_001, "a.csv:1 too-large x1: a line has more than 100 million characters"),
        (b"error,message\n1,denied\n", "m.yaml:1 unknown-column x1: there is no column `Key`"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused_with_an_explanation(
    mapped: Mapped, data: bytes, expected: str
) -> None:
    outcome = mapped(KEYED, data)
    assert (outcome.messages, outcome.candidates) == ([expected], [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "UTF-16BE"])
def test_utf_16_without_a_byte_order_mark_must_be_named(mapped: Mapped, encoding: str) -> None:
    data = "Key;Name\r\nA;x\r\n".encode(encoding)
    assert mapped(f"encoding: {encoding}\n{KEYED}", data).blocks == [{"key": "A", "name": "x"}]
    unnamed = mapped(KEYED, data)
    assert unnamed.messages == ["a.csv:1 not-text x1: the file is not text: it holds a NUL byte"]
    assert "utf-16-le" in unnamed.hints


def test_a_title_above_the_header_is_reported_with_the_row_of_the_header(mapped: Mapped) -> None:
    outcome = mapped(KEYED, "Incidents of 2023,\n\nKey,Name\nA,x\nB,y\nC,z\n")
    assert outcome.messages == ["a.csv:1 no-header x1: the table does not begin with its header"]
    assert outcome.hints == "set `header_row: 3` in the mapping"


def test_a_header_may_look_like_json(mapped: Mapped) -> None:
    assert mapped("fields: {key: '[Key', name: Name}", "[Key,Name\nA,x\n").blocks == [
        {"key": "A", "name": "x"}
    ]


def test_a_table_of_one_column_is_read_by_templates(mapped: Mapped) -> None:
    outcome = mapped("fields: {key: {template: '{{ Id }}'}, name: {template: '{{ Id }}'}}", "Id\nA\n")
    assert outcome.blocks == [{"key": "A", "name": "A"}]


def is_other_utf_8(data: bytes) -> bool:
    """Whether a text in another encoding happens to be valid UTF-8, and so is read as UTF-8."""
    try:
        return not data.decode().isascii()
    except UnicodeDecodeError:
        return False


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\x1a"), max_size=8)
LATIN = st.text(st.sampled_from("aB1 ,;\t|\"'\n\r=äß€-"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_table_is_read_cell_for_cell(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(sorted(MARKS)))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r\r\n"]))
    width = data.draw(st.integers(1, 5))
    delimiter = data.draw(st.sampled_from(",;\t|" if width > 1 else ","))  # a single column has no delimiter
    cell = LATIN if encoding == "windows-1252" or end == "\r\r\n" else CELL
    quoting: Literal[0, 1, 2] = data.draw(
        st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
    )
    if end == "\r\r\n" or quoting == csv.QUOTE_MINIMAL:  # it does not quote a \r, which then ends the row
        cell = cell.map(lambda text: text.replace("\r", ""))
    rows = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6))
    header = [f"column {number}" for number in range(width)]
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([header, *rows])
    written = MARKS[encoding] + target.getvalue().encode(encoding)
    if encoding == "windows-1252":
        assume(not is_other_utf_8(written))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(written)
        diagnostics = Diagnostics()
        place = Location("m.yaml", 1)
        mapping = Mapping(
            shown="m.yaml",
            encoding="windows-1252",
            fields={name: Rule(place=place, origin=Bare(name)) for name in header},
        )
        contents = records(SourceFile(path, "a.csv", named=True), mapping, diagnostics)
        found = list(contents.records) if contents else []
    expected = [(number, row) for number, row in enumerate(rows, 2) if any(each.strip() for each in row)]
    assert [(each.line, list(each.cells)) for each in found if isinstance(each, Record)] == expected
    if contents:
        assert contents.table and contents.table.columns == {name: n for n, name in enumerate(header, 1)}
