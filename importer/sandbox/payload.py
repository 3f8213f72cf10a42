"""Turn the JSON of a request body into the part with the right shape, and problems with the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from importer.sandbox import moments
from importer.sandbox.problems import Problem, invalid, required


@dataclass(frozen=True, slots=True)
class Text:
    """A string: one of `choices`, if given, and of at most `longest` characters."""

    choices: tuple[str, ...] = ()
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A 64-bit integer."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, 0 or more."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An RFC 3339 string with an offset."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array; items of a wrong shape become None, so that the others keep their position."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Record:
    """An object. `name` is the Go struct in messages. Unknown properties are ignored, and nulls too, except
    of properties in `clearable`."""

    name: str
    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    clearable: frozenset[str] = frozenset()


Shape = Text | Whole | Amount | Truth | Moment | ListOf | Record

_GO_TYPES: dict[type, str] = {
    Text: "string",
    Whole: "int64",
    Amount: "float64",
    Truth: "bool",
    Moment: "string",
    ListOf: "[]",
}


def read(shape: Record, value: Any) -> tuple[dict[str, Any], list[Problem]]:
    """Return the properties of `value` that fit `shape`, and a problem for each that does not."""
    if not isinstance(value, dict):
        return {}, [invalid("", f"json: cannot unmarshal {_kind(value)} into Go value of type {shape.name}")]
    return _read_record(shape, value, "")


def _read_record(shape: Record, value: dict[str, Any], path: str) -> tuple[dict[str, Any], list[Problem]]:
    clean: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, inner in chain(shape.required.items(), shape.optional.items()):
        where = f"{path}.{name}" if path else name
        given = value.get(name)
        if given is None:
            if name in shape.required:
                problems.append(required(where))
            elif name in shape.clearable and name in value:
                clean[name] = None
            continue
        if given == "" and name in shape.required:
            problems.append(required(where, f"{where} must not be blank"))
            continue
        read_value, found = _read(inner, given, where, f"{shape.name}.{name}")
        problems += found
        if read_value is not None:
            clean[name] = read_value
    return clean, problems


def _read(shape: Shape, value: Any, path: str, owner: str) -> tuple[Any, list[Problem]]:
    match shape:
        case Text() if isinstance(value, str):
            return _read_text(shape, value, path)
        case Moment() if isinstance(value, str):
            return _read_moment(value, path)
        case ListOf() if isinstance(value, list):
            return _read_list(shape, value, path, owner)
        case Record() if isinstance(value, dict):
            return _read_record(shape, value, path)
        case Whole() if _is_int64(value):
            return value, []
        case Amount() if _is_amount(value):
            return float(value), []
        case Truth() if isinstance(value, bool):
            return value, []
        case _:
            return None, [invalid(path, _go_message(shape, value, owner))]


def _read_text(shape: Text, value: str, path: str) -> tuple[str | None, list[Problem]]:
    if shape.choices and value not in shape.choices:
        return None, [invalid(path, f"{path} must be one of: {', '.join(shape.choices)}")]
    if shape.longest is not None and len(value) > shape.longest:
        return None, [invalid(path, f"{path} must have at most {shape.longest} characters")]
    return value, []


def _read_moment(value: str, path: str) -> tuple[int | None, list[Problem]]:
    try:
        return moments.from_text(value), []
    except (ValueError, OverflowError):
        return None, [invalid(path, f'parsing time "{value}" as RFC3339: cannot parse')]


def _read_list(shape: ListOf, value: list[Any], path: str, owner: str) -> tuple[list[Any], list[Problem]]:
    clean: list[Any] = []
    problems: list[Problem] = []
    for place, item in enumerate(value):
        read_item, found = _read(shape.item, item, f"{path}.{place}", owner)
        clean.append(read_item)
        problems += found
    return clean, problems


def _is_int64(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _go_message(shape: Shape, value: Any, owner: str) -> str:
    wanted = shape.name if isinstance(shape, Record) else _GO_TYPES[type(shape)]
    return f"json: cannot unmarshal {_kind(value)} into Go struct field {owner} of type {wanted}"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"
