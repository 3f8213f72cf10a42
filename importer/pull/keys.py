"""Live incidents -> the key that each is declared under, or why two words about it do not agree.

In this order: the key that the state binds, the one that a custom field carries, the incident's ID. The ID
and not INC-48, because no other account has it: a plan knows by it that the incident is there, whatever its
number, and incidents of two accounts never meet under one key.
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
"""What the schema of a file takes as a key, and gives back as it is."""

_SHOWN = 5


def carriers(catalogue: Catalogue, marker_field: str | None, key_field: str | None) -> tuple[Attribute, ...]:
    """Return the custom fields that may have keys, the marker field first: what it says is settled.

    Raises UsageError where the account does not have the `key_field`. The marker field may be for another
    account.
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
            raise UsageError(f"the account has no one custom field '{name}'", hint=hint)
    return tuple(found)


def keys(
    incidents: Iterable[LiveIncident], bindings: Mapping[str, Binding], carriers: Sequence[Attribute]
) -> dict[str, str]:
    """Return the key of each incident, by ID. `bindings` are those of the state, by key; of the `carriers`,
    custom fields with keys, the first one that has a value is taken.

    Raises Refused where a key would be that of two incidents, or an incident would have two keys.
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
            conflicts.append(f"the state binds {live.reference} to '{key}', and it carries '{carried}'")
        owner = owners.setdefault(key, live.id)
        if owner != live.id:
            conflicts.append(f"'{key}' is the key of {references[owner]} and of {live.reference}")
        references[live.id] = live.reference
        found[live.id] = key
    if conflicts:
        raise Refused(
            "keys are not certain: " + first_few(conflicts, _SHOWN, "; "),
            hint="correct the field in incident.io, or `importer state forget` what is wrong in the state",
            code="key-conflict",
        )
    return found


def _carried(live: LiveIncident, carriers: Sequence[Attribute]) -> str | None:
    """Return the first value of the carriers that can be a key."""
    for carrier in carriers:
        match live.attributes.get(carrier):
            case str(word) | Link(url=word):
                pass
            case Decimal() as number:
                word = format(number, "f")
            case _:
                continue
        if _KEY.fullmatch(word) and line(word) == word:
            return word
    return None
