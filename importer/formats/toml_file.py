"""TOML text -> a mapping of plain text with line numbers, as the other readers return it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any

from importer.formats.tree import Block, Malformed, Node, Series

Path = tuple[str | int, ...]

_TABLE = re.compile(r"\s*(\[\[?)[^\]]+\]")
_VALUE = re.compile(r"""\s*((?:[\w.\- ]|"[^"]*"|'[^']*')+?)\s*=""")


def read(text: str) -> Block:
    """Return the values as text with line numbers. Raises Malformed."""
    values = parse(text, parse_float=str)
    lines: dict[Path, int] = {}
    for path, line in _lines(text):
        lines.setdefault(path, line)
    return _block(values, (), lines, min(lines.values(), default=1))


def parse(text: str, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the values with their TOML types: numbers, dates, booleans. Raises Malformed."""
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("syntax", "invalid TOML in the front matter", detail=str(error)) from None
    except RecursionError:
        raise Malformed("too-deep", "the values are nested too deeply") from None


def _block(values: dict[str, Any], path: Path, lines: dict[Path, int], line: int) -> Block:
    block = Block(line)
    for name, value in values.items():
        here = (*path, name)
        block.lines[name] = lines.get(here, line)
        block[name] = _node(value, here, lines, block.lines[name])
    return block


def _node(value: Any, path: Path, lines: dict[Path, int], line: int) -> Node:
    match value:
        case dict():
            return _block(value, path, lines, line)
        case list():
            series = Series()
            for number, each in enumerate(value):
                here = (*path, number)
                series.lines.append(lines.get(here, line))
                series.append(_node(each, here, lines, series.lines[-1]))
            return series
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _lines(text: str) -> Iterator[tuple[Path, int]]:
    """Yield the path and line of each key, which the parser does not report. A line of a multi-line string
    that looks like a key is yielded too, as a path without a value."""
    table: Path = ()
    counts: Counter[Path] = Counter()
    for number, line in enumerate(text.split("\n"), 1):
        if opening := _TABLE.match(line):
            table = _path(opening[0].strip() + "]" * (opening[1] == "[["))
            if opening[1] == "[[":
                yield table, number
                counts[table] += 1
                table = (*table, counts[table] - 1)
            yield table, number
        elif value := _VALUE.match(line):
            yield (*table, *_path(f"{value[1]} = 0")), number


def _path(statement: str) -> Path:
    """Return the keys of one statement; empty if it is not valid TOML by itself."""
    try:
        value = tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and value:
        ((name, value),) = value.items()
        path.append(name)
        value = value[0] if isinstance(value, list) else value
    return tuple(path)
