"""Turn a description of faults into what happens to the nth request, reproducibly.

A fault applies to the requests that its `on` names (`POST /v2/incidents`; empty: every request), of these to
the ones in `nth` (1 is the first; empty: all), and of those to a share of `probability`, drawn from the seed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from importer.sandbox.payload import Amount, ListOf, Record, Text, Whole, read
from importer.sandbox.problems import refuse_if


class FaultKind(StrEnum):
    """What fails. "Before" and "after" mean before and after the change is committed."""

    LATENCY = "latency"
    """The answer comes `seconds` later."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429 with Retry-After of `seconds`; nothing is carried out."""
    CONFLICT = "conflict"
    """409, as if another request had won a race; nothing is carried out."""
    ERROR_BEFORE = "error_before"
    """`status` (503); nothing is carried out."""
    ERROR_AFTER = "error_after"
    """`status` (503); the change is committed."""
    DROP_BEFORE = "drop_before"
    """No answer; nothing is carried out."""
    DROP_AFTER = "drop_after"
    """No answer; the change is committed."""
    TRUNCATED = "truncated"
    """Half of the answer's body; the change is committed."""
    HTML = "html"
    """500 with an HTML page; nothing is carried out."""
    HANG = "hang"
    """Silence for `seconds`, then no answer; the change is committed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault and the requests that it applies to."""

    kind: FaultKind
    on: str = ""
    nth: frozenset[int] = frozenset()
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 503


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a sandbox. If several apply to one request, the first counts, after any latency."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


class NoReply(ConnectionResetError):
    """The sandbox drops the connection without an answer."""


class NoReplyInTime(TimeoutError):
    """The sandbox stays silent until the client gives up."""


class FaultScript:
    """Faults and how many requests each has seen."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._lock = threading.Lock()
        self._seen = [0] * len(faults.faults)

    def draw(self, route: str) -> list[Fault]:
        """Return the faults that apply to this request; `route` is its method and path."""
        return [
            fault
            for place, fault in enumerate(self.faults.faults)
            if fault.on in ("", route) and self._applies(place, fault)
        ]

    def _applies(self, place: int, fault: Fault) -> bool:
        with self._lock:
            self._seen[place] += 1
            count = self._seen[place]
        if fault.nth and count not in fault.nth:
            return False
        # Drawn per place and count, not from one stream, so that thread order cannot change the outcome.
        return random.Random(f"{self.faults.seed}/{place}/{count}").random() < fault.probability


_FAULT = Record(
    "Fault",
    {"kind": Text(tuple(FaultKind))},
    {"on": Text(), "nth": ListOf(Whole()), "probability": Amount(), "seconds": Amount(), "status": Whole()},
)
_FAULTS = Record("Faults", {"faults": ListOf(_FAULT)}, {"seed": Whole()})


def from_json(document: Any) -> Faults:
    """Read `{"seed": 1, "faults": [{"kind": "drop_after", "on": "POST /v2/incidents", "nth": [3]}]}`.

    Raises a 422 that lists all problems.
    """
    clean, problems = read(_FAULTS, document)
    refuse_if(problems)
    return Faults(tuple(_fault(given) for given in clean["faults"]), clean.get("seed", 0))


def _fault(given: Mapping[str, Any]) -> Fault:
    return Fault(**{**given, "kind": FaultKind(given["kind"]), "nth": frozenset(given.get("nth", ()))})
