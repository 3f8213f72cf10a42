"""Values and records <-> lossless JSON, as the plan file and the ledger store it.

Text is a JSON string, None is null, a set of values is a list; anything else is an object with a `type`:

    {"type": "entity", "kind": "severity", "id": "01H...", "name": "Major"}
    {"type": "decimal", "value": "1200"}
    {"type": "moment", "value": "2023-04-12T09:14:00Z"}

A record is a dataclass: an object with one key per field, using the names and types that the class declares.
A field's metadata `json` may rename its key, or be None to leave the field out.

Equal values have equal JSON, except for the names of entities, which are for display. Empty optional parts
are left out. Reading foreign JSON raises ValueError and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

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

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

_CLASSES: Mapping[str, type[Link | Packed | NewOption | Entity | Reference | Child]] = {
    "link": Link,
    "packed": Packed,
    "new_option": NewOption,
    "entity": Entity,
    "reference": Reference,
    "membership": Membership,
    "timeline_item": TimelineItem,
    "postmortem": PostmortemDocument,
    "follow_up": FollowUp,
    "attachment": Attachment,
    "status_page_incident": StatusPageIncident,
}
_TYPES: Mapping[type, str] = {cls: name for name, cls in _CLASSES.items()}


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R", bound=Dataclass)


def encode_value(value: Value) -> Json:
    """Return a value as JSON."""
    match value:
        case None | str():
            return value
        case tuple():
            return [encode_value(each) for each in value]
        case Decimal():
            return {"type": "decimal", "value": str(value)}
        case datetime():
            return {"type": "moment", "value": encode_moment(value)}
        case _:
            return encode_record(value)


def decode_value(json: Json) -> Value:
    """Return the value from the JSON of `encode_value`. Raises ValueError for anything else."""
    match json:
        case None | str():
            return json
        case Mapping():
            return _decode_object(json)
        case bool() | int() | float():
            raise ValueError(f"expected a value, not a bare {type(json).__name__}")
        case _:
            return tuple(map(_decode_scalar, json))


def encode_record(record: Dataclass) -> dict[str, Json]:
    """Return a record as an object, with its fields in order."""
    cls = type(record)
    form: dict[str, Json] = {"type": _TYPES[cls]} if cls in _TYPES else {}
    for each in _field_codecs(cls):
        value = getattr(record, each.name)
        if value != each.default:
            form[each.key] = value if value is None or type(value) is str else each.encode(value)
    return form


def decode_record(cls: type[R], json: Json) -> R:
    """Return the record from its JSON, ignoring unknown keys. Raises ValueError for anything else."""
    form, found = _object(json), {}
    for each in _field_codecs(cls):
        if each.key in form:
            found[each.name] = each.decode(form[each.key])
        elif each.default is MISSING:
            raise ValueError(f"{each.key} is missing")
    return cls(**found)


def encode_attributes(attributes: Attributes) -> list[Json]:
    """Return [{"attribute", "value"}], always in the same order."""
    return [
        {"attribute": encode_record(attribute), "value": encode_value(attributes[attribute])}
        for attribute in sorted(attributes, key=by_label)
    ]


def decode_attributes(json: Json) -> dict[Attribute, Value]:
    """Return the mapping from the JSON of `encode_attributes`. Raises ValueError for anything else."""
    pairs = [_object(each) for each in _list(json)]
    return {
        decode_record(Attribute, pair.get("attribute")): decode_value(pair.get("value")) for pair in pairs
    }


def encode_moment(moment: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, ending in Z, with 0, 3 or 6 decimals as needed."""
    digits = "auto" if moment.microsecond % 1000 or not moment.microsecond else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=digits).replace("+00:00", "Z")


def decode_moment(text: str) -> datetime:
    """Return the instant in UTC. Raises ValueError if the text is not a datetime or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no UTC offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is out of range in UTC") from None


def _decode_scalar(json: Json) -> Scalar:
    value = decode_value(json)
    if value is None or isinstance(value, tuple | Child):
        raise ValueError("a set of values can hold only plain values")
    return value


def _decode_object(json: Mapping[str, Json]) -> Value:
    name = _text("type", json.get("type"))
    if name == "decimal":
        return _decimal(_text("value", json.get("value")))
    if name == "moment":
        return decode_moment(_text("value", json.get("value")))
    if name not in _CLASSES:
        raise ValueError(f"unknown value type {name}")
    return decode_record(_CLASSES[name], json)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} is not a number") from None
    if not value.is_finite():  # NaN is not even equal to itself
        raise ValueError(f"{value} is not a number")
    return value


@dataclass(frozen=True, slots=True)
class _FieldCodec:
    """A field that is written. If it is missing from the JSON, it has its `default`."""

    name: str
    key: str
    default: object
    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


@cache
def _field_codecs(cls: type[Dataclass]) -> tuple[_FieldCodec, ...]:
    """Return the fields of a class that are written. An empty part of a value is left out, never null."""
    hints, found = get_type_hints(cls), []
    for each in fields(cls):
        key, hint = each.metadata.get("json", each.name), hints[each.name]
        default = each.default if each.default in (None, ()) or each.default is False else MISSING
        if key is not None:
            encoder, decoder = _codec(hint, key)
            if type(None) in get_args(hint) and (default is MISSING or cls not in _TYPES):
                decoder = partial(_optional, decoder)
            found.append(_FieldCodec(each.name, key, default, encoder, decoder))
    return tuple(found)


def _codec(hint: Any, key: str) -> tuple[Callable[[Any], Json], Callable[[Json], Any]]:
    """Return the encoder and decoder for a type, without null; error messages name the `key`."""
    if hint in _NAMED_TYPES:
        return _NAMED_TYPES[hint]
    members = tuple(each for each in get_args(hint) if each is not type(None))
    if members and members[-1] is ...:
        encoder, decoder = _codec(members[0], key)
        return lambda values: list(map(encoder, values)), lambda json: tuple(map(decoder, _list(json)))
    if get_origin(hint) is tuple:
        return _encode_component, _decode_component
    if len(members) == 1:
        return _codec(members[0], key)
    if members or hint in _TYPES:
        return encode_value, partial(_one_of, members or (hint,), key)
    if isinstance(hint, type) and is_dataclass(hint):
        return encode_record, partial(decode_record, hint)
    if hint in (bool, int):
        return hint, partial(_exactly, hint, key)
    encoder, parser = (encode_moment, decode_moment) if hint is datetime else (str, hint)
    return encoder, lambda json: parser(_text(key, json))


def _optional(decoder: Callable[[Json], Any], json: Json) -> Any:
    return None if json is None else decoder(json)


def _text(key: str, json: Json) -> str:
    if not isinstance(json, str):
        raise ValueError(f"{key} is not a string")
    return json


def _exactly(cls: type, key: str, json: Json) -> Json:
    if type(json) is not cls:
        raise ValueError(f"{key} is not of type {cls.__name__}")
    return json


def _one_of(classes: tuple[type, ...], key: str, json: Json) -> Value:
    value = decode_value(json)
    if not isinstance(value, classes):
        raise ValueError(f"{key} is not one of {', '.join(_TYPES.get(each, 'text') for each in classes)}")
    return value


def _object(json: Json) -> Mapping[str, Json]:
    if not isinstance(json, Mapping):
        raise ValueError("expected an object")
    return json


def _list(json: Json) -> Sequence[Json]:
    if not isinstance(json, list | tuple):
        raise ValueError("expected a list")
    return json


def _encode_component(pair: tuple[Reference | Entity, str]) -> Json:
    """Return a status page component and its status as JSON."""
    return {"component": encode_value(pair[0]), "status": pair[1]}


def _decode_component(json: Json) -> tuple[Value, str]:
    pair = _object(json)
    component = _one_of((Reference, Entity), "component", pair.get("component"))
    return component, _text("status", pair.get("status"))


_NAMED_TYPES: Mapping[Any, tuple[Callable[[Any], Json], Callable[[Json], Any]]] = {
    Value: (encode_value, decode_value),
    Attributes: (encode_attributes, decode_attributes),
}
