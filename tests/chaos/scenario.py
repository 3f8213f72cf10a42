"""A seed -> one scenario: the account's behaviour, who else applies the files, and which faults occur.

A scenario tests only what is promised. Nobody can create one incident of a key that the server forgets while
the first answer is lost, nor one follow-up from two machines that do not know of each other: follow-ups have
no idempotency key. So some combinations are left out, with the reason at each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NOISE = ("too_many_requests", "error_before", "html", "drop_before")
"""Faults that change nothing in the account."""
DOUBT = ("error_after", "drop_after", "truncated", "hang")
"""Faults after which the change is committed but not answered."""


class Company(StrEnum):
    """Who else applies the same files."""

    NOBODY = "nobody"
    SAME_STATE = "same state"
    OTHER_MACHINE = "other machine"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `kills` is how many applies are killed before the undisturbed ones; `strength` is the share of
    requests that meet a fault until then."""

    seed: int
    incidents: int
    kills: int
    idempotency: str
    company: Company
    has_marker: bool
    has_numbers: bool
    has_children: bool
    has_clashes: bool
    normalises: bool
    loses_state: bool
    parallelism: int
    strength: float

    def dice(self, purpose: str) -> random.Random:
        """Return the random source for one purpose, independent of all others."""
        return random.Random(f"{self.seed}/{purpose}")

    @property
    def is_adopted_by_hand(self) -> bool:
        """Whether a lost state leaves only numbers, which are not proof, so that a person must adopt each
        incident with a command."""
        return self.has_numbers and not self.has_marker

    @property
    def has_keyless_children(self) -> bool:
        """Whether there are follow-ups and attachments, which two machines would duplicate."""
        return self.has_children and self.company is not Company.OTHER_MACHINE

    def weather(self, attempt: int) -> dict[str, Any]:
        """Return the body of PUT /sandbox/faults for one attempt."""
        dice = self.dice(f"weather {attempt}")
        # If keys are forgotten at once, repeating a request that succeeded creates a second incident.
        kinds = [*NOISE, *DOUBT] if self.idempotency != "expired" else [*NOISE]
        strength = dice.choice([0.0, self.strength, self.strength, self.strength * 5])
        chosen = dice.sample(kinds, dice.randint(1, len(kinds))) if strength else []
        faults = [
            {"kind": kind, "probability": strength / len(chosen), "seconds": _seconds(kind)}
            for kind in chosen
        ]
        # Shorter than the start of the next process, which would otherwise list before a late request arrives.
        slow = {"kind": "latency", "probability": dice.choice([0.0, 0.3]), "seconds": 0.03}
        return {"seed": dice.randrange(2**31), "faults": [slow, *faults]}


CALM: dict[str, Any] = {"faults": []}


def scenario(seed: int, incidents: int) -> Scenario:
    """Return the scenario of a seed."""
    dice = random.Random(seed)
    company = dice.choices(list(Company), [6, 2, 2])[0]
    has_marker = dice.random() < 0.5
    has_numbers = dice.random() < 0.4
    idempotency = "replay"
    if has_marker:  # without it, only a remembered key shows whose incident it is
        choices = ["replay", "conflict"] + ["expired"] * (company is not Company.OTHER_MACHINE)
        idempotency = dice.choice(choices)
    elif company is Company.OTHER_MACHINE:
        has_numbers = False  # the other machine's incidents would have to be adopted by hand
    return Scenario(
        seed=seed,
        incidents=incidents,
        kills=max(3, incidents // 32),
        idempotency=idempotency,
        company=company,
        has_marker=has_marker,
        has_numbers=has_numbers,
        has_children=dice.random() < 0.7,
        has_clashes=has_numbers and dice.random() < 0.5,
        normalises=dice.random() < 0.5,
        loses_state=dice.random() < 0.6,
        parallelism=dice.choice([1, 2, 8, 8]),
        strength=dice.choice([0.02, 0.05]),
    )


def _seconds(kind: str) -> float:
    return 0.3 if kind == "hang" else 0.05
