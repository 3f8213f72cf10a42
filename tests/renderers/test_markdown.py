"""A plan as a comment of a pull request; a parser of GitHub's Markdown is the judge of what breaks out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from importer.model import Attribute, Diagnostic, Field, FieldChange, Severity, Unmanaged
from importer.renderers import markdown
from importer.renderers.markdown import LEAST_BYTES, MARK, MAX_BYTES, Audience
from tests import hostile, plans

EVERYBODY = Audience(show_private=True, most=None)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(
    r"<details( open)?><summary>(<code>[+~=!?]</code> )?\d+ [a-z, ]+</summary>"
    r"|</details>|" + re.escape(MARK)
)
"""All HTML that there may be."""
PLAIN = re.compile(r"[A-Za-z0-9 ,.:/()]*")
"""No mark of Markdown, no reference, no mention."""
INLINE = {"text", "strong_open", "strong_close", "code_inline", "softbreak"}
DIFF_LINE = re.compile(r"[+~=!?#-]([ ]|$)|[ ]{10}[|@…]")
TEXT_LINE = re.compile(r"(Error|Warning):( |$)|[ ]{2}|…")


@cache
def shown(name: str, max_bytes: int = MAX_BYTES) -> str:
    text = hostile.TEXTS[name][:20_000]
    return markdown.render_plan(hostile.plan_with(text), audience=EVERYBODY, max_bytes=max_bytes)


def tokens(text: str) -> Iterator[Token]:
    for each in PARSER.parse(text):
        yield each
        yield from each.children or ()


def fences(text: str) -> list[Token]:
    return [each for each in tokens(text) if each.type == "fence"]


# -- what it looks like ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plans.PLANS)
def test_a_plan_reads_as_it_should(name, golden):
    golden(f"{name}/plan.md", markdown.render_plan(plans.PLANS[name], audience=EVERYBODY))


@pytest.mark.parametrize("name", plans.PLANS)
def test_the_mark_and_the_counts_come_first(name):
    first, _, second, *_ = markdown.render_plan(plans.PLANS[name], audience=EVERYBODY).split("\n")

    assert first == MARK
    assert re.fullmatch(
        r"\*\*(Plan: \d+ to create, .*|Drift: \d+ incidents?(, and \d+ that may have drifted)?\."
        r"|Planning failed: this plan cannot be applied\.)\*\*",
        second,
    )


def test_errors_and_what_is_blocked_are_open_and_come_first():
    text = markdown.render_plan(
        replace(plans.PLANS["mixed"], diagnostics=(plans.UNKNOWN_SEVERITY,)), audience=EVERYBODY
    )

    titles = re.findall(r"<details( open)?><summary>(.*)</summary>", text)
    assert [title for is_open, title in titles if is_open] == [
        "1 error",
        "<code>!</code> 1 blocked",
        "<code>?</code> 1 pending",
    ]
    assert [title for is_open, title in titles if not is_open] == [
        "<code>~</code> 2 to update",
        "<code>=</code> 1 to adopt",
        "<code>+</code> 1 to create",
    ]


def test_what_is_partly_blocked_is_first_among_the_updates():
    text = markdown.render_plan(plans.plan(plans.UPDATE, plans.PARTLY_BLOCKED), audience=EVERYBODY)

    assert text.index("JIRA-79") < text.index("JIRA-77")


def test_a_plan_without_changes_says_that_all_is_well():
    assert "No changes." in markdown.render_plan(plans.PLANS["empty"], audience=EVERYBODY)
    assert "No changes." not in markdown.render_plan(plans.PLANS["errored-empty"], audience=EVERYBODY)


def test_lines_of_a_diff_cannot_be_taken_for_its_markers():
    after = "same\n--- a/file\n+++ b/file\n@@ -1 +1 @@\n- gone\n"
    change = replace(plans.DRIFT, changes=(FieldChange(plans.SUMMARY, "same\n+ came", after),))

    text = markdown.render_plan(plans.plan(change), audience=EVERYBODY)

    assert "\n+         | --- a/file\n+         | +++ b/file\n+         | @@ -1 +1 @@\n" in text
    assert "\n-         | + came\n" in text


# -- nothing breaks out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("max_bytes", [LEAST_BYTES, MAX_BYTES])
@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_text_is_nowhere_but_in_fences(name, max_bytes):
    for each in tokens(shown(name, max_bytes)):
        if each.type == "html_block":
            assert OURS.fullmatch(each.content.strip()), each.content
        elif each.type == "inline":
            assert each.children is not None
            assert {child.type for child in each.children} <= INLINE
        elif each.type in ("text", "code_inline"):
            assert PLAIN.fullmatch(each.content), each.content
        else:
            assert each.type in {*INLINE, "fence", "paragraph_open", "paragraph_close"}


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_in_a_fence_every_line_starts_with_a_character_of_ours(name):
    """A forge looks for its commands, and a diff for its markers, at the start of a line."""
    for each in fences(shown(name)):
        usual = {"diff": DIFF_LINE, "text": TEXT_LINE}[each.info]
        assert [line for line in each.content.splitlines() if line and not usual.match(line)] == []


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_text_makes_as_many_blocks_as_a_harmless_one(name):
    harmless = markdown.render_plan(hostile.plan_with(hostile.HARMLESS), audience=EVERYBODY)
    short = hostile.TEXTS[name][:300]

    text = markdown.render_plan(hostile.plan_with(short), audience=EVERYBODY)

    assert [each.type for each in tokens(text)] == [each.type for each in tokens(harmless)]


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_nothing_in_a_comment_is_a_control_character(name):
    assert (
        re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown(name)) == []
    )


# -- it fits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_bytes", [LEAST_BYTES, 1001, 2500, 5001, 7777, 20_000, MAX_BYTES])
@pytest.mark.parametrize(
    "name", ["wide", "combining", "one-long-word", "many-lines", "many-backticks", "empty"]
)
def test_the_budget_is_never_exceeded(name, max_bytes):
    text = shown(name, max_bytes)

    assert len(text.encode()) <= max_bytes
    assert text.count("<details") == text.count("</details>")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one-long-word", "many-lines"])
def test_a_megabyte_in_every_place_is_a_comment_of_the_usual_size(name):
    text = markdown.render_plan(hostile.plan_with(hostile.TEXTS[name]), audience=EVERYBODY)

    assert len(text.encode()) <= MAX_BYTES
    assert {each.info for each in fences(text)} == {"diff", "text"}


def test_a_budget_for_nothing_else_leaves_the_first_line_and_says_so():
    text = shown("wide", LEAST_BYTES)

    assert len(text.encode()) <= LEAST_BYTES
    assert "**Planning failed: this plan cannot be applied.**" in text
    assert text.endswith("Cut to fit: only the failure is shown. `importer show PLAN` shows all.\n")


def test_the_frame_alone_is_small():
    """Every section is there, each title and each sentence is as long as it can be, and nothing else fits."""
    wide = "\U0010ffff" * 50_000
    number = 99_999
    plan = replace(
        hostile.plan_with(wide),
        revision=wide,
        account=replace(plans.plan().account, dashboard_url=wide),
        unmanaged=(Unmanaged(wide, wide),) * 6,
        unchanged=number,
    )

    text = markdown.render_plan(plan, audience=EVERYBODY, max_bytes=5_000)

    assert len(text.encode()) <= 5_000
    assert len(fences(text)) == 1


def test_what_is_cut_is_said():
    changes = [
        replace(plans.UPDATE, incident=replace(plans.UPDATE.incident, key=f"JIRA-{each}"))
        for each in range(200)
    ]

    text = markdown.render_plan(plans.plan(*changes), audience=EVERYBODY, max_bytes=5_000)

    whole = len([each for each in fences(text) if "JIRA-" in each.content and "summary" in each.content])
    titles = len([each for each in fences(text) if "JIRA-" in each.content]) - whole
    rest = 200 - whole - titles
    assert whole
    assert titles
    assert f"Cut to fit: {titles} without details, {rest} not shown. `importer show PLAN` shows all." in text


def test_what_fits_is_not_called_cut():
    assert "Cut to fit" not in markdown.render_plan(plans.PLANS["mixed"], audience=EVERYBODY)


def test_where_there_is_room_for_titles_all_are_there():
    changes = [
        replace(plans.UPDATE, incident=replace(plans.UPDATE.incident, key=f"JIRA-{each}"))
        for each in range(20)
    ]

    text = markdown.render_plan(plans.plan(*changes), audience=EVERYBODY, max_bytes=15_000)

    assert "not shown" not in text
    assert " without details." in text
    assert all(f'"JIRA-{each}"' in text for each in range(20))


def test_a_long_diff_is_cut_and_says_by_how_much():
    after = "\n".join(map(str, range(200)))
    change = replace(plans.DRIFT, changes=(FieldChange(plans.SUMMARY, "a\nb", after),))

    assert "\n          … 143 more lines\n" in markdown.render_plan(plans.plan(change), audience=EVERYBODY)


def test_a_long_problem_is_cut_and_says_by_how_much():
    problem = Diagnostic(Severity.ERROR, "x", "summary", detail="line\n" * 100)

    assert "\n… 41 more lines\n" in markdown.render_plan(
        replace(plans.plan(), diagnostics=(problem,)), audience=EVERYBODY
    )


@pytest.mark.parametrize(
    "attribute", [plans.NAME, plans.SUMMARY, Attribute(Field.CALL_URL)], ids=lambda each: each.label
)
def test_a_difference_at_the_end_of_a_long_text_is_shown(attribute):
    before, after = ("word " * 5000 + end for end in ("before", "after\nnext"))
    change = replace(plans.DRIFT, changes=(FieldChange(attribute, before, after),))

    text = markdown.render_plan(plans.plan(change), audience=EVERYBODY)

    assert "before" in text
    assert "after" in text
