"""One scenario, from an empty account to an empty plan, and its findings."""

from __future__ import annotations

import random
import signal
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.chaos import settling, verdict
from tests.chaos.account import Account, Wire, free_port, served
from tests.chaos.behaviour import KEEPS_NO_KEYS
from tests.chaos.declared import (
    Declared,
    Repository,
    clashes,
    edited,
    first_repository,
    foreign,
    namesake,
    other_repository,
    unchangeable,
    word,
)
from tests.chaos.figures import Figures
from tests.chaos.forgery import Forger
from tests.chaos.machine import CommandResult, Machine, SignalAt
from tests.chaos.people import People
from tests.chaos.scenario import CALM, CREATIONS, DOUBT, EDITS, Company, Kind, Scenario
from tests.chaos.settling import APPLY
from tests.chaos.verdict import Expected

_ATTEMPTS = 4
"""The most applies per kill, as a kill may miss its apply."""

_FEW = 30
"""The most incidents that are adopted by hand, with a command each."""

_CHILDREN = ("timeline", "follow_ups", "attachments")
_COUNTED = ("duplicates", "lost", "announcements", "foreign touched")
_UNAVOIDABLE = ("foreign touched", "announcements", "the API key", "a bug shows", "Traceback")
"""The beginnings of the findings that count even where duplicates cannot be avoided."""


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
    findings = dict.fromkeys(scenario_run.findings)
    if scenario.kind is Kind.UNSAFE:
        findings = {each: None for each in findings if each.startswith(_UNAVOIDABLE)}
    return Result(scenario, folder, scenario_run.figures, tuple(findings))


@dataclass
class _ScenarioRun:
    scenario: Scenario
    folder: Path
    figures: Figures = field(default_factory=Figures)
    findings: list[str] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    people: People = field(init=False)
    others: dict[str, Wire] = field(default_factory=dict)
    refused: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    revision: int = 0

    def __post_init__(self) -> None:
        is_one_machine = self.scenario.company is not Company.OTHER_MACHINE
        # A creation that seems older than its sending may have children that the state does not know.
        agrees = abs(self.scenario.behaviour.date_offset) < 2
        is_state_kept = is_one_machine and agrees and not self.scenario.loses_state
        self.people = People(is_state_kept=is_state_kept)

    def execute(self) -> None:
        """Run the scenario and collect the findings."""
        port = free_port()  # the same one later: a state belongs to one address
        with served(self.folder / "account", self.scenario.behaviour, port) as account:
            self._begin(account)
            if self.scenario.kind is Kind.UNCORRECTABLE:
                self._stop_at_the_first(account)
            else:
                self._disturbed(account)
                self._settle(account)
                self._judge(account)
                self._forge(account)
                self._meet_namesakes(account)
        if self.scenario.kind is not Kind.UNCORRECTABLE:
            forgetful = replace(self.scenario.behaviour, idempotency=KEEPS_NO_KEYS)
            with served(self.folder / "account", forgetful, port) as account:
                self._come_back(account)
                self._judge(account)
        for machine in self.machines:
            self.findings += verdict.of_outputs(machine.results)
            self.findings += verdict.of_files(machine.folder)
        self._count()

    def _begin(self, account: Account) -> None:
        first = first_repository(self.scenario)
        company = {
            Company.OTHER_MACHINE: [first],
            Company.OTHER_REPOSITORY: [other_repository(self.scenario)],
        }.get(self.scenario.company, [])
        repositories = enumerate([first, *company])
        self.machines = [Machine(self.folder / f"{n}", account.url, each) for n, each in repositories]
        self._declare_all()
        for payload in foreign(self.scenario):
            incident_id = account.create(payload)["id"]
            account.follow_up(incident_id, "Add an alert")
            account.timeline_item(incident_id, "Update", "2019-01-01T10:00:00Z")
            account.attachment(incident_id, "https://graphs.example.com/somebody")
        account.start_counting()
        self._let_lists_catch_up()
        self.others = verdict.foreign(account)

    def _declare_all(self) -> None:
        for machine in self.machines:
            self._declare(machine, edited(self.scenario, machine.repository, self.revision))

    def _declare(self, machine: Machine, incidents: list[Declared]) -> None:
        machine.declare(incidents, namespace=machine.repository.namespace, marker=self.scenario.has_marker)

    def _let_lists_catch_up(self) -> None:
        time.sleep(self.scenario.behaviour.list_lag + 0.1 if self.scenario.behaviour.list_lag else 0)

    # -- with faults and kills -------------------------------------------------------------------------

    def _disturbed(self, account: Account) -> None:
        for attempt in range(self.scenario.kills * _ATTEMPTS):
            if self.figures.counts["kills"] < self.scenario.kills:
                self._attempt(account, attempt)
        journal = account.journal()
        self.figures.faults.update(journal["faults"])
        if self.scenario.kind is Kind.UNSAFE:
            self.figures.counts["creations not answered"] += sum(
                journal["faults"].get(each, 0) for each in DOUBT
            )

    def _attempt(self, account: Account, attempt: int) -> None:
        """Apply once with faults and a signal, and disturb the account or the state afterwards."""
        dice = self.scenario.dice(f"attempt {attempt}")
        account.set_faults(self.scenario.weather(attempt))
        self._count_refusals(attempt)
        results = self._apply(dice)
        account.set_faults(CALM)
        counts = self.figures.counts
        counts["kills"] += sum(each.is_killed for each in results)
        counts["kills before a change began"] += sum(each.is_killed and not each.began for each in results)
        counts["interrupts"] += sum(each.code == 130 for each in results)
        if self.scenario.has_people and dice.random() < 0.2:
            self.people.work(account, self._declared(), dice)
        if dice.random() < 0.1 or not any(each.began for each in results):
            self.revision += 1
            self._declare_all()
        for machine in self.machines:
            self._disturb(machine, account, dice)

    def _count_refusals(self, attempt: int) -> None:
        for each in self.scenario.refusals(attempt)[:1]:
            what = "edits" if each["on"] == EDITS else "routes"
            self.figures.counts[f"attempts with refused {what}"] += 1

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
        words = (*APPLY, str(self.scenario.parallelism))
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

    def _disturb(self, machine: Machine, account: Account, dice: random.Random) -> None:
        """Back up the state, then perhaps delete it or replace it by an older copy."""
        if not self.scenario.loses_state:
            return
        if self.scenario.needs_a_person and len(verdict.by_key(account)) > _FEW:
            return
        machine.keep_copy()
        what = dice.random()
        if what < 0.2:
            machine.lose_state()
            self.figures.counts["states lost"] += 1
        elif what < 0.4 and machine.copies > 1:
            machine.restore_copy(dice.randrange(machine.copies - 1))
            self.figures.counts["states swapped"] += 1
        if what < 0.4:  # no state, no key and no list: nothing would show what exists
            self._let_lists_catch_up()

    # -- undisturbed -----------------------------------------------------------------------------------

    def _settle(self, account: Account) -> None:
        """Apply undisturbed until every plan is empty."""
        self._let_lists_catch_up()
        for machine in self.machines:
            settled = settling.settle(self.scenario, machine, account, self._blocked(machine.repository))
            counts = self.figures.counts
            counts["adopted by hand"] += settled.adopted
            counts["left for a person"] += settled.left_for_a_person
            counts["fields refused"] += sum(map(len, settled.refused.values()))
            self._note_refused(machine.repository, settled.refused)
            self.findings += settled.findings

    def _note_refused(self, repository: Repository, refused: dict[str, set[str]]) -> None:
        """Note the fields that the account refused. Only a refused edit may leave one."""
        if refused and not self.figures.counts["attempts with refused edits"]:
            self.findings.append(f"refused without a refusal: {refused}")
        words = {each["key"]: word(each) for each in edited(self.scenario, repository, 0)}
        self.refused[repository.letter] = {words[key]: names for key, names in refused.items()}

    def _blocked(self, repository: Repository) -> settling.Blocked:
        """Return the keys of a repository that stay or may be blocked."""
        keys = {word(each): each["key"] for each in edited(self.scenario, repository, 0)}
        must = {keys[each] for each in clashes(self.scenario) if each in keys}
        may = {keys[each] for each in unchangeable(self.scenario, repository, self.revision)}
        return settling.Blocked(must, may | must)

    def _stop_at_the_first(self, account: Account) -> None:
        """Apply to an account whose new incidents are not what was sent: each run ends with the first of them,
        or with those that were in flight beside it."""
        parallelism = self.scenario.parallelism
        for attempt in range(3):
            applied = self.machines[0].run(*APPLY, str(parallelism))
            made = len(verdict.by_key(account))
            if made > (attempt + 1) * parallelism or (applied.code != 3 and made):
                self.findings.append(f"{made} uncorrectable after {attempt + 1} runs, exit {applied.code}")
        self.findings += self._touched(account)

    def _forge(self, account: Account) -> None:
        """Apply plans that must be refused, to the first machine's incidents."""
        if not self.scenario.has_forgeries or self.scenario.kind is Kind.UNSAFE:
            return
        machine = self.machines[0]
        forger = Forger(
            account,
            machine,
            lambda incidents: self._declare(machine, incidents),
            self.scenario.has_marker,
            self.scenario.behaviour.list_lag,
        )
        blocked = self._blocked(machine.repository).may
        declared = edited(self.scenario, machine.repository, self.revision)
        chosen = [each for each in declared if each["key"] not in blocked]
        self.findings += forger.findings(declared, chosen[0])
        self._let_lists_catch_up()
        self.others = verdict.foreign(account) | self.others
        self._settle(account)
        self._judge(account)

    def _meet_namesakes(self, account: Account) -> None:
        """Let a second repository with the same keys apply in the same namespace, and then in its own."""
        if not self.scenario.has_namesakes or self.scenario.kind is Kind.UNSAFE:
            return
        machine = Machine(self.folder / "namesake", account.url, namesake(self.scenario, ""))
        self._declare(machine, edited(self.scenario, machine.repository, 0))
        before = verdict.whole(account, [e for e in account.incidents() if _is_no_namesake(e)])
        applied = machine.run(*APPLY, "8")
        self._let_lists_catch_up()
        live = {key: found for key, found in verdict.by_key(account).items() if key.startswith("M")}
        after = verdict.whole(account, [e for e in account.incidents() if _is_no_namesake(e)])
        self.findings += [
            f"foreign touched: a namesake changed {before.get(each)} to {after.get(each)}"
            for each in before.keys() | after.keys()
            if before.get(each) != after.get(each)
        ]
        if not live and applied.code != 3:
            self.findings.append(f"the namesakes ended with {applied.code}, not 3: {applied.err[-1000:]}")
        if not live and "identity.namespace" not in applied.out + applied.err:
            self.findings.append(f"the namesakes are not told of namespaces: {applied.err[-1000:]}")
        machine.repository = namesake(self.scenario, "third")
        self._declare(machine, edited(self.scenario, machine.repository, 0))
        self.machines.append(machine)
        self.figures.counts["namesakes"] += machine.repository.size
        self._settle(account)
        self._judge(account)

    def _come_back(self, account: Account) -> None:
        """Apply once more after the server has forgotten all keys, and without a state if a field of the
        account holds them: nothing may be created."""
        self._let_lists_catch_up()
        for machine in self.machines:
            if self.scenario.has_marker:
                machine.lose_state()
            machine.run(*APPLY, "8")
        if account.journal()["requests"].get(f"{CREATIONS} 200"):
            self.findings.append("an incident was created after the server had forgotten its keys")

    # -- findings --------------------------------------------------------------------------------------

    def _judge(self, account: Account) -> None:
        self._let_lists_catch_up()
        expected = self._expected()
        found = [
            *verdict.of_account(account, *expected),
            *self._touched(account),
            *self.people.undone(account, expected[0]),
        ]
        self.findings += found

    def _touched(self, account: Account) -> Iterator[str]:
        now = verdict.foreign(account)
        for each in sorted(self.others.keys() | now.keys()):
            if self.others.get(each) != now.get(each):
                yield f"foreign touched: {self.others.get(each)} -> {now.get(each)}"

    def _expected(self) -> list[Expected]:
        """Return what the account should hold of each repository."""
        blocked = clashes(self.scenario)
        repositories = {each.repository.letter: each.repository for each in self.machines}
        return [
            Expected(
                [each for each in self._revised(repository) if word(each) not in blocked],
                rewrites=self.scenario.behaviour.rewrites,
                namespace=repository.namespace,
                marker_field="Legacy ID" if self.scenario.has_marker else "",
                people=self.people.made.keys(),
                unchangeable=unchangeable(self.scenario, repository, self.revision),
                refused=self.refused.get(repository.letter, {}),
            )
            for repository in repositories.values()
        ]

    def _revised(self, repository: Repository) -> list[Declared]:
        revision = 0 if repository.letter == "M" else self.revision
        return edited(self.scenario, repository, revision)

    def _declared(self) -> dict[str, Declared]:
        return {word(each): each for expected in self._expected() for each in expected.declared}

    def _count(self) -> None:
        counts = self.figures.counts
        is_applied = self.scenario.kind is not Kind.UNCORRECTABLE
        declared = self._declared().values() if is_applied else ()
        counts["runs"] += 1
        for each in _COUNTED:  # judged several times, counted once
            counts[each] += len({one for one in self.findings if one.startswith(f"{each}:")})
        counts["incidents"] += len(declared)
        counts["foreign"] += len(self.others)
        counts["dashboard edits"] += self.people.edits
        counts["children of people"] += len(self.people.made)
        counts["children"] += sum(len(each.get(kind, ())) for each in declared for kind in _CHILDREN)
        self.figures.scenarios.update(self.scenario.labels())
        for machine in self.machines:
            counts["processes"] += len(machine.results)
            self.figures.exits.update(str(each.code) for each in machine.results)


def _is_no_namesake(incident: Wire) -> bool:
    return not verdict.key_of(incident).startswith("M")
