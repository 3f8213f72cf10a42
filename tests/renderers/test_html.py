"""The report as a file: one page of ASCII that holds all, in forms that no text escapes from."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from importer.model import Diagnostic, FieldChange, NoOp, Plan, Severity
from importer.renderers import html
from importer.renderers.columns import ELLIPSIS
from tests import hostile, plans


class _Elements(HTMLParser):
    """The names of all elements, the attributes that fetch or run something, and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.fetching: list[str | None] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.fetching += [
            name for name, _ in attrs if name in {"src", "srcset", "action"} or name[:2] == "on"
        ]
        self.fetching += [value for name, value in attrs if name == "href" and value != "#changes"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(plan: Plan, *, show_private: bool = True) -> str:
    return html.render_plan(plan, show_private=show_private)


def read(text: str) -> _Elements:
    parser = _Elements()
    parser.feed(text)
    return parser


def data(text: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    held: dict[str, Any] = json.loads(found[1])
    return held


@pytest.mark.parametrize("name", plans.PLANS)
def test_the_page_is_ascii_and_fetches_nothing(name):
    text = page(plans.PLANS[name])

    assert text.isascii()
    assert read(text).fetching == []
    assert "http-equiv" in text
    assert "@import" not in text
    assert "url(" not in text


@pytest.mark.parametrize("name", plans.PLANS)
def test_there_is_an_entry_for_each_change(name):
    plan = plans.PLANS[name]

    entries = data(page(plan))["entries"]

    expected = [each.incident.key for each in plan.changes if not isinstance(each, NoOp)]
    assert len(entries) == len(expected)


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_text_adds_no_element(name):
    usual = read(page(hostile.plan_with(hostile.HARMLESS)))

    found = read(page(hostile.plan_with(hostile.TEXTS[name][:20_000] or "-")))

    assert sorted(found.names) == sorted(usual.names)
    assert found.fetching == usual.fetching == []


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_text_is_in_the_data_as_it_is_shown(name):
    text = page(hostile.plan_with(hostile.TEXTS[name][:5000]))

    entries = data(text)["entries"]
    assert [each["actions"][0] for each in entries] == ["create", "pending", "update", "adopt", "blocked"]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text)


def test_the_report_of_drift_says_what_happened_not_what_a_plan_would_do():
    entries = data(page(plans.PLANS["drift-possible"]))["entries"]
    assert [each["actions"] for each in entries] == [["drifted"], ["may have drifted"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one-long-word", "many-lines"])
def test_a_megabyte_in_every_place_is_a_page_that_still_opens(name):
    assert len(page(hostile.plan_with(hostile.TEXTS[name]))) < 3_000_000


def test_the_policy_allows_the_page_s_own_style_and_script_alone():
    text = page(plans.PLANS["mixed"])

    policy = re.search(r'content="(default-src [^"]*)"', text)
    assert policy
    for name, inside in (("style", "<style>(.*?)</style>"), ("script", "<script>(.*?)</script>")):
        source = re.search(inside, text, re.DOTALL)
        assert source
        digest = base64.b64encode(hashlib.sha256(source[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")


def test_a_difference_at_the_end_of_a_long_text_is_shown():
    before, after = ("word " * 5000 + end for end in ("before", "after"))
    change = replace(
        plans.DRIFT,
        changes=(
            FieldChange(plans.NAME, before, after),
            FieldChange(plans.SUMMARY, f"same\n{before}", f"same\n{after}"),
        ),
    )

    name, summary = data(page(plans.plan(change)))["entries"][0]["rows"]

    assert [each[-8:-1] for each in name[2:4]] == [" before", "d after"]
    assert [line[2] for line in summary[5][-2:]] == ["before", "after"]


def test_a_diff_of_very_many_lines_is_cut_and_says_by_how_much():
    change = replace(
        plans.DRIFT, changes=(FieldChange(plans.SUMMARY, "a", "\n".join(map(str, range(2000)))),)
    )

    lines = data(page(plans.plan(change)))["entries"][0]["rows"][0][5]

    assert len(lines) == 1001
    assert lines[-1] == [ELLIPSIS, " 1002 more lines"]


def test_words_that_differ_are_every_second_piece_of_a_line():
    change = replace(
        plans.DRIFT, changes=(FieldChange(plans.SUMMARY, "x\nfor an hour.", "x\nfor two hours."),)
    )

    lines = data(page(plans.plan(change)))["entries"][0]["rows"][0][5]

    assert lines[-2:] == [["-", "for ", "an hour", "."], ["+", "for ", "two hours", "."]]


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("create", "importer will perform the following actions."),
        ("blocked", "importer cannot make the following changes."),
        ("empty", "No changes. The account matches the files."),
        (
            "kept",
            "No changes. The account differs from the files: edits made in incident.io are kept in 1 incident.",
        ),
        ("part-unchanged", "No changes in this part of the files."),
        ("errored", "Planning failed: this plan cannot be applied."),
    ],
)
def test_the_verdict_is_in_the_head(name, verdict):
    assert verdict in read(page(plans.PLANS[name])).words


def test_without_the_account_s_history_the_page_claims_nothing_about_it():
    assert "in the account" in page(plans.many(3))

    unknown = re.sub(r"<script.*", "", page(replace(plans.many(3), history=None)), flags=re.DOTALL)

    assert not re.search(r"\d (\w+ )?in the account", unknown)
    assert "The incidents in the account are not shown" in unknown


def test_a_problem_has_its_words_code_and_places():
    problem = Diagnostic(
        Severity.WARNING, "some-code", "summary\x1b", "de\ntail", "hint", (plans.UPDATE.incident.location,), 3
    )

    words = "".join(read(page(replace(plans.plan(), diagnostics=(problem,)))).words)

    for each in (
        "summary\\x1b",
        "de\ntail",
        "hint",
        "some-code",
        "incidents/2023.yaml:12",
        "(and 2 more places)",
    ):
        assert each in words
