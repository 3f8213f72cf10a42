"""XLSX -> for each sheet that is shown the mappings of its rows, in the words of an incident file.

Rows and columns count as in a spreadsheet. Of a workbook with several sheets, places name the sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from pathlib import Path

from importer.formats import csv_file, workbook
from importer.formats.record import Contents, Record
from importer.formats.tree import Malformed, Node
from importer.model.diagnostics import Diagnostics


def read(path: Path, shown: str, diagnostics: Diagnostics) -> Iterator[tuple[str, Iterator[Node]]]:
    """Yield what messages call each sheet that has rows, and its mappings. Raises Malformed."""
    names = workbook.sheets(path)  # which refuses what does not fit into memory
    for name in names:
        called = shown if len(names) == 1 else f"{shown}[{name}]"
        try:
            contents = workbook.of_sheet(path, sheet=name, header_row=None)
        except Malformed as problem:
            if problem.code != "no-records":
                raise
        else:
            yield called, csv_file.blocks(_rows(contents), called, diagnostics)


def _rows(contents: Contents) -> Iterator[csv_file.Row]:
    table = contents.table
    header = [] if table is None else [(table.row, list(table.header))]
    records = (each for each in contents.records if isinstance(each, Record))
    return chain(header, ((each.line, [_text(cell) for cell in each.cells]) for each in records))


def _text(cell: object) -> str:
    match cell:
        case datetime():
            return cell.isoformat(" ")
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
