"""A creation answered with 409 -> the incident that its idempotency key created before, if that is certain.

Whether a known key is answered with its incident or with a conflict is not documented. After the state is
lost, the conflict shows that the incident exists, not which one it is. It is taken only if exactly one
retrospective incident has everything that was sent and no key bound to it: adopting that one edits nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from importer.apply.answers import readable
from importer.model import Attributes, Binding, Incident, LiveIncident
from importer.model.normalise import folded
from importer.plan.differences import differences


class IncidentLister(Protocol):
    """What finding an incident requires of the account."""

    def incidents(self) -> Iterator[LiveIncident]: ...


@dataclass(slots=True)
class Rediscovery:
    """Lists the account once, and again if the list lacks an incident that must exist."""

    api: IncidentLister
    bindings: Callable[[], tuple[Binding, ...]]
    _by_name: dict[str, list[LiveIncident]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, incident: Incident, sent: Attributes) -> LiveIncident | None:
        """Return the incident that a creation with these attributes must have made, or None if in doubt."""
        with self._lock:
            found = self._candidates(incident, sent)
            if not found:
                self._list()
                found = self._candidates(incident, sent)
        return found[0] if len(found) == 1 else None

    def _list(self) -> None:
        by_name: defaultdict[str, list[LiveIncident]] = defaultdict(list)
        for live in self.api.incidents():
            by_name[folded(live.name)].append(live)
        self._by_name = by_name

    def _candidates(self, incident: Incident, sent: Attributes) -> list[LiveIncident]:
        bound = {each.incident_id for each in self.bindings()}
        return [
            live
            for live in self._by_name.get(folded(incident.name), [])
            if live.mode == "retrospective"
            and live.id not in bound
            and incident.external_id in (None, live.number)
            and not differences(live.attributes, readable(sent))
        ]
