"""Two texts or links -> whether they differ only in the form in which an account may store them.

An account may collapse spaces, escape Markdown or HTML, cut the milliseconds of a moment, compose letters:
`is_same_form` decides that such a value is still the same. It may also replace quotation marks, change the
case, and drop a trailing slash or the query of a link. A person may do that too, so it is only evidence.

Line breaks count as spaces although they make paragraphs and lists, and escapes are a form although `\\*x\\*`
and `*x*` are read differently: an account that collapses white space or escapes the texts it stores does so
there too. The error that this allows is the harmless one, an edit of nothing but line breaks or escapes in
incident.io that no plan shows; without it, every plan would edit the incident again. What the file changed is
compared exactly, line breaks and escapes too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, is_dataclass
from datetime import datetime
from html import unescape
from html.entities import html5
from urllib.parse import SplitResult, urlsplit

from importer.model.values import Entity, Link, NewOption, Reference, Value, cleared_parts

_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′", "'"), **dict.fromkeys("“”„‟″«»", '"')})

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
"""A backslash before ASCII punctuation (CommonMark 0.31, section 2.4)."""

_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")
"""An entity or numeric character reference, which ends in a semicolon (CommonMark 0.31, section 2.5)."""


def is_same_form(live: object, declared: object) -> bool:
    """Whether a value in the account is the declared one, perhaps in the account's own form. Parts of a child
    that `declared` does not set are ignored."""
    if live == declared:
        return True
    match live, declared:
        case str(), str():
            return stored_form(live) == stored_form(declared)
        case datetime(), datetime():
            return live.replace(microsecond=0) == declared.replace(microsecond=0)
        case (Entity() | Reference() | NewOption(), _):
            return False
        case tuple(), tuple():
            return len(live) == len(declared) and _are_paired(live, declared)
        case _ if is_dataclass(declared) and type(live) is type(declared):
            asked = {each.name: getattr(declared, each.name) for each in fields(declared) if each.compare}
            asked.pop("cleared", None)
            is_cleared = not any(getattr(live, name) for name in cleared_parts(declared))
            return is_cleared and all(
                value in (None, ()) or is_same_form(getattr(live, name), value)
                for name, value in asked.items()
            )
        case _:
            return False


def _are_paired(live: tuple[object, ...], declared: tuple[object, ...]) -> bool:
    left = list(live)
    for each in declared:
        found = next((place for place, other in enumerate(left) if is_same_form(other, each)), None)
        if found is None:
            return False
        del left[found]
    return True


def stored_form(text: str) -> str:
    """Return a text without what accounts change in it: escapes, entities, Unicode form, runs of white
    space."""
    plain = _unescaped(text)
    while (shorter := _unescaped(plain)) != plain:
        plain = shorter
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def _unescaped(text: str) -> str:
    """Return a text with one level of escapes and entities less, and its letters decomposed: a mark that is
    composed with the sign before it would hide an escape."""
    plain = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", _ESCAPE.sub(r"\1", _ENTITY.sub(_character, plain)))


def _character(entity: re.Match[str]) -> str:
    name = entity[1]
    return unescape(entity[0]) if name.startswith("#") else html5.get(f"{name};", entity[0])


def plain_form(text: str) -> str:
    """Return the stored form of a text, without case, quotes and compatibility characters."""
    plain = stored_form(stored_form(text).translate(_QUOTES)).translate(_QUOTES).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def is_similar_text(one: str, other: str) -> bool:
    """Whether two texts differ at most in their form."""
    return plain_form(one) == plain_form(other)


def is_similar_link(live: str, declared: str) -> bool:
    """Whether a link is the declared one, perhaps without its trailing slash, query or fragment."""
    one, other = _split(live), _split(declared)
    if one is None or other is None:
        return live.strip() == declared.strip()
    return (
        (one.scheme, one.netloc.casefold(), one.path.rstrip("/"))
        == (other.scheme, other.netloc.casefold(), other.path.rstrip("/"))
        and one.query in ("", other.query)
        and one.fragment in ("", other.fragment)
    )


def is_similar_value(live: Value, declared: Value) -> bool:
    """Whether a text or link in the account differs from the declared one at most in its form."""
    match live, declared:
        case str(), str() if _is_link(declared):
            return is_similar_link(live, declared)
        case str(), str():
            return is_similar_text(live, declared)
        case Link(url=live_url), Link(url=url):
            return is_similar_link(live_url, url)
        case _:
            return False


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://")) and len(text.split()) == 1


def _split(link: str) -> SplitResult | None:
    try:
        return urlsplit(link.strip())
    except ValueError:  # a bracket that is not an IPv6 address
        return None
