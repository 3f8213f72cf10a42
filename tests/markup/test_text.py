"""Slugs that are stable enough for keys."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.markup.text import slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Payments API returned 500s", "payments-api-returned-500s"),
        ("  --Störung: München/Straße--  ", "storung-munchen-strasse"),
        ("INC 0012", "inc-0012"),
        ("", ""),
        ("!!! \n", ""),
    ],
)
def test_a_slug_has_words_and_hyphens(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_texts_that_differ_only_in_lost_letters_have_different_slugs() -> None:
    assert slug("Сбой 2021") != slug("Авария 2021")
    assert slug("障害") != slug("停止")
    assert slug("障害") == slug("障害") != ""


def test_long_texts_with_the_same_beginning_have_different_slugs() -> None:
    long = "outage of the payments service in the region of europe west one"
    assert slug(long + " a") != slug(long + " b")
    assert slug(long).startswith("outage-of-the-payments-service")


def test_two_unicode_forms_of_a_text_have_the_same_slug() -> None:
    assert slug("Čas 障が") == slug("C\u030cas 障か\u3099")


@given(st.text())
def test_a_slug_is_short_ascii_and_deterministic(text: str) -> None:
    made = slug(text)
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", made)
    assert len(made) <= 60
    assert made == slug(text)
    assert made or not any(map(str.isascii, filter(str.isalnum, text)))
