"""Which values count as another form of the same value."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import FollowUp, Link, TimelineItem
from importer.model.forms import is_same_form, plain_form, stored_form

AT = datetime(2024, 1, 2, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        ("two words", "two   words "),
        ("one\ntwo", "one\r\ntwo"),
        (r"a\_b \*c\*", "a_b *c*"),
        ("R&amp;D &lt;b&gt;", "R&D <b>"),
        ("caf\u0065\u0301", "caf\u00e9"),
        (AT.replace(microsecond=0), AT),
        (Link("https://example.com/?a=1&amp;b=2"), Link("https://example.com/?a=1&b=2")),
        (("a b", "c"), ("c", "a  b")),
        (TimelineItem(AT.replace(microsecond=0), r"a\_b"), TimelineItem(AT, "a_b")),
        (FollowUp("text", None, "completed"), FollowUp("text")),
    ],
)
def test_another_form_is_the_same_value(live: object, declared: object) -> None:
    assert is_same_form(live, declared)


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        ("Two words", "two words"),
        ("it’s", "it's"),
        ("twowords", "two words"),
        ("a\\nb", "a\nb"),
        (AT + timedelta(seconds=1), AT),
        (("a", "b"), ("a",)),
        (("a", "a"), ("a", "b")),
        (("a", "b"), ("a", "a")),
        (None, "text"),
        (TimelineItem(AT, "other"), TimelineItem(AT, "text")),
        (FollowUp(None), FollowUp("text")),
    ],
)
def test_another_value_is_not_the_same(live: object, declared: object) -> None:
    assert not is_same_form(live, declared)


@given(st.text())
def test_a_text_that_was_escaped_or_decomposed_is_the_same(text: str) -> None:
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    assert is_same_form(unicodedata.normalize("NFD", text), text)
    assert is_same_form(html.escape(text), text)
    assert is_same_form(escaped, text)


@given(st.text(), st.text())
def test_texts_of_the_same_form_are_similar_too(one: str, other: str) -> None:
    assert stored_form(one) != stored_form(other) or plain_form(one) == plain_form(other)
    assert plain_form(stored_form(one)) == plain_form(one)
