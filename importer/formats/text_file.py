"""The bytes of a text file -> its text, or its encoding and its lines; or an error that says what it is.

An encoding is never guessed: a byte order mark names it, or all of the file is UTF-8, or the user named it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from importer.formats.tree import Malformed
from importer.model.diagnostics import Problem

_CHUNK = 1 << 20
_HEAD = 1 << 16
_QUOTED = 120
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, longer ones first: the mark of UTF-32-LE begins with the mark of UTF-16-LE."""
_WIDE = ("utf-16", "utf-32")
"""Encodings in which a NUL byte is part of a character."""
_OTHER_FORMATS = (
    (b"PK\x03\x04", "the file is a ZIP archive or a workbook", "unpack it, or set `format: xlsx`"),
    (b"\x1f\x8b", "the file is compressed", "unpack it: gunzip FILE"),
    (b"\xd0\xcf\x11\xe0", "the file is an old workbook (.xls)", "save it as .xlsx or as CSV"),
    (b"%PDF", "the file is a PDF", "export the incidents as CSV or JSON"),
    (b"SQLite format 3", "the file is a database", "export the incidents as CSV or JSON"),
)
_TAG = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*(?:>|\Z)", re.DOTALL | re.IGNORECASE)
_PAGES = ("<!doctype html", "<html", "<head", "<body", "<?xml", "<script")
_SAVE_AS_UTF_8 = "save it as UTF-8; to convert it from Windows-1252: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
_NEEDS_ENCODING = "UTF-16 without a byte order mark needs `encoding: utf-16-le`, or utf-16-be"

MAX_LINE = 100_000_000
"""Characters of one line of a table or of JSON Lines. A longer one is not a line of text."""


def check_encoding(name: str) -> None:
    """Raise a Problem (bad-value) if there is no text encoding with that name."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        hint = "encoding names look like windows-1252, latin-1 or shift_jis"
        raise Problem("bad-value", f"unknown encoding `{name}`", hint=hint) from None


def physical_line(text: str) -> int:
    """Return the number of the line, from 1, on which a text ends."""
    return text.count("\n") + 1


def decode_text(data: bytes, line_after: Callable[[str], int] = physical_line) -> str:
    """Return the text of a file, decoded as its byte order mark says, or else as strict UTF-8.

    `line_after` returns the line (in a table, the row) in which a text ends, to place the error.
    Raises Malformed (not-text, not-utf-8).
    """
    mark, marked = _byte_order_mark(data)
    body, encoding = data[mark:], marked or "utf-8"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = line_after(body[: error.start].decode(encoding, "replace"))
        raise _not_decodable(encoding, line, mark + error.start, body[error.start], _SAVE_AS_UTF_8) from None
    if "\0" in text:
        line = line_after(text[: text.index("\0")])
        raise _not_text(line, hint="save it as UTF-8 text; UTF-16 needs a byte order mark")
    return text


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file of a known encoding. `mark` is the length of its byte order mark in bytes, `head` its
    beginning."""

    path: Path
    encoding: str
    mark: int
    head: str

    def lines(self) -> Iterator[str]:
        """Yield the lines with their endings; U+2028 does not end a line. If the first line ends in
        `\\r\\r\\n` (endings translated twice), that is one ending. Raises Malformed for a line that is too
        long or has a NUL."""
        doubled = _is_doubled(self.head)
        with self._decoded("\n" if doubled else "") as decoded:
            for number, line in enumerate(iter(partial(decoded.readline, MAX_LINE), ""), 1):
                if len(line) == MAX_LINE:
                    raise Malformed(
                        "too-large",
                        f"a line has more than {MAX_LINE // 10**6} million characters",
                        number,
                        hint="check that the file is a table: open it and look at its beginning",
                    )
                if "\0" in line:
                    raise _not_text(number)
                yield f"{line[:-3]}\r\n" if doubled and line.endswith("\r\r\n") else line

    def text(self) -> str:
        """Return the whole text, with lines that end in `\\n`."""
        doubled = _is_doubled(self.head)
        with self._decoded("\n" if doubled else None) as decoded:
            whole = decoded.read()
        if "\0" in whole:
            raise _not_text(physical_line(whole[: whole.index("\0")]))
        return whole.replace("\r\r\n", "\n") if doubled else whole

    def _decoded(self, newline: str | None) -> io.TextIOWrapper:
        raw = self.path.open("rb")
        raw.seek(self.mark)
        return io.TextIOWrapper(raw, self.encoding, newline=newline)


def detect(path: Path, named: str | None) -> TextFile:
    """Detect the encoding of a file: its byte order mark, then UTF-8 if all of it is valid, then `named`.

    Raises Malformed (empty-file, not-this-format, not-text, not-utf-8), OSError."""
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if not start.strip():
        raise Malformed("empty-file", "the file is empty", 1, hint="export it again")
    for signature, summary, hint in _OTHER_FORMATS:
        if start.startswith(signature):
            raise Malformed("not-this-format", summary, 1, hint=hint)
    mark, marked = _byte_order_mark(start)
    if not marked and b"\0" in start:
        # ASCII in UTF-16 is valid UTF-8 too, with a NUL next to each character: the named encoding wins.
        if named is None or not codecs.lookup(named).name.startswith(_WIDE):
            raise _not_text(start[: start.index(b"\0")].count(b"\n") + 1)
        marked = named
    encoding = _chosen(path, mark, marked, named)
    head = codecs.getincrementaldecoder(encoding)("replace").decode(start[mark:])
    return TextFile(path, encoding, mark, head)


def refuse_page(head: str) -> None:
    """Raise Malformed if a text that should be data is a web page, such as an error or login page."""
    start = head.lstrip().casefold()
    if not start.startswith(_PAGES):
        return
    is_page = "<html" in start[: _QUOTED * 10] or not start.startswith("<?xml")
    raise Malformed(
        "not-this-format",
        "the file is an HTML page, not an export" if is_page else "the file is XML, which cannot be read",
        1,
        detail=f"found `{preview(_TAG.sub(' ', head)) or preview(head)}`",
        hint="the download returned an error or login page: export it again"
        if is_page
        else "export it as CSV or JSON; if it is an error message, export it again",
    )


def preview(text: str) -> str:
    """Return untrusted text for a message: one line, printable characters only, shortened."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in text[:_HEAD]).split())
    return shown if len(shown) <= _QUOTED else f"{shown[:_QUOTED]}..."


def _byte_order_mark(start: bytes) -> tuple[int, str]:
    """Return the length of the mark at the beginning of a file and the encoding that it names."""
    return next(((len(mark), name) for mark, name in _MARKS if start.startswith(mark)), (0, ""))


def _not_text(line: int, hint: str = _NEEDS_ENCODING) -> Malformed:
    return Malformed("not-text", "the file is not text: it holds a NUL byte", line, hint=hint)


def _not_decodable(encoding: str, line: int, offset: int, byte: int, hint: str) -> Malformed:
    detail = f"byte 0x{byte:02x} at position {offset + 1} of the file"
    summary = f"the file is not valid {encoding.upper()}"
    return Malformed("not-utf-8", summary, line, detail=detail, hint=hint)


def _chosen(path: Path, mark: int, marked: str, named: str | None) -> str:
    """Return the first encoding that decodes all of the file. Raises Malformed if none does."""
    first = marked or "utf-8"
    problem = _first_problem(path, mark, first)
    if problem is None:
        return first
    if named and not marked and _first_problem(path, mark, named) is None:
        return named
    hint = (
        f"it is not valid {named} either; name the encoding in which it was saved"
        if named
        else "name its encoding: `importer convert --encoding windows-1252`, or `encoding: windows-1252` in"
        " the mapping, or next to `preset` in importer.yaml"
    )
    raise _not_decodable(first, *problem, hint)


def _first_problem(path: Path, mark: int, encoding: str) -> tuple[int, int, int] | None:
    """Return the line, the offset and the value of the first byte that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, line = mark, 1
    with path.open("rb") as file:
        file.seek(mark)
        while True:
            chunk = file.read(_CHUNK)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n") - error.object[:held].count(b"\n")
                return line, offset - held + error.start, error.object[error.start]
            if not chunk:
                return None
            offset += len(chunk)
            line += chunk.count(b"\n")


def _is_doubled(head: str) -> bool:
    end = head.find("\n")
    return head[:end].endswith("\r\r") and head[:end].count('"') % 2 == 0
