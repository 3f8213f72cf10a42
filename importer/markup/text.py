"""Any text -> a slug."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LONGEST = 60
_DIGITS = 8
_APART = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return lower-case ASCII words joined by hyphens, at most 60 characters.

    If letters have no ASCII form, or the words are truncated, eight hexadecimal digits of the text's SHA-256
    are appended, so that texts that differ only in the missing part have different slugs. The slug of a text
    without letters or digits is empty.
    """
    composed = unicodedata.normalize("NFC", text)
    apart = unicodedata.normalize("NFKD", composed.casefold())
    words = _APART.sub("-", "".join(each for each in apart if not unicodedata.combining(each))).strip("-")
    lost = any(each.isalnum() and not each.isascii() for each in apart)
    if not lost and len(words) <= _LONGEST:
        return words
    digest = hashlib.sha256(composed.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{words[: _LONGEST - _DIGITS - 1].strip('-')}-{digest}".lstrip("-")
