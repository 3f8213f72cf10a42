"""Values and attributes -> plain JSON and labels for a reader, with names instead of IDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

from importer.model.codec import Json, encode_moment
from importer.model.normalise import by_label
from importer.model.values import (
    Attribute,
    Attributes,
    Child,
    Entity,
    Link,
    NewOption,
    Packed,
    Reference,
    Scalar,
    StatusPageUpdate,
    Value,
    child_parts,
)

_LONGEST_NUMBER = 40


def plain(value: Value) -> Json:
    """Return a value as JSON for a reader: names instead of IDs, numbers as text, children as objects."""
    match value:
        case None:
            return None
        case tuple():
            return sorted(map(words, value))
        case _:
            return plain_parts(value) if isinstance(value, Child) else words(value)


def named(attributes: Attributes) -> dict[str, Json]:
    """Return attributes as {label: plain value}, sorted by `by_label`."""
    names = labels(attributes)
    return {names[each]: plain(attributes[each]) for each in sorted(attributes, key=by_label)}


def labels(attributes: Iterable[Attribute]) -> Mapping[Attribute, str]:
    """Return the label of each attribute; attributes with the same label also get their ID or field."""
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


def words(value: Scalar) -> str:
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
    """Return the number in full, but with its exponent if it is very long."""
    return str(number) if abs(number.adjusted()) > _LONGEST_NUMBER else format(number, "f")


def plain_parts(child: Child | StatusPageUpdate) -> dict[str, Json]:
    """Return a child's parts as JSON for a reader, named as in an incident file."""
    return {name: _part(part) for name, part in child_parts(child).items()}


def _part(part: Any) -> Json:
    match part:
        case None:
            return None
        case StatusPageUpdate():
            return plain_parts(part)
        case tuple():
            return [_part(each) for each in part]
        case Mapping():
            return {words(component): status for component, status in part.items()}
        case _:
            return words(part)
