"""Two texts as a diff: quick however long they are, and never blind to where they differ."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.renderers.columns import ELLIPSIS
from importer.renderers.hunks import DiffLine, difference, excerpt, truncated, whole


def marked(line: DiffLine) -> list[str]:
    return [line.text[first:last] for first, last in line.spans]


def changed(before: str, after: str) -> list[DiffLine]:
    return [each for each in difference(before, after).lines if each.marker in "+-"]


def test_two_lines_of_context_are_around_what_differs():
    before = "\n".join("abcdefghij")

    assert difference(before, before.replace("e", "E")).lines == (
        DiffLine("@", "@ -3,5 +3,5 @@"),
        DiffLine(" ", "c"),
        DiffLine(" ", "d"),
        DiffLine("-", "e"),
        DiffLine("+", "E"),
        DiffLine(" ", "f"),
        DiffLine(" ", "g"),
    )


def test_words_that_differ_are_pointed_at_and_neighbours_are_one():
    old, new = changed("watched it for an hour.", "watched it for two hours.")

    assert (marked(old), marked(new)) == (["an hour"], ["two hours"])


def test_a_word_that_came_is_pointed_at_in_the_new_line_alone():
    old, new = changed("one two three", "one two and three")

    assert (marked(old), marked(new)) == ([], ["and "])


def test_lines_with_little_in_common_have_no_words_to_point_at():
    assert [marked(each) for each in changed("We rolled back.", "Nobody knows; it went away!")] == [[], []]


@pytest.mark.parametrize("words", [10, 1000, 100_000])
def test_one_word_is_found_in_a_paragraph_of_any_length(words):
    text = "word " * words

    old, new = changed(f"{text}before {text}", f"{text}after {text}")

    assert (marked(old), marked(new)) == (["before"], ["after"])


def test_a_long_start_is_told_from_the_rest_though_the_rest_is_strange():
    start = "the same " * 20

    old, new = changed(start + "x y z " * 500, start + "1 2 3 4 " * 500)

    assert (old.spans, new.spans) == (((180, 3179),), ((180, 4179),))


def test_words_of_a_long_block_are_compared_in_its_first_lines_only():
    before = [f"line {each} of many" for each in range(150)]

    found = changed("\n".join(before), "\n".join(f"{each}!" for each in before))

    assert [bool(each.spans) for each in found if each.marker == "+"] == [True] * 100 + [False] * 50


@pytest.mark.parametrize(
    ("number", "line"),
    [
        pytest.param(250, "{side}{each}\n", id="every second line is empty"),
        pytest.param(450, "{side[0]} {few}", id="few different lines"),
        pytest.param(450, "{side} {each} {few} a b c d e f g h i j k l m n o p q r", id="long lines"),
        pytest.param(25_000, "{side}{each}", id="too many to compare"),
    ],
)
def test_time_grows_with_the_size_of_the_texts_only(number, line):
    def seconds(number: int) -> float:
        before, after = (
            "\n".join(line.format(side=side, each=each, few=each * len(side) % 7) for each in range(number))
            for side in ("before", "now")
        )
        began = time.process_time()
        difference(before, after)
        return time.process_time() - began

    assert seconds(2 * number) < 5 * seconds(number) + 0.5


def test_texts_of_too_many_lines_are_one_that_went_and_one_that_came():
    before, after = ("\n".join(f"{side}{each}" for each in range(1500)) for side in "ab")

    found = difference(before, after)

    assert [each.marker for each in found.lines] == ["@", *"-" * 1500, *"+" * 1500]
    assert found.changed == 1500


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_a_diff_holds_all_that_went_and_all_that_came(before, after):
    found = difference(before, after).lines

    for marker, text in (("-", before), ("+", after)):
        ours = [each.text for each in found if each.marker in (marker, " ")]
        rest = iter(text.split("\n"))
        assert all(line in rest for line in ours)
    assert bool(found) == (before != after)


@given(st.text("abc d", max_size=80), st.text("abc d", max_size=80), st.integers(10, 40))
def test_an_excerpt_is_short_and_points_at_the_same_words(before, after, longest):
    for line in changed(f"start {before}", f"start {after}"):
        cut = excerpt(line, longest)
        assert len(cut.text) <= longest
        assert bool(cut.spans) == bool(line.spans)
        assert all(word in line.text and ELLIPSIS not in word for word in marked(cut))


def test_a_short_line_is_its_own_excerpt():
    assert excerpt(DiffLine("+", "short", ((0, 5),)), 5) == DiffLine("+", "short", ((0, 5),))


def test_an_excerpt_says_where_something_is_missing():
    line = DiffLine("+", "a" * 50 + "B" + "c" * 50, ((50, 51),))

    assert excerpt(line, 14) == DiffLine("+", "…aaaaBccccccc…", ((5, 6),))


def test_a_text_that_is_all_new_shows_ten_lines_and_counts_the_rest():
    found = whole("line\n" * 11, "+")

    assert found.changed == 12
    assert found.lines == (*[DiffLine("+", "line")] * 10, DiffLine("…", " 2 more lines"))


def test_a_limit_that_is_not_reached_changes_nothing():
    lines = [DiffLine("+", "a"), DiffLine("+", "b")]

    assert truncated(lines, 2) == tuple(lines)
    assert truncated(lines, 1) == (lines[0], DiffLine("…", " 1 more line"))
