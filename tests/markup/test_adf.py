"""The Atlassian Document Format becomes Markdown, and no text is lost."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.markup.adf import to_markdown


def text(words: str, *marks: str | dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": [{"type": m} if isinstance(m, str) else m for m in marks]}


def node(kind: str, *content: Any, **attributes: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attributes, "content": list(content)}


def p(*content: Any) -> dict[str, Any]:
    return node("paragraph", *[text(each) if isinstance(each, str) else each for each in content])


def link(url: str) -> dict[str, Any]:
    return {"type": "link", "attrs": {"href": url}}


BREAK = {"type": "hardBreak"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            [text("a "), text("bold ", "strong"), text("both", "strong", "em"), text(" c")],
            "a **bold _both_** c",
        ),
        ([text("x", "strike"), text("y", "underline"), text("z_*", "code")], "~~x~~<ins>y</ins>`z_*`"),
        (
            [text("2", {"type": "subsup", "attrs": {"type": "sub"}}), text("3", {"type": "subsup"})],
            "<sub>2</sub><sup>3</sup>",
        ),
        ([text("red", {"type": "textColor", "attrs": {"color": "#f00"}})], "red"),
        ([text("a", link("http://x/y")), text("b", link("http://x/y"), "em")], "[a_b_](http://x/y)"),
        (
            [text("http://x", link("http://x")), text(" ", link("http://x")), text("a", link(""))],
            "<http://x> a",
        ),
        (
            [text("a", "strong"), {**BREAK, "marks": [{"type": "strong"}]}, text("b", "strong")],
            "**a**\\\n**b**",
        ),
        ([BREAK, text("a"), BREAK, BREAK], "a"),
        (["only", text("# no <b> &lt; [a](b) *x*")], r"only# no \<b> \&lt; [a\](b) \*x\*"),
        ([text("- a"), BREAK, text("# b")], "\\- a\\\n\\# b"),
        ([text("a", "unknown", "strong")], "**a**"),
    ],
)
def test_marks_are_converted_and_text_is_never_markup(content: list[Any], expected: str) -> None:
    assert to_markdown(p(*content)) == expected


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (node("mention", id="5b1", text="@Bob_"), r"@Bob\_"),
        (node("mention", id="5b1"), "@5b1"),
        (node("mention"), ""),
        (node("emoji", shortName=":x:", text="\N{GRINNING FACE}"), "\N{GRINNING FACE}"),
        (node("emoji", shortName=":x:"), ":x:"),
        (node("inlineCard", url="https://a.example/b_"), "<https://a.example/b_>"),
        (node("inlineCard", data={"url": "https://a.example", "name": "A*"}), r"[A\*](https://a.example)"),
        (node("inlineCard", data={"name": "A"}), "A"),
        (node("status", text="DONE"), "**DONE**"),
        (node("date", timestamp="1582152559000"), "2020-02-19"),
        (node("date", timestamp=-1), "1969-12-31"),
        (node("date", timestamp="soon"), "soon"),
        (node("date", timestamp=10**30), str(10**30)),
        (node("date", timestamp=True), ""),
        (node("mediaInline", id="a"), "[media: a]"),
        (node("media"), "[media]"),
        (
            node("media", type="external", url="https://a.example/x.png", alt="x"),
            "![x](https://a.example/x.png)",
        ),
    ],
)
def test_inline_nodes_are_converted(child: dict[str, Any], expected: str) -> None:
    assert to_markdown({"type": "doc", "content": [p(child)]}) == expected


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (node("heading", text("a"), BREAK, text("b\\"), level=2), "## a b\\\\"),
        (node("heading", text("a"), level=9), "###### a"),
        (node("heading", text("a"), level="x"), "# a"),
        (node("heading"), "#"),
        (node("codeBlock", text("a\n```\n"), text("b"), language="java"), "````java\na\n```\nb\n````"),
        (node("blockquote", p("a"), p("b")), "> a\n>\n> b"),
        (node("panel", p("a"), panelType="warning"), "> **Warning**\n>\n> a"),
        (node("panel", p("a")), "> a"),
        (node("expand", p("a"), title="More*"), "**More\\***\n\na"),
        (node("nestedExpand", p("a")), "a"),
        (node("rule"), "---"),
        (node("mediaSingle", node("media", alt="a.png"), node("caption", text("c"))), "[media: a.png]\n\nc"),
        (node("mediaGroup", node("media", id="a"), node("media", id="b")), "[media: a]\n\n[media: b]"),
        (node("layoutSection", node("layoutColumn", p("a")), node("layoutColumn", p("b"))), "a\n\nb"),
        (node("unknown", p("a"), text="own"), "own\n\na"),
        (node("extension", text="t\n# u"), "t # u"),
        (p("a", node("rule"), "b"), "a\n\n---\n\nb"),
        (p(), ""),
    ],
)
def test_blocks_are_converted(child: dict[str, Any], expected: str) -> None:
    assert to_markdown({"type": "doc", "content": [child]}) == expected


def item(*content: Any) -> dict[str, Any]:
    return node("listItem", *content)


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (
            node(
                "bulletList",
                item(p("a"), node("orderedList", item(p("b")), item(p("c")))),
                item(p("d"), p("e")),
            ),
            "- a\n  1. b\n  2. c\n- d\n\n  e",
        ),
        (
            node("orderedList", item(p("a"), node("codeBlock", text("x"))), order=10),
            "10. a\n\n    ```\n    x\n    ```",
        ),
        (node("orderedList", item(p("a")), order=-1), "1. a"),
        (
            node(
                "taskList",
                node("taskItem", text("a"), state="DONE"),
                node("taskList", node("taskItem", text("b"), state="TODO")),
            ),
            "- [x] a\n  - [ ] b",
        ),
        (node("decisionList", node("decisionItem", text("a"))), "- a"),
        (node("bulletList", item(), p("loose")), "-\n- loose"),
        (node("bulletList", item(node("bulletList", item(p("a"))))), "- - a"),
    ],
)
def test_lists_nest(child: dict[str, Any], expected: str) -> None:
    assert to_markdown(child) == expected


def test_each_table_cell_is_one_line() -> None:
    head = node("tableRow", node("tableHeader", p("h|1")), node("tableHeader", p("h2")))
    row = node(
        "tableRow",
        node("tableCell", p("a", BREAK, "b"), p("c")),
        node("tableCell", node("codeBlock", text("x\ny"))),
    )
    assert to_markdown(node("table", head, row)) == (
        "| h\\|1 | h2 |\n| --- | --- |\n| a<br>b<br>c | `x`<br>`y` |"
    )
    assert to_markdown(node("table", row)).startswith("|  |  |\n| --- | --- |\n| a<br>b")
    assert to_markdown(node("table", node("tableRow"), "odd")) == "|  |\n| --- |\n|  |\n| odd |"
    assert to_markdown(node("table", text="t")) == "t"


@pytest.mark.parametrize("odd", [None, 1, True, [], {}, {"type": 1}, {"type": "doc", "content": "x"}, [[[]]]])
def test_json_that_is_not_a_document_is_an_empty_text(odd: object) -> None:
    assert to_markdown(odd) == ""


def test_a_plain_string_is_text() -> None:
    assert to_markdown("a *b*") == to_markdown(["a *b*"]) == r"a \*b\*"


@pytest.mark.parametrize(
    "kind", ["blockquote", "bulletList", "listItem", "table", "unknown", "paragraph", "heading", ""]
)
def test_deep_nesting_neither_overflows_nor_loses_text(kind: str) -> None:
    deep: dict[str, Any] = {"type": "doc", "content": [p("innermost"), BREAK, p("word")]}
    for _ in range(50_000):
        deep = {"type": kind, "content": [deep]}
    shown = to_markdown(deep)
    assert shown.index("innermost") < shown.index("word")
    while deep.get("content"):  # so that freeing it does not recurse either
        deep = deep.pop("content")[0]


def test_time_is_linear_in_the_size_of_a_document() -> None:
    started = time.process_time()
    to_markdown(node("doc", *[p("word ", text("bold", "strong")) for _ in range(20_000)]))
    assert time.process_time() - started < 20


BLOCKS = [
    *(
        "paragraph",
        "heading",
        "bulletList",
        "orderedList",
        "listItem",
        "taskList",
        "taskItem",
        "codeBlock",
        "table",
    ),
    *("blockquote", "panel", "tableRow", "tableCell", "tableHeader", "mediaSingle", "expand", "odd", "doc"),
]
KINDS = [*BLOCKS, "rule", "media", "mention", "emoji", "inlineCard", "hardBreak", "status", "date", "text"]
WORDS = st.text(alphabet="ab1 *_`#->|<\n\\é", max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text"]), inner, max_size=2)
    ),
    max_leaves=5,
)
MARKS = st.lists(
    st.sampled_from(["strong", "em", "strike", "underline", "code", "subsup", "link"]), max_size=3
)
TEXTS = st.builds(lambda words, marks: text(words, *marks), WORDS, MARKS)
DOCUMENTS = st.recursive(
    TEXTS,
    lambda inner: st.builds(
        lambda kind, content: node(kind, *content),
        st.sampled_from(BLOCKS),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


def texts(of: dict[str, Any]) -> str:
    own: str = of.get("text", "")
    return own + "".join(map(texts, of.get("content", ())))


@given(DOCUMENTS)
def test_no_word_of_any_document_is_lost(document: dict[str, Any]) -> None:
    rest = iter(to_markdown(document))
    assert all(each in rest for each in texts(document) if each.isalnum())


@given(
    st.recursive(
        JSON,
        lambda inner: st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(KINDS) | inner,
                "text": inner,
                "content": st.lists(inner, max_size=4) | inner,
                "marks": inner,
                "attrs": st.dictionaries(
                    st.sampled_from(["level", "order", "text", "url", "timestamp", "title", "alt", "data"]),
                    inner,
                ),
            },
        ),
        max_leaves=12,
    )
)
def test_any_json_is_converted(document: object) -> None:
    assert isinstance(to_markdown(document), str)
