"""CSV or TSV -> the records of its rows, one in memory at a time.

Rows count as in a spreadsheet: a cell of several lines is in one row, and blank rows count.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice

from importer.formats.complaints import complaint
from importer.formats.record import MAX_CELL, Broken, Contents, Record, Table, as_record, fit, table
from importer.formats.text_file import Text, quoted, refuse_page
from importer.formats.tree import Malformed
from importer.model import Location

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_LOOKED_AT = 30
_TELLING = 2
"""Columns that must be those of the mapping before a row is taken for its header."""
_SEPARATOR_LINE = "sep="
_TYPE_LINE = "#type "

Row = tuple[int, list[str]]


def contents(
    text: Text, shown: str, *, delimiter: str | None, header_row: int | None, wanted: frozenset[str]
) -> Contents:
    """Return the records of a table. Where no `delimiter` is given, `sep=` in the file says it, else the one
    with which the header has most of the columns `wanted`, and the rows are as long as the header.

    The header is the row `header_row`, else the first that is not blank and no preamble. Raises Malformed.
    """
    refuse_page(text.head)
    _refuse_json(text.head)
    skipped, told = _preamble(text.head)
    chosen = delimiter or told or _delimiter(text.head, skipped, wanted)
    rows = (row for row in _rows(text.lines(), chosen) if row[0] > skipped)
    if header_row is not None:
        rows = (row for row in rows if row[0] >= header_row)
    number, cells = next(rows, (1, []))
    if not cells:
        raise Malformed("no-records", "the table has no header", 1)
    under = table(cells, number)
    if header_row is None:
        _refuse_strangers(text.head, under, chosen, wanted)
    said = {"encoding": text.encoding, "delimiter": DELIMITERS.get(chosen, f"`{chosen}`")}
    return Contents(_records(rows, under, shown), under, said)


def _records(rows: Iterable[Row], under: Table, shown: str) -> Iterator[Record | Broken]:
    width = len(under.header)
    for number, cells in rows:
        if len(cells) != width:
            broken = fit(cells, under, Location(shown, number, min(len(cells), width) + 1))
            if broken is not None:
                yield broken
                continue
        yield as_record(cells, under, number)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Yield the rows that are not blank, with their numbers. Raises Malformed where the text is no CSV."""
    number = 0
    before = csv.field_size_limit(MAX_CELL)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), 1):
            if any(map(str.strip, cells)):
                yield number, cells
    except csv.Error as error:
        raise Malformed(
            "syntax",
            "this is not CSV",
            number + 1,
            detail=f"in the row that begins after row {number}: {error}",
            hint='is a quote never closed? one inside of a quoted cell is written twice: "say ""hello"""',
        ) from None
    finally:
        csv.field_size_limit(before)


def _refuse_json(head: str) -> None:
    """Raise Malformed where a file that should be a table is an object or a list: often an error message."""
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
        detail=f"it says `{quoted(complaint(document) or head)}`",
        hint="set `format: json` in the mapping, or export it again",
    )


def _refuse_strangers(head: str, under: Table, delimiter: str, wanted: frozenset[str]) -> None:
    """Raise Malformed where no column of the header is wanted because it is no header: a title above it, or
    the words of an error."""
    if len(wanted) < _TELLING or not wanted.isdisjoint(under.columns):
        return
    for number, cells in _looked_at(head, delimiter, under.row):
        if len(wanted.intersection(map(str.strip, cells))) >= _TELLING:
            raise Malformed(
                "no-header",
                "the table does not begin with its header",
                under.row,
                detail=f"row {number} has the columns that the mapping names",
                hint=f"set `header_row: {number}` in the mapping",
            )
    if len(under.header) == 1:
        raise Malformed(
            "not-this-format",
            "the file is no table",
            under.row,
            detail=f"it begins with `{quoted(under.header[0])}`",
            hint="if it is the words of an error, export it again; else name the `delimiter` in the mapping",
        )


def _preamble(head: str) -> tuple[int, str | None]:
    """Return how many lines stand before the table, and the delimiter that they tell: `sep=;` is Excel's,
    `#TYPE ...` is what PowerShell's Export-Csv begins with."""
    first = head.lstrip("\r\n").partition("\n")[0].strip("\r")
    if first.casefold().startswith(_SEPARATOR_LINE) and len(first) <= len(_SEPARATOR_LINE) + 1:
        return 1, first[len(_SEPARATOR_LINE) :] or None
    return (1 if first.strip('"').casefold().startswith(_TYPE_LINE) else 0), None


def _delimiter(head: str, skipped: int, wanted: frozenset[str]) -> str:
    def fitness(delimiter: str) -> tuple[int, float, int]:
        header, *rows = [cells for _, cells in _looked_at(head, delimiter, skipped)] or [[]]
        hits = len(wanted & {cell.strip() for cell in header})
        same = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        return (hits, same if len(header) > 1 else 0.0, len(header))

    return max(DELIMITERS, key=fitness)


def _looked_at(head: str, delimiter: str, skipped: int) -> list[Row]:
    """Return the first rows; what comes after the last whole one that can be read is not looked at."""
    found: list[Row] = []
    rows = _rows(head.splitlines(keepends=True), delimiter)
    try:
        for number, cells in islice(rows, _LOOKED_AT + skipped):
            if number > skipped:
                found.append((number, cells))
    except Malformed:
        pass
    return found[:-1] if len(found) > 2 else found
