"""Tables: rows as a spreadsheet counts them, headers as fields."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats import csv_file, schemas
from importer.formats.tree import Block, Node
from importer.model import Severity
from importer.model.diagnostics import Diagnostics
from importer.sources import columns


def read(text: str, delimiter: str | None = None) -> tuple[list[Node], list[str]]:
    diagnostics = Diagnostics()
    nodes = list(columns.read_csv(text, "a.csv", diagnostics, delimiter=delimiter))
    return nodes, [
        f"{each.locations[0]} {each.code}: {each.summary} {each.hint}" for each in diagnostics.found
    ]


def rows(text: str) -> list[Node]:
    nodes, problems = read(text)
    assert problems == []
    return nodes


def test_headers_name_fields_with_a_dot_for_nested_ones() -> None:
    header = (
        "key,name,timestamps.Resolved at,custom_fields.Cost (est. in $),roles.Incident Lead,postmortem.url"
    )
    assert rows(f"{header}\nA,B,2023-01-01,5,lisa@example.com,https://x\n") == [
        {
            "key": "A",
            "name": "B",
            "timestamps": {"Resolved at": "2023-01-01"},
            "custom_fields": {"Cost (est. in $)": "5"},
            "roles": {"Incident Lead": "lisa@example.com"},
            "postmortem": {"url": "https://x"},
        }
    ]


def test_places_are_rows_and_columns() -> None:
    (_, row) = rows('key,name,custom_fields.X\nA,"two\nlines",\n\nB,C,D\n')
    assert isinstance(row, Block)
    assert row.line == 4
    assert str(row.place("a.csv", "name")) == "a.csv:4:2"
    nested = row["custom_fields"]
    assert isinstance(nested, Block)
    assert str(nested.place("a.csv", "X")) == "a.csv:4:3"


def test_an_empty_cell_is_ignored() -> None:
    assert rows("key,name,summary,custom_fields.X\nA,B,, \n") == [{"key": "A", "name": "B"}]


def test_blank_rows_count_but_are_ignored() -> None:
    nodes = rows("\nkey,name\n,\n\nA,B\n , \n")
    assert [each.line for each in nodes if isinstance(each, Block)] == [5]


def test_members_are_split_and_repeated_custom_fields_become_lists() -> None:
    nodes = rows("key,members,custom_fields.X,custom_fields.X,members\nA,a@x; b@x;,1;2,3,c@x\nB,,,4,\n")
    assert nodes[0] == {"key": "A", "members": ["a@x", "b@x", "c@x"], "custom_fields": {"X": ["1;2", "3"]}}
    assert nodes[1] == {"key": "B", "custom_fields": {"X": ["4"]}}
    assert isinstance(nodes[1], Block)
    assert isinstance(nodes[1]["custom_fields"], Block)
    assert nodes[1]["custom_fields"].place("p", "X").column == 4


def test_an_unknown_header_is_an_error_with_a_suggestion() -> None:
    _, problems = read("key,Sumary,timestamp.Resolved at,custom_fields.,Foo\nA,B,C,D,E\n")
    assert [problem.partition(" ")[0] for problem in problems] == [
        "a.csv:1:2",
        "a.csv:1:3",
        "a.csv:1:4",
        "a.csv:1:5",
    ]
    assert "did you mean `summary`?" in problems[0]
    assert "with a dot: custom_fields, roles, timestamps" in problems[3]


def test_two_columns_of_one_field_are_an_error() -> None:
    _, problems = read("key,name,name\nA,B,C\n")
    assert [problem.partition(":")[2].partition(":")[0] for problem in problems] == ["1", "1"]
    assert "more than one column is called `name`" in problems[0]


@pytest.mark.parametrize(("row", "column"), [("A", 2), ("A,B,C", 3), ("A,B,", 3)])
def test_a_ragged_row_is_an_error_and_the_other_rows_are_read(row: str, column: int) -> None:
    nodes, problems = read(f"key,name\n{row}\nC,D\n")
    assert nodes == [{"key": "C", "name": "D"}]
    assert problems[0].startswith(f"a.csv:2:{column} ragged-row")


def test_a_custom_field_called_members_is_a_field_like_any_other() -> None:
    assert rows("key,custom_fields.members\nA,x;y\n") == [{"key": "A", "custom_fields": {"members": "x;y"}}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_ending_is_read(end: str) -> None:
    text = f'key,name{end}A,"B{end}C"{end}D,E'
    assert rows(text) == [{"key": "A", "name": f"B{end}C"}, {"key": "D", "name": "E"}]


def test_rows_before_a_broken_one_are_still_read() -> None:
    nodes, (problem,) = read('key,name\nA,B\nC,"D\n')
    assert nodes == [{"key": "A", "name": "B"}]
    assert problem.startswith("a.csv:3 syntax")


@pytest.mark.parametrize(("delimiter", "word"), [(";", "a semicolon"), ("\t", "a tab")])
def test_another_delimiter_is_detected_and_reported(delimiter: str, word: str) -> None:
    diagnostics = Diagnostics()
    text = delimiter.join(["key", "name", "summary"]) + "\n" + delimiter.join(["A", "B, C", "D"]) + "\n"
    assert list(columns.read_csv(text, "a.csv", diagnostics)) == [
        {"key": "A", "name": "B, C", "summary": "D"}
    ]
    assert [(each.severity, each.code) for each in diagnostics.found] == [(Severity.WARNING, "delimiter")]
    assert word in diagnostics.found[0].summary
    assert read(text, delimiter) == ([{"key": "A", "name": "B, C", "summary": "D"}], [])


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2\n", "a;b\n1;2\n", "key,name\n"])
def test_a_table_without_incident_fields_declares_nothing(text: str) -> None:
    assert read(text) == ([], [])


@pytest.mark.parametrize("text", ['key,name\nA,"B\n', 'key,name\nA,"B"C\n'])
def test_broken_quotes_are_an_error_at_their_row(text: str) -> None:
    nodes, (problem,) = read(text)
    assert nodes == []
    assert problem.startswith("a.csv:2 syntax: invalid CSV")


def test_a_cell_may_be_long_and_the_limit_is_restored() -> None:
    before = csv.field_size_limit()
    assert rows(f"key,name\nA,{'x' * 200_000}\n") == [{"key": "A", "name": "x" * 200_000}]
    assert csv_file.row_after(f"key,name\nA,{'x' * 200_000}") == 2
    assert csv.field_size_limit() == before


def test_rows_are_counted_for_a_bad_byte() -> None:
    assert [csv_file.row_after(text) for text in ("", "a", "a\n", 'a\n"b\nc"\nd')] == [1, 1, 1, 3]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    str.strip
)


@given(st.lists(st.tuples(cells, cells), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_a_written_table_reads_back_unchanged(table: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([("key", "summary"), *table])
    nodes, problems = read(file.getvalue())
    assert nodes == [{"key": key, "summary": summary} for key, summary in table]
    assert all("delimiter" in problem for problem in problems)


def test_headers_are_the_schema_fields_that_fit_a_cell() -> None:
    fields = schemas.read("incident")["$defs"]["incident"]["properties"]
    below_postmortem = schemas.read("incident")["$defs"]["postmortem"]["properties"]
    lists_of_mappings = {"timeline", "follow_ups", "attachments", "status_page"}
    plain = fields.keys() - lists_of_mappings - columns.KEYED - {"postmortem"}
    assert plain | {f"postmortem.{name}" for name in below_postmortem} == columns.PLAIN
