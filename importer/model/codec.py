"""Values and attributes -> JSON that loses nothing, and back; what the plan file and the ledger keep.

A text is a JSON string, None is null, a set of values is a list; all else is an object whose `type` names it:

    {"type": "entity", "kind": "severity", "id": "01H...", "name": "Major"}
    {"type": "decimal", "value": "1200"}
    {"type": "moment", "value": "2023-04-12T09:14:00Z"}

Equal values have equal JSON, except for the names of entities, which are for people. An optional part that is
None is left out. Reading raises ValueError, and nothing else, for JSON that this module did not write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, assert_never

from importer.model.normalise import by_label
from importer.model.values import (
    Attachment,
    Attribute,
    Attributes,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
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

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


def encode(value: Value) -> Json:
    """Return a value's JSON form."""
    match value:
        case None:
            return None
        case tuple():
            return [_encode_scalar(each) for each in value]
        case _:
            return _encode_child(value) if isinstance(value, Child) else _encode_scalar(value)


def decode(json: Json) -> Value:
    """Return the value that `encode` was given. Raises ValueError for anything else."""
    match json:
        case None | str():
            return json
        case Mapping():
            return _Parts(json).build()
        case bool() | int() | float():
            raise ValueError(f"a value is not a bare {type(json).__name__}")
        case _:
            return tuple(_decode_scalar(each) for each in json)


def encode_attribute(attribute: Attribute) -> Json:
    """Return {"field", "key"}; an attribute without a key has no `key`."""
    key = {} if attribute.key is None else {"key": encode(attribute.key)}
    return {"field": attribute.field.value, **key}


def decode_attribute(json: Json) -> Attribute:
    """Return the attribute that `encode_attribute` was given. Raises ValueError for anything else."""
    parts = _Parts.of(json)
    key = decode(parts.fields.get("key"))
    if not isinstance(key, str | Reference | Entity | None):
        raise ValueError("an attribute's key is a text, a reference or an entity")
    return Attribute(Field(parts.text("field")), key)


def encode_attributes(attributes: Attributes) -> list[Json]:
    """Return [{"attribute", "value"}] in one order, whatever the mapping's was."""
    return [
        {"attribute": encode_attribute(attribute), "value": encode(attributes[attribute])}
        for attribute in sorted(attributes, key=by_label)
    ]


def decode_attributes(json: Json) -> dict[Attribute, Value]:
    """Return the mapping that `encode_attributes` was given. Raises ValueError for anything else."""
    pairs = [_Parts.of(each) for each in _listed(json)]
    return {
        decode_attribute(pair.fields.get("attribute")): decode(pair.fields.get("value")) for pair in pairs
    }


def encode_moment(moment: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, ending in Z, with as many digits as it needs: 0, 3 or 6."""
    digits = "auto" if moment.microsecond % 1000 or not moment.microsecond else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=digits).replace("+00:00", "Z")


def decode_moment(text: str) -> datetime:
    """Return the instant in UTC. Raises ValueError for a text that is none or that has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def _encode_scalar(scalar: Scalar) -> Json:
    match scalar:
        case str():
            return scalar
        case Decimal():
            return {"type": "decimal", "value": str(scalar)}
        case datetime():
            return {"type": "moment", "value": encode_moment(scalar)}
        case Link(url=url):
            return {"type": "link", "url": url}
        case Packed(text=text):
            return {"type": "packed", "text": text}
        case NewOption(custom_field=custom_field, name=name):
            return {"type": "new_option", "custom_field": _encode_scalar(custom_field), "name": name}
        case Entity(kind=kind, id=identity, name=name):
            return {"type": "entity", "kind": kind.value, "id": identity, "name": name}
        case Reference(kind=kind, name=name, by=by):
            return {"type": "reference", "kind": kind.value, "name": name, "by": by}
        case _:
            assert_never(scalar)


def _encode_child(child: Child) -> Json:
    match child:
        case Membership():
            return {"type": "membership"}
        case TimelineItem(at=at, description=description):
            return _object("timeline_item", at=encode_moment(at), description=description)
        case PostmortemDocument(content=content, status=status):
            return _object("postmortem", content=content, status=status)
        case FollowUp(description=text, assignee=assignee, status=status, labels=labels, title=title):
            person = encode(assignee)
            several = list(labels) or None
            return _object(
                "follow_up", description=text, assignee=person, status=status, labels=several, title=title
            )
        case Attachment(resource_type=kind, url=url, external_id=external_id, title=title):
            return _object("attachment", resource_type=kind, url=url, external_id=external_id, title=title)
        case StatusPageIncident(page=page, updates=updates):
            return _object(
                "status_page_incident", page=encode(page), updates=[_encode_update(each) for each in updates]
            )
        case _:
            assert_never(child)


def _encode_update(update: StatusPageUpdate) -> Json:
    components = [
        {"component": encode(component), "status": status} for component, status in update.components
    ]
    return {
        "at": encode_moment(update.at),
        "status": update.status,
        "message": update.message,
        "components": components,
    }


def _object(type_: str, **parts: Json) -> Json:
    return {"type": type_} | {name: part for name, part in parts.items() if part is not None}


def _listed(json: Json) -> Sequence[Json]:
    if not isinstance(json, list | tuple):
        raise ValueError("a list is missing")
    return json


def _decode_scalar(json: Json) -> Scalar:
    value = decode(json)
    if value is None or isinstance(value, tuple | Child):
        raise ValueError("a set of values holds plain values only")
    return value


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a JSON object, each read as the type that it must have."""

    fields: Mapping[str, Json]

    @classmethod
    def of(cls, json: Json) -> _Parts:
        if not isinstance(json, Mapping):
            raise ValueError("an object is missing")
        return cls(json)

    def build(self) -> Value:
        name = self.text("type")
        builder = _BUILDERS.get(name)
        if builder is None:
            raise ValueError(f"{name} is no type of value")
        return builder(self)

    def text(self, name: str) -> str:
        part = self.fields.get(name)
        if not isinstance(part, str):
            raise ValueError(f"{name} is not a text")
        return part

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self.fields else None

    def moment(self, name: str) -> datetime:
        return decode_moment(self.text(name))

    def entity(self, name: str) -> Entity:
        value = decode(self.fields.get(name))
        if not isinstance(value, Entity):
            raise ValueError(f"{name} is not an entity")
        return value

    def thing(self, name: str) -> Reference | Entity:
        value = decode(self.fields.get(name))
        if not isinstance(value, Reference | Entity):
            raise ValueError(f"{name} is neither an entity nor a reference")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        texts = tuple(each for each in _listed(self.fields.get(name, [])) if isinstance(each, str))
        if len(texts) != len(_listed(self.fields.get(name, []))):
            raise ValueError(f"{name} is not a list of texts")
        return texts

    def parts(self, name: str) -> list[_Parts]:
        return [_Parts.of(each) for each in _listed(self.fields.get(name))]


def _decimal(parts: _Parts) -> Decimal:
    try:
        value = Decimal(parts.text("value"))
    except InvalidOperation:
        raise ValueError(f"{parts.text('value')} is not a number") from None
    if not value.is_finite():  # NaN is not even equal to itself
        raise ValueError(f"{value} is not a number")
    return value


def _follow_up(parts: _Parts) -> FollowUp:
    return FollowUp(
        description=parts.optional("description"),
        assignee=parts.thing("assignee") if "assignee" in parts.fields else None,
        status=parts.optional("status"),
        labels=parts.texts("labels"),
        title=parts.optional("title"),
    )


def _attachment(parts: _Parts) -> Attachment:
    return Attachment(
        resource_type=parts.text("resource_type"),
        url=parts.optional("url"),
        external_id=parts.optional("external_id"),
        title=parts.optional("title"),
    )


def _update(parts: _Parts) -> StatusPageUpdate:
    return StatusPageUpdate(
        at=parts.moment("at"),
        status=parts.text("status"),
        message=parts.text("message"),
        components=tuple(
            (pair.thing("component"), pair.text("status")) for pair in parts.parts("components")
        ),
    )


_BUILDERS: Mapping[str, Callable[[_Parts], Value]] = {
    "decimal": _decimal,
    "moment": lambda parts: parts.moment("value"),
    "link": lambda parts: Link(parts.text("url")),
    "packed": lambda parts: Packed(parts.text("text")),
    "new_option": lambda parts: NewOption(parts.entity("custom_field"), parts.text("name")),
    "entity": lambda parts: Entity(Kind(parts.text("kind")), parts.text("id"), parts.text("name")),
    "reference": lambda parts: Reference(Kind(parts.text("kind")), parts.text("name"), parts.text("by")),
    "membership": lambda parts: Membership(),  # noqa: ARG005 - it has no parts
    "timeline_item": lambda parts: TimelineItem(parts.moment("at"), parts.optional("description")),
    "postmortem": lambda parts: PostmortemDocument(parts.text("content"), parts.optional("status")),
    "follow_up": _follow_up,
    "attachment": _attachment,
    "status_page_incident": lambda parts: StatusPageIncident(
        parts.thing("page"), tuple(_update(each) for each in parts.parts("updates"))
    ),
}
