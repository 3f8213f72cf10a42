"""YAML text -> documents of plain text with line numbers, as the author wrote them.

Built on the parser's events rather than PyYAML's constructors, which convert `NO`, `012`, `1:30` and `1_000`,
let the last of two equal keys win, and expand aliases without limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from importer.formats.text_file import physical_line
from importer.formats.tree import (
    MAX_DEPTH,
    Block,
    Malformed,
    Node,
    Series,
    has_lone_surrogate,
    refuse_duplicate,
)
from importer.model import Location
from importer.model.diagnostics import Diagnostics

MAX_ALIASED_NODES = 1_000_000
"""The values that all aliases of a file may expand to, in total."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LONGEST_NULL = 4
_TEXT_TAG = "tag:yaml.org,2002:str"
_PARSER: Callable[[str], Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A complete value that aliases repeat, and the number of values in it."""

    node: Node
    size: int


def read(
    text: str, path: str, diagnostics: Diagnostics, *, parser: Callable[[str], Any] = _PARSER
) -> list[Node]:
    """Return the file's documents. If the file cannot be read, report why and return an empty list."""
    try:
        return _Builder(path, diagnostics, parser(text).get_event).documents()
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
    except yaml.reader.ReaderError as problem:
        character = int(problem.character)
        before = text.partition(chr(character))[0]
        diagnostics.error(
            "syntax",
            "YAML does not allow control characters",
            Location(path, before.count("\n") + 1),
            detail=f"found U+{character:04X}",
            hint='remove it, or write it as an escape in double quotes: "\\u0001"',
        )
    except yaml.MarkedYAMLError as problem:
        diagnostics.error(
            "syntax",
            "invalid YAML",
            Location(path, min(_line(problem.problem_mark), physical_line(text))),
            detail=_parser_message(problem),
            hint="quote text that contains `: ` or begins with a bracket, `*`, `&`, `@`; indent with spaces",
        )
    return []


def _parser_message(error: yaml.MarkedYAMLError) -> str:
    """Return the parser's own message, with the line on which the unfinished construct begins."""
    if error.context_mark is None:
        return str(error.problem)
    return f"{error.context} that begins on line {_line(error.context_mark)}: {error.problem}"


def _line(mark: Any) -> int:
    return int(mark.line) + 1


@dataclass(slots=True)
class _Builder:
    """Turns events into nodes. MAX_DEPTH limits recursion; an anchor with an unfinished value is None in
    `anchors`. `built` counts the values in all collections, `aliased` the values that aliases repeat."""

    path: str
    diagnostics: Diagnostics
    next_event: Callable[[], Any]
    anchors: dict[str, _Anchored | None] = field(default_factory=dict)
    built: int = 0
    aliased: int = 0

    def documents(self) -> list[Node]:
        found: list[Node] = []
        while True:
            event = self.next_event()
            if type(event) is DocumentStartEvent:
                self.anchors.clear()
                found.append(self.node(self.next_event(), 0))
            elif type(event) is StreamEndEvent:
                return found

    def node(self, event: Any, depth: int) -> Node:
        """Return the value that begins with `event`."""
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None:
            return _scalar(event)
        if type(event) is AliasEvent:
            return self.alias(event)
        if event.tag is not None and event.tag != _TEXT_TAG:
            self.refuse_tag(event)
        before = self.built
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = _scalar(event) if type(event) is ScalarEvent else self.collection(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(node, 1 + self.built - before)
        return node

    def collection(self, event: Any, depth: int) -> Block | Series:
        line = _line(event.start_mark)
        if depth == MAX_DEPTH:
            raise Malformed("too-deep", f"more than {MAX_DEPTH} levels of nesting", line)
        if type(event) is MappingStartEvent:
            return self.block(line, depth + 1)
        return self.series(depth + 1)

    def series(self, depth: int) -> Series:
        series = Series()
        while type(event := self.next_event()) is not SequenceEndEvent:
            series.lines.append(event.start_mark.line + 1)
            series.append(self.node(event, depth))
        self.built += len(series)
        return series

    def block(self, line: int, depth: int) -> Block:
        block = Block(line)
        lines, next_event, node = block.lines, self.next_event, self.node
        merged: list[Block] = []
        while type(event := next_event()) is not MappingEndEvent:
            line = event.start_mark.line + 1
            key = node(event, depth)
            value = node(next_event(), depth)
            if key == "<<" and type(event) is ScalarEvent and event.implicit[0]:
                merged += _merge_sources(value, line)
            elif type(key) is not str:
                raise Malformed("syntax", "a key must be text", line, hint='quote it: "null": ...')
            elif key in block:
                refuse_duplicate(self.diagnostics, self.path, key, first=lines[key], second=line)
            else:
                block[key] = value
                lines[key] = line
        for each in merged:
            _merge(block, each)
        self.built += len(block)
        return block

    def alias(self, event: Any) -> Node:
        line = _line(event.start_mark)
        if event.anchor not in self.anchors:
            raise Malformed("syntax", f"the alias `*{event.anchor}` has no anchor before it", line)
        anchored = self.anchors[event.anchor]
        if anchored is None:
            summary = f"the alias `*{event.anchor}` is inside its own anchor"
            raise Malformed("alias-cycle", summary, line)
        self.built += anchored.size - 1
        self.aliased += anchored.size
        if self.aliased > MAX_ALIASED_NODES:
            summary = f"the aliases expand to more than {MAX_ALIASED_NODES} values"
            raise Malformed("too-many-aliases", summary, line)
        return anchored.node

    def refuse_tag(self, event: Any) -> None:
        self.diagnostics.error(
            "yaml-tag",
            f"tags are not supported: `{event.tag}`",
            Location(self.path, _line(event.start_mark)),
            hint="remove it; every value is read as written",
        )


def _scalar(event: Any) -> str | None:
    text: str = event.value
    if len(text) <= _LONGEST_NULL and text in _NULLS and event.implicit[0]:
        return None
    if not text.isascii() and has_lone_surrogate(text):
        raise Malformed("syntax", "invalid Unicode: half of a surrogate pair", _line(event.start_mark))
    return text


def _merge_sources(value: Node, line: int) -> list[Block]:
    """Return the mappings that a `<<` at `line` refers to."""
    named = value if isinstance(value, Series) else [value]
    sources = [each for each in named if isinstance(each, Block)]
    if len(sources) != len(named):
        raise Malformed("syntax", "`<<` takes a mapping or a list of mappings", line)
    return sources


def _merge(block: Block, source: Block) -> None:
    """Add the missing keys: own keys win, then earlier sources. The lines are the source's."""
    for key, value in source.items():
        if key not in block:
            block[key] = value
            block.lines[key] = source.lines[key]
