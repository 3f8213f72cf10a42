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
"""The keys of `postmortem` that hold a document; the body becomes the first."""


def read_markdown(text: str, path: str, diagnostics: Diagnostics) -> Iterator[Node]:
    """Yield the single mapping that a file declares, as in an incident file; nothing after reporting why
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
    """Put the body into the field that the front matter's `body` names, and remove `body`."""
    if block.pop("incidents", None) is not None:
        line = block.lines["incidents"]
        raise Malformed("wrong-type", "the front matter must be one incident, not a list", line)
    line = block.lines.get("body", block.line)
    match block.pop("body", _POSTMORTEM):
        case str(field) if field in (_SUMMARY, _POSTMORTEM):
            if found.body:
                _set_body(block, field, found)
        case other:
            raise Malformed(
                "bad-value",
                f"`body` must be `{_SUMMARY}` or `{_POSTMORTEM}`",
                line,
                detail=f"found `{other}`",
                hint="it names the field that the text below the front matter becomes",
            )


def _set_body(block: Block, field: str, found: FrontMatter) -> None:
    """Set the summary, or the contents of the post-mortem. Raises Malformed if it is already set."""
    is_summary = field == _SUMMARY
    target = block if is_summary else _postmortem(block, found.body_line)
    names = (_SUMMARY,) if is_summary else _CONTENTS
    if not target.keys().isdisjoint(names):
        raise Malformed(
            "duplicate-field",
            f"the {field} appears twice: in the front matter and below it",
            found.body_line,
            hint="remove one of them; with `body: summary` the text below is the summary",
        )
    target[names[0]] = found.body
    target.lines[names[0]] = found.body_line


def _postmortem(block: Block, line: int) -> Block:
    """Return the mapping for the body, in which the front matter may set its title and status."""
    existing = block.get(_POSTMORTEM)
    if existing is None:
        existing = block[_POSTMORTEM] = Block(line)
        block.lines[_POSTMORTEM] = line
    if not isinstance(existing, Block):
        raise Malformed("wrong-type", "`postmortem` must be a mapping", block.lines[_POSTMORTEM])
    return existing
