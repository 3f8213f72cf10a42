"""A file's bytes -> its encoding and its lines, or words for what it is instead: a page, an archive."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from importer.formats.tree import Malformed

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
_WIDE = ("utf-16", "utf-32")
"""Encodings in which a NUL byte is part of a character."""
_STRANGERS = (
    (b"PK\x03\x04", "the file is a ZIP archive or a workbook", "unpack it, or set `format: xlsx`"),
    (b"\x1f\x8b", "the file is compressed", "unpack it: gunzip FILE"),
    (b"\xd0\xcf\x11\xe0", "the file is a workbook of an old kind", "save it as .xlsx or as CSV"),
    (b"%PDF", "the file is a PDF", "export the incidents as CSV or JSON"),
    (b"SQLite format 3", "the file is a database", "export the incidents as CSV or JSON"),
)
_TAG = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*(?:>|\Z)", re.DOTALL | re.IGNORECASE)
_PAGES = ("<!doctype html", "<html", "<head", "<body", "<?xml", "<script")


MAX_LINE = 100_000_000
"""Characters of one line of a table or of JSON Lines. A longer one is no line."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text file of a known encoding. `mark` is the length of its byte order mark, `head` how it begins."""

    path: Path
    encoding: str
    mark: int
    head: str

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends as they are; U+2028 ends none. A line end `\\r\\r\\n`, which a
        program makes that translates line ends twice, is one end where the first is like that. Raises
        Malformed for a line that is no line of a text."""
        doubled = _is_doubled(self.head)
        with self._decoded("\n" if doubled else "") as decoded:
            for number, line in enumerate(iter(partial(decoded.readline, MAX_LINE), ""), 1):
                if len(line) == MAX_LINE:
                    raise Malformed(
                        "too-large",
                        f"a line has more than {MAX_LINE // 10**6} million characters",
                        number,
                        hint="is it a table? look at its beginning",
                    )
                if "\0" in line:
                    raise _no_text(number)
                yield f"{line[:-3]}\r\n" if doubled and line.endswith("\r\r\n") else line

    def text(self) -> str:
        """Return all of it, with `\\n` at the ends of lines."""
        doubled = _is_doubled(self.head)
        with self._decoded("\n" if doubled else None) as decoded:
            whole = decoded.read()
        if "\0" in whole:
            raise _no_text(whole[: whole.index("\0")].count("\n") + 1)
        return whole.replace("\r\r\n", "\n") if doubled else whole

    def _decoded(self, newline: str | None) -> io.TextIOWrapper:
        raw = self.path.open("rb")
        raw.seek(self.mark)
        return io.TextIOWrapper(raw, self.encoding, newline=newline)


def opened(path: Path, named: str | None) -> Text:
    """Look at a file: a byte order mark says the encoding, then it is UTF-8 if all of it is, then `named`.

    Raises Malformed (empty-file, not-this-format, not-text, not-utf-8), OSError."""
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if not start.strip():
        raise Malformed("empty-file", "the file is empty", 1, hint="export it again")
    for signature, summary, hint in _STRANGERS:
        if start.startswith(signature):
            raise Malformed("not-this-format", summary, 1, hint=hint)
    mark, marked = next((each for each in _MARKS if start.startswith(each[0])), (b"", ""))
    if not marked and b"\0" in start:
        # ASCII in UTF-16 is UTF-8 too, with a NUL beside each character: here the named encoding goes first.
        if named is None or not codecs.lookup(named).name.startswith(_WIDE):
            raise _no_text(start[: start.index(b"\0")].count(b"\n") + 1)
        marked = named
    encoding = _chosen(path, len(mark), marked, named)
    head = codecs.getincrementaldecoder(encoding)("replace").decode(start[len(mark) :])
    return Text(path, encoding, len(mark), head)


def refuse_page(head: str) -> None:
    """Raise Malformed where a text that should be data is a page, such as that of an error or a login."""
    start = head.lstrip().casefold()
    if not start.startswith(_PAGES):
        return
    is_page = "<html" in start[: _QUOTED * 10] or not start.startswith("<?xml")
    raise Malformed(
        "not-this-format",
        "the file is an HTML page, not an export" if is_page else "the file is XML, which no mapping reads",
        1,
        detail=f"it says `{quoted(_TAG.sub(' ', head)) or quoted(head)}`",
        hint="the download gave an error or login page: export it again"
        if is_page
        else "export it as CSV or JSON; if it is an error message, export it again",
    )


def quoted(words: str) -> str:
    """Return a stranger's words for a message: in one line, without what is not to be seen, and cut short."""
    seen = " ".join("".join(each if each.isprintable() else " " for each in words[:_HEAD]).split())
    return seen if len(seen) <= _QUOTED else f"{seen[:_QUOTED]}..."


def _no_text(line: int) -> Malformed:
    return Malformed(
        "not-text",
        "the file is not text: it holds a NUL byte",
        line,
        hint="UTF-16 without a byte order mark needs `encoding: utf-16-le`, or utf-16-be",
    )


def _chosen(path: Path, mark: int, marked: str, named: str | None) -> str:
    """Return the first encoding in which all of the file is text."""
    first = marked or "utf-8"
    problem = _first_problem(path, mark, first)
    if problem is None:
        return first
    if named and not marked and _first_problem(path, mark, named) is None:
        return named
    raise Malformed(
        "not-utf-8",
        f"the file is not {first.upper()} throughout",
        _line_of(path, mark + problem[0]),
        detail=f"byte 0x{problem[1]:02x}, number {mark + problem[0] + 1} of the file",
        hint=f"nor is it {named}; name the encoding that it was saved in"
        if named
        else "name its encoding: `importer convert --encoding windows-1252`, or `encoding: windows-1252` in"
        " the mapping, or beside `preset` in importer.yaml",
    )


def _first_problem(path: Path, mark: int, encoding: str) -> tuple[int, int] | None:
    """Return the offset behind the mark and the value of the first byte that is no text, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = 0
    with path.open("rb") as file:
        file.seek(mark)
        while True:
            chunk = file.read(_CHUNK)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return offset - held + error.start, error.object[error.start]
            if not chunk:
                return None
            offset += len(chunk)


def _line_of(path: Path, offset: int) -> int:
    line = 1
    with path.open("rb") as file:
        while offset > 0 and (chunk := file.read(min(offset, _CHUNK))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line


def _is_doubled(head: str) -> bool:
    end = head.find("\n")
    return head[:end].endswith("\r\r") and head[:end].count('"') % 2 == 0
