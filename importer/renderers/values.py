"""Values -> text for people; hides quoting, escaping, and which parts of a value are shown.

All text comes from files and from the account, and may be hostile: characters that could move the cursor,
colour the screen, change the direction of writing or be invisible are shown as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from importer.model import (
    Child,
    Entity,
    Link,
    Membership,
    NewOption,
    Packed,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    Value,
)
from importer.model.codec import Json, encode_moment
from importer.model.plain import plain_parts, words

_UNSAFE = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 with ESC, tab and line ends; DEL; C1 with the one-byte CSI
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing, zero width
    "\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"  # line ends and invisible marks
    "\ud800-\udfff"  # surrogates, which cannot be encoded
    "\U000e0000-\U000e007f"  # invisible letters
)
_UNSAFE_IN_A_LINE, _UNSAFE_IN_A_TEXT = re.compile(f"[\n{_UNSAFE}]"), re.compile(f"[{_UNSAFE}]")


def sanitised(text: str) -> str:
    """Return a text in one line, with everything unsafe escaped (`\\x1b`, `\\u202e`)."""
    return _UNSAFE_IN_A_LINE.sub(_escape, text)


def sanitised_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each sanitised. Only a line feed ends a line."""
    return tuple(_UNSAFE_IN_A_TEXT.sub(_escape, text).split("\n"))


def quoted(text: str) -> str:
    """Return a text in double quotes, with quotes inside it escaped."""
    return '"' + sanitised(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def shown(value: Value) -> str:
    """Return a value in one line: texts and names quoted, times in UTC, sets in brackets, sorted."""
    return _line(value, lambda entity: quoted(entity.name or entity.id))


def identified(value: Value) -> str:
    """Return a value like `shown`, with the ID of each entity, for values that differ only in their IDs."""
    return _line(value, lambda entity: f"{quoted(entity.name)} ({sanitised(entity.id)})")


def unfolded(value: Value, other: Value = None) -> str:
    """Return a value as lines to compare: a text as it is, a child with one line per part. With the `other`
    child that it becomes, the parts that this one leaves out are left out: they stay as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, StatusPageIncident):
        head = [f"page: {words(value.page)}", f"name: {value.name}"]
        return "\n".join([*head, *map(_update, value.updates)])
    if not isinstance(value, Child) or isinstance(value, Membership):
        return shown(value)
    kept = plain_parts(other) if type(other) is type(value) else None
    parts = [(name, part) for name, part in plain_parts(value).items() if kept is None or name in kept]
    return "\n".join(f"{name}: {part if isinstance(part, str) else _part(part)}" for name, part in parts)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def _line(value: Value, entity: Callable[[Entity], str]) -> str:
    match value:
        case None:
            return "null"
        case tuple():
            return "[" + ", ".join(sorted(_line(each, entity) for each in value)) + "]"
        case Entity():
            return entity(value)
        case NewOption(name=name):
            return f"{quoted(name)} (new option)"
        case Decimal() | datetime():
            return words(value)
        case str() | Link() | Reference() | Packed():
            return quoted(words(value))
        case _:
            return _child(value)


def _child(child: Child) -> str:
    if isinstance(child, Membership):
        return "member"
    parts = plain_parts(child)
    return _part(parts) if parts else "no details"


def _update(update: StatusPageUpdate) -> str:
    components = "".join(f", {words(component)} {status}" for component, status in update.components)
    return f"{encode_moment(update.at)} {update.status}{components}: {update.message}"


def _part(part: Json) -> str:
    if isinstance(part, list):
        return "[" + ", ".join(_part(each) for each in part) + "]"
    if isinstance(part, dict):
        return "{" + ", ".join(f"{sanitised(name)} = {_part(each)}" for name, each in part.items()) + "}"
    return "null" if part is None else quoted(str(part))
