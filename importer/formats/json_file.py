"""JSON or JSON Lines text -> documents of plain text with lines, numbers as the author wrote them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # absent from the stubs
from typing import cast

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

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z.+-])")
_WORD = re.compile(r"true|false|null")


def read(text: str, path: str, diagnostics: Diagnostics) -> list[Node]:
    """Return the file's one document. Where the file cannot be read, say why and return none."""
    return _read(text, path, diagnostics, first_line=1)


def read_lines(text: str, path: str, diagnostics: Diagnostics) -> list[Node]:
    """Return a document for each line of JSON Lines; blank lines count, and a bad one spoils only itself."""
    found: list[Node] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found += _read(line, path, diagnostics, first_line=number)
    return found


def _read(text: str, path: str, diagnostics: Diagnostics, *, first_line: int) -> list[Node]:
    starts = [match.end() for match in re.finditer("\n", text)]
    scanner = _Scanner(text, path, diagnostics, starts, first_line)
    try:
        return [scanner.document()]
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
        return []


@dataclass(slots=True)
class _Scanner:
    """Reads values at `position`. Recursion is bounded by MAX_DEPTH; `starts` are the offsets at which the
    second and later lines begin."""

    text: str
    path: str
    diagnostics: Diagnostics
    starts: list[int]
    first_line: int
    position: int = 0

    def document(self) -> Node:
        value = self.value(0)
        if self.next() != "":
            raise self.malformed("more text after the end of the value")
        return value

    def value(self, depth: int) -> Node:
        character = self.next()
        if depth == MAX_DEPTH and character in ("{", "["):
            raise Malformed("too-deep", f"more than {MAX_DEPTH} levels of nesting", self.line())
        if character == "{":
            return self.block(depth + 1)
        if character == "[":
            return self.series(depth + 1)
        if character == '"':
            return self.string()
        for pattern in (_NUMBER, _WORD):
            if match := pattern.match(self.text, self.position):
                self.position = match.end()
                return None if match[0] == "null" else match[0]
        raise self.malformed("expected a value", hint="JSON knows no NaN, no Infinity and no comments")

    def block(self, depth: int) -> Block:
        block = Block(self.line())
        another = self.opens("}")
        while another:
            line = self.line()
            if self.next() != '"':
                raise self.malformed('expected a key in `"`')
            key = self.string()
            self.expect(":")
            value = self.value(depth)
            if key in block:
                refuse_duplicate(self.diagnostics, self.path, key, first=block.lines[key], second=line)
            else:
                block[key] = value
                block.lines[key] = line
            another = self.goes_on("}")
        return block

    def series(self, depth: int) -> Series:
        series = Series()
        another = self.opens("]")
        while another:
            series.lines.append(self.line())
            series.append(self.value(depth))
            another = self.goes_on("]")
        return series

    def opens(self, end: str) -> bool:
        """Step over an opening bracket; say whether a member follows, else step over `end` too."""
        self.position += 1
        if self.next() != end:
            return True
        self.position += 1
        return False

    def goes_on(self, end: str) -> bool:
        """Step over what follows a member, a comma or `end`; say whether another member follows."""
        character = self.next()
        if character not in (",", end):
            raise self.malformed(f"expected `,` or `{end}`")
        self.position += 1
        if character == "," and self.next() == end:
            raise self.malformed(f"a comma before `{end}`")
        return character == ","

    def string(self) -> str:
        start = self.position
        try:
            value, self.position = scanstring(self.text, start + 1, True)
        except JSONDecodeError as error:
            self.position = min(error.pos, len(self.text))
            raise self.malformed("a text that does not end, or a character that needs an escape") from None
        if not value.isascii() and has_lone_surrogate(value):
            raise self.malformed("half of a surrogate pair is no character")
        return str(value)

    def next(self) -> str:
        """Step over blanks and return the character there, or an empty text at the end."""
        blank = cast(re.Match[str], _BLANK.match(self.text, self.position))  # it matches everywhere
        self.position = blank.end()
        return self.text[self.position : self.position + 1]

    def expect(self, character: str) -> None:
        if self.next() != character:
            raise self.malformed(f"expected `{character}`")
        self.position += 1

    def line(self) -> int:
        self.next()
        return self.first_line + bisect_right(self.starts, self.position)

    def malformed(self, why: str, *, hint: str = "") -> Malformed:
        found = self.text[self.position : self.position + 20].partition("\n")[0]
        detail = f"{why}, found {f'`{found}`' if found else 'the end'}"
        return Malformed("syntax", "this is not JSON", self.line(), detail=detail, hint=hint)
