"""Two texts or links -> whether they differ only in the form in which an account may store them.

An account may collapse spaces, replace quotation marks, change the case, and drop a trailing slash or the
query of a link. What is compared here is evidence; `normalise` decides what is a difference.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import SplitResult, urlsplit

from importer.model.values import Link, Value

_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′", "'"), **dict.fromkeys("“”„‟″«»", '"')})


def plain_form(text: str) -> str:
    """Return a text without what accounts change in it: case, runs of spaces, quotes, Unicode form."""
    plain = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES).casefold()
    return unicodedata.normalize("NFKC", " ".join(plain.split()))


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


def differs_in_form(live: Value, declared: Value) -> bool:
    """Whether a text or link in the account is the declared one, perhaps in another form."""
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
