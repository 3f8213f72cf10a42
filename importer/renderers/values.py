"""Values -> the words that people read; hides quoting, escapes, and which of a value's parts are shown.

All text comes from files and from the account, and is hostile: what could move the cursor, colour the
screen, turn the direction of writing or hide is shown as an escape.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from importer.codec import Json, encode_moment
from importer.model import (
    Attachment,
    Attribute,
    Attributes,
    Child,
    Entity,
    FollowUp,
    Link,
    Membership,
    NewOption,
    Packed,
    PostmortemDocument,
    Reference,
    Scalar,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.normalise import by_label

_UNSAFE = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 with ESC, tab and line ends; DEL; C1 with the one-byte CSI
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing, zero width
    "\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"  # line ends and marks that nobody sees
    "\ud800-\udfff"  # halves of a character, which no output can carry
    "\U000e0000-\U000e007f"  # letters without a shape
)
_UNSAFE_IN_A_LINE, _UNSAFE_IN_A_TEXT = re.compile(f"[\n{_UNSAFE}]"), re.compile(f"[{_UNSAFE}]")
_LONGEST_NUMBER = 40


def sanitised(text: str) -> str:
    """Return a text of one line in which everything unsafe is a visible escape (`\\x1b`, `\\u202e`)."""
    return _UNSAFE_IN_A_LINE.sub(_escape, text)


def lines(text: str) -> tuple[str, ...]:
    """Return a text's lines, each sanitised; only a line feed ends a line."""
    return tuple(_UNSAFE_IN_A_TEXT.sub(_escape, text).split("\n"))


def quoted(text: str) -> str:
    """Return a text in double quotes, which nothing inside it can end."""
    return '"' + sanitised(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def numbered(number: int, noun: str) -> str:
    """Return a number of things: `1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown(value: Value) -> str:
    """Return a value in one line: texts and names quoted, moments in UTC, sets in brackets by name."""
    return _line(value, lambda entity: quoted(entity.name or entity.id))


def identified(value: Value) -> str:
    """Return `shown` with the ID of each entity, for two values that only their IDs tell apart."""
    return _line(value, lambda entity: f"{quoted(entity.name)} ({sanitised(entity.id)})")


def unfolded(value: Value) -> str:
    """Return a value as it is compared line by line: a text as it is, a child with a line for each part."""
    match value:
        case str():
            return value
        case StatusPageIncident(updates=updates):
            said = (_update(each) for each in updates)
            return "\n".join([f"page: {_words(value.page)}", *said])
        case PostmortemDocument() | TimelineItem() | FollowUp() | Attachment():
            parts = _parts(value).items()
            return "\n".join(
                f"{name}: {part if isinstance(part, str) else _part(part)}" for name, part in parts
            )
        case _:
            return shown(value)


def plain(value: Value) -> Json:
    """Return a value as JSON for a reader: names instead of IDs, numbers as text, children as objects."""
    match value:
        case None:
            return None
        case tuple():
            return sorted(_words(each) for each in value)
        case str() | Decimal() | datetime() | Link() | Entity() | NewOption() | Reference() | Packed():
            return _words(value)
        case _:
            return _parts(value)


def named(attributes: Attributes) -> dict[str, Json]:
    """Return attributes as {label: plain value}, in their one order."""
    names = labels(attributes)
    return {names[each]: plain(attributes[each]) for each in sorted(attributes, key=by_label)}


def labels(attributes: Iterable[Attribute]) -> Mapping[Attribute, str]:
    """Return the label of each attribute; where two have the same, each says its ID or field too."""
    known = list(attributes)
    count = Counter(each.label for each in known)
    return {each: each.label if count[each.label] == 1 else _distinct(each) for each in known}


def _distinct(attribute: Attribute) -> str:
    match attribute.key:
        case Entity(id=identity):
            return f"{attribute.label} ({identity})"
        case Reference(by=by):
            return f"{attribute.label} (by {by})"
        case _:
            return f"{attribute.label} ({attribute.field.name.lower()})"


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
            return _words(value)
        case str() | Link() | Reference() | Packed():
            return quoted(_words(value))
        case Membership():
            return "member"
        case _:
            parts = ", ".join(f"{name} = {_part(part)}" for name, part in _parts(value).items())
            return f"{{{parts}}}" if parts else "no details"


def _update(update: StatusPageUpdate) -> str:
    components = "".join(f", {_words(thing)} {status}" for thing, status in update.components)
    return f"{encode_moment(update.at)} {update.status}{components}: {update.message}"


def _part(part: Json) -> str:
    if isinstance(part, list):
        return "[" + ", ".join(_part(each) for each in part) + "]"
    if isinstance(part, dict):
        return "{" + ", ".join(f"{sanitised(name)} = {_part(each)}" for name, each in part.items()) + "}"
    return quoted(str(part))


def _words(value: Scalar) -> str:
    match value:
        case str():
            return value
        case Decimal():
            return _digits(value)
        case datetime():
            return encode_moment(value)
        case Link(url=text) | Packed(text=text):
            return text
        case Entity(name=name, id=identity):
            return name or identity
        case NewOption(name=name) | Reference(name=name):
            return name
        case _:
            assert_never(value)


def _digits(number: Decimal) -> str:
    """Return the number as a person writes it; one of very many digits keeps its exponent."""
    return str(number) if abs(number.adjusted()) > _LONGEST_NUMBER else format(number, "f")


def _parts(child: Child) -> dict[str, Json]:
    """Return a child's parts that are set, by the words that a file uses for them."""
    match child:
        case Membership():
            parts: dict[str, Json] = {}
        case TimelineItem(at=at, description=description):
            parts = {"at": encode_moment(at), "description": description}
        case PostmortemDocument(content=content, status=status):
            parts = {"content": content, "status": status}
        case FollowUp(description=description, assignee=assignee, status=status, labels=several):
            person = None if assignee is None else _words(assignee)
            parts = {
                "description": description,
                "assignee": person,
                "status": status,
                "labels": list(several) or None,
            }
        case Attachment(resource_type=kind, url=url, external_id=external_id, title=title):
            parts = {"resource_type": kind, "url": url, "external_id": external_id, "title": title}
        case StatusPageIncident(page=page, updates=updates):
            parts = {
                "page": _words(page),
                "updates": [
                    {
                        "at": encode_moment(each.at),
                        "status": each.status,
                        "message": each.message,
                        "components": {_words(thing): status for thing, status in each.components},
                    }
                    for each in updates
                ],
            }
        case _:
            assert_never(child)
    return {name: part for name, part in parts.items() if part is not None}
