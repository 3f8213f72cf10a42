"""Turn a description of trouble into what happens to the nth request: the same every time.

A fault applies to the requests that its `on` names (`POST /v2/incidents`; empty: every request), to those
whose place among them is in `nth` (1 is the first; empty: all), and to a share of `probability` of these,
drawn from the seed.
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
    """What goes wrong. "Before" and "after" mean before and after the change is committed."""

    LATENCY = "latency"
    """The answer comes `seconds` later."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429 with Retry-After of `seconds`; nothing is carried out."""
    ERROR_BEFORE = "error_before"
    """`status` (503); nothing is carried out."""
    ERROR_AFTER = "error_after"
    """`status` (503); the change is there."""
    DROP_BEFORE = "drop_before"
    """No answer; nothing is carried out."""
    DROP_AFTER = "drop_after"
    """No answer; the change is there."""
    TRUNCATED = "truncated"
    """Half of the answer's body; the change is there."""
    HTML = "html"
    """500 with a page for people; nothing is carried out."""
    HANG = "hang"
    """`seconds` of silence, then no answer; the change is there."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble and the requests that it is for."""

    kind: FaultKind
    on: str = ""
    nth: frozenset[int] = frozenset()
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 503


@dataclass(frozen=True, slots=True)
class Faults:
    """All trouble of a sandbox; of several faults on one request the first one counts, after any latency."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


class NoReply(ConnectionResetError):
    """The sandbox goes away without an answer."""


class NoReplyInTime(TimeoutError):
    """The sandbox stays silent until nobody waits any more."""


class FaultScript:
    """Faults together with how many requests each has seen."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._lock = threading.Lock()
        self._seen = [0] * len(faults.faults)

    def draw(self, route: str) -> list[Fault]:
        """The faults that befall this request, `route` being its method and path."""
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
        # Drawn from the place in the script, not from one stream: threads cannot change the outcome.
        return random.Random(f"{self.faults.seed}/{place}/{count}").random() < fault.probability


_FAULT = Record(
    "Fault",
    {"kind": Text(tuple(FaultKind))},
    {"on": Text(), "nth": ListOf(Whole()), "probability": Amount(), "seconds": Amount(), "status": Whole()},
)
_FAULTS = Record("Faults", {"faults": ListOf(_FAULT)}, {"seed": Whole()})


def from_json(document: Any) -> Faults:
    """Read `{"seed": 1, "faults": [{"kind": "drop_after", "on": "POST /v2/incidents", "nth": [3]}]}`.

    Raises the 422 of everything that is wrong with it.
    """
    clean, problems = read(_FAULTS, document)
    refuse_if(problems)
    return Faults(tuple(_fault(given) for given in clean["faults"]), clean.get("seed", 0))


def _fault(given: Mapping[str, Any]) -> Fault:
    return Fault(**{**given, "kind": FaultKind(given["kind"]), "nth": frozenset(given.get("nth", ()))})
