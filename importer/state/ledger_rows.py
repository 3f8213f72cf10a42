"""What the ledger knows <-> the rows of its tables."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from importer.model import Attribute, Binding, Entity, Remembered, Value
from importer.model.codec import Json, decode, encode, encode_attribute
from importer.state.ledger_file import Row

SENT: Final = "sent"
CONFIRMED: Final = "confirmed"

SENT_WITH: Final = "SELECT key, idempotency_key, content FROM entry WHERE step = ? AND status = ?"

_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def binding_of(row: Row) -> Binding:
    key, incident_id, reference, settled = row
    return Binding(key, incident_id, reference, bool(settled))


def field_row(key: str, attribute: Attribute, declared: Value, answered: Value) -> tuple[str | None, ...]:
    slot, name = _named(attribute, attribute.label)
    return (
        key,
        slot,
        name,
        _text(encode(declared)),
        None if answered == declared else _text(encode(answered)),
    )


@lru_cache(maxsize=1000)
def _named(attribute: Attribute, label: str) -> tuple[str, str]:
    """Return an attribute's place among those of its key, and its JSON. The same few come with every
    incident; equal ones may have another label since their thing was renamed."""
    known_as = attribute.key.id if isinstance(attribute.key, Entity) else label
    return f"{attribute.field}:{known_as}", _text(encode_attribute(attribute))


def remembered_of(declared: str, answered: str | None) -> Remembered:
    kept = decode(json.loads(declared))
    return Remembered(kept, kept if answered is None else decode(json.loads(answered)))


def _text(value: Json) -> str:
    """Return JSON in ASCII: SQLite takes no lone surrogate, which an answer may hold."""
    return _JSON.encode(value)
