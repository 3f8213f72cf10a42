"""What a file says, before it means anything: mappings, lists and text that know their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from importer.model import Location
from importer.model.diagnostics import Diagnostics, Problem

MAX_DEPTH = 64
"""Levels of nesting that a file may have; an incident needs five."""

_NO_COLUMNS: Mapping[str, int] = MappingProxyType({})
_SURROGATE = re.compile("[\ud800-\udfff]")


class Block(dict[str, "Node"]):
    """A mapping with its own line and the line of each key, from 1. In a table the line is the row, and
    `columns` has the column of each key; elsewhere `columns` is empty."""

    __slots__ = ("columns", "line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: dict[str, int] = {}
        self.columns: Mapping[str, int] = _NO_COLUMNS

    def text(self, key: str) -> str | None:
        """Return the value of a key that is text."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def place(self, path: str, key: str) -> Location:
        """Return where `key` stands; the mapping's own place where the key is not there."""
        return Location(path, self.lines.get(key, self.line), self.columns.get(key))


class Series(list["Node"]):
    """A list with the line of each of its values."""

    __slots__ = ("lines",)

    def __init__(self, values: Iterable[Node] = (), lines: Iterable[int] = ()) -> None:
        super().__init__(values)
        self.lines = list(lines)


Node = Block | Series | str | None
"""Every scalar is text as written, or None where nothing was written."""


class Malformed(Problem):
    """A file cannot be read beyond this line."""


def texts(node: Node) -> tuple[str, ...]:
    """Return the texts of a list, or the one text, without white space around them."""
    values = node if isinstance(node, Series) else [node]
    return tuple(each.strip() for each in values if isinstance(each, str))


def place(path: str, root: Node, steps: Sequence[str | int], *, line: int) -> Location:
    """Return where the value at `steps` below `root` stands; `line` is the root's own."""
    column: int | None = None
    node = root
    for step in steps:
        match node, step:
            case Block(), str():
                line = node.lines.get(step, node.line)
                column = node.columns.get(step, column)
                node = node.get(step)
            case Series(), int():
                line = node.lines[step]
                node = node[step]
            case _:
                pass  # what is missing stands where the last that is there does
    return Location(path, line, column)


def refuse_duplicate(diagnostics: Diagnostics, path: str, key: str, *, first: int, second: int) -> None:
    """Report a key that one mapping has twice. Which one its author means, nobody can tell."""
    diagnostics.error(
        "duplicate-field",
        f"`{key}` appears twice in one mapping",
        Location(path, second),
        detail=f"lines {first} and {second}",
        hint="remove one of them",
    )


def has_lone_surrogate(text: str) -> bool:
    """Whether the text holds half a character, which no UTF-8 can carry: an escape like `\\ud800` alone."""
    return _SURROGATE.search(text) is not None
