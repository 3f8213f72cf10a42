"""JSON or JSON Lines -> the records that a JMESPath finds, each with the line where it begins."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from importer.formats import paths
from importer.formats.complaints import complaint, is_complaint
from importer.formats.record import Contents, InvalidRecord, Record
from importer.formats.text_file import TextFile, excerpt, refuse_page
from importer.formats.tree import Malformed
from importer.model import Location

MAX_BYTES = 800_000_000
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\n]', re.DOTALL)


class Object(dict[str, Any]):
    """A JSON object that knows its line."""

    __slots__ = ("line",)
    line: int


def contents(text: TextFile, shown: str, *, records: str | None, known: Collection[str]) -> Contents:
    """Return what the JMESPath `records` finds; without one the list that the file is, or its one object.

    Numbers with a point keep their digits. `known` are the names that the mapping reads. Raises Malformed.
    """
    if text.path.stat().st_size > MAX_BYTES:
        raise Malformed("too-large", f"the file is larger than {MAX_BYTES // 10**6} MB", 1)
    refuse_page(text.head)
    document = _parsed(text.text(), 1)
    found = _found(document, records)
    return Contents(_records(found, shown, known), None, {"encoding": text.encoding})


def lines(text: TextFile, shown: str, *, known: Collection[str]) -> Contents:
    """Return the objects of JSON Lines, one in memory at a time. A bad line spoils only itself."""
    refuse_page(text.head)
    return Contents(_line_records(text, shown, known), None, {"encoding": text.encoding})


def _line_records(text: TextFile, shown: str, known: Collection[str]) -> Iterator[Record | InvalidRecord]:
    for number, line in enumerate(text.lines(), 1):
        if not line.strip():
            continue
        try:
            value = _parsed(line, number)
        except Malformed as problem:
            yield InvalidRecord(Location(shown, number), (line,), problem)
        else:
            yield from _records(value if isinstance(value, list) else [value], shown, known, number)


def _records(
    found: list[Any], shown: str, known: Collection[str], line: int = 1
) -> Iterator[Record | InvalidRecord]:
    for value in found:
        line = getattr(value, "line", line)
        if is_complaint(value, known):
            yield _refused(value, Location(shown, line))
        elif isinstance(value, dict):
            yield Record(value, line)
        else:
            problem = Malformed(
                "wrong-type",
                "a record is no object",
                detail=f"found `{str(value)[:60]}`",
                hint="`records` must lead to a list of objects",
            )
            yield InvalidRecord(Location(shown, line), (str(value),), problem)


def _refused(error: dict[str, Any], place: Location) -> InvalidRecord:
    text = json.dumps(error, ensure_ascii=False, default=str)
    problem = Malformed(
        "not-this-format",
        "an error message stands where an export should be",
        detail=f"it says `{excerpt(complaint(error) or text)}`",
        hint="the service refused: check the address and the rights of the key, and export again",
    )
    return InvalidRecord(place, (text,), problem)


def _found(document: Any, records: str | None) -> list[Any]:
    """Return the records, or the document itself where it is an error message. Raises Malformed."""
    value = document if records is None else paths.found(records, document)
    if value is not None:
        return value if isinstance(value, list) else [value]
    if complaint(document) and not _lists(document):
        return [document]
    raise Malformed(
        "no-records",
        f"`records: {records}` finds nothing" if records else "the file holds no records",
        1,
        detail=_described(document),
        hint=_hint(document, records),
    )


def _described(document: Any) -> str:
    match document:
        case dict():
            return f"the file is an object with {', '.join(list(document)[:20]) or 'nothing in it'}"
        case list():
            return f"the file is a list of {len(document)}"
        case _:
            return f"the file is `{json.dumps(document, ensure_ascii=False, default=str)[:60]}`"


def _hint(document: Any, records: str | None) -> str:
    lists = _lists(document)
    near = get_close_matches((records or "").partition("[")[0].partition(".")[0], lists, 1)
    if near or lists:
        return f"did you mean `records: {near[0] if near else lists[0]}[]`?"
    return "look at the file, and correct `records`"


def _lists(document: Any) -> list[str]:
    """Return the names of an object's lists that can be of records."""
    values = document.items() if isinstance(document, dict) else ()
    return [name for name, value in values if isinstance(value, list) and not complaint({name: value})]


def _parsed(text: str, line: int) -> Any:
    """Return the value of a text that begins at `line`. Raises Malformed."""
    openings = _openings(text, line)
    ends = iter(openings)

    def block(pairs: list[tuple[str, Any]]) -> Object:
        found = Object(pairs)
        found.line = next(ends)
        if len(found) < len(pairs):
            raise _duplicate(pairs, found.line)
        return found

    try:
        return json.loads(text, object_pairs_hook=block, parse_float=Decimal, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        raise Malformed(
            "syntax",
            "this is not JSON",
            line + error.lineno - 1,
            detail=f"{error.msg}, found `{text[error.pos : error.pos + 20].partition(chr(10))[0]}`",
            hint=_syntax_hint(text, error.pos),
        ) from None
    except RecursionError:
        raise Malformed("too-deep", "the values are nested too deeply", line) from None
    except StopIteration:
        raise Malformed("syntax", "this is not JSON", line) from None


def _syntax_hint(text: str, position: int) -> str:
    if text[:position].rstrip()[-1:] in ("}", "]") and text[position : position + 1] in ("{", "["):
        return "it has a value on each line: set `format: jsonl` in the mapping, or name the file .jsonl"
    if text.lstrip()[:1] not in ("{", "["):
        return "is it the words of an error? export it again"
    return "" if text.rstrip()[-1:] in ("}", "]") else "was the download cut short?"


def _openings(text: str, line: int) -> list[int]:
    """Return the line in which each object begins, in the order in which they end: that of the parser."""
    open_lines: list[int] = []
    found: list[int] = []
    for match in _TOKEN.finditer(text):
        mark = match[0]
        if mark == "\n":
            line += 1
        elif mark == "{":
            open_lines.append(line)
        elif mark == "}" and open_lines:
            found.append(open_lines.pop())
    return found


def _duplicate(pairs: list[tuple[str, Any]], line: int) -> Malformed:
    ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
    return Malformed("duplicate-field", f"`{name}` is written twice in one object", line)
