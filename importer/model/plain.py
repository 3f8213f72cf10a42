"""Values and attributes -> what a reader sees of them: names instead of IDs, labels, plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from importer.model.codec import Json, encode_moment
from importer.model.normalise import by_label
from importer.model.values import (
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
    TimelineItem,
    Value,
)

_LONGEST_NUMBER = 40


def plain(value: Value) -> Json:
    """Return a value as JSON for a reader: names instead of IDs, numbers as text, children as objects."""
    match value:
        case None:
            return None
        case tuple():
            return sorted(words(each) for each in value)
        case str() | Decimal() | datetime() | Link() | Entity() | NewOption() | Reference() | Packed():
            return words(value)
        case _:
            return parts(value)


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
    """Return the number as a person writes it; one of very many digits keeps its exponent."""
    return str(number) if abs(number.adjusted()) > _LONGEST_NUMBER else format(number, "f")


def parts(child: Child) -> dict[str, Json]:
    """Return a child's parts that are set, by the words that a file uses for them."""
    match child:
        case Membership():
            told: dict[str, Json] = {}
        case TimelineItem(at=at, description=description):
            told = {"at": encode_moment(at), "description": description}
        case PostmortemDocument(content=content, status=status):
            told = {"content": content, "status": status}
        case FollowUp(description=description, assignee=assignee, status=status, labels=several):
            person = None if assignee is None else words(assignee)
            told = {
                "description": description,
                "assignee": person,
                "status": status,
                "labels": list(several) or None,
            }
        case Attachment(resource_type=kind, url=url, external_id=external_id, title=title):
            told = {"resource_type": kind, "url": url, "external_id": external_id, "title": title}
        case StatusPageIncident(page=page, updates=updates):
            told = {
                "page": words(page),
                "updates": [
                    {
                        "at": encode_moment(each.at),
                        "status": each.status,
                        "message": each.message,
                        "components": {words(thing): status for thing, status in each.components},
                    }
                    for each in updates
                ],
            }
        case _:
            assert_never(child)
    return {name: part for name, part in told.items() if part is not None}
