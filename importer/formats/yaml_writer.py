"""Incidents before resolving -> the YAML of an incident file, which loads to the same incidents.

Written for review: the order of incidents and fields is fixed, long text is in blocks, and text that other
YAML readers would take for a number, a date or a boolean is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from importer.model import (
    Attachment,
    Attribute,
    Child,
    Field,
    Incident,
    Packed,
    PostmortemDocument,
    Reference,
    StatusPageUpdate,
    Value,
)
from importer.model.values import child_parts

MODELINE = "# yaml-language-server: $schema="
_LAST = datetime.max.replace(tzinfo=UTC)

_LONG = 80
"""Characters from which a one-line text that would need quotes is written as a block."""
_LONGEST_KEY = 500
"""Characters, quotes included, of a key before a colon; YAML's limit is 1024."""
_LONGEST_PLAIN = 100_000
"""Characters of a text without quotes: checking a longer one would take a lot of memory."""
_SWITCHES = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_PLAIN = re.compile(r"[^\W\d_](?:[^\W_]|[ _.,;/()@+=<>!?&%$*'\"|~\[\]{}#:-])*")
_NOT_PLAIN = re.compile(r": | #|[ :]$")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What YAML does not allow or reads as the end of a line, and what changes the direction of writing, which
could mislead a reviewer."""
_ESCAPED = re.compile(rf'["\\\n\t]|{_UNPRINTABLE.pattern}')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_POSITIONS = {"at": 0, "page": 0, "content": 2}
"""Parts of a child before its title (0) and after all the others (2), which are 1."""
_NUMBERED = re.compile(r"(.*) #([0-9]{1,4})", re.DOTALL)

Node = str | int | datetime | None | Sequence["Node"] | Mapping[str, "Node"]


def to_yaml(incidents: Iterable[Incident], *, schema: str) -> str:
    """Return a file that declares the incidents, oldest first; `schema` is the path or URL for editors.

    A Packed value is written as its text: only in a table may a cell hold several values.
    """
    entries = [_entry(each) for each in sorted(incidents, key=_age)]
    head = "incidents:" if entries else "incidents: []"
    return "\n".join([f"{MODELINE}{schema}", head, *(line for each in entries for line in each), ""])


def scalar(value: Node) -> str:
    """Return a value on one line, quoted if a reader would take it for another type."""
    match value:
        case None:
            return "null"
        case datetime():
            return _moment(value)
        case str() if not _is_plain(value):
            return f'"{_ESCAPED.sub(_escaped, value)}"'
        case _:
            return str(value)


def _age(incident: Incident) -> tuple[datetime, str]:
    return (incident.began or _LAST, incident.key)


def _entry(incident: Incident) -> list[str]:
    return list(_indented(_items([_incident(incident)])))


def _incident(incident: Incident) -> dict[str, Node]:
    parts: dict[str, Node] = {"key": incident.key, "external_id": incident.external_id}
    parts = {name: value for name, value in parts.items() if value is not None}
    by_field: dict[Field, list[tuple[Attribute, Value]]] = {}
    for attribute, value in incident.attributes.items():
        by_field.setdefault(attribute.field, []).append((attribute, value))
    for field in (each for each in Field if each in by_field):
        name = "postmortem" if field is Field.POSTMORTEM_URL else field.value
        parts[name] = _field(field, by_field[field])
    if incident.idempotency_key is not None:
        parts["idempotency_key"] = incident.idempotency_key
    return parts


def _field(field: Field, pairs: Sequence[tuple[Attribute, Value]]) -> Node:
    """Return the node of a field, with all of its keys or children."""
    value = pairs[0][1]
    match field:
        case Field.TIMESTAMP:
            return {_name(each): _value(at) for each, at in sorted(pairs, key=_moment_first)}
        case Field.ROLE | Field.CUSTOM_FIELD:
            return {
                _name(each): _value(value) for each, value in sorted(pairs, key=lambda pair: _name(pair[0]))
            }
        case Field.POSTMORTEM_URL:
            return {"url": _value(value)}
        case Field.MEMBER:
            return [_reference(cast(Reference, each.key)) for each, _ in pairs]
        case Field.POSTMORTEM | Field.STATUS_PAGE:
            title = value.title if isinstance(value, PostmortemDocument) else None
            return _child(title or "", cast(Child, value))
        case Field.TIMELINE | Field.FOLLOW_UP | Field.ATTACHMENT:
            titles = _titles([str(each.key) for each, _ in pairs])
            return [_child(title, cast(Child, each)) for title, (_, each) in zip(titles, pairs, strict=True)]
        case _:
            return _value(value)


def _name(attribute: Attribute) -> str:
    return cast(Reference, attribute.key).name


def _moment_first(pair: tuple[Attribute, Value]) -> tuple[datetime, str]:
    attribute, value = pair
    return (value if isinstance(value, datetime) else _LAST, _name(attribute))


def _titles(keys: Sequence[str]) -> Iterator[str]:
    """Yield the titles of children from their keys, in which the second of equal titles is `title #2`."""
    seen: set[str] = set()
    for key in keys:
        match = _NUMBERED.fullmatch(key)
        title = match[1] if match else key
        number = int(match[2]) if match else 1
        before = {title, *(f"{title} #{each}" for each in range(2, number))}
        yield title if number > 1 and key == f"{title} #{number}" and before <= seen else key
        seen.add(key)


def _child(title: str, child: Child) -> Node:
    parts = _non_empty_parts(child)
    if title and not isinstance(child, Attachment):
        parts = {"title": title, **parts}
    return {name: parts[name] for name in sorted(parts, key=lambda name: _POSITIONS.get(name, 1))}


def _non_empty_parts(child: Child | StatusPageUpdate) -> dict[str, Node]:
    """Return the parts that are not empty."""
    return {name: node for name, part in child_parts(child).items() if (node := _part(part))}


def _part(part: Any) -> Node:
    match part:
        case StatusPageUpdate():
            return _non_empty_parts(part)
        case tuple():
            return [_part(each) for each in part]
        case Mapping():
            return {each.name: status for each, status in part.items()}
        case _:
            return _value(part)


def _value(value: Value) -> Node:
    match value:
        case Reference():
            return _reference(value)
        case tuple():
            return [_value(each) for each in value]
        case Packed(text=text):
            return text
        case _:
            return cast(Node, value)


def _reference(reference: Reference) -> Node:
    return reference.name if reference.by == "name" else {reference.by: reference.name}


def _items(items: Sequence[Node]) -> Iterator[str]:
    """Yield the lines of a list."""
    for item in items:
        if isinstance(item, Mapping):
            first, *rest = _pairs(item)
            yield f"- {first}"
            yield from _indented(rest)
        else:
            yield f"- {scalar(item)}"


def _pairs(pairs: Mapping[str, Node]) -> Iterator[str]:
    """Yield the lines of a mapping."""
    for name, value in pairs.items():
        written = scalar(name)
        head = f"{written}:" if len(written) <= _LONGEST_KEY else f"? {written}\n:"
        lines: Iterable[str]
        match value:
            case Mapping():
                lines = _indented(_pairs(value))
            case str() if _needs_block(value):
                head += f" {_block_mark(value)}"
                lines = _indented(value.split("\n"))
            case None | str() | int() | datetime():
                head += f" {scalar(value)}"
                lines = ()
            case _:
                lines = _indented(_items(value))
        yield from head.split("\n")
        yield from lines


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" if line else "" for line in lines)


def _needs_block(text: str) -> bool:
    """Whether a text is long, and a block can hold all of its characters unchanged."""
    is_long = "\n" in text or (len(text) > _LONG and not _is_plain(text))
    return is_long and not text[-1].isspace() and _UNPRINTABLE.search(text) is None


def _block_mark(text: str) -> str:
    """Return the header of a block, with the indentation if its first line begins with a space."""
    return "|2-" if text[0].isspace() else "|-"


def _moment(at: datetime) -> str:
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _is_plain(text: str) -> bool:
    """Whether a text without quotes is the same text for every reader of YAML."""
    return (
        len(text) <= _LONGEST_PLAIN
        and _PLAIN.fullmatch(text) is not None
        and _NOT_PLAIN.search(text) is None
        and text.casefold() not in _SWITCHES
    )


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
