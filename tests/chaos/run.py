"""One scenario, from an empty account to an empty plan, and its findings."""

from __future__ import annotations

import random
import signal
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import verdict
from tests.chaos.account import Account, Wire, served
from tests.chaos.declared import clashes, edited, foreign
from tests.chaos.figures import Figures
from tests.chaos.machine import CommandResult, Machine, SignalAt
from tests.chaos.scenario import CALM, Company, Scenario

_ATTEMPTS = 4
"""The most applies per kill, as a kill may miss its apply."""

_CALM_RUNS = 6
"""The most undisturbed applies until everything is settled."""

_FEW = 30
"""The most incidents that are adopted by hand, with a command each."""

_APPLY = ("apply", "--auto-approve", "--json", "--parallelism")
_CHILDREN = ("timeline", "follow_ups", "attachments")


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run and every broken promise that it found."""

    scenario: Scenario
    folder: Path
    figures: Figures
    findings: tuple[str, ...]


def run(scenario: Scenario, folder: Path) -> Result:
    """Run a scenario in an empty folder. An error of the harness itself is a finding too."""
    scenario_run = _ScenarioRun(scenario, folder)
    try:
        scenario_run.execute()
    except Exception:  # one run of a campaign must not end the others
        scenario_run.findings.append(traceback.format_exc())
    return Result(scenario, folder, scenario_run.figures, tuple(scenario_run.findings))


@dataclass
class _ScenarioRun:
    scenario: Scenario
    folder: Path
    figures: Figures = field(default_factory=Figures)
    findings: list[str] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    others: dict[str, Wire] = field(default_factory=dict)
    revision: int = 0

    def execute(self) -> None:
        """Run the scenario and collect the findings."""
        scenario, counts = self.scenario, self.figures.counts
        home, normalises = self.folder / "account", scenario.normalises
        with served(home, idempotency=scenario.idempotency, normalises=normalises) as account:
            self._begin(account)
            for attempt in range(scenario.kills * _ATTEMPTS):
                if counts["kills"] < scenario.kills:
                    self._attempt(account, attempt)
            self.figures.faults.update(account.journal()["faults"])
            self._settle(account)
            self._judge(account)
        with served(home, idempotency="expired", normalises=normalises) as account:
            self._come_back(account)
            self._judge(account)
        for machine in self.machines:
            self.findings += verdict.of_outputs(machine.results)
            self.findings += verdict.of_files(machine.folder)
        self._count()

    def _begin(self, account: Account) -> None:
        names = ["one", "two"] if self.scenario.company is Company.OTHER_MACHINE else ["one"]
        self.machines = [Machine(self.folder / name, account.url) for name in names]
        self._declare()
        for payload in foreign(self.scenario):
            account.follow_up(account.create(payload)["id"], "Add an alert")
        account.start_counting()
        self.others = verdict.foreign(account)

    def _declare(self) -> None:
        for machine in self.machines:
            machine.declare(edited(self.scenario, self.revision), marker=self.scenario.has_marker)

    # -- with faults and kills -------------------------------------------------------------------------

    def _attempt(self, account: Account, attempt: int) -> None:
        """Apply once with faults and a signal, and disturb the account or the state afterwards."""
        dice = self.scenario.dice(f"attempt {attempt}")
        account.set_faults(self.scenario.weather(attempt))
        results = self._apply(dice)
        account.set_faults(CALM)
        counts = self.figures.counts
        counts["kills"] += sum(each.is_killed for each in results)
        counts["kills before a change began"] += sum(each.is_killed and not each.began for each in results)
        counts["interrupts"] += sum(each.code == 130 for each in results)
        if dice.random() < 0.2:
            self._edit_in_dashboard(account, dice)
        if dice.random() < 0.1 or not any(each.began for each in results):
            self.revision += 1
            self._declare()
        for machine in self.machines:
            self._disturb(machine, account, dice)

    def _apply(self, dice: random.Random) -> list[CommandResult]:
        """Run apply on each machine, or twice at once if two runs share a state."""
        calls = [(machine, *self._call(dice)) for machine in self.machines]
        if self.scenario.company is Company.SAME_STATE:
            words, end = self._call(dice)
            waits = ("--lock-timeout", "20") if dice.random() < 0.5 else ()
            calls.append((self.machines[0], words + waits, end))
        with ThreadPoolExecutor(len(calls)) as pool:
            ended = [pool.submit(machine.run, *words, end=end) for machine, words, end in calls]
            return [each.result() for each in ended]

    def _call(self, dice: random.Random) -> tuple[tuple[str, ...], SignalAt | None]:
        """Draw a command and a signal: mostly a kill during its requests, sometimes one while it starts or
        plans, an interrupt, or a partial apply without a signal."""
        share = self.scenario.incidents // self.scenario.kills
        words = (*_APPLY, str(self.scenario.parallelism))
        events, moment = dice.randint(1, 2 * share), dice.random() * 0.03
        match dice.choices(["kill", "early kill", "interrupt", "part"], [80, 8, 6, 6])[0]:
            case "kill":
                return words, SignalAt(signal.SIGKILL, events, moment)
            case "early kill":
                return words, SignalAt(signal.SIGKILL, None, dice.uniform(0.1, 1.5))
            case "interrupt":
                return words, SignalAt(dice.choice([signal.SIGINT, signal.SIGTERM]), events, moment)
            case _:
                return (*words, "--limit", str(share)), None

    def _edit_in_dashboard(self, account: Account, dice: random.Random) -> None:
        live = verdict.by_key(account)
        for key in dice.sample(sorted(live), min(3, len(live))):
            fields = {"summary": f"{key} as somebody saw it", "severity_id": live[key][0]["severity"]["id"]}
            account.edit(live[key][0]["id"], fields)
            self.figures.counts["dashboard edits"] += 1

    def _disturb(self, machine: Machine, account: Account, dice: random.Random) -> None:
        """Back up the state, then perhaps delete it or replace it by an older copy."""
        if not self.scenario.loses_state:
            return
        if self.scenario.is_adopted_by_hand and len(verdict.by_key(account)) > _FEW:
            return
        machine.keep_copy()
        what = dice.random()
        if what < 0.2:
            machine.lose_state()
            self.figures.counts["states lost"] += 1
        elif what < 0.4 and machine.copies > 1:
            machine.restore_copy(dice.randrange(machine.copies - 1))
            self.figures.counts["states swapped"] += 1

    # -- undisturbed -----------------------------------------------------------------------------------

    def _settle(self, account: Account) -> None:
        """Apply undisturbed until every plan is empty."""
        for machine in self.machines:
            for _ in range(_CALM_RUNS):
                planned = machine.run("plan", "--detailed-exitcode", "--json")
                if self._is_empty(planned):
                    break
                self._adopt(machine, planned, account)
                machine.run(*_APPLY, "8")
            else:
                self.findings.append(f"the plan does not become empty: {planned.err} {planned.out}")

    def _is_empty(self, planned: CommandResult) -> bool:
        """Return whether only the changes that must stay blocked are left."""
        blocked = set(clashes(self.scenario))
        left = {each["key"] for each in planned.changes() if each["actions"] != ["no-op"]}
        return planned.code == (2 if blocked else 0) and left == blocked

    def _adopt(self, machine: Machine, planned: CommandResult, account: Account) -> None:
        """Adopt incidents as a person would, since numbers do not prove which one is the declared one."""
        if not self.scenario.is_adopted_by_hand:
            return
        live = verdict.by_key(account)
        for change in planned.changes():
            if change["actions"] == ["blocked"] and change["key"] in live:
                machine.run("adopt", change["key"], live[change["key"]][0]["reference"])
                self.figures.counts["adopted by hand"] += 1

    def _come_back(self, account: Account) -> None:
        """Apply once more after the server has forgotten all keys, and without a state if a field of the
        account holds them: nothing may be created."""
        for machine in self.machines:
            machine.url = account.url
            if self.scenario.has_marker:
                machine.lose_state()
            machine.run(*_APPLY, "8")
        if account.journal()["requests"].get("POST /v2/incidents 200"):
            self.findings.append("an incident was created after the server had forgotten its keys")

    # -- findings --------------------------------------------------------------------------------------

    def _judge(self, account: Account) -> None:
        found = [*verdict.of_account(account, self._declared()), *self._touched(account)]
        for word in ("duplicates", "lost", "announcements", "foreign touched"):
            self.figures.counts[word] += sum(each.startswith(f"{word}:") for each in found)
        self.findings += found

    def _touched(self, account: Account) -> Iterator[str]:
        now = verdict.foreign(account)
        for each in sorted(self.others.keys() | now.keys()):
            if self.others.get(each) != now.get(each):
                yield f"foreign touched: {self.others.get(each)} -> {now.get(each)}"

    def _declared(self) -> list[Wire]:
        blocked = clashes(self.scenario)
        return [each for each in edited(self.scenario, self.revision) if each["key"] not in blocked]

    def _count(self) -> None:
        declared, counts = self._declared(), self.figures.counts
        counts["runs"] += 1
        counts["incidents"] += len(declared)
        counts["foreign"] += len(self.others)
        counts["children"] += sum(len(each.get(kind, ())) for each in declared for kind in _CHILDREN)
        for machine in self.machines:
            counts["processes"] += len(machine.results)
            self.figures.exits.update(str(each.code) for each in machine.results)
