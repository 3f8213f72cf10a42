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


def estimate(plan: Plan) -> Estimate:
    """Count the steps of a plan. Reads that guard against duplicates come on top and are few, and so do the
    corrections that only an answer reveals."""
    return of_requests(sum(1 for _ in all_steps(plan)))


def of_requests(number: int) -> Estimate:
    """Return how long so many requests last."""
    return Estimate(number, ceil(number * 60 / LIMIT_PER_MINUTE), LIMIT_PER_MINUTE)
