"""A seed -> one scenario: the account's behaviour, who else applies the files, and which faults occur.

A scenario tests only what is promised. Nobody can create one follow-up from two machines that do not know of
each other: follow-ups have no idempotency key. So some combinations are left out, with the reason at each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.chaos import behaviour as behaviours
from tests.chaos.behaviour import Behaviour, Evidence

NOISE = ("too_many_requests", "error_before", "html", "drop_before")
"""Faults that change nothing in the account."""
DOUBT = ("error_after", "drop_after", "truncated", "hang")
"""Faults after which the change is committed but not answered."""
CREATIONS = "POST /v2/incidents"
EDITS = "POST /v2/incidents/{id}/actions/edit"
_ROUTES = (
    ("GET /v3/follow_ups", "GET /v2/follow_ups"),
    ("GET /v1/incident_attachments",),
    ("GET /v2/incident_timeline_items",),
    ("GET /v1/postmortem_documents",),
    ("GET /v2/status_page_incidents",),
    ("POST /v3/follow_ups", "POST /v2/follow_ups"),
    ("POST /v1/incident_attachments",),
    ("POST /v2/incident_timeline_items",),
)
"""The routes that an account or a key may lack for a while: those of one kind of children each."""

_MANY = 100
"""From this many incidents on, faults are rarer: an importer waits 5 s after each lost creation."""


class Company(StrEnum):
    """Who else applies files to the account."""

    NOBODY = "nobody"
    SAME_STATE = "same state"
    OTHER_MACHINE = "other machine"
    OTHER_REPOSITORY = "other repository"
    """Other files with the same keys, in a namespace of their own."""


class Kind(StrEnum):
    """What is judged."""

    ORDINARY = "ordinary"
    """Everything that is promised."""
    UNCORRECTABLE = "uncorrectable"
    """Only that each run stops after its first creation, which came back as no edit can correct it."""
    UNSAFE = "unsafe"
    """How many duplicates there are where they cannot be avoided."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `kills` is how many applies are killed before the undisturbed ones; `strength` is the share of
    requests that meet a fault until then."""

    seed: int
    kind: Kind
    incidents: int
    kills: int
    behaviour: Behaviour
    company: Company
    namespace: str
    key_prefix: str
    has_marker: bool
    has_numbers: bool
    has_children: bool
    has_clashes: bool
    has_people: bool
    has_forgeries: bool
    loses_state: bool
    adopts_matching: bool
    parallelism: int
    strength: float

    def dice(self, purpose: str) -> random.Random:
        """Return the random source for one purpose, independent of all others."""
        return random.Random(f"{self.seed}/{purpose}")

    @property
    def needs_a_person(self) -> bool:
        """Whether a lost state leaves nothing that proves whose incident one is, so that a person must adopt
        each with a command: a number is no proof, nor is a refused key."""
        refuses = {self.behaviour.idempotency, self.behaviour.other_content} & {*behaviours.REFUSALS}
        return not self.has_marker and (self.has_numbers or bool(refuses))

    @property
    def may_leave_doubt(self) -> bool:
        """Whether a creation without an answer may be left to a person: without a field for the keys, only
        the one incident that has all that was sent, and is newer than the sending, is certainly meant."""
        is_older = self.loses_state or self.company is Company.OTHER_MACHINE
        return not self.has_marker and (is_older or self.has_people or self.behaviour.date_offset != 0)

    @property
    def has_keyless_children(self) -> bool:
        """Whether there are follow-ups, attachments and post-mortems, which two machines would duplicate."""
        return self.has_children and self.company is not Company.OTHER_MACHINE

    @property
    def has_status_pages(self) -> bool:
        """Whether there are status page incidents. The API does not link them to an incident, so that only
        the state or a remembered key shows that one exists."""
        return self.has_children and not (self.loses_state and self.behaviour.forgets_keys)

    @property
    def has_namesakes(self) -> bool:
        """Whether a second repository in the same namespace appears at the end. A marker field that holds
        bare keys cannot tell the two apart, so both must have a namespace of their own there."""
        return self.namespace == "" and not self.has_marker and not self.has_numbers

    def labels(self) -> Iterator[str]:
        """Yield what was drawn, for the figures."""
        yield from self.behaviour.labels()
        yield f"company: {self.company}"
        for name in (
            "has_marker",
            "has_numbers",
            "loses_state",
            "has_people",
            "has_forgeries",
            "has_namesakes",
        ):
            if getattr(self, name):
                yield name.removeprefix("has_").replace("_", " ")
        yield "default namespace" if not self.namespace else "named namespace"

    def weather(self, attempt: int) -> dict[str, Any]:
        """Return the body of PUT /sandbox/faults for one attempt."""
        dice = self.dice(f"weather {attempt}")
        kinds = [*NOISE, *DOUBT] if self.kind is Kind.ORDINARY else [*NOISE]
        strength = dice.choice([0.0, self.strength, self.strength, self.strength * 4])
        chosen = dice.sample(kinds, dice.randint(1, len(kinds))) if strength else []
        faults = [
            {"kind": kind, "probability": strength / len(chosen), "seconds": _seconds(kind)}
            for kind in chosen
        ]
        if self.kind is Kind.UNSAFE:  # only lost answers to creations, so that they can be counted
            lost = {"kind": dice.choice(DOUBT), "on": CREATIONS, "probability": 0.1, "seconds": 0.3}
            return {"seed": dice.randrange(2**31), "faults": [lost]}
        faults += self.refusals(attempt)
        # Shorter than the start of the next process, which would otherwise list before a late request arrives.
        slow = {"kind": "latency", "probability": dice.choice([0.0, 0.3]), "seconds": 0.03}
        return {"seed": dice.randrange(2**31), "faults": [slow, *faults]}

    def refusals(self, attempt: int) -> list[dict[str, Any]]:
        """Return the faults of the routes that are refused throughout one attempt."""
        dice = self.dice(f"refusals {attempt}")
        match dice.choices(["nothing", "route", "edits"], [6, 3, 1])[0]:
            case "route":
                status, routes = dice.choice([403, 404, 410]), dice.choice(_ROUTES)
            case "edits":
                status, routes = 422, (EDITS,)
            case _:
                return []
        return [{"kind": "error_before", "on": each, "status": status} for each in routes]


CALM: dict[str, Any] = {"faults": []}


def scenario(seed: int, incidents: int, *, unsafe: bool = False) -> Scenario:
    """Return the scenario of a seed."""
    dice = random.Random(seed)
    kind = Kind.UNSAFE if unsafe else dice.choices([Kind.ORDINARY, Kind.UNCORRECTABLE], [19, 1])[0]
    company = dice.choices(list(Company), [6, 2, 2, 2])[0] if kind is Kind.ORDINARY else Company.NOBODY
    has_marker = dice.random() < 0.5
    # The other machine's incidents would have to be adopted by hand. A number of its own prevents a duplicate.
    may_be_numbered = kind is not Kind.UNSAFE and (has_marker or company is not Company.OTHER_MACHINE)
    has_numbers = dice.random() < 0.4 and may_be_numbered
    loses_state = dice.random() < 0.5 and kind is not Kind.UNSAFE
    namespace = dice.choice(["", "chaos"])
    evidence = Evidence(has_marker, not loses_state, company is not Company.OTHER_MACHINE)
    behaviour = _behaviour(dice, kind, evidence)
    return Scenario(
        seed=seed,
        kind=kind,
        incidents=incidents,
        kills=max(3, incidents // 20),
        behaviour=behaviour,
        company=company,
        namespace=namespace,
        # In the default namespace such a key must not be read as the key of a namespace `other`.
        key_prefix="other/" if dice.random() < 0.2 else "",
        has_marker=has_marker,
        has_numbers=has_numbers or behaviour.creates_as == "renumbered",
        has_children=dice.random() < 0.7,
        has_clashes=has_numbers and kind is Kind.ORDINARY and dice.random() < 0.5,
        has_people=dice.random() < 0.6,
        has_forgeries=dice.random() < 0.3,
        loses_state=loses_state,
        adopts_matching=dice.random() < 0.5,
        parallelism=dice.choice([1, 2, 8, 8, 8]) if incidents < _MANY else 8,
        strength=dice.choice([0.02, 0.05] if incidents < _MANY else [0.005, 0.015]),
    )


def _behaviour(dice: random.Random, kind: Kind, evidence: Evidence) -> Behaviour:
    match kind:
        case Kind.UNSAFE:
            return behaviours.draw_unsafe(dice)
        case Kind.UNCORRECTABLE:
            return behaviours.draw_uncorrectable(dice)
        case Kind.ORDINARY:
            return behaviours.draw(dice, evidence)


def _seconds(kind: str) -> float:
    return 0.3 if kind == "hang" else 0.05
