"""The name of a parameter in the id of a test: readable text, never `value0`, raw bytes or rows of escapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum

LONGEST = 60


def readable(value: object, argument: str) -> str:
    """Return the name of a value, the same in every process, as xdist compares them."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, Enum)):
        return f"{argument}={value}"
    shown = _one_line(_words(value))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3].rstrip()}..."


def _words(value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("latin-1")
        case Enum():
            return value.value if isinstance(value.value, str) else value.name.lower()
        case Mapping():
            return ", ".join(f"{_words(key)}: {_words(each)}" for key, each in value.items())
        case AbstractSet():
            return ", ".join(sorted(map(_words, value)))
        case list() | tuple():
            return ", ".join(map(_words, value))
        case _:
            return _name_of(value)


def _name_of(value: object) -> str:
    """Return the name of an object, or its type and the fields that are set."""
    for name in (getattr(value, "label", None), getattr(value, "__name__", None)):
        if isinstance(name, str):
            return name.strip("<>")
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        held = [getattr(value, each.name) for each in fields(value) if each.repr]
        return f"{type(value).__name__}({', '.join(_words(each) for each in held if each not in (None, ()))})"
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def _one_line(text: str) -> str:
    """Return a text with ` / ` between its lines and special characters by number. The ends of a long line are
    both kept: they may be what a test is about."""
    lines = [each.strip() for each in text.split("\n")]
    if sum(map(bool, lines)) > 1:
        joined = " / ".join(filter(None, lines))
    else:
        joined = re.sub(r"^ +| +$", "<SP>", text.replace("\n", "<LF>")) or "empty"
    return re.sub(r"[^ -~]", lambda found: f"<U+{ord(found[0]):04X}>", joined)
