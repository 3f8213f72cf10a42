"""The raw values of a file: mappings, lists and text that know their lines."""

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
    """A mapping with its own line and the line of each key, from 1. In a table a line is a row, and `columns`
    has the column of each key; otherwise `columns` is empty."""

    __slots__ = ("columns", "line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: dict[str, int] = {}
        self.columns: Mapping[str, int] = _NO_COLUMNS

    def text(self, key: str) -> str | None:
        """Return the value of a key if it is text."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def place(self, path: str, key: str) -> Location:
        """Return the place of `key`, or of the mapping if the key is missing."""
        return Location(path, self.lines.get(key, self.line), self.columns.get(key))


class Series(list["Node"]):
    """A list with the line of each value."""

    __slots__ = ("lines",)

    def __init__(self, values: Iterable[Node] = (), lines: Iterable[int] = ()) -> None:
        super().__init__(values)
        self.lines = list(lines)


Node = Block | Series | str | None
"""Every scalar is text as written, or None for null."""


class Malformed(Problem):
    """A file cannot be read past this line."""


def texts(node: Node) -> tuple[str, ...]:
    """Return the texts of a list, or the single text, stripped."""
    values = node if isinstance(node, Series) else [node]
    return tuple(each.strip() for each in values if isinstance(each, str))


def place(path: str, root: Node, steps: Sequence[str | int], *, line: int) -> Location:
    """Return the place of the value at `steps` below `root`; `line` is the root's own."""
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
                pass  # a missing value has the place of its nearest existing parent
    return Location(path, line, column)


def refuse_duplicate(diagnostics: Diagnostics, path: str, key: str, *, first: int, second: int) -> None:
    """Report a key that appears twice in one mapping: which value is meant cannot be known."""
    diagnostics.error(
        "duplicate-field",
        f"`{key}` appears twice in one mapping",
        Location(path, second),
        detail=f"lines {first} and {second}",
        hint="remove one of them",
    )


def has_lone_surrogate(text: str) -> bool:
    """Whether a text holds half a surrogate pair, such as a lone `\\ud800`, which UTF-8 cannot encode."""
    return _SURROGATE.search(text) is not None
