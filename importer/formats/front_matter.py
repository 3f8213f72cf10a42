"""A Markdown file with front matter -> one record: the front matter's values, `body` and `file`."""

from __future__ import annotations

import tomllib
from typing import Any

from importer.formats import markdown_file
from importer.formats.record import Contents, Record
from importer.formats.text_file import TextFile
from importer.formats.tree import Block, Malformed
from importer.model.diagnostics import Diagnostics


def contents(text: TextFile, shown: str, diagnostics: Diagnostics) -> Contents | None:
    """Return the file's one record. None after a diagnostic of the front matter itself. Raises Malformed."""
    found = markdown_file.parts(text.text())
    values = _toml(found.front) if found.is_toml else markdown_file.yaml(found, shown, diagnostics)
    if values is None:
        return None
    file = {"stem": text.path.stem, "name": text.path.name}
    lines = values.lines if isinstance(values, Block) else None
    record = Record({"body": found.body, "file": file} | values, 1, lines=lines)
    return Contents(iter([record]), None, {"encoding": text.encoding})


def _toml(front: str) -> dict[str, Any]:
    try:
        return tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("syntax", "the front matter is not TOML", 1, detail=str(error)) from None
