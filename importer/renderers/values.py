"""Values -> the words that people read; hides quoting, escapes, and which of a value's parts are shown.

All text comes from files and from the account, and is hostile: what could move the cursor, colour the
screen, turn the direction of writing or hide is shown as an escape.
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
    "\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"  # line ends and marks that nobody sees
    "\ud800-\udfff"  # halves of a character, which no output can carry
    "\U000e0000-\U000e007f"  # letters without a shape
)
_UNSAFE_IN_A_LINE, _UNSAFE_IN_A_TEXT = re.compile(f"[\n{_UNSAFE}]"), re.compile(f"[{_UNSAFE}]")


def sanitised(text: str) -> str:
    """Return a text of one line in which everything unsafe is a visible escape (`\\x1b`, `\\u202e`)."""
    return _UNSAFE_IN_A_LINE.sub(_escape, text)


def sanitised_lines(text: str) -> tuple[str, ...]:
    """Return a text's lines, each sanitised; only a line feed ends a line."""
    return tuple(_UNSAFE_IN_A_TEXT.sub(_escape, text).split("\n"))


def quoted(text: str) -> str:
    """Return a text in double quotes, which nothing inside it can end."""
    return '"' + sanitised(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def shown(value: Value) -> str:
    """Return a value in one line: texts and names quoted, moments in UTC, sets in brackets by name."""
    return _line(value, lambda entity: quoted(entity.name or entity.id))


def identified(value: Value) -> str:
    """Return `shown` with the ID of each entity, for two values that only their IDs tell apart."""
    return _line(value, lambda entity: f"{quoted(entity.name)} ({sanitised(entity.id)})")


def unfolded(value: Value) -> str:
    """Return a value as it is compared line by line: a text as it is, a child with a line for each part."""
    if isinstance(value, str):
        return value
    if isinstance(value, StatusPageIncident):
        return "\n".join([f"page: {words(value.page)}", *map(_update, value.updates)])
    if not isinstance(value, Child) or isinstance(value, Membership):
        return shown(value)
    parts = plain_parts(value).items()
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
    components = "".join(f", {words(thing)} {status}" for thing, status in update.components)
    return f"{encode_moment(update.at)} {update.status}{components}: {update.message}"


def _part(part: Json) -> str:
    if isinstance(part, list):
        return "[" + ", ".join(_part(each) for each in part) + "]"
    if isinstance(part, dict):
        return "{" + ", ".join(f"{sanitised(name)} = {_part(each)}" for name, each in part.items()) + "}"
    return quoted(str(part))
