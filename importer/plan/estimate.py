"""A plan -> how many requests it takes, and how long they take at the rate limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from importer.model import Plan
from importer.plan.steps import all_steps

LIMIT_PER_MINUTE = 1200
"""The default rate limit of an API key (API page: Introduction, rate limits)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The number of requests, and the `seconds` that they take at `per_minute`.

    The burst that the API allows an idle key is not counted: over a real network, a few concurrent requests
    are hardly faster than the sustained rate.
    """

    requests: int
    seconds: int
    per_minute: int


def estimate(plan: Plan) -> Estimate:
    """Estimate the requests of a plan from its steps. The few reads that guard against duplicates, and
    corrections that only an answer reveals, are not counted."""
    return of_requests(sum(1 for _ in all_steps(plan)))


def of_requests(number: int) -> Estimate:
    """Return the estimate for a number of requests."""
    return Estimate(number, ceil(number * 60 / LIMIT_PER_MINUTE), LIMIT_PER_MINUTE)
