"""Numbers and lists -> text: `1 line`, `2 lines`; the first few items of a list."""

from __future__ import annotations

from collections.abc import Sequence


def numbered(number: int, noun: str) -> str:
    """Return a number with its noun: `1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_few(items: Sequence[str], most: int, separator: str) -> str:
    """Return at most `most` items, and how many more there are."""
    rest = [f"and {len(items) - most} more"] if len(items) > most else []
    return separator.join([*items[:most], *rest])
