"""The Markdown writer: it renders as exactly the text, and escapes only what it must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.markup import markdown

markdown_it = pytest.importorskip("markdown_it")  # comes with rich


def rendered(source: str) -> str:
    """Return the text that a reader sees, without markup, as a parser renders it."""
    parser = markdown_it.MarkdownIt("commonmark").enable(["strikethrough", "table"])
    inline = [token for token in parser.parse(source) if token.type == "inline"]
    return "".join(child.content for token in inline for child in token.children or ())


@pytest.mark.parametrize(
    "text",
    [
        "snake_case and a - b, 2 * 3, ~5 minutes, 1.5 s (50%) #1 [x] a < b {y}",
        r"C:\Users\me",
        "https://a.example/x_y_?q=*a~b#_c",
        "<https://a.example>",
    ],
)
def test_text_that_markdown_leaves_alone_is_not_escaped(text: str) -> None:
    assert markdown.escape(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*a*", r"\*a\*"),
        ("__init__", r"\_\_init\_\_"),
        ("a~~b", r"a\~\~b"),
        ("a~", r"a\~"),
        ("`x`", r"\`x\`"),
        ("List<String>", r"List\<String>"),
        ("[a](b)", r"[a\](b)"),
        (r"a\*", r"a\\\*"),
        ("a\\", "a\\\\"),
    ],
)
def test_text_that_markdown_would_read_as_markup_is_escaped(text: str, expected: str) -> None:
    assert markdown.escape(text) == expected


def test_an_entity_in_literal_text_is_its_characters() -> None:
    assert markdown.literal("&lt; &#60; a & b; AT&T") == r"\&lt; \&#60; a & b; AT&T"


@pytest.mark.parametrize(
    "line", ["# a", "- a", "+", "* a", "===", "--", "[ERROR]: gone", "[goes on", "~~~5 min~~"]
)
def test_a_line_of_a_paragraph_does_not_start_another_block(line: str) -> None:
    assert markdown.escape_leading(line) == f"\\{line}"


@pytest.mark.parametrize("line", ["#1 a", "-a", "1. a", "> a", "a # b", "=>", "-", ""])
def test_a_line_that_starts_no_block_is_unchanged(line: str) -> None:
    assert markdown.escape_leading(line) == (f"\\{line}" if line == "-" else line)


def test_white_space_stays_outside_marks() -> None:
    assert markdown.wrap("**", " a b ") == " **a b** "
    assert markdown.wrap("<sub>", "a", "</sub>") == "<sub>a</sub>"
    assert markdown.wrap("**", " ") == " "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a\nb", "`a b`"),
        (" ", " "),
    ],
)
def test_inline_code_keeps_its_backticks(text: str, expected: str) -> None:
    assert markdown.code_span(text) == expected


def test_a_fence_in_code_does_not_end_its_block() -> None:
    assert markdown.fence("a\n````\nb", "c`++") == ["`````c++", "a", "````", "b", "`````"]


@pytest.mark.parametrize(
    ("content", "url", "title", "expected"),
    [
        ("a", "http://x", "", "[a](http://x)"),
        ("a", "http://x/(b)", "", "[a](<http://x/(b)>)"),
        ("a", "http://x/ <b>", 'say "t"', r'[a](<http://x/ %3Cb%3E> "say \"t\"")'),
        ("", "http://x", "", "<http://x>"),
        ("http://x", "http://x", "", "<http://x>"),
        ("", "/path", "", "[/path](/path)"),
        ("", "http://x/a b", "", "[http://x/a b](<http://x/a b>)"),
    ],
)
def test_links_may_have_any_address(content: str, url: str, title: str, expected: str) -> None:
    assert markdown.link(content, url, title) == expected


def test_a_picture_always_has_alternative_text() -> None:
    assert markdown.picture("", "http://x/a.png") == "![image](http://x/a.png)"
    assert markdown.picture("a*", "http://x/a.png") == r"![a\*](http://x/a.png)"


def test_the_heading_is_as_wide_as_the_widest_row() -> None:
    assert markdown.table([["a|b"], ["c", "d"]], headings=["h"]) == [
        "| h |  |",
        "| --- | --- |",
        r"| a\|b |",
        "| c | d |",
    ]
    assert markdown.table([["a"]]) == ["|  |", "| --- |", "| a |"]


@given(st.text(alphabet='ab1 *_~`<>[](){}\\#&;!|-+=.:"é', min_size=1))
def test_a_reader_sees_exactly_the_text(text: str) -> None:
    line = f"x {' '.join(text.split())}".strip()
    assert rendered(markdown.literal(line)) == line


@given(st.text(alphabet="ab #*-+=_~[]:`", min_size=1))
def test_a_reader_sees_exactly_the_text_of_a_paragraph(text: str) -> None:
    line = " ".join(text.split()) or "x"
    assert rendered(markdown.escape_leading(markdown.literal(line))) == line
