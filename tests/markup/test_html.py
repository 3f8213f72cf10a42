"""HTML becomes Markdown, plain text is unchanged, and no text is lost."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.markup.html import to_markdown

STATUS_UPDATES = (
    Path(__file__).parents[3] / "shared" / "legacy" / "samples" / "github-statuspage" / "incidents.json"
)


def holds(shown: str, words: str) -> bool:
    rest = iter(shown)
    return all(each in rest for each in words if each.isalnum())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a < b && c > d &amp; e &lt;p&gt;",
        "Map<String, List<B>> and List<P>",
        "at Foo.<init>(Foo.java) <bean id='x'> <user@example.com> <https://a.example/?b=c>",
        "**bold** <- not, <i> lone",
        "<!-- only a comment -->",
    ],
)
def test_text_without_tags_is_unchanged(text: str) -> None:
    assert to_markdown(text) == text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a <b>b</b> <em>c</em> <code>d_e</code></p>", "a **b** *c* `d_e`"),
        ("a<br>b<BR/>c", "a\\\nb\\\nc"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  * b\n- c"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<h2>a</h2><p>b</p>", "## a\n\nb"),
        ("<a href='https://a.example/x'>a</a>", "[a](https://a.example/x)"),
        ("<pre><code>a\n  &lt;b&gt;</code></pre>", "```\na\n  <b>\n```"),
        ("<table><tr><th>a|b</th></tr><tr><td>c</td></tr></table>", "| a\\|b |\n| --- |\n| c |"),
        ("E<sup>2</sup><sub>3</sub>", "E<sup>2</sup><sub>3</sub>"),
        ("<p>a</p><script>b < c</script><style>d{}</style><!-- e <p> --><!DOCTYPE html>f", "a\n\nf"),
        ('<P CLASS="a>b">x &amp; y&nbsp;z &copy;</P>', "x & y z ©"),
        ("<o:p>a</o:p><p>b</p>", "a\n\nb"),
        ("<p style='display:none'>a</p><nav>b</nav><form>c</form>", "a\n\nb\n\nc"),
    ],
)
def test_html_is_converted(html: str, expected: str) -> None:
    assert to_markdown(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>&lt;b&gt; &#60;c List<String> 1 < 2</p>", "&lt;b> &lt;c List&lt;String> 1 < 2"),
        ("<p>a <!-- b</p>", "a &lt;!-- b"),
        ("<p>a --> b</p>", "a --> b"),
        ("<p>a <script>b</p>", "a b"),
        ("<p>a <your-name> b</p>", "a &lt;your-name> b"),
    ],
)
def test_unknown_tags_are_text(html: str, expected: str) -> None:
    assert to_markdown(html) == expected


def test_deeply_nested_text_is_kept_without_layout() -> None:
    shown = to_markdown(
        "<h1>Top</h1>" + "<div>" * 20_000 + "# deep <b>word</b> &lt;x&gt;" + "</div>" * 20_000
    )
    assert shown == "Top\n\\# deep word \\<x>"


def test_html_that_the_converter_refuses_is_kept_without_layout() -> None:
    assert to_markdown("<p>a \ud800 b</p><p>c</p>") == "a \ud800 b\nc"


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>",
        "<!--",
        "-->",
        "<script>",
        '<a "',
        "<a '\"",
        "<",
        "<td>",
        "<ul><li>",
        "<a href=",
        "&",
        "</",
        "<a:",
        "<p x ",
    ],
)
def test_time_is_linear_in_hostile_html(hostile: str) -> None:
    text = hostile * (100_000 // len(hostile)) + "<p>x</p>"
    started = time.process_time()
    to_markdown(text)
    assert time.process_time() - started < 10  # quadratic time would be minutes


WORDS = st.text(alphabet="abcé019", min_size=1, max_size=5)
NAMES = st.sampled_from(
    [
        *(
            "p",
            "b",
            "i",
            "ul",
            "li",
            "table",
            "tr",
            "td",
            "br",
            "pre",
            "code",
            "h1",
            "a",
            "blockquote",
            "title",
        ),
        *("select", "option", "svg", "textarea", "iframe", "template", "noscript", "button"),
    ]
)
TAGS = (
    st.builds("<{}>".format, NAMES)
    | st.builds("</{}>".format, NAMES)
    | st.sampled_from(["<a href='q'>", "< ", ">", "&", "'", '"', "*", "_", "\n", " "])
)


@given(st.lists(WORDS | TAGS, max_size=25))
def test_no_word_is_lost_in_any_mix_of_tags(pieces: list[str]) -> None:
    words = "".join(each for each in pieces if each.strip("abcé019") == "")
    assert holds(to_markdown("".join(pieces)), words)


@given(st.text() | st.text(alphabet="<>/!-ap= \"'&;x"))
def test_any_text_is_converted(text: str) -> None:
    assert isinstance(to_markdown(f"{text}<br>"), str)
    assert isinstance(to_markdown(text), str)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (
            "<ul><li><strong>2011-05-06 07:08</strong> - The lamps are out &amp; <em>dark</em>.</li></ul>",
            "- **2011-05-06 07:08** - The lamps are out & *dark*.",
        ),
        (
            "<ul><li><strong>07:08</strong> - Out.</li><li><strong>09:10</strong> - Lit, as <a href="
            "'https://a.example/lamps'>shown</a>.</li></ul>",
            "- **07:08** - Out.\n- **09:10** - Lit, as [shown](https://a.example/lamps).",
        ),
    ],
)
def test_status_updates_become_lists(update: str, expected: str) -> None:
    assert to_markdown(update) == expected


@pytest.mark.skipif(not STATUS_UPDATES.exists(), reason="the real exports are not here")
def test_real_status_updates_become_lists() -> None:
    """The test before this one covers runs without the exports."""
    incidents = json.loads(STATUS_UPDATES.read_text(encoding="utf-8"))["incidents"]
    bodies = [update["body"] for incident in incidents for update in incident["incident_updates"]]
    listed = [body for body in bodies if body.startswith("<ul><li><strong>")]
    assert len(listed) > 800
    assert all(to_markdown(body).startswith("- **") for body in listed)
