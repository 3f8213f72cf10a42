"""Two texts of several lines -> a unified diff with two lines of context.

The time is linear in the size of the texts: their common start and end are set aside, and texts that differ
in thousands of lines are shown as one text replaced by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate, islice, takewhile

from importer.model.wording import numbered
from importer.renderers.columns import ELLIPSIS
from importer.renderers.values import sanitised_lines

CONTEXT = 2
LONGEST_WHOLE = 10
_MOST_LINES, _MOST_WORDS, _MOST_MARKED = 1_000_000, 40_000, 100
"""Most pairs of lines and of words to compare, and most lines of a block to compare by words; more would take
seconds."""
_ALIKE = 0.4
"""The share of words that two lines must have in common for their differences to be marked."""
_LONG_START = 100
"""After a common start of this many characters, the first difference is marked in any case."""
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Span = tuple[int, int]
"""The start and the end of a part of a text."""
_Step = tuple[str, int, int, int, int]
_Marks = tuple[tuple[Span, ...], tuple[Span, ...]]
_NOTHING: _Marks = ((), ())


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff, sanitised. `marker` is `@`, `-`, `+`, ` ` or `…` (lines left out); `spans` are the
    words in which it differs from its counterpart, in order."""

    marker: str
    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A diff and its number of changed lines; a replaced line counts once."""

    lines: tuple[DiffLine, ...]
    changed: int


def difference(before: str, after: str) -> Difference:
    """Compare two texts line by line."""
    every_old, every_new = sanitised_lines(before), sanitised_lines(after)
    start, old, new = _window(every_old, every_new, CONTEXT)
    found: list[DiffLine] = []
    changed = 0
    for group in _groups(old, new):
        found.append(DiffLine("@", _header(group, start)))
        for tag, first, last, begin, end in group:
            if tag == "equal":
                found += [DiffLine(" ", text) for text in old[first:last]]
                continue
            changed += max(last - first, end - begin)
            found += _changed(old[first:last], new[begin:end])
    return Difference(tuple(found), changed)


def whole(text: str, marker: str) -> Difference:
    """Return a text that is all added (`+`) or all removed (`-`): its first ten lines at most."""
    every = sanitised_lines(text)
    first = [DiffLine(marker, each) for each in every[:LONGEST_WHOLE]]
    return Difference((*first, *_more(len(every) - LONGEST_WHOLE)), len(every))


def truncated(every: Sequence[DiffLine], most: int) -> tuple[DiffLine, ...]:
    """Return the first `most` lines, and a line with the number of the rest."""
    return (*every[:most], *_more(len(every) - most))


def _more(left_out: int) -> tuple[DiffLine, ...]:
    return (DiffLine(ELLIPSIS, f" {numbered(left_out, 'more line')}"),) if left_out > 0 else ()


def excerpt(line: DiffLine, longest: int) -> DiffLine:
    """Return a line cut to `longest` characters around its first difference."""
    if len(line.text) <= longest:
        return line
    start = max(line.spans[0][0] - longest // 3, 0) if line.spans else 0
    end = start + longest - 2
    before, after = ELLIPSIS * (start > 0), ELLIPSIS * (end < len(line.text))
    moved = len(before) - start
    spans = tuple((max(first, start) + moved, min(last, end) + moved) for first, last in line.spans)
    seen = tuple((first, last) for first, last in spans if first < last)
    return replace(line, text=f"{before}{line.text[start:end]}{after}", spans=seen)


def _window(old: Sequence[str], new: Sequence[str], context: int) -> tuple[int, Sequence[str], Sequence[str]]:
    """Return the differing parts of two sequences with their context, and where they start."""
    head = _same(zip(old, new, strict=False))
    shorter = min(len(old), len(new)) - head
    tail = min(shorter, _same(zip(reversed(old), reversed(new), strict=False)))
    start, rest = max(head - context, 0), max(tail - context, 0)
    return start, old[start : len(old) - rest], new[start : len(new) - rest]


def _same(pairs: Iterator[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _groups(old: Sequence[str], new: Sequence[str]) -> Iterator[Sequence[_Step]]:
    """Yield the differences. In long texts, the matcher ignores lines that occur everywhere, such as empty
    ones, and so stays fast."""
    if len(old) * len(new) <= _MOST_LINES:
        yield from SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT)
    else:
        yield [("replace", 0, len(old), 0, len(new))]


def _changed(old: Sequence[str], new: Sequence[str]) -> list[DiffLine]:
    """Return replaced and replacing lines, with the differing words of each pair."""
    marked = [_words(one, other) for one, other in islice(zip(old, new, strict=False), _MOST_MARKED)]
    unmarked = [_NOTHING] * max(len(old), len(new))
    removed = [DiffLine("-", text, spans) for text, (spans, _) in zip(old, marked + unmarked, strict=False)]
    added = [DiffLine("+", text, spans) for text, (_, spans) in zip(new, marked + unmarked, strict=False)]
    return removed + added


def _words(one: str, other: str) -> _Marks:
    """Return where the words of two lines differ; nothing if they have little in common, unless their common
    start is long."""
    every_old, every_new = _WORD.findall(one), _WORD.findall(other)
    start, old, new = _window(every_old, every_new, 0)
    steps, inside = _compared(old, new)
    same = len(every_old) - len(old) + inside
    if 2 * same < _ALIKE * (len(every_old) + len(every_new)):
        if sum(map(len, every_old[:start])) < _LONG_START:
            return _NOTHING
        steps = [("replace", 0, len(old), 0, len(new))]
    return (
        _spans(every_old, [(start + first, start + last) for _, first, last, _, _ in steps]),
        _spans(every_new, [(start + begin, start + end) for _, _, _, begin, end in steps]),
    )


def _compared(old: Sequence[str], new: Sequence[str]) -> tuple[list[_Step], int]:
    """Return the steps from old words to new ones, and how many words stay; very many are not compared."""
    if len(old) * len(new) > _MOST_WORDS:
        return [("replace", 0, len(old), 0, len(new))], 0
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    inside = sum(last - first for tag, first, last, _, _ in steps if tag == "equal")
    return [step for step in steps if step[0] != "equal"], inside


def _spans(words: Sequence[str], ranges: Sequence[Span]) -> tuple[Span, ...]:
    """Return the positions of ranges of words in the text, joined across white space."""
    ends = [0, *accumulate(map(len, words))]
    found: list[Span] = []
    for first, last in (each for each in ranges if each[0] < each[1]):
        if found and not "".join(words[found[-1][1] : first]).strip():
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple((ends[first], ends[last]) for first, last in found)


def _header(group: Sequence[_Step], start: int) -> str:
    _, first, _, begin, _ = group[0]
    _, _, last, _, end = group[-1]
    return f"@ -{start + first + 1},{last - first} +{start + begin + 1},{end - begin} @@"
