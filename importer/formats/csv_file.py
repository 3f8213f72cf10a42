"""CSV or TSV -> its header and a record for each row, one in memory at a time.

Rows are numbered as in a spreadsheet: a cell of several lines is in one row, and blank rows count.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from importer.formats.error_answers import error_message
from importer.formats.record import MAX_CELL, Contents, InvalidRecord, Record, TableHeader
from importer.formats.text_file import TextFile, preview, refuse_page
from importer.formats.tree import Malformed

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_SAMPLE_ROWS = 30
_MIN_MATCHES = 2
"""Columns of the mapping that a row must have to be taken for the header."""
_SEPARATOR_LINE = "sep="
_TYPE_LINE = "#type "

_QUOTE_HINT = 'check for an unclosed quote; inside a quoted cell, double each quote: "say ""hello"""'
_NO_LIMIT = 2**31 - 1
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

NumberedRow = tuple[int, list[str]]
"""The number of a row, from 1, and its cells."""


def read(
    text: TextFile, shown: str, *, delimiter: str | None, header_row: int | None, expected: frozenset[str]
) -> Contents:
    """Return the records of an export. If no `delimiter` is given, a `sep=` line in the file names it, or it
    is the one that finds the most `expected` columns, then the most rows as long as the header.

    The header is the row `header_row`, or the first row that is neither blank nor preamble. Raises Malformed.
    """
    refuse_page(text.head)
    _refuse_json(text.head)
    skipped, named = _preamble(text.head)
    chosen = delimiter or named or _delimiter(text.head, skipped, expected)
    first = skipped + 1 if header_row is None else max(skipped + 1, header_row)
    rows = _with_hint(row for row in numbered_rows(text.lines(), chosen) if row[0] >= first)
    number, cells = next(rows, (1, []))
    if not cells:
        raise Malformed("no-records", "the table has no header")
    table = TableHeader.of(cells, number)
    if header_row is None:
        _refuse_non_header(text.head, table, chosen, expected)
    detected = {"encoding": text.encoding, "delimiter": DELIMITERS.get(chosen, f"`{chosen}`")}
    return Contents(_records(rows, table, shown), table, detected)


def read_text(text: str, shown: str, delimiter: str) -> Contents:
    """Return the records under the first row that is not blank. Raises Malformed, also during iteration."""
    rows = numbered_rows(lines_of(text), delimiter, longest=_NO_LIMIT)
    number, cells = next(rows, (1, []))
    table = TableHeader.of(cells, number)
    return Contents(_records(rows, table, shown), table)


def numbered_rows(lines: Iterable[str], delimiter: str, *, longest: int = MAX_CELL) -> Iterator[NumberedRow]:
    """Yield the rows that are not blank, with their numbers. Raises Malformed if the text is not CSV."""
    number = 0
    before = csv.field_size_limit(longest)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), 1):
            if any(map(str.strip, cells)):
                yield number, cells
    except csv.Error as error:
        raise Malformed("syntax", "invalid CSV", number + 1, detail=str(error)) from None
    finally:
        csv.field_size_limit(before)


def row_after(text: str) -> int:
    """Return the number of the row, from 1, in which a text ends."""
    before = csv.field_size_limit(_NO_LIMIT)
    try:
        return max(1, sum(1 for _ in csv.reader(lines_of(text))))
    finally:
        csv.field_size_limit(before)


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines with their endings; io.StringIO would copy the text, at four bytes a character."""
    return (match[0] for match in _LINE.finditer(text))


def _records(rows: Iterable[NumberedRow], table: TableHeader, shown: str) -> Iterator[Record | InvalidRecord]:
    """Yield a record for each row. Blank cells to the right of the header are ignored."""
    width = len(table.header)
    for number, cells in rows:
        if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
            yield table.ragged(cells, shown, number)
        else:
            yield table.record(cells, number)


def _with_hint(rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    try:
        yield from rows
    except Malformed as problem:
        if problem.code == "syntax":
            problem.detail = f"in the row that begins after row {problem.line - 1}: {problem.detail}"
            problem.hint = _QUOTE_HINT
        raise


def _refuse_json(head: str) -> None:
    """Raise Malformed if a file that should be a table is JSON, which is often an error message."""
    if head.lstrip()[:1] not in ("{", "["):
        return
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return
    raise Malformed(
        "not-this-format",
        "the file is JSON, not a table",
        1,
        detail=f"found `{preview(error_message(document) or head)}`",
        hint="set `format: json` in the mapping, or export it again",
    )


def _refuse_non_header(head: str, table: TableHeader, delimiter: str, expected: frozenset[str]) -> None:
    """Raise Malformed if no column of the header is expected and it is not a header, but a title above it or
    an error message."""
    if len(expected) < _MIN_MATCHES or not expected.isdisjoint(table.columns):
        return
    for number, cells in _sample(head, delimiter, table.row):
        if len(expected.intersection(map(str.strip, cells))) >= _MIN_MATCHES:
            raise Malformed(
                "no-header",
                "the table does not begin with its header",
                table.row,
                detail=f"row {number} has the columns that the mapping reads",
                hint=f"set `header_row: {number}` in the mapping",
            )
    if len(table.header) == 1:
        raise Malformed(
            "not-this-format",
            "the file is not a table",
            table.row,
            detail=f"it begins with `{preview(table.header[0])}`",
            hint="if it is an error message, export it again; otherwise set `delimiter` in the mapping",
        )


def _preamble(head: str) -> tuple[int, str | None]:
    """Return the number of lines before the table, and the delimiter that they name: Excel writes `sep=;`,
    PowerShell's Export-Csv `#TYPE ...`."""
    first = head.lstrip("\r\n").partition("\n")[0].strip("\r")
    if first.casefold().startswith(_SEPARATOR_LINE) and len(first) <= len(_SEPARATOR_LINE) + 1:
        return 1, first[len(_SEPARATOR_LINE) :] or None
    return (1 if first.strip('"').casefold().startswith(_TYPE_LINE) else 0), None


def _delimiter(head: str, skipped: int, expected: frozenset[str]) -> str:
    def fitness(delimiter: str) -> tuple[int, float, int]:
        header, *rows = [cells for _, cells in _sample(head, delimiter, skipped)] or [[]]
        hits = len(expected & {cell.strip() for cell in header})
        regular = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        return (hits, regular if len(header) > 1 else 0.0, len(header))

    return max(DELIMITERS, key=fitness)


def _sample(head: str, delimiter: str, skipped: int) -> list[NumberedRow]:
    """Return the first complete rows; an error ends the sample."""
    found: list[NumberedRow] = []
    rows = numbered_rows(head.splitlines(keepends=True), delimiter)
    try:
        for number, cells in islice(rows, _SAMPLE_ROWS + skipped):
            if number > skipped:
                found.append((number, cells))
    except Malformed:
        pass
    return found[:-1] if len(found) > 2 else found
