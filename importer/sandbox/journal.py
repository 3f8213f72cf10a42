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

    `requests` counts answers by method, route and status (`POST /v2/incidents 200`, or `no reply` in place of
    the status), `too_many_requests` the 429s, and `faults` the faults by kind, all for this process only.
    `creations` counts incidents by idempotency key, and `announcements` lists what would have been announced
    to people; both are kept in the file and outlive the process.
    """

    requests: Mapping[str, int]
    too_many_requests: int
    faults: Mapping[str, int]
    creations: Mapping[str, int]
    announcements: tuple[str, ...]

    def wire(self) -> Wire:
        """Return the journal as JSON."""
        return asdict(self)


class RequestCounts:
    """Counts of requests. Thread-safe."""

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
        """Reset all counts."""
        with self._lock:
            self._requests.clear()
            self._faults.clear()
            self._limited = 0

    def counts(self) -> tuple[dict[str, int], int, dict[str, int]]:
        """Return requests by route and outcome, the number of 429s, and faults by kind, sorted."""
        with self._lock:
            return dict(sorted(self._requests.items())), self._limited, dict(sorted(self._faults.items()))
