"""A seed -> what one run goes through: the account's liberties, the company it keeps, and what befalls it.

A scenario asks only for what is promised. Nobody can make one incident of a key that the server forgets while
the first answer is lost, nor one follow-up out of two machines that know nothing of each other: follow-ups
have no idempotency key. So some combinations are left out, each with its reason beside it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NOISE = ("too_many_requests", "error_before", "html", "drop_before")
"""Faults that leave nothing behind."""
DOUBT = ("error_after", "drop_after", "truncated", "hang")
"""Faults after which the change is there, and nobody was told."""


class Company(StrEnum):
    """Who else applies the same files."""

    NOBODY = "nobody"
    SAME_STATE = "same state"
    OTHER_MACHINE = "other machine"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `kills` is how many runs are killed before the account is left in peace; `strength` is the
    share of requests that meet a fault in bad weather."""

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
        """Return the source of chance for one purpose, so that none disturbs another."""
        return random.Random(f"{self.seed}/{purpose}")

    @property
    def is_adopted_by_hand(self) -> bool:
        """Whether a lost state leaves numbers, which are no proof, as the only trace: a person has to say
        which incident is which, one command each."""
        return self.has_numbers and not self.has_marker

    @property
    def has_keyless_children(self) -> bool:
        """Whether there are follow-ups and attachments, which two machines cannot keep apart."""
        return self.has_children and self.company is not Company.OTHER_MACHINE

    def weather(self, attempt: int) -> dict[str, Any]:
        """Return the body of PUT /sandbox/faults for one attempt."""
        dice = self.dice(f"weather {attempt}")
        # Keys that are forgotten at once make a second incident of every repetition that was not needed.
        kinds = [*NOISE, *DOUBT] if self.idempotency != "expired" else [*NOISE]
        strength = dice.choice([0.0, self.strength, self.strength, self.strength * 5])
        chosen = dice.sample(kinds, dice.randint(1, len(kinds))) if strength else []
        faults = [
            {"kind": kind, "probability": strength / len(chosen), "seconds": _seconds(kind)}
            for kind in chosen
        ]
        # Shorter than the start of the next process: what still travels when it looks would come after.
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
    if has_marker:  # without it, only the key's own memory tells whose incident it is
        choices = ["replay", "conflict"] + ["expired"] * (company is not Company.OTHER_MACHINE)
        idempotency = dice.choice(choices)
    elif company is Company.OTHER_MACHINE:
        has_numbers = False  # what the other machine made would have to be adopted by hand
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
