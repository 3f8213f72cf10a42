"""Declared incidents and their changes -> those in the scope of a plan. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from importer.model import Change, Incident, Plan, Scope
from importer.model.errors import UsageError
from importer.plan.changes import is_acting


def selected(incidents: Sequence[Incident], scope: Scope) -> tuple[Incident, ...]:
    """Return the incidents in a scope. Raises UsageError for a pattern without a match."""
    unmatched = [each for each in scope.only if not any(_fits(known.key, each) for known in incidents)]
    if unmatched and incidents:
        raise UsageError(
            f"no incident has a key that matches {' or '.join(unmatched)}",
            hint="--only takes a declared key, or a glob such as 'JIRA-1*'",
        )
    return tuple(each for each in incidents if not scope.only or any(_fits(each.key, p) for p in scope.only))


def within_limit(plan: Plan) -> Plan:
    """Return a plan with at most as many changes as its scope allows, oldest first. Unchanged and blocked
    incidents are kept, and those left out are counted."""
    if plan.scope.limit is None:
        return plan
    kept: list[Change] = []
    left_out = 0
    allowed = plan.scope.limit
    for change in plan.changes:
        allowed -= is_acting(change)
        if is_acting(change) and allowed < 0:
            left_out += 1
        else:
            kept.append(change)
    scope = replace(plan.scope, left_out=plan.scope.left_out + left_out)
    return replace(plan, changes=tuple(kept), scope=scope)


def _fits(key: str, pattern: str) -> bool:
    return key == pattern or fnmatchcase(key, pattern)
