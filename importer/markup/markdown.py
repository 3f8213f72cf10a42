"""Plain text and its structure -> GitHub-flavoured Markdown that renders as exactly that text.

Only what Markdown would read as markup is escaped, because people review the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

BREAK = "\\\n"
"""A line break inside a paragraph. Two spaces would also work, but not in a YAML block scalar."""

URL = r"""https?://[^\s<>|"]*[^\s<>|"*_~+^.,;:!?)\]}'\\-]"""
"""A bare address, without the punctuation that follows it in a sentence."""

_SPECIAL = re.compile(
    rf"""(?P<url>{URL})
    |(?P<less><(?=[A-Za-z/!?])(?!https?://))
    |(?P<backslash>\\(?=[!-/:-@\[-`{{-~]|\Z))
    |(?P<run>(?P<mark>[*_~`])(?P=mark)*)
    |(?P<bracket>\](?=\())""",
    re.VERBOSE,
)
_LEADING = re.compile(r"\#{1,6}(?=\s|\Z)|[-+*](?=\s|\Z)|=+\s*\Z|--+\s*\Z|\[[^\]\n]*(?:\]:|\Z)|~~~")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]{1,31}:[^\s<>]*\Z", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_OUTSIDE_ADDRESS = str.maketrans({"<": "%3C", ">": "%3E", "\n": "%0A", "\r": "%0D", "\\": "%5C"})


def escape(text: str) -> str:
    """Return inline Markdown that renders as the text. Bare http addresses are kept."""
    return _SPECIAL.sub(_escaped, text)


def literal(text: str) -> str:
    """Return inline Markdown that renders as the text, with entities such as `&lt;` as their characters."""
    return _ENTITY.sub(r"\\&", escape(text))


def escape_leading(line: str) -> str:
    """Return the line of a paragraph, escaped if its first characters would start another block.

    A leading `>` or `1.` is kept: it is meant as a quotation or a list.
    """
    return f"\\{line}" if _LEADING.match(line) else line


def wrap(mark: str, content: str, closing: str = "") -> str:
    """Return the content between marks, with its outer white space outside, as Markdown requires."""
    inner = content.strip()
    if not inner:
        return content
    start = content.index(inner)
    return f"{content[:start]}{mark}{inner}{closing or mark}{content[start + len(inner) :]}"


def code_span(text: str) -> str:
    """Return the text as inline code; line breaks become spaces."""
    line = text.replace("\n", " ")
    if not line.strip():
        return line
    ticks = "`" * (_longest_backticks(line) + 1 if "`" in line else 1)
    padding = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{padding}{line}{padding}{ticks}"


def fence(text: str, language: str = "") -> list[str]:
    """Return the lines of a code block, with a fence longer than any in the text."""
    ticks = "`" * max(3, _longest_backticks(text) + 1)
    return [f"{ticks}{language.replace('`', '').strip()}", *text.split("\n"), ticks]


def quote(lines: Iterable[str]) -> list[str]:
    """Return the lines as a quotation."""
    return [f"> {line}".rstrip() for line in lines]


def link(content: str, url: str, title: str = "") -> str:
    """Return a link with Markdown content, or with the address if there is none."""
    address = url.strip().translate(_OUTSIDE_ADDRESS)
    shown = content.strip() or escape(address)
    if shown in {address, escape(address)} and _ABSOLUTE.match(address):
        return f"<{address}>"
    target = f"<{address}>" if re.search(r"[\s()]", address) else address
    escaped = title.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{shown}]({target} "{escaped}")' if escaped else f"[{shown}]({target})"


def picture(alternative: str, url: str) -> str:
    """Return a picture with its alternative text."""
    return f"!{link(escape(alternative) or 'image', url)}"


def table(rows: Sequence[Sequence[str]], *, headings: Sequence[str] = ()) -> list[str]:
    """Return the lines of a table; cells are Markdown without line breaks.

    The heading is as wide as the widest row, because Markdown drops cells to the right of it.
    """
    width = max(map(len, (headings, *rows)))
    top = [*headings, *[""] * (width - len(headings))]
    return [_row(top), _row(["---"] * width), *map(_row, rows)]


def _escaped(found: re.Match[str]) -> str:
    text = found.group()
    match found.lastgroup:
        case "url":
            return text
        case "run":
            return "".join(f"\\{each}" for each in text) if _is_mark(found) else text
        case _:
            return f"\\{text}"


def _is_mark(found: re.Match[str]) -> bool:
    """Whether Markdown could read this run of one character as the start or end of a mark."""
    text, (start, end) = found.string, found.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    match found["mark"]:
        case "`":
            return True
        case "_" if before.isalnum() and after.isalnum():
            return False
        case "~" if end - start == 1:
            return bool(before.strip())
        case _:
            return not (before.isspace() and after.isspace())


def _longest_backticks(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def _row(cells: Sequence[str]) -> str:
    inner = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {inner} |"
