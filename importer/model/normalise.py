"""Text, times, numbers and sets -> their normal form, for values from files and from the API alike.

Normalised values are the same if and only if they are `==`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from importer.model.values import Attribute, Entity, Field, Link, NewOption, Packed, Reference, Scalar

_PLACES = {field: place for place, field in enumerate(Field)}


def text(raw: str) -> str | None:
    """Return NFC text with LF line ends and no trailing white space, or None if it is empty.

    White space at the end of a line stays, since it is a line break in Markdown; `differences` ignores it.
    """
    lines = raw.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", lines).rstrip() or None


def line(raw: str) -> str:
    """Return a name or title in NFC, without surrounding white space."""
    stripped = raw.strip()
    return stripped if stripped.isascii() else unicodedata.normalize("NFC", stripped)


def to_utc(aware: datetime) -> datetime:
    """Return the instant in UTC, truncated to milliseconds, the precision of the API."""
    utc = aware.astimezone(UTC)
    finer = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - finer) if finer else utc


def number(raw: str) -> Decimal:
    """Return the number without trailing zeros, so that 1200 equals 1200.0.

    Raises ArithmeticError if it is not a finite number or is too large.
    """
    value = Decimal(raw.strip())
    if not value.is_finite():
        raise InvalidOperation(raw)
    return value.normalize() + 0


def folded(name: str) -> str:
    """Return a name for comparison that ignores case, spacing and Unicode form. Case folding can decompose
    letters, so the result is composed again."""
    words = unicodedata.normalize("NFKC", name).casefold().split()
    return unicodedata.normalize("NFKC", "".join(words))


def several(values: Iterable[Scalar]) -> tuple[Scalar, ...] | None:
    """Return a set of values, sorted and without duplicates, or None if it is empty."""
    unique = {_order(value): value for value in values}
    return tuple(unique[order] for order in sorted(unique)) or None


def by_label(attribute: Attribute) -> tuple[int, str, str]:
    """Return the sort key of an attribute for every output: the order of `Field`, then label, then ID."""
    identity = attribute.key.id if isinstance(attribute.key, Entity) else ""
    return (_PLACES[attribute.field], attribute.label, identity)


def _order(value: Scalar) -> tuple[str, str]:
    match value:
        case str():
            return ("", value)
        case Entity(kind=kind, id=identity):
            return (kind.value, identity)
        case Reference(name=name, by=by):
            return (f"~{by}", name)
        case NewOption(name=name):
            return ("new", name)
        case Link(url=url):
            return ("link", url)
        case Packed(text=packed):
            return ("packed", packed)
        case datetime():
            return ("moment", value.isoformat())
        case _:
            return ("", str(value))
