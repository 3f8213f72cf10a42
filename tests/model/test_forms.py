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
        ("one\ntwo", "one \r\ntwo"),
        ("one two - three", "one\n\ntwo\n - three\n"),
        ("one\n\ntwo\n - three", "\none\n\n\n\ntwo\n   -  three\n"),
        ("a\u00a0b", "a&nbsp;b"),
        (r"\_emphasis\_", "_emphasis_"),
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
        ("10²", "102"),
        ("ﬁne", "fine"),
        ("?a=1&copy=2", "?a=1©=2"),
        ("&notit;", "¬it;"),
        ("a\\nb", "a\nb"),
        (AT + timedelta(seconds=1), AT),
        (AT + timedelta(milliseconds=800), AT),
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


TRICKY = st.text(
    st.sampled_from("aB_*\\&;#<>'\"’ \t\n\r\u00a0\u2028²ﬁé\u0301\u0338=\u037e") | st.characters()
)
PIECES = st.lists(
    st.sampled_from(["&amp;", "&lt", "&#39;", "&nbsp;", "\\_", "\\\\", "a", " ", "\n"]) | TRICKY
)
TEXTS = TRICKY | PIECES.map("".join)
VALUES = TEXTS | st.datetimes(timezones=st.just(UTC)) | st.none()


@given(VALUES, VALUES)
def test_to_have_the_same_form_is_reflexive_and_symmetric(one: object, other: object) -> None:
    assert is_same_form(one, one)
    assert is_same_form(one, other) == is_same_form(other, one)


@given(TEXTS)
def test_to_have_the_same_form_is_transitive_as_each_text_has_one_stored_form(text: str) -> None:
    assert stored_form(stored_form(text)) == stored_form(text)
    assert is_same_form(stored_form(text), text)


@given(TEXTS, TEXTS)
def test_texts_have_the_same_form_exactly_if_their_stored_forms_are_equal(one: str, other: str) -> None:
    assert is_same_form(one, other) == (stored_form(one) == stored_form(other))


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Nd", "No"], exclude_characters="&"), min_size=1)
LINES = st.lists(WORDS, min_size=2, max_size=5)


@given(LINES)
def test_white_space_is_no_difference_but_that_there_is_some(lines: list[str]) -> None:
    for blanks in ("  ", " \t", "\n", " \r\n\n"):
        assert is_same_form(blanks.join(lines), " ".join(lines))
    assert not is_same_form("".join(lines), " ".join(lines))


@given(WORDS, WORDS)
def test_words_with_other_characters_are_other_words(one: str, other: str) -> None:
    composed = [unicodedata.normalize("NFC", each) for each in (one, other)]
    assert is_same_form(one, other) == (composed[0] == composed[1])


@given(TEXTS, TEXTS)
def test_texts_of_the_same_form_are_similar_too(one: str, other: str) -> None:
    assert stored_form(one) != stored_form(other) or plain_form(one) == plain_form(other)
    assert plain_form(stored_form(one)) == plain_form(one)
