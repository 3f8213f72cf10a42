"""Records through a mapping: the value of each field, and several records with the same key."""

from __future__ import annotations

import csv
import io

import pytest

from importer.mapping.rejects import MISSING, as_csv, without_rejects
from importer.model import Severity
from tests.mapping.conftest import Mapped


def test_a_field_is_read_from_the_source_in_the_mapping(mapped: Mapped) -> None:
    mapping = """
fields:
  key: Key
  name: {columns: [Title, Env], join: " - "}
  summary: {column: [Long, Short]}
  severity: {column: P, values: {Highest: Critical, "P 2": {id: 01H}, low: null, "*": Minor}}
  status: {default: Closed}
  custom_fields.Teams: {column: Teams, split: ";"}
  roles.Incident Lead: {column: Lead, by: email}
  members: Lead
  call_url: {template: "https://example.com/{{ Key | slug }}"}
  external_id: {column: Missing, optional: true}
"""
    data = "Key,Title,Env,Long,Short,P,Teams,Lead\nA 1,t,e,,s,HIGHEST,x; y;,a@b\nB,t,,l,s,p2,,\nC,t,,,,Low,,\nD,t,,,,?,,\n"
    outcome = mapped(mapping, data)
    assert outcome.messages == []
    common = {"status": "Closed"}
    assert outcome.blocks == [
        {
            "key": "A 1", "name": "t - e", "summary": "s", "severity": "Critical", "custom_fields": {"Teams": ["x", "y"]},
            "roles": {"Incident Lead": {"email": "a@b"}}, "members": ["a@b"], "call_url": "https://example.com/a-1",
        } | common,
        {"key": "B", "name": "t", "summary": "l", "severity": {"id": "01H"}, "call_url": "https://example.com/b"} | common,
        {"key": "C", "name": "t", "call_url": "https://example.com/c"} | common,
        {"key": "D", "name": "t", "severity": "Minor", "call_url": "https://example.com/d"} | common,
    ]  # fmt: skip
    assert str(outcome.candidates[0].block.place("a.csv", "severity")) == "a.csv:2:6"


def test_an_unmapped_value_is_an_error_with_its_name(mapped: Mapped) -> None:
    mapping = "fields:\n  key: Key\n  severity: {column: P, values: {High: Major}}\n"
    outcome = mapped(mapping, "Key,P\nA,High\nB,SEV-1\nC,major\nD,SEV-1\nE,\n")
    assert [each["key"] for each in outcome.blocks] == ["A", "C", "E"]
    assert outcome.messages == ["a.csv:3:2 unmapped-value x2: severity `SEV-1` is not in its `values`"]
    assert "m.yaml:3" in outcome.hints
    assert [each.cells for each in outcome.counts.rejects] == [("B", "SEV-1"), ("D", "SEV-1")]


def test_blank_texts_are_ignored(mapped: Mapped) -> None:
    mapping = "blank: ['?', n/a]\nfields: {key: Key, summary: {column: S, blank: -}, name: {column: N, default: none, required: true}}"
    outcome = mapped(mapping, "Key,S,N\nA,?,x\nB,N/A,?\nC,-,-\n")
    assert outcome.blocks == [
        {"key": "A", "name": "x"},
        {"key": "B", "name": "none"},
        {"key": "C", "name": "-"},
    ]


def test_a_blank_required_field_rejects_the_record(mapped: Mapped) -> None:
    outcome = mapped("fields: {key: Key, name: {column: N, required: true}}", "Key,N\nA,\n")
    assert outcome.messages == ["a.csv:2:2 missing-field x1: `name` is blank"]


def test_where_excludes_records(mapped: Mapped) -> None:
    mapping = "where: \"{{ Type == 'Incident' and row['Is test'] != 'yes' }}\"\nfields: {key: Key}"
    outcome = mapped(mapping, "Key,Type,Is test\nA,Incident,\nB,Task,\nC,Incident,yes\n")
    assert ([each["key"] for each in outcome.blocks], outcome.counts.filtered) == (["A"], 2)


def test_a_record_that_where_cannot_evaluate_is_rejected_with_its_place(mapped: Mapped) -> None:
    mapping = 'format: json\nwhere: "{{ kind }}"\nfields: {key: key}'
    outcome = mapped(mapping, '[{"key": "A", "kind": "x"},\n {"key": "B", "kind": {"name": "x"}}]', "a.json")
    assert [each["key"] for each in outcome.blocks] == ["A"]
    assert len(outcome.counts.rejects) == 1
    assert outcome.messages[0].startswith("a.json:2 ")


def test_a_where_that_excludes_everything_is_a_warning(mapped: Mapped) -> None:
    assert mapped("where: '{{ false }}'\nfields: {key: Key}", "Key,N\nA,\n").messages == [
        "m.yaml:1 nothing-left x1: `where` excludes every record"
    ]


@pytest.mark.parametrize(
    ("rule", "place", "hint"),
    [
        ("name: Nmae", "m.yaml:3", "did you mean `Name`?"),
        ("name: {columns: [Name, Foo]}", "m.yaml:3", "known names are Key, Name"),
        ("name: {template: '{{ Nmae }}'}", "m.yaml:3", "did you mean `Name`?"),
        ("name: {template: \"{{ row['Nmae'] }}\"}", "m.yaml:3", "did you mean `Name`?"),
    ],
)
def test_a_missing_column_is_reported_once(mapped: Mapped, rule: str, place: str, hint: str) -> None:
    outcome = mapped(f"fields:\n  key: Key\n  {rule}\n", "Key,Name\nA,x\nB,y\n")
    assert outcome.messages[0].startswith(f"{place} unknown-column x1: ")
    assert (outcome.candidates, outcome.hints) == ([], hint)


def test_several_rows_with_the_same_key_are_an_error(mapped: Mapped) -> None:
    outcome = mapped("fields: {key: Key, name: N}", "Key,N\nA,x\nA,y\n")
    assert outcome.blocks == [{"key": "A", "name": "x"}]
    assert outcome.messages == ["a.csv:3:1 duplicate-key x1: two records have the same key"]
    assert outcome.diagnostics.found[0].detail == "`A` is also at a.csv:2"


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("first", [{"key": "A", "name": "x", "custom_fields": {"T": ["1"]}}, {"key": "B", "name": "b"}]),
        ("last", [{"key": "A", "custom_fields": {"T": ["1", "3"]}}, {"key": "B", "name": "b"}]),
        (
            "merge",
            [{"key": "A", "name": "y", "custom_fields": {"T": ["1", "2", "3"]}}, {"key": "B", "name": "b"}],
        ),
    ],
)
def test_keep_decides_about_several_rows_with_the_same_key(
    mapped: Mapped, keep: str, expected: list[dict[str, object]]
) -> None:
    mapping = f"keep: {keep}\nfields: {{key: Key, name: N, custom_fields.T: {{column: T, split: ;}}}}"
    outcome = mapped(mapping, "Key,N,T\nA,x,1\nB,b,\nA,y,2\nA,,1;3\n")
    merged, dropped = (2, 0) if keep == "merge" else (0, 2)
    assert outcome.blocks == expected
    assert (outcome.counts.merged, outcome.counts.dropped) == (merged, dropped)


def test_updates_become_the_timeline(mapped: Mapped) -> None:
    mapping = """
records: incidents
fields:
  key: id
  timeline: {each: updates, at: created, title: status, description: {path: body, markup: html}}
  status_page.page: {default: Acme}
  status_page.updates: {each: "reverse(updates)", at: created, status: status, message: body}
  attachments: {each: links, resource_type: {default: arbitrary_url}, url: item, title: parent.id}
"""
    data = '{"incidents": [{"id": "A", "links": ["https://example.com"],\n"updates": [{"created": "2024-01-02T00:00:00Z", "status": "resolved", "body": "<b>ok</b>"},\n{"created": null, "status": null, "body": ""}]}]}'
    outcome = mapped(mapping, data, "a.json")
    assert outcome.blocks == [
        {
            "key": "A",
            "timeline": [{"at": "2024-01-02T00:00:00Z", "title": "resolved", "description": "**ok**"}],
            "status_page": {
                "page": "Acme",
                "updates": [{"at": "2024-01-02T00:00:00Z", "status": "resolved", "message": "<b>ok</b>"}],
            },
            "attachments": [{"resource_type": "arbitrary_url", "url": "https://example.com", "title": "A"}],
        }
    ]
    assert outcome.candidates[0].block["timeline"].lines == [2]  # type: ignore[union-attr]


def test_repeated_cells_become_the_timeline(mapped: Mapped) -> None:
    mapping = """
timezone: UTC
datetime_formats: "%d/%b/%y %I:%M %p"
fields:
  key: Key
  timeline: {each: Comment, split: ";", into: [when, who, text], at: when, title: {template: "{{ who }} in {{ parent.Key }}"}, description: text}
  follow_ups: {title: Todo, labels: Label}
"""
    outcome = mapped(
        mapping, "Key,Comment,Comment,Todo,Label\nA,09/Jan/24 3:55 PM;bob;x; y,,fix,db\nB,,,,db\n"
    )
    assert outcome.blocks == [
        {
            "key": "A",
            "timeline": [{"at": "2024-01-09T15:55:00Z", "title": "bob in A", "description": "x; y"}],
            "follow_ups": [{"title": "fix", "labels": ["db"]}],
        },
        {"key": "B", "follow_ups": [{"labels": ["db"]}]},
    ]


@pytest.mark.parametrize(
    ("rule", "record", "code"),
    [
        ("name: sub", '{"sub": {"a": 1}}', "wrong-type"),
        ("name: sub", '{"sub": ["a", "b"]}', "several-values"),
        ("name: {path: 'length(sub)'}", '{"sub": 1}', "bad-path"),
        ("name: {path: sub, markup: adf}", '{"sub": "{no"}', "bad-value"),
        ("name: sub", '{"sub": "\\ud800"}', "bad-value"),
        ("timestamps.R: sub", '{"sub": "01/02/2024"}', "bad-datetime"),
        ("name: {template: '{{ sub | date }}'}", '{"sub": "01/02/2024"}', "bad-template"),
        ("name: {template: '{{ 1 / 0 }}'}", "{}", "bad-template"),
    ],
)
def test_an_invalid_value_rejects_its_record(mapped: Mapped, rule: str, record: str, code: str) -> None:
    outcome = mapped(
        f"fields:\n  key: id\n  {rule}\n",
        f'[{{"id": "A"}}, {{"id": "B", {record[1:]}]'.replace(", }", "}"),
        "a.json",
    )
    assert outcome.messages[0].startswith(f"a.json:1 {code} x")
    assert len(outcome.counts.rejects) >= 1


def test_a_path_without_a_value_in_any_record_is_a_warning(mapped: Mapped) -> None:
    outcome = mapped(
        "fields:\n  key: id\n  name: nmae\n  summary: {path: s, optional: true}",
        '[{"id": "A", "name": "x"}]',
        "a.json",
    )
    assert outcome.messages == ["m.yaml:3 never-found x1: `name` has no value in any record"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ [a, b] | first }} {{ a | first(b) }}", "x x"),
        ("{{ at | date | plus('1:30:00') }}", "2024-01-02T01:30:00Z"),
        ("{{ at | date | plus(none) }}{{ a | date }}", ""),
        ("{{ '2h' | seconds }} {{ l | json }}", '7200.0 ["é"]'),
        ("{{ '*b*' | jira }} {{ '<i>c</i>' | html }} {{ d | adf }}", "**b** *c* e"),
        ("{{ 'A b' | slug }} {{ ' t ' | trim }}", "a-b t"),
    ],
)
def test_templates_can_use_filters(mapped: Mapped, text: str, expected: str) -> None:
    record = '{"a": null, "b": "x", "at": "2024-01-02T00:00:00Z", "l": ["é"], "d": {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "e"}]}]}}'
    outcome = mapped(
        f"fields:\n  key: {{template: >-\n    {text}}}".replace(
            "{template: >-\n    ", "\n    template: >-\n      "
        )[:-1],
        record,
        "a.json",
    )
    assert outcome.messages == []
    assert [each.get("key", "") for each in outcome.blocks] == [expected]


def test_rejects_can_be_fixed_and_imported_again(mapped: Mapped) -> None:
    mapping = "fields: {key: Key, timestamps.At: At, summary: {column: S, optional: true}}"
    outcome = mapped(mapping, 'Key,At,S\nA,soon,"a\nb"\nB,2024-01-02T00:00:00Z,\nC\n')
    written = as_csv(outcome.counts.rejects)
    assert list(csv.reader(io.StringIO(written))) == [
        ["Key", "At", "S", "left out because"],
        [
            "A",
            "soon",
            "a\nb",
            "a.csv:2: `timestamps.At`: invalid date or time: `soon`: unknown format",
        ],
        [
            "C",
            "",
            "",
            "a.csv:4:2: a row has more or fewer cells than the header: 1 cell under 3 headers",
            MISSING.format(2),
        ],
    ]
    dated = written.replace("soon", "2024-01-01T00:00:00Z")
    assert [each["key"] for each in mapped(mapping, dated).blocks] == ["A"]
    whole = dated.replace(MISSING.format(2), "")
    assert [each["key"] for each in mapped(mapping, whole).blocks] == ["A", "C"]
    forgiven = without_rejects(outcome.diagnostics.found, outcome.counts.rejects)
    assert {each.severity for each in forgiven} == {Severity.WARNING}


def test_rejects_with_different_columns_share_a_table(mapped: Mapped) -> None:
    one = mapped(
        "fields: {key: id, timestamps.At: at}", '{"id": 1, "at": {"x": null}, "n": null}', "a.json"
    ).counts.rejects
    two = mapped("fields: {key: id, timestamps.At: at}", "id,at\n2,soon\n").counts.rejects
    rows = list(csv.reader(io.StringIO(as_csv([*one, *two]))))
    assert rows[0] == ["id", "at", "n", "left out because"]
    assert [row[:3] for row in rows[1:]] == [["1", '{"x": null}', ""], ["2", "soon", ""]]


def test_times_in_toml_front_matter_become_text(mapped: Mapped) -> None:
    outcome = mapped(
        "fields: {key: file.stem, custom_fields.Day: day, custom_fields.At: at}",
        "+++\nday = 2024-01-09\nat = 2024-01-09T15:54:00\n+++\n",
        "a.md",
    )
    assert outcome.blocks[0]["custom_fields"] == {"Day": "2024-01-09", "At": "2024-01-09 15:54:00"}


def test_each_value_of_a_list_is_split(mapped: Mapped) -> None:
    outcome = mapped(
        'fields: {key: id, custom_fields.Teams: {path: teams, split: ";"}}',
        '[{"id": "A", "teams": ["a;b", "c", 7]}]',
        "a.json",
    )
    assert outcome.blocks[0]["custom_fields"] == {"Teams": ["a", "b", "c", "7"]}


def test_items_can_be_read_with_a_template(mapped: Mapped) -> None:
    outcome = mapped(
        "fields:\n  key: Key\n  attachments:\n    each: Link\n    url: {template: 'https://x.example/{{ item }}'}\n"
        "    resource_type: {default: arbitrary_url}\n",
        "Key,Link\nA,7\n",
    )
    assert [dict(each) for each in outcome.blocks[0]["attachments"]] == [  # type: ignore[attr-defined]
        {"url": "https://x.example/7", "resource_type": "arbitrary_url"}
    ]
