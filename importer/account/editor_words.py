"""Words and their folded forms -> the JSON Schema of a value that is one of them, in any spelling."""

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
    """Return the alternatives of a value: the words that an editor offers, and what it accepts beside them.

    That is `others`, whatever is folded to one of `forms`, and what YAML makes of these words without quotes,
    like 1 and true: importer itself keeps what is written.
    """
    seen, unseen = list(offered), list(others)
    exact = [*unseen, *(value for word in (*seen, *unseen) for value in _read_by_yaml(word))]
    ways: list[Json] = [{"enum": exact}] if exact else []
    if listed := list(forms):
        ways.append({"type": "string", "pattern": pattern(listed)})
    return [*([{"enum": seen}] if seen else []), *([hidden({"anyOf": ways})] if ways else [])]


def hidden(schema: Json) -> Json:
    """Return a schema that accepts the same, and of which an editor shows nothing."""
    return {"if": schema, "else": False}


def pattern(forms: Iterable[str]) -> str:
    """Return a regular expression for folded words in any case and with any blanks, of the kind that ECMA,
    Python and Rust read alike. `$` alone would let Python pass a line feed."""
    alternatives = "|".join(" *".join(map(_letter, form)) for form in forms)
    return f"^ *(?:{alternatives}) *$(?!\\n)"


def _letter(letter: str) -> str:
    cases = sorted({each for each in (letter, letter.upper(), letter.lower()) if len(each) == 1})
    if len(cases) > 1:
        return f"[{''.join(cases)}]"
    return f"\\{letter}" if letter in _SPECIAL else letter


def _read_by_yaml(word: str) -> list[bool | int | float]:
    """Return what YAML reads a word as that is written without quotes, where that is no text."""
    if word.casefold() in _BOOLEANS:
        return [_BOOLEANS[word.casefold()]]
    if not _DECIMAL.fullmatch(word) or not math.isfinite(float(word)):
        return []
    return [int(word) if _WHOLE.fullmatch(word) else float(word)]
