"""Refuse creations beyond the number that an account may create in an hour."""

from __future__ import annotations

from importer.sandbox.account import Account
from importer.sandbox.problems import Problem, Refusal
from importer.sandbox.records import Condition

_HOUR = 3_600_000


def refuse_beyond_hourly_limit(account: Account) -> None:
    """Raise a 429 if the incidents of the last hour are as many as the account may create."""
    limit, since = account.options.creations_per_hour, account.now() - _HOUR
    if limit is None:
        return
    counted = account.store.count_incidents(Condition("created > ?", (since,)))
    if account.options.counts_retries:
        counted += account.store.count_retries(since)
    if counted < limit:
        return
    kind = account.options.hourly_type
    wait = None
    if account.options.hourly_retry_after:
        wait = (account.store.oldest_created(since) - since) / 1000
    problem = Problem(kind, "Too many incidents have been created in the last hour")
    raise Refusal(429, kind, [problem], wait)
