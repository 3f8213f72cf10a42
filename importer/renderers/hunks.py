"""Two texts of several lines -> what differs, as a unified diff with two lines of context."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from importer.renderers.values import lines

CONTEXT = 2
LONGEST_WHOLE = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff, sanitised. `marker` is `@`, `-`, `+`, ` ` or `…` (lines that are left out)."""

    marker: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A diff, and how many lines of it changed: a line that became another one counts once."""

    lines: tuple[Line, ...]
    changed: int


def difference(before: str, after: str) -> Difference:
    """Compare two texts line by line."""
    old, new = lines(before), lines(after)
    found: list[Line] = []
    changed = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        found.append(Line("@", _header(group)))
        for tag, first, last, start, end in group:
            if tag == "equal":
                found += [Line(" ", text) for text in old[first:last]]
                continue
            changed += max(last - first, end - start)
            found += [Line("-", text) for text in old[first:last]]
            found += [Line("+", text) for text in new[start:end]]
    return Difference(tuple(found), changed)


def whole(text: str, marker: str) -> Difference:
    """Return a text that is all new (`+`) or all gone (`-`), at most its first ten lines."""
    every = lines(text)
    left_out = len(every) - LONGEST_WHOLE
    rest = (Line("…", f" {left_out} more {'line' if left_out == 1 else 'lines'}"),) if left_out > 0 else ()
    return Difference(tuple(Line(marker, each) for each in every[:LONGEST_WHOLE]) + rest, len(every))


def _header(group: list[tuple[str, int, int, int, int]]) -> str:
    _, first, _, start, _ = group[0]
    _, _, last, _, end = group[-1]
    return f"@ -{first + 1},{last - first} +{start + 1},{end - start} @@"
