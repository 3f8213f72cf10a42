"""XLSX -> the header of a sheet and its records, with dates as dates and numbers as the text of the cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importer.formats.archive import refuse_bomb
from importer.formats.record import Contents, TableHeader
from importer.formats.tree import Malformed

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook


def read(path: Path, *, sheet: str | None, header_row: int | None) -> Contents:
    """Return the records of the sheet with that name, or of the first sheet. Raises Malformed."""
    with _opened(path) as workbook:
        name = _sheet(workbook.sheet_names, sheet)
        contents = _contents(workbook, name, header_row)
    if contents is None:
        raise Malformed("no-records", f"the sheet `{name}` is empty")
    return contents


def read_sheets(path: Path, shown: str) -> Iterator[tuple[str, Contents]]:
    """Yield the display name and the records of each visible sheet that has rows. Raises Malformed.

    The display name includes the sheet's name if the workbook has several sheets.
    """
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    with _opened(path) as workbook:
        names = [
            each.name
            for each in workbook.sheets_metadata
            if each.visible == SheetVisibleEnum.Visible and each.typ == SheetTypeEnum.WorkSheet
        ]
        for name in names:
            contents = _contents(workbook, name, None)
            if contents is not None:
                yield shown if len(names) == 1 else f"{shown}[{name}]", contents


@contextmanager
def _opened(path: Path) -> Iterator[CalamineWorkbook]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    refuse_bomb(path)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            yield workbook
    except CalamineError as error:
        raise Malformed("syntax", "the workbook cannot be read", detail=str(error)) from None


def _contents(workbook: CalamineWorkbook, name: str, header_row: int | None) -> Contents | None:
    """Return the records of a sheet; None if it is empty."""
    sheet = workbook.get_sheet_by_name(name)
    top, left = sheet.start or (0, 0)
    rows = (
        (number, cells)
        for number, cells in enumerate(sheet.to_python(skip_empty_area=True), top + 1)
        if number >= (header_row or 1) and any(cell != "" for cell in cells)
    )
    number, header = next(rows, (1, []))
    if not header:
        return None
    blank = [""] * left
    table = TableHeader.of(blank + [_text(cell) for cell in header], number)
    values = (
        (number, [each if isinstance(each, date) else _text(each) for each in cells])
        for number, cells in rows
    )
    records = (table.record(blank + cells, number) for number, cells in values)
    return Contents(records, table, {"sheet": name, "sheets": ", ".join(workbook.sheet_names)})


def _sheet(names: Sequence[str], wanted: str | None) -> str:
    if wanted is None and names:
        return names[0]
    found = next((each for each in names if each.strip().casefold() == str(wanted).strip().casefold()), None)
    if found is None:
        hint = f"its sheets are {', '.join(names)}"
        raise Malformed("no-such-sheet", f"the workbook has no sheet `{wanted}`", hint=hint)
    return found


def _text(cell: Any) -> str:
    """Return a cell as text, a whole number without the `.0` that workbooks store."""
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
