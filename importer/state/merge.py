"""What two machines know of one account's incidents -> what they know together, or why that cannot be. Pure.

Nothing that was known is lost: a binding is never turned to another incident, a creation that nobody answered
stays until its incident is known. Of one key that both bind, the values that were written later count, and
what only one of the two knows is kept: a child that was made is not made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from importer.model import Account, Attribute, Binding, Field, Remembered
from importer.model.errors import Refused

_VISIBILITY = Attribute(Field.VISIBILITY)
_SHOWN_CONFLICTS = 3


@dataclass(frozen=True, slots=True)
class Bound:
    """Which incident a key is, when that or its values were last written, and what was last declared and
    answered of each attribute."""

    binding: Binding
    at: datetime
    fields: Mapping[Attribute, Remembered] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether the account last said that everybody sees the incident. Not knowing is no yes."""
        visibility = self.fields.get(_VISIBILITY)
        return visibility is not None and visibility.answered == "public"


@dataclass(frozen=True, slots=True)
class State:
    """All that a state file knows by key: the bound incidents, and the idempotency keys of the creations that
    were sent and never answered. `account` is None where it has met none."""

    account: Account | None = None
    bound: Mapping[str, Bound] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gain:
    """How much a state learned: keys that it did not bind, keys whose values were older, and creations that
    nobody answered."""

    bound: int
    renewed: int
    unanswered: int


def without_private(state: State) -> State:
    """Return a state without the values of incidents that are not known to be public. Their keys and
    references stay: without them the incidents would be made twice."""
    return replace(
        state,
        bound={
            key: each if each.is_public else replace(each, fields={}) for key, each in state.bound.items()
        },
    )


def merged(own: State, given: State) -> State:
    """Return what both know.

    Raises Refused where they are of different accounts, bind a key to different incidents or an incident to
    different keys, or sent a creation with different idempotency keys.
    """
    _refuse_foreign(own, given)
    _refuse_conflicts(own, given)
    bound = dict(own.bound)
    for key, theirs in given.bound.items():
        mine = own.bound.get(key)
        whole = _joined(mine, theirs) if mine else theirs
        bound[key] = mine if mine == whole else whole
    sent = {**given.unanswered, **own.unanswered}
    return State(
        own.account or given.account, bound, {key: once for key, once in sent.items() if key not in bound}
    )


def _joined(mine: Bound, theirs: Bound) -> Bound:
    """Return what both know of one key. Values that were left out of the newer one, since its incident may be
    private, do not make the older ones new: a whole export of that age still counts."""
    older, newer = (theirs, mine) if theirs.at <= mine.at else (mine, theirs)
    if older.fields and not newer.fields:
        return replace(older, binding=newer.binding)
    return replace(newer, fields={**older.fields, **newer.fields})


def gain(before: State, after: State) -> Gain:
    """Count what a state learned by a merge, which keeps what it does not change."""
    return Gain(
        bound=len(after.bound.keys() - before.bound.keys()),
        renewed=sum(after.bound[key] is not each for key, each in before.bound.items()),
        unanswered=len(after.unanswered.keys() - before.unanswered.keys()),
    )


def _refuse_foreign(own: State, given: State) -> None:
    if own.account and given.account and own.account != given.account:
        raise Refused(
            f"the file is of another account: {given.account.dashboard_url} at {given.account.endpoint}, not "
            f"{own.account.dashboard_url} at {own.account.endpoint}",
            hint="import it into a state of its own with --state FILE",
            code="foreign-account",
        )


def _refuse_conflicts(own: State, given: State) -> None:
    found = list(_conflicts(own, given))
    if found:
        more = len(found) - _SHOWN_CONFLICTS
        rest = f"; and {more} more" if more > 0 else ""
        raise Refused(
            "the state and the file contradict each other: " + "; ".join(found[:_SHOWN_CONFLICTS]) + rest,
            hint="look in incident.io which one is right. If it is the file: `importer state forget KEY`, and"
            " import again. If it is the state: export it anew",
            code="state-conflict",
        )


def _conflicts(own: State, given: State) -> Iterator[str]:
    owners = {each.binding.incident_id: each.binding for each in own.bound.values()}
    for key, theirs in given.bound.items():
        mine, there = own.bound.get(key), theirs.binding
        owner = owners.get(there.incident_id)
        if mine and mine.binding.incident_id != there.incident_id:
            yield f"'{key}' is {_shown(mine.binding)} in the state and {_shown(there)} in the file"
        elif owner and owner.key != key:
            yield f"{_shown(there)} is '{owner.key}' in the state and '{key}' in the file"
    for key, once in given.unanswered.items():
        sent_with = own.unanswered.get(key, once)
        if sent_with != once:
            yield (
                f"the creation of '{key}' was sent with the idempotency key {sent_with} by the state and with"
                f" {once} by the file"
            )


def _shown(binding: Binding) -> str:
    return f"{binding.reference} ({binding.incident_id})"
