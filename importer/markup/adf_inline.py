"""The inline nodes of the Atlassian Document Format -> Markdown; and the parts of any node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from importer.markup import markdown

_ORDER = ("link", "strong", "em", "strike", "underline", "subsup")
"""Marks from the outermost to the innermost, so that adjacent nodes with the same mark share it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _MarkedText:
    """A piece of a line: Markdown, and the marks around it with their values (an address, sub or sup)."""

    shown: str
    marks: dict[str, str]


def kind(node: object) -> str:
    """Return the type of a node, or an empty text if it is not a node. A plain string is a text node."""
    if isinstance(node, str):
        return "text"
    found = node.get("type") if isinstance(node, dict) else None
    return found if isinstance(found, str) else ""


def children(node: object) -> list[Any]:
    """Return the nodes inside a node."""
    found = node.get("content") if isinstance(node, dict) else node
    return found if isinstance(found, list) else []


def attribute(node: object, name: str) -> object:
    """Return an attribute of a node; None if it is missing."""
    found = node.get("attrs") if isinstance(node, dict) else None
    return found.get(name) if isinstance(found, dict) else None


def attribute_text(node: object, *names: str) -> str:
    """Return the first of these attributes that is a non-empty text or a number, as one line."""
    values = (attribute(node, name) for name in names)
    return next((line for value in values if (line := _line(value))), "")


def own_text(node: object) -> str:
    """Return the text of a node itself, as a reader of the issue sees it."""
    if isinstance(node, str):
        return node
    found = node.get("text") if isinstance(node, dict) else None
    if isinstance(found, str):
        return found
    if kind(node) == "hardBreak":
        return "\n"
    return attribute_text(node, "text", "title", "alt", "shortName", "url")


def plain_text(node: object) -> str:
    """Return the text of a node and its descendants, with line breaks between blocks; without recursion."""
    parts: list[str] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if parts and kind(each) not in INLINE:
            parts.append("\n")
        parts.append(own_text(each))
        waiting += reversed(children(each))
    return "".join(parts)


def nodes_to_markdown(nodes: Sequence[Any]) -> str:
    """Return adjacent inline nodes as Markdown."""
    marked = [_MarkedText(INLINE[kind(node)](node), _marks(node)) for node in _without_outer_breaks(nodes)]
    return _marked(marked, _ORDER)


def _without_outer_breaks(nodes: Sequence[Any]) -> Sequence[Any]:
    start, end = 0, len(nodes)
    while start < end and kind(nodes[start]) == "hardBreak":
        start += 1
    while end > start and kind(nodes[end - 1]) == "hardBreak":
        end -= 1
    return nodes[start:end]


def _line(value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return " ".join(str(value).split()) if isinstance(value, str) or is_number else ""


def _marks(node: object) -> dict[str, str]:
    """Return the marks of a node; a line break has none, because Markdown cannot mark it."""
    written = node.get("marks") if isinstance(node, dict) and kind(node) != "hardBreak" else None
    marks = written if isinstance(written, list) else []
    return {kind(mark): attribute_text(mark, "href", "type") for mark in marks}


def _marked(runs: Sequence[_MarkedText], order: Sequence[str]) -> str:
    if not order:
        return "".join(run.shown for run in runs)
    name, *inner = order
    pieces = (
        (value, _marked(list(group), inner))
        for value, group in groupby(runs, lambda run: run.marks.get(name))
    )
    return "".join(shown if value is None else _MARKS[name](shown, value) for value, shown in pieces)


def _linked(shown: str, href: str) -> str:
    if not href or not shown.strip():
        return shown
    return shown.replace(shown.strip(), markdown.link(shown.strip(), href), 1)


def _small(shown: str, which: str) -> str:
    tag = "sub" if which == "sub" else "sup"
    return markdown.wrap(f"<{tag}>", shown, f"</{tag}>")


_MARKS: dict[str, Callable[[str, str], str]] = {
    "link": _linked,
    "strong": lambda shown, _: markdown.wrap("**", shown),
    "em": lambda shown, _: markdown.wrap("_", shown),
    "strike": lambda shown, _: markdown.wrap("~~", shown),
    "underline": lambda shown, _: markdown.wrap("<ins>", shown, "</ins>"),
    "subsup": _small,
}


def _text(node: object) -> str:
    text = own_text(node)
    return markdown.code_span(text) if "code" in _marks(node) else markdown.literal(text)


def _mention(node: object) -> str:
    name = attribute_text(node, "text") or attribute_text(node, "id")
    return markdown.literal(f"@{name.removeprefix('@')}") if name else ""


def _card(node: object) -> str:
    """Return a card as a link, or as its name; a card may have JSON-LD data instead of an address."""
    data = attribute(node, "data")
    found = data if isinstance(data, dict) else {}
    name, url = _line(found.get("name")), attribute_text(node, "url") or _line(found.get("url"))
    return markdown.link(markdown.literal(name), url) if url else markdown.literal(name)


def _status(node: object) -> str:
    return markdown.wrap("**", markdown.literal(attribute_text(node, "text")))


def _date(node: object) -> str:
    """Return the UTC date of a timestamp in milliseconds since 1970."""
    written = attribute_text(node, "timestamp")
    try:
        return (_EPOCH + timedelta(milliseconds=int(written))).date().isoformat()
    except (ValueError, OverflowError):
        return markdown.literal(written)


def _media(node: object) -> str:
    """Return a picture with a web address, or a note about a file attached to the issue."""
    url = attribute_text(node, "url")
    name = attribute_text(node, "alt", "__fileName", "id")
    if url.startswith(("http://", "https://")):
        return markdown.picture(attribute_text(node, "alt"), url)
    return f"[media: {markdown.literal(name)}]" if name else "[media]"


INLINE: dict[str, Callable[[object], str]] = {
    "text": _text,
    "hardBreak": lambda _: markdown.BREAK,
    "mention": _mention,
    "emoji": lambda node: markdown.literal(attribute_text(node, "text", "shortName")),
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
    "status": _status,
    "date": _date,
    "media": _media,
    "mediaInline": _media,
}
"""The types of inline nodes, and their writers."""
