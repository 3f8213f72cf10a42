"""Saved plans that must not be carried out: one whose binding was forgotten since, and one that somebody
changed to name another incident, with a hash that matches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from importer.model import Adopt, Update
from importer.plan.file import read_plan, write_plan
from tests.chaos import verdict
from tests.chaos.account import Account, Wire
from tests.chaos.declared import Declared, word
from tests.chaos.machine import CommandResult, Machine

_REFUSED = 4


@dataclass(frozen=True, slots=True)
class Forger:
    """Makes and applies plans with one edit each. `declare` writes the machine's files."""

    account: Account
    machine: Machine
    declare: Callable[[list[Declared]], None]
    has_marker: bool
    list_lag: int

    def findings(self, declared: list[Declared], chosen: Declared) -> Iterator[str]:
        """Yield what was done to the chosen incident though it should have been refused, and leave the files
        as declared."""
        ours = verdict.by_key(self.account)[word(chosen)][0]
        severity = "Critical" if chosen["severity"] != "Critical" else "Minor"
        self.declare([{**each, "severity": severity} if each is chosen else each for each in declared])
        yield from self._forgotten(chosen["key"], ours)
        yield from self._swapped(chosen["key"], ours)
        self.declare(declared)

    def _forgotten(self, key: str, ours: Wire) -> Iterator[str]:
        """Apply a plan after its key was forgotten. A marker field still proves whose incident it is."""
        if self.has_marker:
            return
        path = self._plan(key)
        self.machine.run("state", "forget", key)
        yield from self._refused(path, f"a plan of the forgotten key {key}")
        self.machine.run("adopt", key, ours["reference"])

    def _swapped(self, key: str, ours: Wire) -> Iterator[str]:
        """Apply a plan that names somebody else's incident, which has the values that the plan expects."""
        victim = self.account.create(
            {
                "idempotency_key": f"the victim of {key}",
                "mode": "retrospective",
                "visibility": "public",
                "name": ours["name"],
                "summary": "the victim of a forged plan",
                "severity_id": ours["severity"]["id"],
            }
        )
        time.sleep(self.list_lag + 0.1 if self.list_lag else 0)  # the list shows the victim only then
        path = self._plan(key)
        saved = read_plan(path).plan
        change = next((each for each in saved.changes if isinstance(each, Update | Adopt)), None)
        if change is None:
            yield f"no edit of {key} was planned, though its files were edited"
            return
        live = replace(
            change.live, id=victim["id"], reference=victim["reference"], updated_at=victim["updated_at"]
        )
        forged = replace(change, live=live)
        write_plan(replace(saved, changes=tuple(forged if e is change else e for e in saved.changes)), path)
        yield from self._refused(path, f"a plan whose incident was swapped for {victim['reference']}")

    def _plan(self, key: str) -> Path:
        path = self.machine.folder / "forged.json"
        self.machine.run("plan", "--only", key, "--out", str(path))
        return path

    def _refused(self, path: Path, what: str) -> Iterator[str]:
        before = self.account.incidents()
        applied: CommandResult = self.machine.run("apply", str(path), "--auto-approve", "--json")
        if applied.code != _REFUSED:
            yield f"{what} ended with {applied.code}, not {_REFUSED}: {applied.err[-500:]}"
        if self.account.incidents() != before:
            yield f"foreign touched: by {what}"
