"""The schemas: two validators that agree, and a message for each mistake."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats import json_file, schemas, shape, yaml_file
from importer.formats.tree import Block, Node
from importer.model.diagnostics import Diagnostics

SHAPES = [shape.INCIDENT, shape.INCIDENT_FILE, shape.CONFIG]


def node(text: str) -> Node:
    diagnostics = Diagnostics()
    (found,) = yaml_file.read(text, "a.yaml", diagnostics)
    assert diagnostics.found == []
    return found


def mistakes(text: str, of: shape.Shape = shape.INCIDENT) -> list[str]:
    """Return the diagnostics of a document, without the base that makes it an incident."""
    base = "" if of is shape.CONFIG else "key: A\nname: B\n"
    found = shape.validate(node(base + text), of, "a.yaml")
    return [
        f"{each.locations[0].line} {each.code}: {each.summary} | {each.detail} | {each.hint}"
        for each in found
    ]


@pytest.mark.parametrize("name", ["incident", "config"])
def test_a_schema_is_itself_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.read(name))


LEFT_OUT = {"$ref": "#/$defs/left_out"}


def properties(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [each for part in schema for each in properties(part)]
    if not isinstance(schema, dict):
        return []
    own = [each for each in schema.get("properties", {}).values() if "const" not in each and each != LEFT_OUT]
    return own + [each for part in schema.values() for each in properties(part)]


@pytest.mark.parametrize("name", ["incident", "config"])
def test_an_editor_finds_a_description_for_every_property(name: str) -> None:
    for each in properties(schemas.read(name)):
        assert each.get("description", "").endswith("."), each


@pytest.mark.parametrize("name", ["incident", "config"])
def test_every_example_is_valid(name: str) -> None:
    whole = schemas.read(name)
    for each in properties(whole):
        for example in each.get("examples", []):
            jsonschema.Draft202012Validator({**each, "$defs": whole["$defs"]}).validate(example)


def untitled(schema: Any) -> list[Any]:
    if isinstance(schema, list):
        return [each for part in schema for each in untitled(part)]
    if not isinstance(schema, dict):
        return []
    checks = {"type", "enum", "const", "pattern", "maxLength", "minItems", "not"} & schema.keys()
    own = [schema] if checks and "title" not in schema else []
    conditions = {"if", "properties", "$defs", "patternProperties", "examples", "enum"}
    below = [part for key, part in schema.items() if key not in conditions]
    named = [
        part for key in ("properties", "$defs", "patternProperties") for part in schema.get(key, {}).values()
    ]
    return own + untitled(below) + untitled(named)


@pytest.mark.parametrize("name", ["incident", "config"])
def test_every_check_has_a_title_for_messages(name: str) -> None:
    assert untitled(schemas.read(name)) == []


RIGHT = [
    "external_id: '007'",
    "summary:",
    "call_url:",
    'call_url: ""',
    "call_url: HTTPS://example.com/a?b",
    "timestamps:\nroles:\ncustom_fields:\npostmortem:\nmembers:\nstatus_page:",
    "severity: {id: 01X}",
    "status: Closed\nincident_type: Production\nvisibility: private",
    "timestamps: {Resolved at: 2023-01-01, Fixed at: null}",
    "roles: {Lead: a@example.com, Reporter: {slack_user_id: U1}, Other: null}",
    "custom_fields: {A: x, B: 12, C: [x, {id: 01Y}], D: null, E: [], F: {id: 01Z}}",
    "postmortem: {url: https://x}",
    "postmortem: {file: a.md, title: T, status: completed}",
    "timeline: [{at: 2023-01-01, title: T, description: }]",
    "timeline: []\nfollow_ups: null",
    "follow_ups: [{title: T, assignee: null, status: not_doing, labels: [a]}]",
    "attachments: [{resource_type: jira_issue, url: https://x}, {resource_type: pylon_issue, external_id: 5}]",
    "attachments: [{resource_type: arbitrary_url, url: https://x, title: T}]",
    "members: [a@example.com, {id: 01X}]",
    "status_page: {page: P, updates: [{at: 2023-01-01, status: resolved, message: M, components: {API: operational}}]}",
]
WRONG = {
    "Name: x": "unknown-field: unknown field `Name` |  | did you mean `name`?",
    "serverity: x": "unknown-field: unknown field `serverity` |  | did you mean `severity`?",
    "zzz: x": "unknown-field: unknown field `zzz` |  | the fields here are attachments, call_url",
    "external_id: 12a": "bad-value: `external_id` must be a whole number | found `12a` | The number of",
    "external_id: 1_000": "bad-value: `external_id` must be a whole number | found `1_000`",
    'external_id: "12\\n"': "bad-value: `external_id` must be a whole number",
    "visibility: Privat": "bad-value: `visibility` must be public or private | found `Privat` | did you mean `private`?",
    "visibility: null": "bad-value: `visibility` must be public or private | found null | Who can see",
    "severity: null": "wrong-type: `severity` must be a name, or {id: ...} | found null",
    "severity: {name: x}": "unknown-field: unknown field `severity.name`",
    "timestamps: []": "wrong-type: `timestamps` must be a mapping of timestamps | found an empty list | Times, by",
    "timestamps: {Resolved at: [x]}": "wrong-type: `timestamps.Resolved at` must be a date and time",
    "timestamps: {'': x}": "bad-value: `timestamps` must be text that is not blank",
    "roles: {Lead: {email: a, id: b}}": "bad-value: `roles.Lead` must be an email address, or one of",
    "roles: {Lead: {}}": "bad-value: `roles.Lead` must be an email address, or one of {email: ...}",
    "custom_fields: {A: {x: y}}": "unknown-field: unknown field `custom_fields.A.x`",
    "custom_fields: {A: [null]}": "wrong-type: `custom_fields.A[]` must be a name, or {id: ...} | found null",
    "custom_fields: {A: [' ']}": "bad-value: `custom_fields.A[]` must be a name",
    "postmortem: {url: https://x, title: y}": "bad-value: `postmortem.title` must be left out if there is a url",
    "postmortem: {title: y}": "missing-field: `postmortem.file` is missing |  | A Markdown file",
    "timeline: [{title: x}]": "missing-field: `timeline[].at` is missing |  | When it happened.",
    "call_url: nope": "bad-value: `call_url` must be a full URL such as https://example.com/1042 | found `nope`",
    "call_url: https://a b": "bad-value: `call_url` must be a full URL",
    "postmortem: {url: example.com}": "bad-value: `postmortem.url` must be a full URL",
    "attachments: [{resource_type: arbitrary_url, url: ftp://x}]": "bad-value: `attachments[].url` must be a full URL",
    "attachments: [{resource_type: jira_isue, url: https://x}]": "bad-value: `attachments[].resource_type` must be arbitrary_url, atlassian_statuspage_incident",
    "ignore_changes: [sumary]": "bad-value: `ignore_changes[]` must be a field of an incident such as summary or custom_fields.Affected teams | found `sumary` | did you mean `summary`?",
    "ignore_changes: [Summary]": "bad-value: `ignore_changes[]` must be a field of an incident such as summary or custom_fields.Affected teams | found `Summary` | did you mean `summary`?",
    "ignore_changes: [custom_field.Region]": "bad-value: `ignore_changes[]` must be a field of an incident such as summary or custom_fields.Affected teams | found `custom_field.Region` | did you mean `custom_fields.Region`?",
    "ignore_changes: [summary.x]": "bad-value: `ignore_changes[]` must be a field of an incident",
    "ignore_changes: ['custom_fields. ']": "bad-value: `ignore_changes[]` must be a field of an incident",
    "timeline: text": "wrong-type: `timeline` must be a list of events | found `text`",
    "follow_ups: [{title: x, status: done}]": "bad-value: `follow_ups[].status` must be outstanding, completed or not_doing",
    "attachments: [{resource_type: jira_issue}]": "missing-field: `attachments[].external_id` is missing",
    "attachments: [{resource_type: arbitrary_url, external_id: 5}]": "missing-field: `attachments[].url` is missing",
    "attachments: [{resource_type: jira_issue, url: https://y, external_id: z}]": "bad-value: `attachments[].external_id` must be left out if there is a url",
    "attachments: [{resource_type: x, url: y, title: z}]": "bad-value: `attachments[].resource_type` must be arbitrary_url",
    "members: [null]": "wrong-type: `members[]` must be an email address",
    "status_page: {page: P, updates: []}": "bad-value: `status_page.updates` must be a list with at least one update",
    "status_page: {page: P, updates: [{at: x, status: open, message: m}]}": "bad-value: `status_page.updates[].status` must be",
}  # fmt: skip
FILES = [
    "incidents: []", "incidents: [{key: A, name: B}]", "incidents: {}", "incidents: [1]", "x-common: &a {b: 1}\nincidents: []",
    "incidents: []\nother: 1", "[]", "[{key: A, name: B}]", "[1]", "text", "{key: A, name: B}", "{name: B}", "{external_id: 1, name: B}",
    "{external_id: 1}",
]  # fmt: skip
CONFIGS = [
    "{}", "version: 1", "version: 2", "sources: []", "sources: [a, b]", "sources: [{path: a, mapping: b}]", "defaults: {severity: x, timezone: UTC}",
    "defaults: {name: x}", "on_unresolved: drop", "on_unresolved: {users: drop, default: error}", "on_unresolved: {user: drop}",
    "on_unresolved: no", "on_unresolved: null", "aliases: {severity: {P1: Critical, P2: null}}", "aliases: {custom_fields.X: {a: b}}",
    "aliases: {customfields.X: {a: b}}", "ignore_changes: [summary, custom_fields.X]", "ignore_changes: [sumary]",
    'ignore_changes: ["summary\\n"]', "safety: {max_creates: 10, max_updates: ten}", 'safety: {max_creates: "10\\n"}', "rate: 80%", "rate: 80", "on_drift: keep",
    "create_missing: [custom_field_options]", "create_missing: [severity]", "- a", "text",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_a_valid_incident_passes(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(("text", "expected"), WRONG.items())
def test_a_mistake_is_reported_in_the_users_words(text: str, expected: str) -> None:
    messages = mistakes(text)
    assert any(each.startswith(f"3 {expected}") for each in messages), messages


def test_all_mistakes_are_reported_at_once_with_their_lines() -> None:
    messages = mistakes("serverity: x\nvisibility: y\ntimestamps:\n  A: []\n")
    assert [each.split(":")[0] for each in messages] == ["3 unknown-field", "4 bad-value", "6 wrong-type"]


def test_each_missing_field_is_reported_once() -> None:
    found = shape.validate(node("summary: x"), shape.INCIDENT, "a.yaml", line=7)
    assert sorted(each.summary for each in found) == ["`key` is missing", "`name` is missing"]


def test_a_value_that_is_not_a_mapping_is_reported() -> None:
    (found,) = shape.validate("text", shape.INCIDENT, "a.yaml", line=7)
    assert (found.summary, str(found.locations[0])) == (
        "the incident must be a mapping of fields",
        "a.yaml:7",
    )


def test_long_text_is_shortened_in_messages() -> None:
    (message,) = mistakes(f"visibility: {'x' * 500}")
    assert f"found `{'x' * 60}...`, 500 characters" in message


@pytest.mark.parametrize("key", ["", " ", "a\tb", "a\nb", "a\x85b", "x" * 201, "a\n"])
def test_a_key_is_one_short_line(key: str) -> None:
    declared = Block(1)
    declared.update(key=key, name="B")
    assert [each.code for each in shape.validate(declared, shape.INCIDENT, "a")] == ["bad-value"]


def agree(document: Any) -> None:
    for each in SHAPES:
        fast = shape.fast_validator(each).is_valid(document)
        slow = jsonschema.Draft202012Validator(shape.json_schema(each)).is_valid(document)
        assert fast == slow, (each, document)


@pytest.mark.parametrize("text", [*RIGHT, *WRONG])
def test_both_validators_agree_on_incidents(text: str) -> None:
    agree(node("key: A\nname: B\n" + text))


@pytest.mark.parametrize("text", FILES + CONFIGS)
def test_both_validators_agree_on_files(text: str) -> None:
    agree(node(text))


@pytest.mark.parametrize(
    ("text", "right"),
    [(text, text in ("incidents: []", "incidents: [{key: A, name: B}]", "x-common: &a {b: 1}\nincidents: []", "[]", "[{key: A, name: B}]", "{key: A, name: B}", "{external_id: 1, name: B}")) for text in FILES],
)  # fmt: skip
def test_a_file_is_a_mapping_a_list_or_incidents(text: str, right: bool) -> None:
    assert (shape.validate(node(text), shape.INCIDENT_FILE, "a") == ()) == right


FIELDS = sorted(schemas.read("incident")["$defs"]["incident"]["properties"])
PARTS = sorted(
    {
        "id",
        "email",
        "at",
        "title",
        "url",
        "file",
        "status",
        "page",
        "updates",
        "message",
        "X",
        "resource_type",
        "external_id",
        "name",
    }
)
scalars = (
    st.none()
    | st.sampled_from(
        [
            "",
            " ",
            "x",
            "12",
            "12\n",
            "-1",
            "١",
            "resolved",
            "private",
            "completed",
            "a\x85",
            "\ufeff",
            "\u2028",
        ]
    )
    | st.text(max_size=3)
)
values = st.recursive(
    scalars.filter(lambda each: each is None or each.isprintable() or each.isascii()),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(PARTS), below, max_size=4),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=4))
def test_both_validators_agree_on_anything(document: dict[str, Any]) -> None:
    agree({"key": "A", "name": "B", **document})
    agree(document)


def test_json_numbers_are_valid_values() -> None:
    diagnostics = Diagnostics()
    (document,) = json_file.read('{"external_id": 12, "name": 5}', "a.json", diagnostics)
    assert shape.validate(document, shape.INCIDENT, "a.json") == ()


def test_an_unknown_schema_is_an_error_that_lists_the_known_ones() -> None:
    assert {"config", "incident"} <= set(schemas.names())
    with pytest.raises(KeyError, match="config"):
        schemas.read("nothing")
