"""Atlassian Document Format (the JSON of Jira Cloud, parsed) -> GitHub-flavoured Markdown.

The nodes and marks: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from importer.markup import markdown
from importer.markup.adf_inline import (
    INLINE,
    attribute,
    attribute_text,
    children,
    kind,
    nodes_to_markdown,
    own_text,
    plain_text,
)

_DEEPEST = 40
"""Below this depth only the text is kept: people do not write it, and Python's stack is limited."""

_TIGHT = {"bulletList", "orderedList", "taskList", "decisionList"}


def to_markdown(document: object) -> str:
    """Return the document as Markdown. The text of unknown nodes and of invalid JSON structures is kept.

    Text is escaped, so it is never read as markup. Colours and layout are dropped; media become notes.
    """
    nodes = document if isinstance(document, list) else [document]
    return "\n\n".join("\n".join(block) for block in _blocks(nodes, 0)).strip("\n")


def _blocks(nodes: list[Any], depth: int) -> list[list[str]]:
    """Return the lines of each block; adjacent inline nodes form one paragraph."""
    found: list[list[str]] = []
    for is_inline, group in groupby(nodes, lambda node: kind(node) in INLINE):
        if is_inline:
            found.append(_lines(list(group)))
        else:
            for node in group:
                found += _block(node, depth)
    return [block for block in found if any(block)]


def _block(node: Any, depth: int) -> list[list[str]]:
    if depth > _DEEPEST:
        return [_text_lines(plain_text(node))]
    write = _BLOCKS.get(kind(node))
    if write:
        return [write(node, depth + 1)]
    return [_text_lines(own_text(node)), *_blocks(children(node), depth + 1)]


def _lines(nodes: list[Any]) -> list[str]:
    """Return the lines of a paragraph."""
    return [markdown.escape_leading(line.strip(" ")) for line in nodes_to_markdown(nodes).strip().split("\n")]


def _text_lines(text: str) -> list[str]:
    return [markdown.escape_leading(markdown.literal(line.strip())) for line in text.strip().split("\n")]


def _paragraph(node: Any, depth: int) -> list[str]:
    """Return the lines; in an invalid document, blocks inside a paragraph follow it."""
    return _joined(_blocks(children(node), depth))


def _joined(blocks: list[list[str]]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines else block
    return lines


def _heading(node: Any, depth: int) -> list[str]:
    level = attribute(node, "level")
    marker = "#" * (min(max(level, 1), 6) if isinstance(level, int) else 1)
    return [f"{marker} {_in_one_line(_joined(_blocks(children(node), depth)), ' ')}".rstrip()]


def _in_one_line(lines: list[str], between: str) -> str:
    return between.join(_without_break(line) for line in lines if line)


def _without_break(line: str) -> str:
    """Return the line without the backslash of a line break; an escaped backslash stays."""
    backslashes = len(line) - len(line.rstrip("\\"))
    return line[:-1] if backslashes % 2 else line


def _quote(node: Any, depth: int) -> list[str]:
    return markdown.quote(_joined(_blocks(children(node), depth)))


def _panel(node: Any, depth: int) -> list[str]:
    """Return a quotation under the kind of panel: info, note, warning, error or success."""
    title = markdown.literal(attribute_text(node, "panelType").capitalize())
    return markdown.quote(_joined([[f"**{title}**"] if title else [], *_blocks(children(node), depth)]))


def _expand(node: Any, depth: int) -> list[str]:
    title = markdown.literal(attribute_text(node, "title"))
    return _joined([[f"**{title}**"] if title else [], *_blocks(children(node), depth)])


def _code(node: Any, _depth: int) -> list[str]:
    return markdown.fence(plain_text(node), attribute_text(node, "language"))


def _rule(_node: Any, _depth: int) -> list[str]:
    return ["---"]


def _list(node: Any, depth: int) -> list[str]:
    return [line for bullet, item in _items(node) for line in _item(bullet, item, depth)]


def _items(node: Any) -> Iterator[tuple[str, Any]]:
    first = attribute(node, "order")
    number = first if isinstance(first, int) and 0 <= first < 10**8 else 1
    for item in children(node):
        if kind(item) in _TIGHT:
            yield "", item
        elif kind(node) == "orderedList":
            yield f"{number}. ", item
            number += 1
        elif kind(node) == "taskList":
            yield "- [x] " if attribute(item, "state") == "DONE" else "- [ ] ", item
        else:
            yield "- ", item


def _item(bullet: str, node: Any, depth: int) -> list[str]:
    """Return the lines of an item, all but the first indented below its bullet; lists follow closely."""
    if not bullet:
        return ["  " + line for block in _block(node, depth) for line in block]
    inner = children(node) if kind(node).endswith("Item") else [node]
    lines: list[str] = []
    for group_is_list, group in groupby(inner, lambda each: kind(each) in _TIGHT):
        block = _joined(_blocks(list(group), depth))
        lines += block if group_is_list or not lines else ["", *block]
    indent = " " * (2 if bullet.startswith("-") else len(bullet))
    first, *others = lines or [""]
    return [f"{bullet}{first}".rstrip(" "), *(f"{indent}{line}".rstrip(" ") for line in others)]


def _each_apart(node: Any, depth: int) -> list[str]:
    return _joined([block for child in children(node) for block in _blocks([child], depth)])


def _table(node: Any, depth: int) -> list[str]:
    """Return a table; its first row is the heading if all of its cells are headings."""
    rows = [children(row) or [row] for row in children(node)]
    if not rows:
        return _text_lines(plain_text(node))
    cells = [[_cell(cell, depth) for cell in row] for row in rows]
    if all(kind(cell) == "tableHeader" for cell in rows[0]):
        return markdown.table(cells[1:], headings=cells[0])
    return markdown.table(cells)


def _cell(node: Any, depth: int) -> str:
    """Return the contents of a cell on one line; code blocks become inline code."""
    parts: list[str] = []
    for child in children(node) or [node]:
        if kind(child) == "codeBlock":
            parts += [markdown.code_span(line) for line in plain_text(child).split("\n") if line.strip()]
        else:
            parts += [line for block in _blocks([child], depth) for line in block]
    return _in_one_line(parts, "<br>")


_BLOCKS: dict[str, Callable[[Any, int], list[str]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "blockquote": _quote,
    "panel": _panel,
    "expand": _expand,
    "nestedExpand": _expand,
    "codeBlock": _code,
    "rule": _rule,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _list,
    "decisionList": _list,
    "mediaGroup": _each_apart,
    "table": _table,
}
