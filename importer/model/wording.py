"""A number and a noun -> `1 line`, `2 lines`."""

from __future__ import annotations


def numbered(number: int, noun: str) -> str:
    """Return a number of things: `1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
