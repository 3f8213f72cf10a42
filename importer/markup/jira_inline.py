"""One line of Jira wiki markup -> Markdown: marks, links, pictures, mentions; or its parts between breaks.

Every pattern here is linear: repeated parts exclude their terminator, and marks are matched with a stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from importer.markup import markdown

_CODE = r"(?<!`)`[^`\n]+`(?!`)"
_MARKDOWN_LINK = r"\[[^\[\]\n]+\]\(https?://[^\s()]+\)"
_WINDOWS_PATH = r"""(?<!\w)(?:[A-Za-z]:\\|\\\\[\w.$-]+\\)[^\s|*?"<>]*"""
_EMOTICON = r"\((?:[-+*?/!xyin]|\*[rgby]|on|off)\)|[:;]-[()DP]"
_MONOSPACED = r"\{\{((?:[^{}\n]|\{(?!\{)|\}(?!\}(?!\})))+)\}\}"
_LINK = r"\[([^\[\]\n]+)\]"
_PICTURE = r"(?<!\w)!(?=\S)([^!|\n]+\.\w{2,5}|https?://[^!|\s]+)(?:\|([^!|\n]*))?!"
_MARK = r"(?<![^\W_])(?:[*_+^~-]|\?\?)|(?:[*_+^~-]|\?\?)(?![^\W_])"
_WHOLE = f"{_CODE}|{_MARKDOWN_LINK}|{markdown.URL}|{_WINDOWS_PATH}|{_MONOSPACED}|{_LINK}|{_PICTURE}"

_TOKEN = re.compile(
    rf"(?P<as_it_is>{_CODE}|{_MARKDOWN_LINK})"
    rf"|(?P<text>{markdown.URL}|{_WINDOWS_PATH}|{_EMOTICON}|[-*_+^~]{{4,}}|(?P<repeated>[-*_+^~])(?P=repeated)+)"
    r"|\\(?P<escaped>[-*_+^~?!#{}\[\]|\\])"
    rf"|(?P<monospaced>{_MONOSPACED})|(?P<link>{_LINK})|(?P<picture>{_PICTURE})"
    r"|(?P<dropped>\{(?:color(?::[^{}\n]*)?|anchor:[^{}\n]*)\})"
    rf"|\{{(?P<braced>[*_+^~-]|\?\?)\}}|(?P<mark>{_MARK})"
)
_BREAK = re.compile(
    rf"{_CODE}|{_MARKDOWN_LINK}|{markdown.URL}|{_WINDOWS_PATH}|{_MONOSPACED}|(?P<cut>\\\\)|\\\S"
)
_BAR = re.compile(rf"{_WHOLE}|\\\S|(?P<cut>\|\|?)")

_TAGS = {
    "*": ("**", "**"),
    "_": ("_", "_"),
    "{_}": ("*", "*"),
    "??": ("_", "_"),
    "-": ("~~", "~~"),
    "+": ("<ins>", "</ins>"),
    "^": ("<sup>", "</sup>"),
    "~": ("<sub>", "</sub>"),
}
"""Marks of Jira and their Markdown; in braces they may be inside a word, where Markdown needs a star. GitHub
has underline, superscript and subscript only as HTML.
"""

_ADDRESS = re.compile(r"(?:(?:https?|ftps?|sftp|ssh|file|smb|irc)://|(?:mailto|tel|sip):)\S", re.IGNORECASE)
_CARDS = {"smart-link", "smart-card", "smart-embed"}
_ALTERNATIVE = re.compile(r"""(?:^|,)\s*alt="?([^",]+)""")
_NEVER_BEFORE = "/\\=@&$#%"
"""Characters of paths and options after which a mark is plain text. (A plus after a quote concatenates.)"""


@dataclass(slots=True)
class _LineBuilder:
    """A line under construction: pieces of text and of Markdown, and the marks that are still open."""

    pieces: list[str] = field(default_factory=list)
    is_markdown: list[bool] = field(default_factory=list)
    opened: list[tuple[str, int, int]] = field(default_factory=list)
    """The mark, its index in `pieces`, and the number of words before it."""
    waiting: dict[str, int] = field(default_factory=dict)
    words: int = 0


def line_to_markdown(text: str) -> str:
    """Return the line as Markdown. Unknown markup is kept as text."""
    line = _LineBuilder()
    position = 0
    while found := _TOKEN.search(text, position):
        _add_text(line, text[position : found.start()])
        position = _add_token(line, found)
    _add_text(line, text[position:])
    return "".join(_written(line))


def split_at_breaks(text: str) -> list[str]:
    r"""Return the parts between forced line breaks (`\\`) outside code, addresses and Windows paths."""
    return [piece for _, piece in _cut(text, _BREAK)]


def split_at_bars(text: str) -> list[tuple[str, str]]:
    """Return each part of a table row with the `|` or `||` before it; the first part has no bar."""
    return list(_cut(text, _BAR))


def mention(name: str) -> str:
    """Return a mention of a user name or account ID: @name."""
    return markdown.escape(f"@{name.strip()}")


def _cut(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    before, position = "", 0
    for found in pattern.finditer(text):
        if found["cut"]:
            yield before, text[position : found.start()]
            before, position = found["cut"], found.end()
    yield before, text[position:]


def _add_token(line: _LineBuilder, found: re.Match[str]) -> int:
    """Write a token; return the position at which to continue."""
    text = found.group()
    match found.lastgroup:
        case "as_it_is":
            _add_markdown(line, text)
        case "text":
            _add_text(line, text)
        case "escaped":
            _add_text(line, found["escaped"])
        case "monospaced":
            _add_markdown(line, markdown.code_span(_monospaced(text[2:-2])))
        case "link" if shown := _link(text[1:-1]):
            _add_markdown(line, shown)
        case "link":
            _add_text(line, "[")
            return found.start() + 1
        case "picture":
            _add_markdown(line, _picture(text[1:-1]))
        case "braced":
            _add_mark(line, found["braced"], text, may_open=True, may_close=True)
        case "mark":
            _add_mark(line, text, text, may_open=_may_open(found), may_close=_may_close(found))
        case _:
            pass
    return found.end()


def _add_text(line: _LineBuilder, text: str) -> None:
    if text:
        line.pieces.append(text)
        line.is_markdown.append(False)
        line.words += any(map(str.isalnum, text))


def _add_markdown(line: _LineBuilder, text: str) -> None:
    line.pieces.append(text)
    line.is_markdown.append(True)
    line.words += 1


def _add_mark(line: _LineBuilder, mark: str, literal: str, *, may_open: bool, may_close: bool) -> None:
    if may_close and _close(line, mark):
        return
    if may_open:
        line.opened.append((mark, len(line.pieces), line.words))
        line.waiting[mark] = line.waiting.get(mark, 0) + 1
    _add_text(line, literal)


def _close(line: _LineBuilder, mark: str) -> bool:
    """Pair with the nearest equal open mark if there are words in between; discard the marks in between."""
    if not line.waiting.get(mark):
        return False
    while True:
        opened, place, words = line.opened.pop()
        line.waiting[opened] -= 1
        if opened == mark:
            break
    if words == line.words:
        return False
    line.pieces[place], closing = _TAGS.get(line.pieces[place], _TAGS[mark])
    line.is_markdown[place] = True
    line.pieces.append(closing)
    line.is_markdown.append(True)
    return True


def _may_open(found: re.Match[str]) -> bool:
    before, after = _neighbours(found)
    never = _NEVER_BEFORE + "\"'" if found.group() == "+" else _NEVER_BEFORE
    return not (before.isalnum() or (before and before in never)) and bool(after.strip(" \t>"))


def _may_close(found: re.Match[str]) -> bool:
    before, after = _neighbours(found)
    return bool(before.strip()) and not (after.isalnum() or (after and after in ">/"))


def _neighbours(found: re.Match[str]) -> tuple[str, str]:
    """Return the characters before and after; empty at the ends of the line."""
    text, (start, end) = found.string, found.span()
    return text[max(start - 1, 0) : start], text[end : end + 1]


def _written(line: _LineBuilder) -> Iterator[str]:
    """Yield the pieces; adjacent text is joined before it is escaped, because escaping depends on context."""
    plain: list[str] = []
    for piece, is_markdown in zip(line.pieces, line.is_markdown, strict=True):
        if is_markdown:
            yield markdown.escape("".join(plain))
            plain.clear()
            yield piece
        else:
            plain.append(piece)
    yield markdown.escape("".join(plain))


def _monospaced(text: str) -> str:
    """Return the text without the empty braces that Jira Cloud puts around code with special characters."""
    return text[2:-2] if text.startswith("{}") and text.endswith("{}") and len(text) > 4 else text


def _link(inside: str) -> str:
    """Return the Markdown of a link's contents, or an empty text if it is not a link."""
    shown, *rest = inside.split("|")
    target = (rest[0] if rest else shown).strip()
    alias = line_to_markdown(shown.strip()) if rest else ""
    title = "|".join(rest[1:]).strip()
    if _ADDRESS.match(target):
        return markdown.link(alias, target, "" if title in _CARDS else title)
    if target[:1] not in {"~", "^"} or len(target) == 1 or title:
        return ""
    name = target[1:]
    note = mention(name) if target[0] == "~" else f"[attachment: {markdown.escape(name)}]"
    return f"{alias} ({note})" if alias else note


def _picture(inside: str) -> str:
    """Return a picture with an address, or a note about a picture attached to the issue."""
    target, _, options = inside.partition("|")
    found = _ALTERNATIVE.search(options)
    alternative = found[1].strip() if found else ""
    if _ADDRESS.match(target):
        return markdown.picture(alternative or target.rsplit("/", 1)[-1], target)
    name = f"{target} ({alternative})" if alternative else target
    return f"[image: {markdown.escape(name)}]"
