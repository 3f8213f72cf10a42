"""Jira wiki markup -> nested blocks of prose, code and quotations, from the macros that span lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from importer.markup import markdown

_MACRO = re.compile(
    r"(?P<first>^[ \t]*)?"
    r"(?<![\\{])\{(?P<name>code|noformat|quote|panel)(?::(?P<options>[^{}\n]*))?\}(?!\})"
    r"(?P<last>[ \t]*$)?"
    r"|^[ \t]*(?P<fence>```)(?P<language>[^`\n]*)$",
    re.MULTILINE,
)
_VERBATIM = {"code", "noformat", "```"}


@dataclass(frozen=True, slots=True)
class Prose:
    """Lines of text with inline wiki markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that are shown verbatim."""

    text: str
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class Quotation:
    """The contents of a quote or a panel."""

    title: str
    blocks: tuple[Block, ...]


Block = Prose | Code | Quotation


@dataclass(slots=True)
class _Open:
    """A quote or panel under construction; the outermost one, without a name, is the whole text."""

    name: str
    title: str = ""
    blocks: list[Block] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def parse_macros(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text whose lines end in LF.

    A macro without an end is text. As in Jira, quotes and panels nest at most two deep, one of each; if its
    end is inside code, it ends with the text.
    """
    tokens = list(_MACRO.finditer(text))
    ends = {_name(token): place for place, token in enumerate(tokens) if _may_end(token)}
    opened, position, place = [_Open("")], 0, 0
    while place < len(tokens):
        token = tokens[place]
        opened[-1].prose.append(text[position : token.start()])
        if _name(token) in _VERBATIM and place < ends.get(_name(token), 0):
            place = _next_end(tokens, place)
            _add_verbatim(opened[-1], token, tokens[place])
        elif _name(token) in _VERBATIM or not _enter_or_leave(
            opened, token, place < ends.get(_name(token), 0)
        ):
            opened[-1].prose.append(token.group())
        position = tokens[place].end()
        place += 1
    opened[-1].prose.append(text[position:])
    while len(opened) > 1:
        _leave(opened)
    return _finished(opened[0])


def _name(token: re.Match[str]) -> str:
    return token["fence"] or token["name"]


def _may_end(token: re.Match[str]) -> bool:
    return not (token["options"] or token["language"] or "").strip()


def _next_end(tokens: list[re.Match[str]], place: int) -> int:
    name = _name(tokens[place])
    return next(
        at for at in range(place + 1, len(tokens)) if _name(tokens[at]) == name and _may_end(tokens[at])
    )


def _add_verbatim(within: _Open, start: re.Match[str], end: re.Match[str]) -> None:
    """Add code as a block, or inline if other text is on the same line."""
    text = start.string[start.end() : end.start()]
    has_own_lines = start["fence"] or (start["first"] is not None and end["last"] is not None)
    if has_own_lines or "\n" in text.strip() or "`" in text:
        _end_prose(within)
        language, title = _options(start["options"] or start["language"] or "")
        within.blocks.append(Code(text.strip("\n").rstrip(), language, title))
    else:
        within.prose += (start["first"] or "", markdown.code_span(text.strip()), end["last"] or "")


def _enter_or_leave(opened: list[_Open], token: re.Match[str], has_end: bool) -> bool:
    """Enter or leave the quote or panel that a macro starts or ends; False if it does neither."""
    names = [each.name for each in opened]
    if token["name"] not in names:
        if has_end:
            opened.append(_Open(token["name"], _options(token["options"] or "")[1]))
        return has_end
    if not _may_end(token):
        return False
    for _ in names[names.index(token["name"]) :]:
        _leave(opened)
    return True


def _leave(opened: list[_Open]) -> None:
    inner = opened.pop()
    _end_prose(opened[-1])
    quotation = Quotation(inner.title, _finished(inner))
    if quotation.title or quotation.blocks:
        opened[-1].blocks.append(quotation)


def _finished(outermost: _Open) -> tuple[Block, ...]:
    _end_prose(outermost)
    return tuple(outermost.blocks)


def _end_prose(within: _Open) -> None:
    text = "".join(within.prose)
    within.prose.clear()
    if text.strip():
        within.blocks.append(Prose(text))


def _options(written: str) -> tuple[str, str]:
    """Return the language and the title among the options of a macro: `java|title=Main.java`."""
    parts = [part.partition("=") for part in written.split("|")]
    language = " ".join(name.strip() for name, equals, _ in parts if not equals)
    return language or _value(parts, "language"), _value(parts, "title")


def _value(parts: Iterable[tuple[str, str, str]], wanted: str) -> str:
    return next((value.strip() for name, _, value in parts if name.strip() == wanted), "")
