"""Sanitised text -> text that fits the columns of a terminal, including wide and combining characters."""

from __future__ import annotations

import textwrap
import unicodedata
from functools import lru_cache
from itertools import accumulate, takewhile

ELLIPSIS = "…"


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def cut(text: str, width: int) -> str:
    """Return a text cut to `width` columns, with an ellipsis if something is lost."""
    if cells(text) <= width:
        return text
    return _head(text, width - 1) + ELLIPSIS


def shortened(text: str, longest: int) -> str:
    """Return a text cut to `longest` characters, not columns: some characters take no column."""
    return text if len(text) <= longest else text[: longest - 1] + ELLIPSIS


def cut_around(text: str, position: int, width: int) -> str:
    """Return the part of a text, `width` columns at most, that contains `position`."""
    start = max(0, position - width // 3)
    if start == 0 or cells(text) <= width:
        return cut(text, width)
    return ELLIPSIS + cut(text[start:], width - 1)


def parted(one: str, other: str, width: int) -> tuple[str, str]:
    """Return the parts of two texts around their first difference, so that it is never cut away."""
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    position = next((position for position, (left, right) in pairs if left != right), shorter)
    return cut_around(one, position, width), cut_around(other, position, width)


def split_to_width(text: str, width: int) -> list[str]:
    """Split a text into pieces of at most `width` columns."""
    found, start, used = [], 0, 0
    for position, character in enumerate(text):
        taken = _cells(character)
        if used + taken > width:
            found.append(text[start:position])
            start, used = position, 0
        used += taken
    return [*found, text[start:]]


def padded(text: str, width: int) -> str:
    """Pad a text with spaces to `width` columns."""
    return text + " " * (width - cells(text))


def wrapped(text: str, *, width: int, indent: str) -> list[str]:
    """Wrap a text to lines of at most `width` columns. A line that starts with a space is kept as it is, and
    no word is broken: it may be a command or a path."""
    found: list[str] = []
    for line in text.split("\n"):
        if line.startswith(" ") or not line:
            found.append((indent + line).rstrip())
            continue
        found += textwrap.wrap(
            line,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return found


def _head(text: str, width: int) -> str:
    ends = accumulate(_cells(character) for character in text)
    return text[: sum(1 for _ in takewhile(lambda end: end <= width, ends))]


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
