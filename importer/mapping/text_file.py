"""A file's bytes -> its encoding and its lines, or words for what it is instead: a page, an archive."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from importer.loaders.tree import Malformed

_CHUNK = 1 << 20
_HEAD = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STRANGERS = (
    (b"PK\x03\x04", "the file is a ZIP archive or a workbook", "unpack it, or set `format: xlsx`"),
    (b"\x1f\x8b", "the file is compressed", "unpack it: gunzip FILE"),
    (b"\xd0\xcf\x11\xe0", "the file is a workbook of an old kind", "save it as .xlsx or as CSV"),
    (b"%PDF", "the file is a PDF", "export the incidents as CSV or JSON"),
    (b"SQLite format 3", "the file is a database", "export the incidents as CSV or JSON"),
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_PAGES = ("<!doctype html", "<html", "<head", "<body", "<?xml", "<script")


@dataclass(frozen=True, slots=True)
class Text:
    """A text file of a known encoding. `mark` is the length of its byte order mark, `head` how it begins."""

    path: Path
    encoding: str
    mark: int
    head: str

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends as they are; U+2028 ends none. A line end `\\r\\r\\n`, which a
        program makes that translates line ends twice, is one end where the first is like that."""
        with self.path.open("rb") as raw:
            raw.seek(self.mark)
            decoded = io.TextIOWrapper(raw, self.encoding, newline="")
            yield from _lines(decoded, doubled=_is_doubled(self.head))

    def text(self) -> str:
        """Return all of it."""
        return "".join(self.lines())


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
    encoding = _chosen(path, len(mark), marked, named)
    head = codecs.getincrementaldecoder(encoding)("replace").decode(start[len(mark) :])
    if "\0" in head:
        raise Malformed(
            "not-text",
            "the file is not text: it holds a NUL byte",
            head[: head.index("\0")].count("\n") + 1,
            hint="UTF-16 without a byte order mark needs `encoding: utf-16-le`",
        )
    return Text(path, encoding, len(mark), head)


def refuse_page(head: str) -> None:
    """Raise Malformed where a text that should be data is a page, such as that of an error or a login."""
    if head.lstrip().casefold().startswith(_PAGES):
        told = " ".join(head.split())[:80]
        raise Malformed(
            "not-this-format",
            "the file is an HTML or XML page, not an export",
            1,
            detail=f"it begins `{told}`",
            hint="the download gave an error or login page: export it again",
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
        else "name its encoding in the mapping, such as `encoding: windows-1252`",
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
    with path.open("rb") as file:
        return file.read(offset).count(b"\n") + 1


def _is_doubled(head: str) -> bool:
    end = head.find("\n")
    return head[:end].endswith("\r\r") and head[:end].count('"') % 2 == 0


def _lines(decoded: io.TextIOWrapper, *, doubled: bool) -> Iterator[str]:
    """Yield the lines of a stream, read in pieces."""
    rest = ""
    while piece := decoded.read(_CHUNK):
        text = rest + piece
        whole = text.rfind("\n") + 1
        rest = text[whole:]
        yield from _split(text[:whole], doubled=doubled)
    yield from _split(rest, doubled=doubled)


def _split(text: str, *, doubled: bool) -> Iterator[str]:
    if doubled:
        text = text.replace("\r\r\n", "\r\n")
    return (match[0] for match in _LINE.finditer(text))
