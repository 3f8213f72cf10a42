"""Turn answered requests into counts that a test can assert."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from importer.sandbox.records import Wire


@dataclass(frozen=True, slots=True)
class Journal:
    """What happened since the sandbox was opened or the journal was cleared.

    `requests` counts answers by method, route and status (`POST /v2/incidents 200`; `no reply` stands for the
    status where none was given), `too_many_requests` those with 429, and `faults` the trouble by kind that
    befell them: all of this process. `creations` counts incidents by idempotency key, `announcements` names
    what would have been announced to people: both are kept in the file, and outlive the process.
    """

    requests: Mapping[str, int]
    too_many_requests: int
    faults: Mapping[str, int]
    creations: Mapping[str, int]
    announcements: tuple[str, ...]

    def wire(self) -> Wire:
        """The journal as JSON."""
        return asdict(self)


class RequestCounts:
    """Requests counted by any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._limited = 0

    def add(self, route: str, outcome: str) -> None:
        """Count one answer; `outcome` is its status or `no reply`."""
        with self._lock:
            self._requests[f"{route} {outcome}"] += 1
            self._limited += outcome == "429"

    def count_fault(self, kind: str) -> None:
        """Count one fault."""
        with self._lock:
            self._faults[kind] += 1

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._requests.clear()
            self._faults.clear()
            self._limited = 0

    def counts(self) -> tuple[dict[str, int], int, dict[str, int]]:
        """Requests by route and outcome, how many of them were answered 429, and faults by kind; sorted."""
        with self._lock:
            return dict(sorted(self._requests.items())), self._limited, dict(sorted(self._faults.items()))
