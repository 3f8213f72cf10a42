"""Markdown text -> its front matter (YAML between `---`, TOML between `+++`) and its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from importer.formats import toml_file, yaml_file
from importer.formats.record import Contents, Record
from importer.formats.text_file import TextFile
from importer.formats.tree import Block, Malformed
from importer.model.diagnostics import Diagnostics

_FENCE = re.compile(r"\s*(---|\+\+\+)[ \t]*\n(.*?)(?:^|\n)\1[ \t]*(?:\n|\Z)", re.DOTALL)
_BEGINNINGS = (b"---", b"+++")
_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Byte order marks, the NUL bytes of UTF-16, and white space."""
_HEAD = 1 << 10


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file with front matter. `front` is padded with empty lines, so that its line numbers are the file's;
    `body_line` is the line on which the body begins."""

    is_toml: bool
    front: str
    body: str
    body_line: int

    def block(self, path: str, diagnostics: Diagnostics) -> Block | None:
        """Return the values as text with line numbers; None after a diagnostic. Raises Malformed if they are
        not a mapping."""
        if self.is_toml:
            return toml_file.read(self.front)
        documents = yaml_file.read(self.front, path, diagnostics)
        if not documents:
            return None
        if not isinstance(documents[0], Block):
            raise Malformed("wrong-type", "the front matter is not a mapping")
        return documents[0]


def read(text: str) -> FrontMatter:
    """Split a text into front matter and body. Raises Malformed (no-front-matter)."""
    whole = text.replace("\r\n", "\n")
    match = _FENCE.match(whole)
    if match is None:
        raise Malformed(
            "no-front-matter",
            "the file has no front matter",
            hint="front matter is a line `---`, then YAML, then a line `---`",
        )
    before = "\n" * whole.count("\n", 0, match.start(2))
    body = whole[match.end() :]
    blank = len(body) - len(body.lstrip())
    body_line = whole.count("\n", 0, match.end() + blank) + 1
    return FrontMatter(match[1] == "+++", before + match[2], body.strip(), body_line)


def read_record(text: TextFile, shown: str, diagnostics: Diagnostics) -> Contents | None:
    """Return the file as one record: the front matter's values, `body` and `file`; None after a diagnostic
    about the front matter. Raises Malformed."""
    found = read(text.text())
    values = toml_file.parse(found.front) if found.is_toml else found.block(shown, diagnostics)
    if values is None:
        return None
    file = {"stem": text.path.stem, "name": text.path.name}
    lines = values.lines if isinstance(values, Block) else None
    record = Record({"body": found.body, "file": file} | values, 1, lines=lines)
    return Contents(iter([record]), None, {"encoding": text.encoding})


def begins_with_front_matter(path: Path) -> bool:
    """Whether a file's first bytes may begin front matter; True if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return True
    return head.lstrip(_BEFORE).replace(b"\0", b"").startswith(_BEGINNINGS)


def has_front_matter(text: str) -> bool:
    """Whether a text begins with complete front matter."""
    return _FENCE.match(text.replace("\r\n", "\n")) is not None
