"""Markdown text -> its front matter and its body, and the incident that both declare.

YAML stands between `---`, TOML between `+++`. The body is the post-mortem; with `body: summary` the summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from importer.formats import toml_file, yaml_file
from importer.formats.tree import Block, Malformed, Node
from importer.model import Location
from importer.model.diagnostics import Diagnostics

_FENCE = re.compile(r"\s*(---|\+\+\+)[ \t]*\n(.*?)(?:^|\n)\1[ \t]*(?:\n|\Z)", re.DOTALL)
_BEGINNINGS = (b"---", b"+++")
_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Bytes of byte order marks, of UTF-16 around a letter, and blanks."""
_HEAD = 1 << 10
_SUMMARY, _POSTMORTEM = "summary", "postmortem"
_CONTENTS = ("content", "file", "url")
"""What `postmortem` has for a document, one of these; the body is the first."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A file with front matter. `front` has as many lines before it as the file, so that its lines count from
    the beginning of that; `body_line` is where the body begins."""

    is_toml: bool
    front: str
    body: str
    body_line: int


def parts(text: str) -> Parts:
    """Return the two parts of a text. Raises Malformed (no-front-matter)."""
    whole = text.replace("\r\n", "\n")
    match = _FENCE.match(whole)
    if match is None:
        raise Malformed(
            "no-front-matter",
            "the file has no front matter",
            1,
            hint="it begins with a line `---`, then YAML, then a line `---`",
        )
    before = "\n" * whole.count("\n", 0, match.start(2))
    body = whole[match.end() :]
    blank = len(body) - len(body.lstrip())
    body_line = whole.count("\n", 0, match.end() + blank) + 1
    return Parts(match[1] == "+++", before + match[2], body.strip(), body_line)


def yaml(found: Parts, path: str, diagnostics: Diagnostics) -> Block | None:
    """Return the values of YAML; None after a diagnostic. Raises Malformed where they are no mapping."""
    documents = yaml_file.read(found.front, path, diagnostics)
    if not documents:
        return None
    if not isinstance(documents[0], Block):
        raise Malformed("wrong-type", "the front matter is no mapping", 1)
    return documents[0]


def begins_with_front_matter(path: Path) -> bool:
    """Whether a file can have front matter, by its first bytes; what cannot be read can."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return True
    return head.lstrip(_BEFORE).replace(b"\0", b"").startswith(_BEGINNINGS)


def has_front_matter(text: str) -> bool:
    """Whether a text has front matter from its beginning to its end."""
    return _FENCE.match(text.replace("\r\n", "\n")) is not None


def read(text: str, path: str, diagnostics: Diagnostics) -> Iterator[Node]:
    """Yield the one mapping that a file declares, in the words of an incident file; nothing after saying why
    there is none."""
    block = None
    try:
        found = parts(text)
        block = toml_file.read(found.front) if found.is_toml else yaml(found, path, diagnostics)
        if block is not None:
            _place_body(block, found)
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
    if block is not None:
        yield block


def _place_body(block: Block, found: Parts) -> None:
    """Put the body where the front matter wants it, and take away the word that says so."""
    if block.pop("incidents", None) is not None:
        line = block.lines["incidents"]
        raise Malformed("wrong-type", "the front matter is one incident, not a list of them", line)
    line = block.lines.get("body", block.line)
    match block.pop("body", _POSTMORTEM):
        case str(wanted) if wanted in (_SUMMARY, _POSTMORTEM):
            if found.body:
                _set_body(block, wanted, found)
        case other:
            raise Malformed(
                "bad-value",
                "`body` must be a known word",
                line,
                detail=f"found `{other}`",
                hint=f"it says what the text is: `{_SUMMARY}` or `{_POSTMORTEM}`",
            )


def _set_body(block: Block, wanted: str, found: Parts) -> None:
    """Set the summary, or the contents of the post-mortem. Raises Malformed where there is one already."""
    is_summary = wanted == _SUMMARY
    target = block if is_summary else _postmortem(block, found.body_line)
    names = (_SUMMARY,) if is_summary else _CONTENTS
    if not target.keys().isdisjoint(names):
        raise Malformed(
            "duplicate-field",
            f"the {wanted} is written twice: in the front matter and below it",
            found.body_line,
            hint="remove one of them; `body: summary` makes the text below it the summary",
        )
    target[names[0]] = found.body
    target.lines[names[0]] = found.body_line


def _postmortem(block: Block, line: int) -> Block:
    """Return the mapping that the body belongs to, in which the front matter may say its title and status."""
    known = block.get(_POSTMORTEM)
    if _POSTMORTEM not in block:
        known = block[_POSTMORTEM] = Block(line)
        block.lines[_POSTMORTEM] = line
    if not isinstance(known, Block):
        raise Malformed("wrong-type", "`postmortem` must be a mapping", block.lines[_POSTMORTEM])
    return known
