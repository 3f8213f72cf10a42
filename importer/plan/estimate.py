"""A plan -> how many requests it takes, and how long those last at the rate limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from importer.model import Plan
from importer.plan.steps import all_steps

LIMIT_PER_MINUTE = 1200
"""What an API key may do by default (API page: Introduction, rate limits)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is the time that the requests take at `per_minute`.

    The bucket that a rested key may empty at once is left out: over a real network, a few requests in flight
    hardly go faster than the sustained rate.
    """

    requests: int
    seconds: int
    per_minute: int


def estimate(plan: Plan, *, per_minute: int = LIMIT_PER_MINUTE) -> Estimate:
    """Count the steps of a plan. Reads that guard against duplicates come on top and are few, and so do the
    corrections that only an answer reveals."""
    return of_requests(sum(1 for _ in all_steps(plan)), per_minute)


def of_requests(number: int, per_minute: int = LIMIT_PER_MINUTE) -> Estimate:
    """Return how long so many requests last."""
    return Estimate(number, ceil(number * 60 / per_minute), per_minute)
