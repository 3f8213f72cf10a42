"""The archive of a workbook -> nothing, or an error if it would not fit into memory unpacked.

The sizes that an archive states are not trusted: each member is unpacked here, in pieces that are discarded.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from importer.formats.tree import Malformed

MAX_UNCOMPRESSED = 1_000_000_000
MAX_AREA = 40_000_000
"""Cells of a sheet from its first to its last; blank ones take memory too."""

_CHUNK = 1 << 20
_MEMBER = struct.Struct("<4s22xHH")
"""The header of a member: its signature, and the lengths of its name and of its extra field."""
_SIGNATURE = b"PK\x03\x04"
_LONGEST_TAG = 300
_PLACE = re.compile(
    rb"""<(?:\w{1,40}:)?(?:c|row)\s[^<>]{0,200}?\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']"""
)
"""The reference of a row or a cell."""


def refuse_bomb(path: Path) -> None:
    """Raise Malformed (too-large, not-this-format) for a workbook that cannot be unpacked."""
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            for member in archive.infolist():
                area = _Area()
                for piece in _pieces(raw, member):
                    unpacked += len(piece)
                    if unpacked > MAX_UNCOMPRESSED:
                        raise Malformed(
                            "too-large",
                            f"the workbook unpacks to more than {MAX_UNCOMPRESSED // 10**6} MB",
                        )
                    area.add(piece)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, ValueError) as error:
        raise Malformed(
            "not-this-format",
            "the file is not an XLSX workbook",
            1,
            detail=str(error),
            hint="save it as .xlsx",
        ) from None


def _pieces(raw: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked data of a member. Raises BadZipFile, zlib.error, struct.error, EOFError."""
    raw.seek(member.header_offset)
    signature, *lengths = _MEMBER.unpack(raw.read(_MEMBER.size))
    if signature != _SIGNATURE:
        raise zipfile.BadZipFile("a member is not where the archive's directory says")
    raw.seek(sum(lengths), os.SEEK_CUR)
    packed = _packed(raw, member.compress_size)
    if member.compress_type == zipfile.ZIP_STORED:
        return packed
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return _inflated(packed)
    raise zipfile.BadZipFile("a member has a compression method that workbooks do not use")


def _packed(raw: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = raw.read(min(size, _CHUNK))
        if not chunk:
            raise EOFError("the archive is truncated")
        size -= len(chunk)
        yield chunk


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for chunk in packed:
        rest = chunk
        while rest:
            yield inflater.decompress(rest, _CHUNK)
            rest = inflater.unconsumed_tail
    yield inflater.flush()


@dataclass(slots=True)
class _Area:
    """The extent of a sheet's cells, read from its XML piece by piece. Other XML has no cells."""

    rows: int = 1
    columns: int = 1
    rest: bytes = b""

    def add(self, piece: bytes) -> None:
        """Read the next piece. Raises Malformed."""
        text = self.rest + piece
        found = set(_PLACE.findall(text))
        self.columns = max([self.columns, *(_number(name) for name in {each[0].upper() for each in found})])
        self.rows = max([self.rows, *(int(each[1]) for each in found)])
        self.rest = text[-_LONGEST_TAG:]
        if self.rows * self.columns > MAX_AREA:
            raise Malformed(
                "too-large",
                "a sheet is too large",
                1,
                detail=f"{self.rows} rows and {self.columns} columns, including blank ones",
                hint="delete the blank rows and columns at its end",
            )


def _number(letters: bytes) -> int:
    """Return the number of a column, from 1; 0 without letters."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
