"""Live incidents -> the key that each is declared under, or why two sources of keys disagree.

In this order: the key that the state binds, the one in a custom field, the incident's ID. The ID rather than
INC-48, because it is unique across accounts: with it a plan finds the incident whatever its number, and
incidents of two accounts never share a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from importer.account.catalogue import Found, Index, Missing, marker
from importer.model import Attribute, Binding, Catalogue, Field, Kind, Link, LiveIncident, Reference
from importer.model.errors import Refused, UsageError
from importer.model.identity import Marker
from importer.model.normalise import line
from importer.model.settings import Settings
from importer.model.wording import first_few

_KEY = re.compile(r"[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]{0,199}")
"""Keys that the schema of a file accepts and that are read back unchanged."""

_SHOWN = 5


Carrier = Marker | Attribute
"""A custom field with keys: the marker field, or one that holds bare keys."""


def carriers(catalogue: Catalogue, settings: Settings, key_field: str | None) -> tuple[Carrier, ...]:
    """Return the custom fields that may hold keys, the marker field first, as it takes precedence.

    Raises UsageError if the account does not have the `key_field`. It may lack the marker field, which may be
    meant for another account.
    """
    marked = marker(catalogue, settings)
    own = (marked,) if marked else ()
    if not key_field:
        return own
    answer = Index(catalogue).find(Reference(Kind.CUSTOM_FIELD, key_field))
    if isinstance(answer, Found):
        return (*own, Attribute(Field.CUSTOM_FIELD, answer.entity))
    nearest = answer.nearest if isinstance(answer, Missing) else ()
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else "write its name exactly"
    raise UsageError(f"the account does not have exactly one custom field '{key_field}'", hint=hint)


def keys(
    incidents: Iterable[LiveIncident], bindings: Mapping[str, Binding], carriers: Sequence[Carrier]
) -> dict[str, str]:
    """Return the key of each incident, by ID. `bindings` are the state's, by key; `carriers`, custom fields
    with keys, and the first that holds one counts.

    Raises Refused if two incidents would have the same key, or one incident two keys.
    """
    bound = {each.incident_id: each.key for each in bindings.values()}
    references = {each.incident_id: each.reference for each in bindings.values()}
    owners = {each.key: each.incident_id for each in bindings.values()}
    found: dict[str, str] = {}
    conflicts = []
    for live in incidents:
        carried = _carried(live, carriers)
        key = bound.get(live.id) or carried or live.id
        if carried and key != carried:
            conflicts.append(
                f"the state binds {live.reference} to '{key}', but its custom field holds '{carried}'"
            )
        owner = owners.setdefault(key, live.id)
        if owner != live.id:
            conflicts.append(f"'{key}' is the key of {references[owner]} and of {live.reference}")
        references[live.id] = live.reference
        found[live.id] = key
    if conflicts:
        raise Refused(
            "keys conflict: " + first_few(conflicts, _SHOWN, "; "),
            hint="correct the field in incident.io, or run `importer state forget KEY` for a wrong key",
            code="key-conflict",
        )
    return found


def _carried(live: LiveIncident, carriers: Sequence[Carrier]) -> str | None:
    """Return the first value in the custom fields that can be a key. Another namespace's is none: under it, a
    plan would not find the incident and would create it again."""
    for carrier in carriers:
        if isinstance(carrier, Marker):
            text = carrier.key(carrier.read(live) or "")
            if text and _KEY.fullmatch(text):
                return text
            continue
        match live.attributes.get(carrier):
            case str(text) | Link(url=text):
                pass
            case Decimal() as number:
                text = format(number, "f")
            case _:
                continue
        if _KEY.fullmatch(text) and line(text) == text:
            return text
    return None
