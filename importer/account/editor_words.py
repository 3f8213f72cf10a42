"""Words and their folded forms -> the JSON Schema of a value that is one of them, in any case or spacing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

_SPECIAL = frozenset("^$\\.*+?()[]{}|")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "yes": True, "on": True, "y": True}
_BOOLEANS |= {"false": False, "no": False, "off": False, "n": False}


def choice(offered: Iterable[str], others: Iterable[str], forms: Iterable[str]) -> list[Json]:
    """Return the alternatives of a value: the words that an editor offers, and whatever else it accepts.

    It also accepts `others`, whatever folds to one of `forms`, and the values that YAML reads from such words
    without quotes, like 1 and true; importer itself keeps the text as written.
    """
    seen, unseen = list(offered), list(others)
    exact = [*unseen, *(value for word in (*seen, *unseen) for value in _read_by_yaml(word))]
    ways: list[Json] = [{"enum": exact}] if exact else []
    if listed := list(forms):
        ways.append({"type": "string", "pattern": pattern(listed)})
    return [*([{"enum": seen}] if seen else []), *([hidden({"anyOf": ways})] if ways else [])]


def hidden(schema: Json) -> Json:
    """Return a schema that accepts the same values but that an editor does not show."""
    return {"if": schema, "else": False}


def pattern(forms: Iterable[str]) -> str:
    """Return a regular expression for folded words in any case and with any spaces, with the same meaning in
    ECMAScript, Python and Rust. With `$` alone, Python would accept a trailing line feed."""
    alternatives = "|".join(" *".join(map(_letter, form)) for form in forms)
    return f"^ *(?:{alternatives}) *$(?!\\n)"


def _letter(letter: str) -> str:
    cases = sorted({each for each in (letter, letter.upper(), letter.lower()) if len(each) == 1})
    if len(cases) > 1:
        return f"[{''.join(cases)}]"
    return f"\\{letter}" if letter in _SPECIAL else letter


def _read_by_yaml(word: str) -> list[bool | int | float]:
    """Return the value that YAML reads from an unquoted word, if that is not text."""
    if word.casefold() in _BOOLEANS:
        return [_BOOLEANS[word.casefold()]]
    if not _DECIMAL.fullmatch(word) or not math.isfinite(float(word)):
        return []
    return [int(word) if _WHOLE.fullmatch(word) else float(word)]
