"""XLSX -> the records of one sheet's rows; its dates are dates, its numbers are text as a cell shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from importer.formats.archive import refuse_bomb
from importer.formats.record import Broken, Contents, Record, Table, as_record, table
from importer.formats.tree import Malformed


def contents(path: Path, *, sheet: str | None, header_row: int | None) -> Contents:
    """Return the records of the sheet of that name, else of the first one. Raises Malformed."""
    refuse_bomb(path)
    return of_sheet(path, sheet=sheet, header_row=header_row)


def of_sheet(path: Path, *, sheet: str | None, header_row: int | None) -> Contents:
    """Return the same of a workbook that is known to fit into memory: to find that out unpacks all of it."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

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
    said = {"sheet": name, "sheets": ", ".join(workbook.sheet_names)}
    return Contents(_records(numbered, under, left), under, said)


def sheets(path: Path) -> tuple[str, ...]:
    """Return the names of the sheets that are shown and can have rows. Raises Malformed."""
    from python_calamine import (  # noqa: PLC0415
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    refuse_bomb(path)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            return tuple(
                each.name
                for each in workbook.sheets_metadata
                if each.visible == SheetVisibleEnum.Visible and each.typ == SheetTypeEnum.WorkSheet
            )
    except CalamineError as error:
        raise Malformed("syntax", "the workbook cannot be read", 1, detail=str(error)) from None


def _records(rows: Iterator[tuple[int, Sequence[Any]]], under: Table, left: int) -> Iterator[Record | Broken]:
    blank = [""] * left
    for number, cells in rows:
        yield as_record(blank + [_value(cell) for cell in cells], under, number)


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
