"""Outcomes -> the counts at the end of every apply, in every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import assert_never

from importer.model import Adopted, Applied, Diagnostic, Failed, NotAttempted, Outcome, Scope, Unknown


@dataclass(frozen=True, slots=True)
class ApplyCounts:
    """How many incidents an apply left in each state."""

    created: int = 0
    updated: int = 0
    adopted: int = 0
    unchanged: int = 0
    failed: int = 0
    unknown: int = 0
    not_attempted: int = 0

    @property
    def is_whole(self) -> bool:
        """Return whether every change succeeded."""
        return not (self.failed or self.unknown or self.not_attempted)

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class ApplySummary:
    """How an apply ended. `unchanged` and `blocked` are the plan's counts, `stopped` is why it ended early,
    if it did, `next_command` is the command to run next, and `scope` is what the plan left out."""

    outcomes: Sequence[Outcome]
    unchanged: int
    blocked: int
    stopped: str
    next_command: str
    scope: Scope = field(default_factory=Scope)

    @property
    def incomplete(self) -> int:
        """How many incidents were applied, but lack something that is declared."""
        applied = (each for each in self.outcomes if isinstance(each, Applied | Adopted))
        return sum(bool(each.missing) for each in applied)

    @property
    def is_whole(self) -> bool:
        """Whether every change succeeded, and nothing that is declared is missing."""
        return self.counts.is_whole and not self.incomplete and not self.blocked

    @property
    def counts(self) -> ApplyCounts:
        states = [state(each) for each in self.outcomes]
        counted = {each.name: states.count(each.name) for each in fields(ApplyCounts)}
        return ApplyCounts(**counted | {"unchanged": self.unchanged})


def missing(outcome: Outcome) -> tuple[Diagnostic, ...]:
    """Return what is declared of an incident, and is not there, with the reason."""
    return outcome.missing if isinstance(outcome, Applied | Adopted | NotAttempted) else ()


def state(outcome: Outcome) -> str:
    """Return the name under which an outcome is counted."""
    match outcome:
        case Applied(created=True):
            return "created"
        case Applied():
            return "updated"
        case Adopted():
            return "adopted"
        case Failed():
            return "failed"
        case Unknown():
            return "unknown"
        case NotAttempted():
            return "not_attempted"
        case _:
            assert_never(outcome)
