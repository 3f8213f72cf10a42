"""A Markdown file with front matter -> one record: the front matter's values, `body` and `file`."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from importer.diagnostics import Diagnostics
from importer.loaders import yaml_file
from importer.loaders.tree import Block, Malformed
from importer.mapping.record import Contents, Record
from importer.mapping.text_file import Text

_FENCE = re.compile(r"\s*(---|\+\+\+)[ \t]*\r?\n(.*?)(?:^|\n)\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def contents(text: Text, shown: str, diagnostics: Diagnostics) -> Contents | None:
    """Return the file's one record: YAML stands between `---`, TOML between `+++`. None after a diagnostic of
    the front matter itself. Raises Malformed."""
    whole = text.text().replace("\r\n", "\n")
    match = _FENCE.match(whole)
    if match is None:
        raise Malformed(
            "no-front-matter",
            "the file has no front matter",
            1,
            hint="it begins with a line `---`, then YAML, then a line `---`",
        )
    values = _yaml(match, shown, diagnostics) if match[1] == "---" else _toml(match)
    if values is None:
        return None
    file = {"stem": text.path.stem, "name": text.path.name}
    lines = values.lines if isinstance(values, Block) else None
    record = Record({"body": whole[match.end() :].strip(), "file": file} | values, 1, lines=lines)
    return Contents(iter([record]), None, {"encoding": text.encoding})


def _yaml(match: re.Match[str], shown: str, diagnostics: Diagnostics) -> Block | None:
    """Return the values, whose lines count from the beginning of the file."""
    before = "\n" * match.string[: match.start(2)].count("\n")
    documents = yaml_file.read(before + match[2], shown, diagnostics)
    if not documents:
        return None
    if not isinstance(documents[0], Block):
        raise Malformed("wrong-type", "the front matter is no mapping", 1)
    return documents[0]


def _toml(match: re.Match[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(match[2])
    except tomllib.TOMLDecodeError as error:
        raise Malformed("syntax", "the front matter is not TOML", 1, detail=str(error)) from None
