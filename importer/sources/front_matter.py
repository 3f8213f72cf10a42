"""A Markdown file -> the incident that its front matter and its body declare.

The body is the post-mortem; with `body: summary` the summary.
"""

from __future__ import annotations

from collections.abc import Iterator

from importer.formats import markdown_file
from importer.formats.markdown_file import FrontMatter
from importer.formats.tree import Block, Malformed, Node
from importer.model import Location
from importer.model.diagnostics import Diagnostics

_SUMMARY, _POSTMORTEM = "summary", "postmortem"
_CONTENTS = ("content", "file", "url")
"""What `postmortem` has for a document, one of these; the body is the first."""


def read_markdown(text: str, path: str, diagnostics: Diagnostics) -> Iterator[Node]:
    """Yield the one mapping that a file declares, in the words of an incident file; nothing after saying why
    there is none."""
    block = None
    try:
        found = markdown_file.read(text)
        block = found.block(path, diagnostics)
        if block is not None:
            _place_body(block, found)
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
    if block is not None:
        yield block


def _place_body(block: Block, found: FrontMatter) -> None:
    """Put the body where the front matter wants it, and take away the word that says so."""
    if block.pop("incidents", None) is not None:
        line = block.lines["incidents"]
        raise Malformed("wrong-type", "the front matter is one incident, not a list of them", line)
    line = block.lines.get("body", block.line)
    match block.pop("body", _POSTMORTEM):
        case str(field) if field in (_SUMMARY, _POSTMORTEM):
            if found.body:
                _set_body(block, field, found)
        case other:
            raise Malformed(
                "bad-value",
                "`body` must be a known word",
                line,
                detail=f"found `{other}`",
                hint=f"it says what the text is: `{_SUMMARY}` or `{_POSTMORTEM}`",
            )


def _set_body(block: Block, field: str, found: FrontMatter) -> None:
    """Set the summary, or the contents of the post-mortem. Raises Malformed where there is one already."""
    is_summary = field == _SUMMARY
    target = block if is_summary else _postmortem(block, found.body_line)
    names = (_SUMMARY,) if is_summary else _CONTENTS
    if not target.keys().isdisjoint(names):
        raise Malformed(
            "duplicate-field",
            f"the {field} is written twice: in the front matter and below it",
            found.body_line,
            hint="remove one of them; `body: summary` makes the text below it the summary",
        )
    target[names[0]] = found.body
    target.lines[names[0]] = found.body_line


def _postmortem(block: Block, line: int) -> Block:
    """Return the mapping that the body belongs to, in which the front matter may say its title and status."""
    existing = block.get(_POSTMORTEM)
    if _POSTMORTEM not in block:
        existing = block[_POSTMORTEM] = Block(line)
        block.lines[_POSTMORTEM] = line
    if not isinstance(existing, Block):
        raise Malformed("wrong-type", "`postmortem` must be a mapping", block.lines[_POSTMORTEM])
    return existing
