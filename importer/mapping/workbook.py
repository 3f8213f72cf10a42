"""XLSX -> the records of one sheet's rows; its dates are dates, its numbers are text as a cell shows them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from importer.loaders.tree import Malformed
from importer.mapping.record import Broken, Contents, Record, Table, as_record, table

MAX_UNCOMPRESSED = 1_000_000_000
MAX_AREA = 40_000_000
"""Cells of a sheet from its first to its last, blank ones included: all of them take memory."""

_CHUNK = 1 << 20
_CELL = re.compile(rb'<c [^>]{0,80}?r="([A-Z]{1,3})([0-9]{1,7})"')


def contents(path: Path, *, sheet: str | None, header_row: int | None) -> Contents:
    """Return the records of the sheet of that name, else of the first one that has any. Raises Malformed."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    _check_size(path)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            name = _sheet(workbook.sheet_names, sheet)
            chosen = workbook.get_sheet_by_name(name)
            top = chosen.start[0] if chosen.start else 0
            left = chosen.start[1] if chosen.start else 0
            rows = chosen.to_python(skip_empty_area=True)
    except CalamineError as error:
        raise Malformed("syntax", "the workbook cannot be read", 1, detail=str(error)) from None
    numbered = (
        (number, cells) for number, cells in enumerate(rows, top + 1) if any(cell != "" for cell in cells)
    )
    if header_row is not None:
        numbered = (each for each in numbered if each[0] >= header_row)
    number, header = next(numbered, (1, []))
    if not header:
        raise Malformed("no-records", f"the sheet `{name}` is empty", 1)
    under = table([""] * left + [_text(cell) for cell in header], number)
    first = next(numbered, None)
    if first is None:
        raise Malformed("no-records", f"the sheet `{name}` has a header and no rows", number)
    said = {"sheet": name, "sheets": ", ".join(workbook.sheet_names)}
    return Contents(_records(first, numbered, under, left), under, said)


def _records(
    first: tuple[int, Sequence[Any]], rows: Iterator[tuple[int, Sequence[Any]]], under: Table, left: int
) -> Iterator[Record | Broken]:
    blank = [""] * left
    number, cells = first
    while True:
        yield as_record(blank + [_value(cell) for cell in cells], under, number)
        following = next(rows, None)
        if following is None:
            return
        number, cells = following


def _sheet(names: Sequence[str], wanted: str | None) -> str:
    if wanted is None and names:
        return names[0]
    found = next((each for each in names if each.strip().casefold() == str(wanted).strip().casefold()), None)
    if found is None:
        raise Malformed(
            "no-such-sheet", f"the workbook has no sheet `{wanted}`", 1, hint=f"there are {', '.join(names)}"
        )
    return found


def _value(cell: Any) -> Any:
    return cell if isinstance(cell, (date, datetime)) else _text(cell)


def _text(cell: Any) -> str:
    """Return a cell as text: a whole number without `.0`, which is how a workbook keeps all numbers."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell.total_seconds()).removesuffix(".0")
        case _:
            return str(cell)


def _check_size(path: Path) -> None:
    """Refuse what is no workbook, or one that would not fit into memory once it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > MAX_UNCOMPRESSED:
                raise Malformed(
                    "too-large", f"the workbook holds more than {MAX_UNCOMPRESSED // 10**6} MB", 1
                )
            for each in archive.infolist():
                if each.filename.startswith("xl/worksheets/"):
                    _check_area(archive, each)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise Malformed(
            "not-this-format", "the file is no XLSX workbook", 1, detail=str(error), hint="save it as .xlsx"
        ) from None


def _check_area(archive: zipfile.ZipFile, sheet: zipfile.ZipInfo) -> None:
    rows = columns = 1
    rest = b""
    with archive.open(sheet) as file:
        while chunk := file.read(_CHUNK):
            piece = rest + chunk
            found = set(_CELL.findall(piece))
            columns = max([columns, *(_column(name) for name in {each[0] for each in found})])
            rows = max([rows, *(int(each[1]) for each in found)])
            rest = piece[-120:]
            if rows * columns > MAX_AREA:
                raise Malformed(
                    "too-large",
                    "a sheet is too large",
                    1,
                    detail=f"{rows} rows of {columns} columns, blank ones included",
                    hint="delete the blank rows and columns at its end",
                )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
