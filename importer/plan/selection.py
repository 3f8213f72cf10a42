"""Declared incidents and their changes -> the part of them that a plan is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from importer.model import Change, Incident, Plan, Scope
from importer.model.errors import UsageError
from importer.plan.changes import is_acting


def selected(incidents: Sequence[Incident], scope: Scope) -> tuple[Incident, ...]:
    """Return the incidents that a scope means. Raises UsageError for a pattern that means none."""
    strangers = [each for each in scope.only if not any(_fits(known.key, each) for known in incidents)]
    if strangers and incidents:
        raise UsageError(
            f"no incident has a key like {', '.join(strangers)}",
            hint="--only takes a key as it is declared, or a glob like 'JIRA-1*'",
        )
    return tuple(each for each in incidents if not scope.only or any(_fits(each.key, p) for p in scope.only))


def within_limit(plan: Plan) -> Plan:
    """Return a plan with what needs nothing or cannot be done, and of the rest the oldest ones, as many as
    its scope allows; those left out are counted."""
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
