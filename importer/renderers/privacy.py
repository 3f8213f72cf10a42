"""A card or a diagnostic -> the same without what a private incident says, for an output that others read.

Of a private incident there remain the key, the action and the place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from importer.model import Adopt, Attribute, Change, Diagnostic, Field, Location, Update
from importer.renderers.cards import Card

HIDDEN = "private: not shown"


def redacted(one: Card) -> Card:
    """Return a card without the values of its incident, which is private."""
    return replace(one, rows=(), unchanged=0, explanation=HIDDEN)


@dataclass(frozen=True, slots=True)
class _Owned:
    """The lines of one file where incidents begin, sorted, and which of these are hidden."""

    starts: tuple[int, ...]
    hidden: frozenset[int]

    def is_hidden(self, line: int) -> bool:
        """Whether a line belongs to a hidden incident: from its first line up to the next incident."""
        position = bisect_right(self.starts, line)
        return position > 0 and self.starts[position - 1] in self.hidden


class Secrets:
    """What diagnostics may not say: where the hidden incidents of a plan are declared, and the names that
    they have in the files and in the account."""

    def __init__(self, changes: Iterable[tuple[Change, bool]]) -> None:
        """Take all changes that are known, each with whether its incident is hidden."""
        starts: defaultdict[str, set[int]] = defaultdict(set)
        hidden: defaultdict[str, set[int]] = defaultdict(set)
        names = set[str]()
        for change, is_hidden in changes:
            place = change.incident.location
            starts[place.path].add(place.line)
            if is_hidden:
                hidden[place.path].add(place.line)
                names.update(map(_unescaped, _names(change)))
        self._files = {
            path: _Owned(tuple(sorted(lines)), frozenset(hidden[path])) for path, lines in starts.items()
        }
        self._names = names - {""}

    def redacted(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a problem by its code and places alone where it concerns a hidden incident."""
        if not self._concerns(diagnostic):
            return diagnostic
        return replace(diagnostic, summary=f"a problem with an incident that is {HIDDEN}", detail="", hint="")

    def _concerns(self, diagnostic: Diagnostic) -> bool:
        said = _unescaped(f"{diagnostic.summary}\n{diagnostic.detail}\n{diagnostic.hint}")
        return any(self._is_hidden(each) for each in diagnostic.locations) or any(
            name in said for name in self._names
        )

    def _is_hidden(self, location: Location) -> bool:
        owned = self._files.get(location.path)
        return owned is not None and owned.is_hidden(location.line)


def _names(change: Change) -> Iterator[str]:
    yield change.incident.name
    if isinstance(change, Update | Adopt):
        yield str(change.live.attributes.get(Attribute(Field.NAME), ""))


def _unescaped(text: str) -> str:
    """Return a text without what quoting adds to it."""
    return text.replace("\\", "")
