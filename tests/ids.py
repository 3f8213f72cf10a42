"""What a parameter is called in the id of a test: words, never `value0`, bytes or escapes on end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum

LONGEST = 60


def readable(value: object, argument: str) -> str:
    """Return the name of a value, the same in every process: xdist compares them."""
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


def _name_of(thing: object) -> str:
    """Return what a thing calls itself, or its type and the fields that are set."""
    for name in (getattr(thing, "label", None), getattr(thing, "__name__", None)):
        if isinstance(name, str):
            return name.strip("<>")
    if is_dataclass(thing) and type(thing).__str__ is object.__str__:
        held = [getattr(thing, each.name) for each in fields(thing) if each.repr]
        return f"{type(thing).__name__}({', '.join(_words(each) for each in held if each not in (None, ()))})"
    return re.sub(r" at 0x[0-9a-f]+", "", str(thing))


def _one_line(text: str) -> str:
    """Return a text with ` / ` between its lines, and each character that is not plain by its number. Of one
    line the ends are shown: they may be what a test is about."""
    lines = [each.strip() for each in text.split("\n")]
    if sum(map(bool, lines)) > 1:
        joined = " / ".join(filter(None, lines))
    else:
        joined = re.sub(r"^ +| +$", "<SP>", text.replace("\n", "<LF>")) or "empty"
    return re.sub(r"[^ -~]", lambda found: f"<U+{ord(found[0]):04X}>", joined)
