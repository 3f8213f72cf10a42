"""Bytes of a text file -> text; what is no text is refused with its place, never guessed."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from importer.formats.tree import Malformed
from importer.model.diagnostics import Problem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, the longer ones first: that of UTF-32-LE begins with that of UTF-16-LE."""


def check_encoding(name: str) -> None:
    """Raise a Problem (bad-value) where no encoding of texts has that name."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        hint = "encodings are called like windows-1252, latin-1 or shift_jis"
        raise Problem("bad-value", f"there is no encoding `{name}`", hint=hint) from None


def decode(data: bytes, line_after: Callable[[str], int]) -> str:
    """Return the text: a byte order mark says the encoding, otherwise it is UTF-8, strictly.

    `line_after` counts the line (of a table: the row) that comes after a text; it places the error.
    Raises Malformed (not-text, not-utf-8).
    """
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        readable = body[: error.start].decode(encoding, "replace")
        raise Malformed(
            "not-utf-8",
            f"the file is not {encoding.upper()} throughout",
            line_after(readable),
            detail=f"byte 0x{body[error.start]:02x}, number {len(mark) + error.start + 1} of the file",
            hint="save it as UTF-8, or convert it, if it is in Windows-1252: "
            "iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        ) from None
    if "\0" in text:
        raise Malformed(
            "not-text",
            "the file is not text: it holds a NUL byte",
            line_after(text[: text.index("\0")]),
            hint="save it as UTF-8 text; UTF-16 needs a byte order mark",
        )
    return text


def physical_line(text: str) -> int:
    """Return the number of the line, from 1, in which a text ends."""
    return text.count("\n") + 1
