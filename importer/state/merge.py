"""The states of two machines for one account -> their union, or an error if they contradict. Pure.

Nothing is lost: a binding never moves to another incident, and an unanswered creation stays until its
incident is known. If both states bind a key, the later values win, and values known only to one of them are
kept, so that no child is created again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from importer.model import Account, Attribute, Binding, Field, Remembered, Unanswered
from importer.model.errors import Refused
from importer.model.wording import first_few

_VISIBILITY = Attribute(Field.VISIBILITY)
_SHOWN_CONFLICTS = 3


@dataclass(frozen=True, slots=True)
class BoundIncident:
    """A binding, when it or its values were last written, and the last declared and answered values."""

    binding: Binding
    at: datetime
    fields: Mapping[Attribute, Remembered] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether the account's last answer was that the incident is public. False if that is not known."""
        visibility = self.fields.get(_VISIBILITY)
        return visibility is not None and visibility.answered == "public"


@dataclass(frozen=True, slots=True)
class State:
    """The contents of a state file by key: the bound incidents, and the creations that were sent and never
    answered. `account` is None if the state is new."""

    account: Account | None = None
    bound: Mapping[str, BoundIncident] = field(default_factory=dict)
    unanswered: Mapping[str, Unanswered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge added: newly bound keys, keys with newer values, and unanswered creations."""

    bound: int
    renewed: int
    unanswered: int


def without_private(state: State) -> State:
    """Return a state without the values of incidents that are not known to be public. Their keys and
    references stay: without them, the incidents would be created again."""
    return replace(
        state,
        bound={
            key: each if each.is_public else replace(each, fields={}) for key, each in state.bound.items()
        },
        unanswered={
            key: each if _is_public(each) else replace(each, content=None)
            for key, each in state.unanswered.items()
        },
    )


def _is_public(sent: Unanswered) -> bool:
    """Whether a creation that is in doubt declares its incident public."""
    return sent.content is not None and json.loads(sent.content).get(Field.VISIBILITY) == "public"


def merged(own: State, imported: State) -> State:
    """Return the union of both states.

    Raises Refused if they belong to different accounts, bind a key to different incidents or an incident to
    different keys, or sent a creation with different idempotency keys.
    """
    _refuse_foreign(own, imported)
    _refuse_conflicts(own, imported)
    bound = dict(own.bound)
    for key, other in imported.bound.items():
        known = own.bound.get(key)
        joined = _joined(known, other) if known else other
        bound[key] = known if known == joined else joined
    unanswered = {
        key: sent for key, sent in {**imported.unanswered, **own.unanswered}.items() if key not in bound
    }
    return State(own.account or imported.account, bound, unanswered)


def _joined(own: BoundIncident, imported: BoundIncident) -> BoundIncident:
    """Return the union for one key. If the newer side has no values, because they were left out as private,
    the result keeps the older time, so that a full export of that age can still fill them in."""
    older, newer = (imported, own) if imported.at <= own.at else (own, imported)
    if older.fields and not newer.fields:
        return replace(older, binding=newer.binding)
    return replace(newer, fields={**older.fields, **_with_child_ids(newer.fields, older.fields)})


def _with_child_ids(
    fields: Mapping[Attribute, Remembered], older: Mapping[Attribute, Remembered]
) -> dict[Attribute, Remembered]:
    """Return the values with the IDs of children that only the older side knows."""
    return {
        attribute: replace(each, child_id=older[attribute].child_id)
        if attribute in older and each.child_id is None
        else each
        for attribute, each in fields.items()
    }


def merge_result(before: State, after: State) -> MergeResult:
    """Count what a merge added. Entries that it did not change must be the same objects."""
    return MergeResult(
        bound=len(after.bound.keys() - before.bound.keys()),
        renewed=sum(after.bound[key] is not each for key, each in before.bound.items()),
        unanswered=len(after.unanswered.keys() - before.unanswered.keys()),
    )


def _refuse_foreign(own: State, imported: State) -> None:
    if own.account and imported.account and own.account != imported.account:
        raise Refused(
            f"the file has another account: {imported.account.dashboard_url} at {imported.account.endpoint}"
            f", not {own.account.dashboard_url} at {own.account.endpoint}",
            hint="import it into a separate state with --state FILE",
            code="foreign-account",
        )


def _refuse_conflicts(own: State, imported: State) -> None:
    found = list(_conflicts(own, imported))
    if found:
        raise Refused(
            "the state and the file contradict each other: " + first_few(found, _SHOWN_CONFLICTS, "; "),
            hint="check in incident.io which one is right. If it is the file: `importer state forget KEY`,"
            " and import again. If it is the state: export it again",
            code="state-conflict",
        )


def _conflicts(own: State, imported: State) -> Iterator[str]:
    owners = {each.binding.incident_id: each.binding for each in own.bound.values()}
    for key, other in imported.bound.items():
        known, binding = own.bound.get(key), other.binding
        owner = owners.get(binding.incident_id)
        if known and known.binding.incident_id != binding.incident_id:
            yield f"'{key}' is {_shown(known.binding)} in the state but {_shown(binding)} in the file"
        elif owner and owner.key != key:
            yield f"{_shown(binding)} is '{owner.key}' in the state but '{key}' in the file"
    for key, sent in imported.unanswered.items():
        known_key = own.unanswered.get(key, sent).idempotency_key
        if known_key != sent.idempotency_key:
            yield (
                f"the creation of '{key}' was sent with the idempotency key {known_key} in the state but"
                f" {sent.idempotency_key} in the file"
            )


def _shown(binding: Binding) -> str:
    return f"{binding.reference} ({binding.incident_id})"
