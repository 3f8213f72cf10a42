"""Two texts of several lines -> what differs, as a unified diff with two lines of context.

Time grows with the size of the texts only: what both begin and end with is set aside, and two texts of which
thousands of lines differ are shown as one that went and one that came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

from importer.renderers.values import lines

CONTEXT = 2
LONGEST_WHOLE = 10
_MOST_LINES, _MOST_WORDS = 1_000_000, 40_000
"""Pairs of lines, and pairs of words of two lines, that are compared; more take seconds."""
_ALIKE = 0.4
"""Two lines of which a smaller part is the same are two texts, and have no words worth pointing at."""
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Span = tuple[int, int]
"""Where a part of a text starts and ends."""
_Step = tuple[str, int, int, int, int]
_Marks = tuple[tuple[Span, ...], tuple[Span, ...]]
_NOTHING: _Marks = ((), ())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff, sanitised. `marker` is `@`, `-`, `+`, ` ` or `…` (lines that are left out); `spans`
    are the words in which it differs from the line that it became or was, in order."""

    marker: str
    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A diff, and how many lines of it changed: a line that became another one counts once."""

    lines: tuple[Line, ...]
    changed: int


def difference(before: str, after: str) -> Difference:
    """Compare two texts line by line."""
    every_old, every_new = lines(before), lines(after)
    start, old, new = _window(every_old, every_new)
    found: list[Line] = []
    changed = 0
    for group in _groups(old, new):
        found.append(Line("@", _header(group, start)))
        for tag, first, last, begin, end in group:
            if tag == "equal":
                found += [Line(" ", text) for text in old[first:last]]
                continue
            changed += max(last - first, end - begin)
            found += _changed(old[first:last], new[begin:end])
    return Difference(tuple(found), changed)


def whole(text: str, marker: str) -> Difference:
    """Return a text that is all new (`+`) or all gone (`-`), at most its first ten lines."""
    every = lines(text)
    left_out = len(every) - LONGEST_WHOLE
    rest = (Line("…", f" {left_out} more {'line' if left_out == 1 else 'lines'}"),) if left_out > 0 else ()
    return Difference(tuple(Line(marker, each) for each in every[:LONGEST_WHOLE]) + rest, len(every))


def _window(old: Sequence[str], new: Sequence[str]) -> tuple[int, Sequence[str], Sequence[str]]:
    """Return the parts of two texts that differ, with their context, and the line where they start."""
    head = _same(zip(old, new, strict=False))
    shorter = min(len(old), len(new)) - head
    tail = min(shorter, _same(zip(reversed(old), reversed(new), strict=False)))
    start, rest = max(head - CONTEXT, 0), max(tail - CONTEXT, 0)
    return start, old[start : len(old) - rest], new[start : len(new) - rest]


def _same(pairs: Iterator[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _groups(old: Sequence[str], new: Sequence[str]) -> Iterator[Sequence[_Step]]:
    if len(old) * len(new) <= _MOST_LINES:
        yield from SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT)
    else:
        yield [("replace", 0, len(old), 0, len(new))]


def _changed(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Return lines that became others, with the words that differ in those that stand for each other."""
    marked = [_words(one, other) for one, other in zip(old, new, strict=False)]
    unmarked = [_NOTHING] * abs(len(old) - len(new))
    gone = [Line("-", text, spans) for text, (spans, _) in zip(old, marked + unmarked, strict=False)]
    came = [Line("+", text, spans) for text, (_, spans) in zip(new, marked + unmarked, strict=False)]
    return gone + came


def _words(one: str, other: str) -> _Marks:
    """Return where the words of two lines differ, in each; nothing where they have little in common."""
    old, new = _WORD.findall(one), _WORD.findall(other)
    if len(old) * len(new) > _MOST_WORDS:
        return _NOTHING
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _NOTHING
    steps = [step for step in matcher.get_opcodes() if step[0] != "equal"]
    return (
        _spans(old, [(first, last) for _, first, last, _, _ in steps]),
        _spans(new, [(begin, end) for _, _, _, begin, end in steps]),
    )


def _spans(words: Sequence[str], ranges: Sequence[Span]) -> tuple[Span, ...]:
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word))
    return tuple((ends[first], ends[last]) for first, last in ranges if first < last)


def _header(group: Sequence[_Step], start: int) -> str:
    _, first, _, begin, _ = group[0]
    _, _, last, _, end = group[-1]
    return f"@ -{start + first + 1},{last - first} +{start + begin + 1},{end - begin} @@"
