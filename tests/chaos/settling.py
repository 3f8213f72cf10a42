"""Undisturbed applies, as a person would run them until nothing is left: what stays blocked, what must be
adopted by hand, and what is wrong."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass, field

from tests.chaos import verdict
from tests.chaos.account import Account, Wire
from tests.chaos.declared import edited, word
from tests.chaos.machine import CommandResult, Machine
from tests.chaos.scenario import Kind, Scenario

APPLY = ("apply", "--auto-approve", "--json", "--parallelism")

_REFUSED = "refuse"
"""What the reasons of these fields have in common."""

_SLACK = 2
"""Seconds by which the clocks of one server may differ, as docs/diagnostics.md says of `may-have-existed`."""

_ROUNDS = 5
"""The most undisturbed applies until everything is settled."""

_UNSAFE_ROUNDS = 1
"""Where there are duplicates, nothing settles."""

_PATIENCE = 61.0
"""Seconds to wait once they do not settle: a child that was sent and is not listed is in doubt for a minute."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The keys of incidents that stay blocked, and of those that may be."""

    must: Set[str]
    may: Set[str]


@dataclass(slots=True)
class Settled:
    """What it took. `left_for_a_person` counts the incidents among the adopted whose creation was in doubt;
    `refused` has the fields that the plan leaves as they are, by key, because the account refused them."""

    adopted: int = 0
    left_for_a_person: int = 0
    refused: dict[str, set[str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def settle(scenario: Scenario, machine: Machine, account: Account, blocked: Blocked) -> Settled:
    """Apply until the plan is empty but for what is blocked."""
    settled = Settled()
    lag = scenario.behaviour.list_lag
    for attempt in range(_UNSAFE_ROUNDS if scenario.kind is Kind.UNSAFE else _ROUNDS):
        planned = _plan(scenario, machine)
        settled.refused = _refused(planned)
        if _is_empty(planned, blocked):
            return settled
        time.sleep(_PATIENCE if attempt == 2 else 0)
        if attempt > 0:  # what is in doubt, an apply may settle by itself
            _adopt(scenario, machine, account, planned, settled)
        before = _made(account)
        applied = machine.run(*APPLY, "8", *_matching(scenario))
        time.sleep(lag + 0.1 if lag else 0)
        settled.findings += _untrue(scenario, applied, _made(account) - before)
        # A recovery by numbers only binds: the children are compared by the plan after it.
        is_judged = applied.code == 0 and not _matching(scenario)
        if is_judged and not _is_empty(after := _plan(scenario, machine), blocked):
            settled.findings.append(f"the plan after exit 0 is not empty: {after.changes()}"[:3000])
    planned = _plan(scenario, machine)
    settled.refused = _refused(planned)
    if not _is_empty(planned, blocked):
        left = [each for each in planned.changes() if each["actions"] != ["no-op"]]
        settled.findings.append(f"the plan does not become empty: {planned.err[-1500:]} {left}"[:5000])
    return settled


def _made(account: Account) -> int:
    return sum(account.journal()["creations"].values())


def _untrue(scenario: Scenario, applied: CommandResult, made: int) -> list[str]:
    """Return what an undisturbed apply says wrongly of the incidents that it made. Those that an earlier run
    made and this one settled count as created too; where the server's clocks differ by more than two seconds,
    those that it made seem to have been there before."""
    counted = ["created", "unknown", *(["adopted"] if scenario.behaviour.date_offset > _SLACK else [])]
    summaries = [each for each in applied.events() if each["type"] == "apply_summary"]
    told = sum(each[name] for each in summaries for name in counted)
    return [f"{made} incidents were made, {told} counted"] if made > told else []


def _plan(scenario: Scenario, machine: Machine) -> CommandResult:
    return machine.run("plan", "--detailed-exitcode", "--json", *_matching(scenario))


def _matching(scenario: Scenario) -> tuple[str, ...]:
    """Return the option that says that a lost state is recovered by numbers."""
    recovers = scenario.adopts_matching and scenario.has_numbers and not scenario.has_marker
    return ("--adopt-matching",) if recovers and scenario.loses_state else ()


def _is_empty(planned: CommandResult, blocked: Blocked) -> bool:
    """Return whether only changes that stay blocked are left."""
    changes = [each for each in planned.changes() if each["actions"] != ["no-op"]]
    left = {each["key"] for each in changes}
    is_blocked = all(each["actions"] == ["blocked"] for each in changes)
    may = blocked.may | _refused(planned).keys()
    return planned.code == (2 if left else 0) and is_blocked and blocked.must <= left <= may


def _refused(planned: CommandResult) -> dict[str, set[str]]:
    """Return the fields that a plan leaves as they are, by key, because the account refused to change them."""
    refused = {
        each["key"]: {one["field"] for one in each["blocked_fields"] if _REFUSED in one["reason"]}
        for each in planned.changes()
    }
    return {key: names for key, names in refused.items() if names}


def _adopt(
    scenario: Scenario, machine: Machine, account: Account, planned: CommandResult, settled: Settled
) -> None:
    """Run the printed `adopt` commands that are right, as a person would who looks at both incidents."""
    references = _references(scenario, machine, account)
    left = {
        each["key"] for each in planned.changes() if each["actions"] in (["pending"], ["blocked"], ["create"])
    }
    lines = [line for each in machine.results[-2:] for line in each.adopt_lines()]
    for key, reference in dict.fromkeys(lines):
        if key in left and reference in references.get(key, ()):
            machine.run("adopt", key, reference)
            settled.adopted += 1
            if not scenario.has_numbers:
                settled.left_for_a_person += 1
            if not _is_for_a_person(scenario):
                settled.findings.append(f"'{key}' was left for a person, though it is certain: {reference}")


def _is_for_a_person(scenario: Scenario) -> bool:
    is_lost = scenario.needs_a_person and scenario.loses_state
    return is_lost or scenario.may_leave_doubt or scenario.kind is Kind.UNSAFE


def _references(scenario: Scenario, machine: Machine, account: Account) -> dict[str, list[str]]:
    """Return the references of the live incidents of a machine's repository by their declared keys."""
    live: dict[str, list[Wire]] = verdict.by_key(account)
    return {
        each["key"]: [one["reference"] for one in live.get(word(each), ())]
        for each in edited(scenario, machine.repository, 0)
    }
