"""JSON: values as written, with lines, parsed strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats import json_file
from importer.formats.tree import MAX_DEPTH, Block, Node, Series, place
from importer.model.diagnostics import Diagnostics


def read(text: str) -> tuple[list[Node], list[str]]:
    diagnostics = Diagnostics()
    nodes = json_file.read(text, "a.json", diagnostics)
    return nodes, [
        f"{each.locations[0]} {each.code}: {each.summary} {each.detail}" for each in diagnostics.found
    ]


def refused(text: str) -> str:
    _, problems = read(text)
    assert len(problems) == 1, problems
    return problems[0]


def test_numbers_and_words_stay_as_written() -> None:
    nodes, _ = read(
        '{"a": 1.10, "b": 1e3, "c": 12345678901234567890, "d": true, "e": null, "f": -0, "g": "x"}'
    )
    assert nodes == [
        {"a": "1.10", "b": "1e3", "c": "12345678901234567890", "d": "true", "e": None, "f": "-0", "g": "x"}
    ]


def test_every_key_and_value_knows_its_line() -> None:
    (node,), _ = read('\n{"incidents": [\n  {"key": "A",\n   "name":\n "B"},\n  5\n]}\n')
    assert isinstance(node, Block)
    assert node.line == 2
    assert place("p", node, ["incidents", 0, "name"], line=1).line == 4
    assert isinstance(node["incidents"], Series)
    assert node["incidents"].lines == [3, 6]


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    nodes, problems = read('{"a": 1,\n "a": 2}')
    assert nodes == [{"a": "1"}]
    assert problems == ["a.json:2 duplicate-field: `a` appears twice in one mapping lines 1 and 2"]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[", "[1,]", '{"a":1,}', "[1 2]", "[1", '{"a" 1}', '{"a":}', "{a: 1}", "01", "1.", "+1", "- 1", "NaN", "Infinity",
        "-Infinity", "'a'", '"a', '"\t"', '"\\x"', "1 2", "// c\n1", "tru", '{"a":1]', '"\\ud800"', '{"a":1 "b":2}', "[}",
    ],
)  # fmt: skip
def test_invalid_json_is_refused(text: str) -> None:
    assert " syntax: invalid JSON" in refused(text)


def test_a_syntax_error_has_its_line() -> None:
    assert refused('{"a": 1,\n "b": NaN}').startswith("a.json:2 syntax")
    assert refused('{"a": 1\n').endswith("found the end")


@pytest.mark.parametrize(
    "text", ['{"a": [1,\n NaN]}', "[1,\n -Infinity]", "[1,\n // two\n2]", "[1,\n # two\n2]"]
)
def test_almost_json_is_refused_with_its_line_and_a_hint(text: str) -> None:
    diagnostics = Diagnostics()
    assert json_file.read(text, "a.json", diagnostics) == []
    assert [str(each.locations[0]) for each in diagnostics.found] == ["a.json:2"]
    assert diagnostics.found[0].hint == "JSON has no NaN, no Infinity and no comments"


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\ud800": 1}', '["\\udc00"]'])
def test_half_a_surrogate_pair_is_refused_in_keys_and_values(text: str) -> None:
    assert "half of a surrogate pair" in refused(text)


def test_nesting_has_a_limit() -> None:
    fits = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read(fits)[1] == []
    assert "too-deep" in refused(f"[{fits}]")
    assert "too-deep" in refused('{"a":' * 100_000)


def test_each_json_line_is_a_document_and_an_invalid_one_is_skipped() -> None:
    diagnostics = Diagnostics()
    nodes = json_file.read_lines('{"a": 1}\n\n{"b": \n{"c": "\u2028"}\r\n', "a.jsonl", diagnostics)
    assert nodes == [{"a": "1"}, {"c": "\u2028"}]
    assert [str(each.locations[0]) for each in diagnostics.found] == ["a.jsonl:3"]
    assert isinstance(nodes[1], Block)
    assert nodes[1].lines == {"c": 4}


def as_text(value: object) -> object:
    match value:
        case dict():
            return {key: as_text(each) for key, each in value.items()}
        case list():
            return [as_text(each) for each in value]
        case str() | None:
            return value
        case _:
            return json.dumps(value)


words = st.text(st.characters(exclude_categories=["Cs"]))
trees = st.recursive(
    st.none() | words | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(words, below, max_size=4),
    max_leaves=20,
)


@given(trees, st.sampled_from([None, 0, 2]), st.booleans())
def test_the_structure_equals_that_of_the_json_module(tree: object, indent: int | None, plain: bool) -> None:
    assert read(json.dumps(tree, indent=indent, ensure_ascii=plain)) == ([as_text(tree)], [])


@given(st.text(alphabet='{}[]",:01-.eE\\untrlf \n', max_size=12))
def test_it_refuses_what_the_json_module_refuses(text: str) -> None:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        assert read(text)[1] != []
    else:
        assert [
            problem for problem in read(text)[1] if "duplicate" not in problem and "surrogate" not in problem
        ] == []
