"""Live incidents -> the key that each is declared under, or why two sources of keys disagree.

In this order: the key that the state binds, the one in a custom field, the incident's ID. The ID rather than
INC-48, because it is unique across accounts: with it a plan finds the incident whatever its number, and
incidents of two accounts never share a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from importer.account.catalogue import Found, Index, Missing
from importer.model import Attribute, Binding, Catalogue, Field, Kind, Link, LiveIncident, Reference
from importer.model.errors import Refused, UsageError
from importer.model.normalise import line
from importer.model.wording import first_few

_KEY = re.compile(r"[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]{0,199}")
"""Keys that the schema of a file accepts and that are read back unchanged."""

_SHOWN = 5


def carriers(catalogue: Catalogue, marker_field: str | None, key_field: str | None) -> tuple[Attribute, ...]:
    """Return the custom fields that may hold keys, the marker field first, as it takes precedence.

    Raises UsageError if the account does not have the `key_field`. It may lack the marker field, which may be
    meant for another account.
    """
    index = Index(catalogue)
    found = []
    for name in filter(None, (marker_field, key_field)):
        answer = index.find(Reference(Kind.CUSTOM_FIELD, name))
        if isinstance(answer, Found):
            found.append(Attribute(Field.CUSTOM_FIELD, answer.entity))
        elif name == key_field:
            nearest = answer.nearest if isinstance(answer, Missing) else ()
            hint = f"did you mean {' or '.join(nearest)}?" if nearest else "write its name exactly"
            raise UsageError(f"the account does not have exactly one custom field '{name}'", hint=hint)
    return tuple(found)


def keys(
    incidents: Iterable[LiveIncident], bindings: Mapping[str, Binding], carriers: Sequence[Attribute]
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


def _carried(live: LiveIncident, carriers: Sequence[Attribute]) -> str | None:
    """Return the first value in the custom fields that can be a key."""
    for carrier in carriers:
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
