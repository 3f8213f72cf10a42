"""JSON or JSON Lines -> documents of plain text with line numbers, or the records of an export.

Both are parsed by the standard library; a pass over the tokens finds the lines.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from importer.formats import paths
from importer.formats.error_answers import error_message, is_error_message
from importer.formats.record import Contents, InvalidRecord, Record
from importer.formats.text_file import TextFile, preview, refuse_page
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
from importer.model.wording import numbered

MAX_BYTES = 800_000_000
_STRICT = "JSON has no NaN, no Infinity and no comments"
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_BRACE = re.compile(rf"{_STRING}|[{{}}\n]", re.DOTALL)
_VALUE = re.compile(rf'{_STRING}|[{{}}\[\]\n]|[^\s{{}}\[\]:,"]+', re.DOTALL)


def read(text: str, path: str, diagnostics: Diagnostics, *, first_line: int = 1) -> list[Node]:
    """Return the file's single document, numbers as written; an empty list after reporting why it cannot be
    read."""
    try:
        value = _parsed(
            text,
            first_line,
            advise=lambda rest, at: _STRICT if rest[at : at + 1] in ("/", "#") else "",
            object_pairs_hook=_Pairs,
            parse_int=str,
            parse_float=str,
            parse_constant=_Constant,
        )
        lines = _value_lines(text, first_line)
        return [_TreeBuilder(path, diagnostics, lines).node(value, next(lines), 0)]
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
        return []


def read_lines(text: str, path: str, diagnostics: Diagnostics) -> list[Node]:
    """Return a document per line of JSON Lines; an invalid one is reported and skipped. Blank lines count."""
    found: list[Node] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found += read(line, path, diagnostics, first_line=number)
    return found


def read_records(text: TextFile, shown: str, *, records: str | None, known: Collection[str]) -> Contents:
    """Return what the JMESPath `records` selects; without one, the file's top-level list or object.

    Decimal numbers keep their digits. `known` are the names that the mapping reads. Raises Malformed.
    """
    if text.path.stat().st_size > MAX_BYTES:
        raise Malformed("too-large", f"the file is larger than {MAX_BYTES // 10**6} MB")
    refuse_page(text.head)
    document = _objects(text.text(), 1)
    found = _selected(document, records)
    return Contents(_records(found, shown, known), None, {"encoding": text.encoding})


def read_record_lines(text: TextFile, shown: str, *, known: Collection[str]) -> Contents:
    """Return the objects of JSON Lines, one in memory at a time; an invalid line is one invalid record."""
    refuse_page(text.head)
    return Contents(_line_records(text, shown, known), None, {"encoding": text.encoding})


def _line_records(text: TextFile, shown: str, known: Collection[str]) -> Iterator[Record | InvalidRecord]:
    for number, line in enumerate(text.lines(), 1):
        if not line.strip():
            continue
        try:
            value = _objects(line, number)
        except Malformed as problem:
            yield InvalidRecord(Location(shown, number), (line,), problem)
        else:
            yield from _records(value if isinstance(value, list) else [value], shown, known, number)


def _records(
    found: list[Any], shown: str, known: Collection[str], line: int = 1
) -> Iterator[Record | InvalidRecord]:
    for value in found:
        line = getattr(value, "line", line)
        if is_error_message(value, known):
            yield _error_record(value, Location(shown, line))
        elif isinstance(value, dict):
            yield Record(value, line)
        else:
            problem = Malformed(
                "wrong-type",
                "a record is not an object",
                detail=f"found `{str(value)[:60]}`",
                hint="`records` must select a list of objects",
            )
            yield InvalidRecord(Location(shown, line), (str(value),), problem)


def _error_record(error: dict[str, Any], place: Location) -> InvalidRecord:
    text = json.dumps(error, ensure_ascii=False, default=str)
    problem = Malformed(
        "not-this-format",
        "the export contains an error message instead of a record",
        detail=f"found `{preview(error_message(error) or text)}`",
        hint="the service refused: check the address and the permissions of the key, then export again",
    )
    return InvalidRecord(place, (text,), problem)


def _selected(document: Any, records: str | None) -> list[Any]:
    """Return the records, or the document itself if it is an error message. Raises Malformed."""
    value = document if records is None else paths.search_path(records, document)
    if value is not None:
        return value if isinstance(value, list) else [value]
    if error_message(document) and not _lists(document):
        return [document]
    raise Malformed(
        "no-records",
        f"`records: {records}` finds nothing" if records else "the file has no records",
        detail=_described(document),
        hint=_hint(document, records),
    )


def _described(document: Any) -> str:
    match document:
        case dict():
            return f"the file is an object with {', '.join(list(document)[:20]) or 'no keys'}"
        case list():
            return f"the file is a list of {numbered(len(document), 'item')}"
        case _:
            return f"the file is `{json.dumps(document, ensure_ascii=False, default=str)[:60]}`"


def _hint(document: Any, records: str | None) -> str:
    lists = _lists(document)
    near = get_close_matches((records or "").partition("[")[0].partition(".")[0], lists, 1)
    if near or lists:
        return f"did you mean `records: {near[0] if near else lists[0]}[]`?"
    return "open the file and correct `records`"


def _lists(document: Any) -> list[str]:
    """Return the names of an object's lists that may hold records."""
    values = document.items() if isinstance(document, dict) else ()
    return [name for name, value in values if isinstance(value, list) and not error_message({name: value})]


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, in which a key may be repeated."""


class _Constant(str):
    """NaN or Infinity, which the parser accepts."""

    __slots__ = ()


@dataclass(slots=True)
class _TreeBuilder:
    """Turns parsed values into nodes. `lines` yields the line of each key, value and closing bracket."""

    path: str
    diagnostics: Diagnostics
    lines: Iterator[int]

    def node(self, value: Any, line: int, depth: int) -> Node:
        match value:
            case list() if depth == MAX_DEPTH:
                raise Malformed("too-deep", f"more than {MAX_DEPTH} levels of nesting", line)
            case _Pairs():
                return self.block(value, line, depth + 1)
            case list():
                return self.series(value, depth + 1)
            case _Constant():
                raise _malformed(f"expected a value, found `{value}`", line, _STRICT)
            case bool():
                return "true" if value else "false"
            case str():
                return _checked_text(value, line)
            case _:
                return None

    def block(self, pairs: _Pairs, line: int, depth: int) -> Block:
        block = Block(line)
        for key, value in pairs:
            line = next(self.lines)
            node = self.node(value, next(self.lines), depth)
            if key in block:
                refuse_duplicate(self.diagnostics, self.path, key, first=block.lines[key], second=line)
            else:
                block[_checked_text(key, line)] = node
                block.lines[key] = line
        next(self.lines)
        return block

    def series(self, values: list[Any], depth: int) -> Series:
        series = Series()
        for value in values:
            series.lines.append(next(self.lines))
            series.append(self.node(value, series.lines[-1], depth))
        next(self.lines)
        return series


def _checked_text(text: str, line: int) -> str:
    if not text.isascii() and has_lone_surrogate(text):
        raise _malformed("invalid Unicode: half of a surrogate pair", line)
    return text


def _value_lines(text: str, line: int) -> Iterator[int]:
    for match in _VALUE.finditer(text):
        if match[0] == "\n":
            line += 1
        else:
            yield line


class Object(dict[str, Any]):
    """A JSON object that knows its line."""

    __slots__ = ("line",)
    line: int


def _objects(text: str, line: int) -> Any:
    """Return the value of a text that begins at `line`, with numbers as numbers. Raises Malformed."""
    lines = iter(_object_lines(text, line))

    def to_object(pairs: list[tuple[str, Any]]) -> Object:
        found = Object(pairs)
        found.line = next(lines)
        if len(found) < len(pairs):
            raise _duplicate(pairs, found.line)
        return found

    return _parsed(
        text,
        line,
        advise=_syntax_hint,
        object_pairs_hook=to_object,
        parse_float=Decimal,
        parse_constant=lambda _: None,
    )


def _parsed(text: str, line: int, *, advise: Callable[[str, int], str], **hooks: Any) -> Any:
    """Return the result of json.loads for a text that begins at `line`. Raises Malformed."""
    try:
        return json.loads(text, **hooks)
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + 20].partition("\n")[0]
        found = f"`{rest}`" if text[error.pos :].strip() else "the end"
        detail = f"{error.msg}, found {found}"
        raise _malformed(detail, line + error.lineno - 1, advise(text, error.pos)) from None
    except ValueError:  # Python's limit on the digits of an integer
        raise _malformed("a number has too many digits", line) from None
    except RecursionError:
        raise Malformed("too-deep", "the values are nested too deeply", line) from None
    except StopIteration:
        raise _malformed("", line) from None


def _malformed(detail: str, line: int, hint: str = "") -> Malformed:
    return Malformed("syntax", "invalid JSON", line, detail=detail, hint=hint)


def _syntax_hint(text: str, position: int) -> str:
    if text[:position].rstrip()[-1:] in ("}", "]") and text[position : position + 1] in ("{", "["):
        return "the file has one value per line: set `format: jsonl` in the mapping, or rename it to .jsonl"
    if text.lstrip()[:1] not in ("{", "["):
        return "if it is an error message, export it again"
    return "" if text.rstrip()[-1:] in ("}", "]") else "check that the download is complete"


def _object_lines(text: str, line: int) -> list[int]:
    """Return the line on which each object begins, in the order in which they end, as the parser does."""
    opened: list[int] = []
    found: list[int] = []
    for match in _BRACE.finditer(text):
        mark = match[0]
        if mark == "\n":
            line += 1
        elif mark == "{":
            opened.append(line)
        elif mark == "}" and opened:
            found.append(opened.pop())
    return found


def _duplicate(pairs: list[tuple[str, Any]], line: int) -> Malformed:
    ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
    return Malformed("duplicate-field", f"`{name}` appears twice in one object", line)
