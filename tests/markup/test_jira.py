"""Jira wiki markup becomes Markdown, and no text is lost."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.markup.jira import to_markdown

SAMPLES = Path(__file__).parents[3] / "shared" / "legacy" / "samples"


def words(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def holds(shown: str, text: str) -> bool:
    """Whether all letters and digits of a text are present, in order."""
    rest = iter(shown)
    return all(each in rest for each in words(text))


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("*bold* and (*bold*), *two words*.", "**bold** and (**bold**), **two words**."),
        (
            "_it_ ??cite?? -del- +ins+ ^sup^ ~sub~",
            "_it_ _cite_ ~~del~~ <ins>ins</ins> <sup>sup</sup> <sub>sub</sub>",
        ),
        ("*_both_*", "**_both_**"),
        ("*_+all+_*", "**_<ins>all</ins>_**"),
        ("-=- +-----+ *-*-* a", r"-=- +-----+ \*-\*-\* a"),
        ("in{*}side{*} a{_}b{_}", "in**side** a*b*"),
        ("*open _crossed* over_", r"**open \_crossed** over\_"),
        ("{color:red}red *b*{color} {anchor:here}x", "red **b** x"),
        ("{{a_b}} {{{}c{d}{}}} `e_f`", "`a_b` `c{d}` `e_f`"),
        (r"\*no\* \{x} a\.b", r"\*no\* {x} a\\.b"),
    ],
)
def test_marks_are_converted(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a-b-c 2020-01-02 snake_case_name x^2^ 3 * 4 * 5 a + b + c",
        "java -Xmx1g -Dfoo=bar -jar x-y.jar and ~/a ~/b",
        "a -> b -> c, (-) :-) ;-) (x)",
        "-Have a multi-thread consumer",
        "wow! this is great! [text] [a|b] [x|#anchor] {unknown} {code}",
        "/tmp/-a-/b key=-a- 50%-a-",
        "text  with  spaces",
        "[here](https://a.example/x_y) `a *b* <c>`",
        "INFO | jvm 1 | started",
        "|",
        "| one bar",
        "h2.example.com",
        "-- a --",
    ],
)
def test_text_that_only_looks_like_markup_is_unchanged(text: str) -> None:
    assert to_markdown(text) == text


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("List<String> <init>", r"List\<String> \<init>"),
        ("__init__ (*) *.jar", r"\_\_init\_\_ (\*) \*.jar"),
        ("*not closed", r"\*not closed"),
        ("* *", r"- \*"),
        ("** **", r"- \*\*"),
        ("*..*", r"\*..\*"),
        ("a\n---\nb", "a\n\\---\nb"),
        ("[ERROR]: gone", r"\[ERROR]: gone"),
        ('log("a"+b()+"c")', 'log("a"+b()+"c")'),
    ],
)
def test_text_that_markdown_would_change_is_escaped(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("[http://a.example/x]", "<http://a.example/x>"),
        ("[a *b*|http://a.example/x]", "[a **b**](http://a.example/x)"),
        ("[a|http://a.example/x|the tip]", '[a](http://a.example/x "the tip")'),
        ("[https://a.example|https://a.example|smart-link]", "<https://a.example>"),
        ("[write|mailto:a@b.example]", "[write](mailto:a@b.example)"),
        (
            "[!http://a.example/i.png!|http://a.example]",
            "[![i.png](http://a.example/i.png)](http://a.example)",
        ),
        ("[~bob] [~accountid:5b_1] [Bob|~bob]", "@bob @accountid:5b_1 Bob (@bob)"),
        ("[^log_1.txt] [the log|^a.txt]", "[attachment: log_1.txt] the log ([attachment: a.txt])"),
        ("[~] [^]", r"[\~] [^]"),
        ("[eue://queue]", "[eue://queue]"),
        ("see https://a.example/x_y_z, then", "see https://a.example/x_y_z, then"),
        ("!shot 1.png! !a.png|thumbnail!", "[image: shot 1.png] [image: a.png]"),
        ('!a.png|width=3,alt="what it shows"!', "[image: a.png (what it shows)]"),
        ("!http://a.example/i.png|alt=x!", "![x](http://a.example/i.png)"),
    ],
)
def test_links_mentions_and_pictures_are_converted(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("a\nh1. T *b*\nc", "a\n\n# T **b**\n\nc"),
        ("h6. a\\\\b", "###### a b"),
        ("h3.", "###"),
        ("a\n----\nb", "a\n\n---\n\nb"),
        ("bq. said *so*", "> said **so**"),
        ("a\\\\b\\\\ c", "a\\\nb\\\nc"),
        ("a\\\\", "a"),
        ("* a\\\\b", "- a\\\n  b"),
        ("\\\\", ""),
        (r"C:\\a\b \\host\share\x", "C:\\\\\\a\\b \\\\\\host\\share\\x"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n\na\n\n\n\nb\n\n", "a\n\nb"),
    ],
)
def test_lines_are_converted(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("* a\n** b\n*# c\n*# d\n* e", "- a\n  - b\n  1. c\n  2. d\n- e"),
        ("# a\n#* b\n# c\ngoes on", "1. a\n   - b\n2. c\n   goes on"),
        ("- a\n- b\n\n- c", "- a\n- b\n\n- c"),
        ("*** deep first\n* then", "- deep first\n- then"),
        ("# a\n* b", "1. a\n- b"),
        ("# # a", r"1. \# a"),
        ("*- a", "- a"),
    ],
)
def test_lists_nest_and_mix(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


def test_numbering_continues_after_code_in_an_item() -> None:
    wiki = "# a\n{code:bash}\nrun\n{code}\n# b"
    assert to_markdown(wiki) == "1. a\n   ```bash\n   run\n   ```\n2. b"


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("||a||b||\n|c|d|\nafter", "| a | b |\n| --- | --- |\n| c | d |\n\nafter"),
        ("|a|\n|b|c|", "|  |  |\n| --- | --- |\n| a |\n| b | c |"),
        ("||a|b|", "|  |  |\n| --- | --- |\n| **a** | b |"),
        ("|a\nb\\\\c|", "|  |\n| --- |\n| a<br>b<br>c |"),
        (
            "|[x|http://a.example]|{{a|b}}|c\\|d|",
            "|  |  |  |\n| --- | --- | --- |\n| [x](http://a.example) | `a\\|b` | c\\|d |",
        ),
        ("|a|b\nnot in it", "|  |  |\n| --- | --- |\n| a | b |\n\nnot in it"),
        ("|a| |\n|b", "|  |  |\n| --- | --- |\n| a |  |\n\n|b"),
        ("|a|\n|b\n\nc", "|  |\n| --- |\n| a |\n\n|b\n\nc"),
    ],
)
def test_tables_are_converted(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


@pytest.mark.parametrize(
    ("wiki", "expected"),
    [
        ("{code:java|title=A.java}\nint *x*;\n{code}", "**A.java**\n```java\nint *x*;\n```"),
        ("{code:title=a|language=xml}\n<a/>\n{code}", "**a**\n```xml\n<a/>\n```"),
        ("{noformat}\n  a\n{quote}\n{noformat}\nb", "```\n  a\n{quote}\n```\n\nb"),
        ("use {code}x = *1*{code} here", "use `x = *1*` here"),
        ("a{code}x\ny{code}b", "a\n\n```\nx\ny\n```\n\nb"),
        ("a {code}`x`{code}", "a\n\n```\n`x`\n```"),
        ("{code:java}not closed", "{code:java}not closed"),
        ("{{code}} \\{code}", "`code` {code}"),
        ("```python\na *b*\n```", "```python\na *b*\n```"),
        ("{quote}\na\n* b\n{quote}", "> a\n> - b"),
        ("{panel:title=T *x*|borderStyle=solid}\na\n{panel}", "> **T \\*x\\***\n>\n> a"),
        ("{panel}a{quote}b{panel}c{quote}", "> a\n>\n> > b\n\nc{quote}"),
        ("{quote}{panel:title=a}{panel:title=b}x{panel}", "{quote}\n\n> **a**\n>\n> {panel:title=b}x"),
        ("{quote}a{code}{quote}{code}", "> a`{quote}`"),
        ("{quote}a", "{quote}a"),
        ("{quote}{quote}", ""),
    ],
)
def test_macros_are_converted(wiki: str, expected: str) -> None:
    assert to_markdown(wiki) == expected


NO_MACRO_NAMES = "xyz019 \n\t{}[]|!*_-+^~?#\\:./`<>()&;@=,'\"é\u2028"


@given(st.text(alphabet=NO_MACRO_NAMES, max_size=80))
def test_no_word_is_lost_in_any_context(text: str) -> None:
    assert holds(to_markdown(text), text)


WORD = st.text(alphabet="abcé019", min_size=1, max_size=6)
PIECE = st.one_of(
    WORD,
    st.sampled_from(
        [" ", "\n", "\n\n", "* ", "\n# ", "|", "||", "\\\\", "{code}", "{noformat}", "{quote}", "{panel}"]
    ),
    st.sampled_from(["*", "_", "{{", "}}", "[", "]", "!", "{color}", "```\n", "\nh1. ", "\nbq. "]),
)


@given(st.lists(PIECE, max_size=25))
def test_no_word_is_lost_in_any_nesting_of_macros(pieces: list[str]) -> None:
    plain = [piece for piece in pieces if piece.strip("abcé019") == ""]
    assert holds(to_markdown("".join(pieces)), "".join(plain))


@given(st.text())
def test_any_text_is_converted(text: str) -> None:
    assert isinstance(to_markdown(text), str)


@pytest.mark.parametrize(
    "hostile",
    [
        *("*", "*a ", "[", "{{", "{code}", "{code:a}", "`", "` ", "|", "|a\n", "*" * 20 + " x\n", "{quote}"),
        *(
            "{panel:a=b}",
            "!a.b",
            "\\",
            "http://",
            " ",
            "h1. ",
            "-a ",
            "\\\\a",
            "{",
            "}",
            "C:\\",
            "{code}a{code} ",
        ),
        *(" {code}", "[a|", "!a.png|", "{color:", "*_", "?", "a\n|", "``` \n"),
    ],
)
def test_time_is_linear_in_hostile_text(hostile: str) -> None:
    text = hostile * (100_000 // len(hostile))
    started = time.process_time()
    to_markdown(text)
    assert time.process_time() - started < 10  # quadratic time would be minutes


NOT_SHOWN = re.compile(r"\{(?:code|noformat|quote|panel|color)\b[^{}\n]*\}|\bh[1-6]\.|\bbq\.|\|thumbnail!")


@pytest.mark.parametrize(
    "description",
    [
        "h2. What happened\n\nThe *kiosk* at {{pier-4}} was dark.\n# Ferry 7 left\n## without lights\n# It came back",
        "{noformat}\nE0412 lamp.go:12] {no} oil\n{noformat}\nbq. As last year.\n\n!lamp.png|thumbnail!",
        "{panel:title=Lamps}\n||Pier||State||\n|4|{color:red}dark{color}|\n{panel}\nSee [the log|https://a.example/l?x=1].",
        "{code:java}\nList<Lamp> lamps = List.of();\n{code}\n{quote}\n*Really?*\n{quote}\nC:\\lamps\\*.cfg -- [~ann]",
    ],
)
def test_descriptions_keep_their_words(description: str) -> None:
    assert len(words(to_markdown(description))) >= len(words(NOT_SHOWN.sub("", description)))


@pytest.mark.skipif(not SAMPLES.exists(), reason="the real exports are not here")
def test_real_descriptions_keep_their_words() -> None:
    """The test before this one covers runs without the exports."""
    seen = 0
    for path in sorted(SAMPLES.glob("jira-*-csv/*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        columns = [place for place, name in enumerate(header) if name in {"Description", "Comment"}]
        for cell in (row[place] for row in rows for place in columns if place < len(row)):
            shown = to_markdown(cell)
            seen += bool(cell)
            assert len(words(shown)) >= len(words(NOT_SHOWN.sub("", cell)))
    assert seen > 400
