"""The state file: which key is which incident, what was begun and ended, what was last declared and answered.

What was written is durable before the request leaves. It is a journal, not the truth: idempotency keys do not
depend on it, so losing it costs reads, not duplicates.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from importer.model import (
    Account,
    Attribute,
    Attributes,
    Binding,
    LiveIncident,
    Memory,
    Remembered,
    Unanswered,
)
from importer.model.codec import decode_record
from importer.model.errors import Refused
from importer.model.steps import CREATE
from importer.state.ledger_file import LedgerFile, open_file, read_file, readable_errors
from importer.state.ledger_rows import (
    CONFIRMED,
    PUT_FIELDS,
    SENT,
    SENT_WITH,
    add_state,
    binding_of,
    field_rows,
    put_account,
    remembered_of,
    state_of,
)
from importer.state.merge import MergeResult, State, merge_result, merged

APPLY = "apply"

PLANNED = "planned"
FAILED = "failed"

_BINDINGS = "SELECT key, incident_id, reference, settled FROM binding"
_ENTRIES = "SELECT key, step, status, at, idempotency_key, detail FROM entry"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step of one key: `create`, `edit`, a child's label, or `apply` for the whole change.
    `status` is planned, sent, confirmed or failed."""

    key: str
    step: str
    status: str
    at: str
    idempotency_key: str | None
    detail: str | None


class Ledger:
    """One open state file. Every method is one transaction; threads may share it."""

    def __init__(self, file: LedgerFile, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._file = file
        self._now = now

    # -- what plan reads -------------------------------------------------------------------------------

    def memory(self) -> Memory:
        """Return all bindings, and the keys whose creation was sent and never answered, each with what it
        carried."""
        # In this order: what another process confirms in between is bound, not unknown.
        sent = self._file.query(SENT_WITH, CREATE, SENT)
        bindings = {each.key: each for each in self.bindings()}
        unanswered = {key: Unanswered(*rest) for key, *rest in sent if key not in bindings}
        return Memory(bindings, unanswered, self.remembered)

    def bindings(self) -> tuple[Binding, ...]:
        """Return every known pair of key and incident, sorted by key."""
        return tuple(binding_of(row) for row in self._file.query(f"{_BINDINGS} ORDER BY key"))

    def binding(self, key: str) -> Binding | None:
        """Return the pair of one key, if it is known."""
        return next((binding_of(row) for row in self._file.query(f"{_BINDINGS} WHERE key = ?", key)), None)

    def remembered(self, key: str) -> Mapping[Attribute, Remembered]:
        """Return what was last declared and answered of each attribute of one key."""
        rows = self._file.query("SELECT attribute, declared, answered FROM field WHERE key = ?", key)
        with readable_errors(self.path):
            return {
                decode_record(Attribute, json.loads(attribute)): remembered_of(declared, answered)
                for attribute, declared, answered in rows
            }

    def entries(self, key: str) -> tuple[JournalEntry, ...]:
        """Return the journal of one key, in the order of time."""
        return tuple(
            JournalEntry(*row) for row in self._file.query(f"{_ENTRIES} WHERE key = ? ORDER BY at, step", key)
        )

    def in_doubt(self, key: str, step: str) -> Unanswered | None:
        """Return what a step carried that has an idempotency key, was sent and was never answered."""
        sql = (
            "SELECT idempotency_key, content FROM entry"
            " WHERE key = ? AND step = ? AND status = ? AND idempotency_key IS NOT NULL"
        )
        return next((Unanswered(*row) for row in self._file.query(sql, key, step, SENT)), None)

    def carried_out(self, key: str, *, plan_hash: str) -> frozenset[str]:
        """Return the steps of one key that a run of a saved plan carried out."""
        sql = "SELECT step FROM entry WHERE key = ? AND status = ? AND plan_hash = ?"
        return frozenset(step for (step,) in self._file.query(sql, key, CONFIRMED, plan_hash))

    def is_created(self, key: str) -> bool:
        """Whether a creation of this key was answered with its incident."""
        sql = "SELECT 1 FROM entry WHERE key = ? AND step = ? AND status = ?"
        return bool(self._file.query(sql, key, CREATE, CONFIRMED))

    def pending(self) -> tuple[str, ...]:
        """Return the keys whose creation was sent and never answered, sorted."""
        return tuple(sorted(self.memory().sent))

    def account(self) -> Account | None:
        """Return the account that this state belongs to, if it has met one."""
        endpoint, dashboard_url = self.meta("endpoint"), self.meta("dashboard_url")
        return Account(endpoint, dashboard_url) if endpoint and dashboard_url is not None else None

    def state(self) -> State:
        """Return all that another machine needs to go on, as of one moment."""
        return self._file.look(state_of)

    def is_finished(self, plan_hash: str) -> bool:
        """Whether a saved plan was applied to its end."""
        return bool(self._file.query("SELECT 1 FROM plan WHERE hash = ?", plan_hash))

    def applied_by(self, plan_hash: str) -> frozenset[str]:
        """Return the keys whose change in a saved plan was made already, by a run that did not end."""
        rows = self._file.query(
            "SELECT key FROM entry WHERE step = ? AND status = ? AND plan_hash = ?",
            APPLY,
            CONFIRMED,
            plan_hash,
        )
        return frozenset(key for (key,) in rows)

    def begun_by(self, plan_hash: str) -> frozenset[str]:
        """Return the keys that a run of a saved plan may have changed and no other plan took up since."""
        rows = self._file.query(
            "SELECT DISTINCT entry.key FROM entry JOIN entry AS whole ON whole.key = entry.key"
            " AND whole.step = ? AND whole.plan_hash = entry.plan_hash"
            " WHERE entry.status IN (?, ?) AND entry.plan_hash = ?",
            APPLY,
            SENT,
            CONFIRMED,
            plan_hash,
        )
        return frozenset(key for (key,) in rows)

    # -- what apply writes -----------------------------------------------------------------------------

    def bind_account(self, account: Account) -> None:
        """Bind the file to the account, or raise Refused where it belongs to another one."""
        check_account(self, account)
        self._file.write(lambda to: put_account(to, account))

    def planned(self, keys: Iterable[str], *, plan_hash: str) -> None:
        """Note what a run is going to do."""
        rows = [(key, APPLY, PLANNED, self._stamp(), plan_hash) for key in keys]
        sql = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, NULL, ?, NULL, NULL)"
        self._file.write(lambda to: to.executemany(sql, rows))

    def sending(
        self, key: str, step: str, *, idempotency_key: str | None, content: str | None, plan_hash: str
    ) -> None:
        """Note that a request is about to leave, with what would be sent again; durable when this returns."""
        row = (key, step, SENT, self._stamp(), idempotency_key, plan_hash, content)
        sql = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, NULL, ?)"
        self._file.write(lambda to: to.execute(sql, row))

    def confirmed(
        self, key: str, *steps: str, live: LiveIncident, declared: Attributes, answered: Attributes
    ) -> None:
        """Note that steps were carried out, on which incident, and what came of each declared attribute."""
        rows = field_rows(key, ((name, value, answered.get(name)) for name, value in declared.items()))

        def work(to: sqlite3.Connection) -> None:
            self._bind(to, key, live.id, live.reference)
            to.executemany(PUT_FIELDS, rows)
            for step in steps:
                self._end(to, key, step, status=CONFIRMED)

        self._file.write(work)

    def failed(self, key: str, step: str, *, detail: str) -> None:
        """Note that the server refused a step, in its words."""
        self._file.write(lambda to: self._end(to, key, step, status=FAILED, detail=detail))

    def settled(self, key: str, incident_id: str, reference: str, *, plan_hash: str) -> None:
        """Note that all of a change is done. It may wait for the next transaction: if a crash takes it, the
        change is made once more, which is safe."""

        def work(to: sqlite3.Connection) -> None:
            self._bind(to, key, incident_id, reference)
            to.execute("UPDATE binding SET settled = 1 WHERE key = ?", (key,))
            # Only where this plan announced it: what an older plan left undone stays undone.
            to.execute(
                "UPDATE entry SET status = ?, at = ? WHERE key = ? AND step = ? AND plan_hash = ?",
                (CONFIRMED, self._stamp(), key, APPLY, plan_hash),
            )

        self._file.write_later(work)

    def finished(self, plan_hash: str) -> None:
        """Note that nothing of a saved plan is left to do."""
        row = (plan_hash, self._stamp())
        self._file.write(lambda to: to.execute("INSERT OR IGNORE INTO plan VALUES (?, ?)", row))

    def adopt(self, key: str, live: LiveIncident) -> None:
        """Note somebody's word that an existing incident is the one with this key."""
        self._file.write(lambda to: self._claim(to, key, live, settled=False))

    def bind_all(self, adopted: Iterable[tuple[str, LiveIncident, Attributes]]) -> None:
        """Note that these incidents are the ones with these keys, and are as declared: all or none."""

        def work(to: sqlite3.Connection) -> None:
            for key, live, attributes in adopted:
                self._claim(to, key, live, settled=True)
                rows = field_rows(key, ((name, value, value) for name, value in attributes.items()))
                to.executemany(PUT_FIELDS, rows)

        self._file.write(work)

    def merge(self, given: State) -> MergeResult:
        """Add what another state knows, all of it or nothing. Raises Refused where the two contradict."""
        results: list[MergeResult] = []

        def work(to: sqlite3.Connection) -> None:
            own = state_of(to)
            whole = merged(own, given)
            add_state(to, own, whole, at=self._stamp())
            results[:] = [merge_result(own, whole)]

        self._file.write(work)
        return results[0]

    def forget(self, key: str) -> None:
        """Remove all that is known of a key. The incident itself stays as it is."""

        def work(to: sqlite3.Connection) -> None:
            for table in ("binding", "entry", "field"):
                to.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608

        self._file.write(work)

    def set_meta(self, name: str, value: str) -> None:
        """Keep one word about the file itself, such as who holds its lock."""
        self._file.write(lambda to: to.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value)))

    def meta(self, name: str) -> str | None:
        """Return what was kept under a name."""
        rows = self._file.query("SELECT value FROM meta WHERE name = ?", name)
        return next((value for (value,) in rows), None)

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        self._file.close()

    # -- below -----------------------------------------------------------------------------------------

    def _bind(self, to: sqlite3.Connection, key: str, incident_id: str, reference: str) -> None:
        to.execute(
            "INSERT INTO binding VALUES (?, ?, ?, 1, ?) ON CONFLICT (key) DO UPDATE SET"
            " incident_id = excluded.incident_id, reference = excluded.reference",
            (key, incident_id, reference, self._stamp()),
        )

    def _claim(self, to: sqlite3.Connection, key: str, live: LiveIncident, *, settled: bool) -> None:
        """Bind a key as of now: where another state knows it too, the later word counts."""
        self._bind(to, key, live.id, live.reference)
        row = (settled, self._stamp(), key)
        to.execute("UPDATE binding SET settled = ?, bound_at = ? WHERE key = ?", row)

    def _end(
        self, to: sqlite3.Connection, key: str, step: str, *, status: str, detail: str | None = None
    ) -> None:
        to.execute(
            "UPDATE entry SET status = ?, at = ?, detail = ?, content = NULL WHERE key = ? AND step = ?",
            (status, self._stamp(), detail, key, step),
        )

    def _stamp(self) -> str:
        return self._now().isoformat()


def open_ledger(path: Path, *, now: Callable[[], datetime]) -> Ledger:
    """Open the state file for writing; make it if it is not there.

    Raises Refused where it is not ours, damaged, or of a later version.
    """
    return Ledger(open_file(path), path, now)


def read_ledger(path: Path, *, now: Callable[[], datetime]) -> Ledger:
    """Open the state file for reading; an absent one is empty, and stays absent."""
    return Ledger(read_file(path), path, now)


def check_account(ledger: Ledger, account: Account) -> None:
    """Raise Refused where the state belongs to another account than the one that answers."""
    known = ledger.account()
    if known is not None and known != account:
        raise Refused(
            f"the state {ledger.path} belongs to another account: {known.dashboard_url} at {known.endpoint},"
            f" not {account.dashboard_url} at {account.endpoint}",
            hint="use that account's key and endpoint, or another state file with --state FILE",
            code="foreign-account",
        )
