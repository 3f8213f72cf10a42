"""Incidents -> which of them are private, and which problems reveal them. Pure.

This is decided while planning, when all incidents are known: an output has only those that change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from importer.model import (
    Adopt,
    Attribute,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Field,
    Incident,
    Location,
    NoOp,
    Pending,
    Update,
)

_VISIBILITY = Attribute(Field.VISIBILITY)


def is_private(change: Change) -> bool:
    """Whether the incident is private in the account or in the file."""
    sides = [change.incident.attributes.get(_VISIBILITY)]
    match change:
        case Create(attributes=sent) | Pending(attributes=sent):
            sides.append(sent.get(_VISIBILITY))
        case Update(live=live) | Adopt(live=live):
            sides.append(live.attributes.get(_VISIBILITY))
        case Blocked(blocked=blocked):
            sides += [each.before for each in blocked if each.attribute == _VISIBILITY]
        case NoOp():
            pass
        case _:
            assert_never(change)
    return "private" in sides


@dataclass(frozen=True, slots=True)
class _Owned:
    """The lines of one file where incidents begin, sorted, and those of hidden incidents."""

    starts: tuple[int, ...]
    hidden: frozenset[int]

    def is_hidden(self, line: int) -> bool:
        """Whether a line is in a hidden incident, which extends to the first line of the next one."""
        position = bisect_right(self.starts, line)
        return position > 0 and self.starts[position - 1] in self.hidden


class Secrets:
    """What problems may not reveal: where private incidents are declared, and their names."""

    def __init__(self, places: Iterable[tuple[Location, bool]], names: Iterable[str]) -> None:
        """Take the location of each incident and whether it is private, and all names of private ones."""
        starts: defaultdict[str, set[int]] = defaultdict(set)
        hidden: defaultdict[str, set[int]] = defaultdict(set)
        for place, is_hidden in places:
            starts[place.path].add(place.line)
            if is_hidden:
                hidden[place.path].add(place.line)
        self._files = {
            path: _Owned(tuple(sorted(lines)), frozenset(hidden[path])) for path, lines in starts.items()
        }
        self._names = {_unescaped(each) for each in names} - {""}

    def marked(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a problem, marked private if its first location or a name in its text is private."""
        message = _unescaped(f"{diagnostic.summary}\n{diagnostic.detail}\n{diagnostic.hint}")
        is_private = any(map(self._is_hidden, diagnostic.locations[:1])) or any(
            name in message for name in self._names
        )
        return replace(diagnostic, is_private=True) if is_private else diagnostic

    def _is_hidden(self, location: Location) -> bool:
        owned = self._files.get(location.path)
        return owned is not None and owned.is_hidden(location.line)


def of_changes(changes: Iterable[Change]) -> Secrets:
    """Return the secrets of the private incidents among changes, including their names in the account."""
    several = [(each, is_private(each)) for each in changes]
    names = [name for each, is_hidden in several if is_hidden for name in _names(each)]
    return Secrets([(each.incident.location, is_hidden) for each, is_hidden in several], names)


def of_incidents(incidents: Iterable[Incident]) -> Secrets:
    """Return the secrets of declared incidents that are not compared with the account."""
    several = [(each, each.attributes.get(_VISIBILITY) == "private") for each in incidents]
    names = [each.name for each, is_hidden in several if is_hidden]
    return Secrets([(each.location, is_hidden) for each, is_hidden in several], names)


def _names(change: Change) -> Iterator[str]:
    yield change.incident.name
    if isinstance(change, Update | Adopt):
        yield str(change.live.attributes.get(Attribute(Field.NAME), ""))


def _unescaped(text: str) -> str:
    """Return text without the backslashes that quoting adds."""
    return text.replace("\\", "")
