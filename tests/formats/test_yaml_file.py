"""YAML: values as written, with lines, and limits on nesting and aliases."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from importer.formats import yaml_file
from importer.formats.tree import MAX_DEPTH, Block, Node, Series, place
from importer.model.diagnostics import Diagnostics

PARSERS = [pytest.param(yaml.CSafeLoader, id="C"), pytest.param(yaml.SafeLoader, id="Python")]


def read(text: str, parser: type = yaml.CSafeLoader) -> tuple[list[Node], list[str]]:
    diagnostics = Diagnostics()
    nodes = yaml_file.read(text, "a.yaml", diagnostics, parser=parser)
    return nodes, [
        f"{each.locations[0]} {each.code}: {each.summary} {each.detail}" for each in diagnostics.found
    ]


def one(text: str) -> Node:
    (node,), problems = read(text)
    assert problems == []
    return node


def refused(text: str, parser: type = yaml.CSafeLoader) -> str:
    _, problems = read(text, parser)
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    "written",
    ["NO", "012", "1_000", "1.10", "22:30:00", "2024-02-30", "0x1F", "1e3", ".inf", "true", "-x", "Ünïcode"],
)
def test_a_scalar_stays_what_the_author_wrote(written: str) -> None:
    assert one(f"a: {written}\n") == {"a": written}


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL"])
def test_only_a_plain_null_is_none(written: str) -> None:
    assert one(f"a: {written}\n") == {"a": None}
    assert one(f"a: '{written}'\n") == {"a": written}
    assert one(f"a: !!str {written}\n") == {"a": written}


def test_every_key_and_value_knows_its_line() -> None:
    node = one("# comment\nincidents:\n  - key: A\n    timestamps:\n      Resolved at: x\n  - B\n")
    assert isinstance(node, Block)
    assert node.line == 2
    steps: list[str | int] = ["incidents", 0, "timestamps", "Resolved at"]
    assert [place("p", node, steps[:count], line=1).line for count in range(1, 5)] == [2, 3, 4, 5]
    assert str(place("p", node, ["incidents", 1], line=1)) == "p:6"
    assert str(place("p", node, ["incidents", 0, "absent"], line=1)) == "p:3"
    assert str(node.place("p", "absent")) == "p:2"


def test_several_documents_are_a_list() -> None:
    nodes, problems = read("---\na: 1\n---\n---\nb: 2\n...\n")
    assert (nodes, problems) == ([{"a": "1"}, None, {"b": "2"}], [])
    assert read("") == ([], [])


def test_own_keys_and_earlier_sources_win_over_a_merge_key() -> None:
    node = one("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd: {<<: *a}\n")
    assert isinstance(node, Block)
    assert node["c"] == {"x": "3", "y": "1", "z": "2"}
    assert node["d"] == {"x": "1", "y": "1"}
    assert place("p", node, ["c", "z"], line=1).line == 2
    assert one('"<<": x\n') == {"<<": "x"}


def test_a_merge_of_anything_but_mappings_is_refused() -> None:
    assert refused("a: 1\n<<: text\n").startswith("a.yaml:2 syntax: `<<` takes a mapping")
    assert refused("<<: [{a: 1}, text]\n").startswith("a.yaml:1 syntax: `<<` takes a mapping")


def test_every_duplicate_key_is_refused_with_both_lines() -> None:
    nodes, problems = read("a: 1\nb: 2\na: 3\nb: 4\n")
    assert nodes == [{"a": "1", "b": "2"}]
    assert problems == [
        "a.yaml:3 duplicate-field: `a` appears twice in one mapping lines 1 and 3",
        "a.yaml:4 duplicate-field: `b` appears twice in one mapping lines 2 and 4",
    ]


@pytest.mark.parametrize("parser", PARSERS)
def test_nesting_has_a_limit(parser: type) -> None:
    fits = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read(fits, parser)[1] == []
    assert "too-deep" in refused("[" + fits + "]", parser)
    assert "nesting" in refused(
        "[" * 100_000, parser
    )  # importer's message, or that of a libyaml with a limit


def test_the_values_of_aliases_have_a_limit() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "too-many-aliases" in refused("\n".join(lines))


def test_an_alias_repeats_its_anchor() -> None:
    assert one("a: &x [1]\nb: *x\nc: &t text\nd: *t\n") == {"a": ["1"], "b": ["1"], "c": "text", "d": "text"}


def test_an_alias_must_have_a_finished_anchor_in_its_own_document() -> None:
    assert "alias-cycle" in refused("a: &a {b: *a}\n")
    assert "no anchor" in refused("a: *nothing\n")
    assert "a.yaml:3" in refused("a: &a 1\n---\nb: *a\n")


@pytest.mark.parametrize("tag", ["!!python/object:os.system", "!!int", "!custom", "!!timestamp"])
def test_tags_are_refused_with_their_line(tag: str) -> None:
    assert refused(f"a: 1\nb: {tag} 5\n").startswith("a.yaml:2 yaml-tag")
    assert refused(f"a: 1\nb: {tag} [5]\n").startswith("a.yaml:2 yaml-tag")


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("text", "line"),
    [("a:\n\t- b\n", 2), ("a: 1\nb: c: d\n", 2), ("a: [1\n", 1), ("a: @b\n", 1), ("a: 1\nb: \x01\n", 2)],
)
def test_a_syntax_error_has_its_line(text: str, line: int, parser: type) -> None:
    problem = refused(text, parser)
    assert "syntax" in problem
    assert line <= int(problem.split()[0].partition(":")[2]) <= line + 1


@pytest.mark.parametrize("text", ["? [a, b]\n: c\n", "null: 1\n", "~: 1\n", "? {a: b}\n: c\n"])
def test_a_key_must_be_text(text: str) -> None:
    assert "a key must be text" in refused(text)
    assert one("a: &k x\n*k : y\n") == {"a": "x", "x": "y"}


@pytest.mark.parametrize("parser", PARSERS)
def test_half_a_surrogate_pair_is_refused_in_yaml(parser: type) -> None:
    assert "syntax" in refused('a: "\\ud800"\n', parser)
    assert read('a: "\\U0001F600"\n', parser) == ([{"a": "😀"}], [])


class AsText(yaml.SafeLoader):
    """A SafeLoader that leaves all scalars except null as text."""


AsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029\x85\ufffe\uffff")
)
trees = st.recursive(
    st.none() | words | st.booleans() | st.integers() | st.dates(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(words, below, max_size=4),
    max_leaves=20,
)


@given(trees, st.booleans(), st.sampled_from([None, "'", '"', "|"]))
def test_the_structure_equals_that_of_pyyaml(tree: object, flow: bool, style: str | None) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, default_style=style, allow_unicode=True)
    text = text.replace("!!null", "!!str").replace("!!int", "!!str").replace("!!bool", "!!str")
    text = text.replace("!!timestamp", "!!str")
    nodes, problems = read(text)
    assert problems == []
    assert nodes == [yaml.load(text, AsText)]


@given(st.text())
def test_no_text_raises(text: str) -> None:
    for parser in (yaml.CSafeLoader, yaml.SafeLoader):
        read(text.encode("utf-8", "replace").decode(), parser)


def test_series_know_the_lines_of_their_values() -> None:
    node = one("- a\n-\n  b\n- [c,\n   d]\n")
    assert isinstance(node, Series)
    assert node.lines == [1, 3, 4]
