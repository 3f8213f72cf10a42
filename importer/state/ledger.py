"""The state file: which key is which incident, what was begun and ended, what was last declared and answered.

An entry is durable before its request is sent. The file is a journal, not the source of truth: idempotency
keys do not depend on it, so losing it costs reads, not duplicates."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from importer.model import (
    Account,
    Attribute,
    Attributes,
    Binding,
    ChildHistory,
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
    ANSWERED_OTHERWISE,
    CONFIRMED,
    FOUND,
    HISTORY,
    PUT_FIELDS,
    SENT,
    SENT_WITH,
    add_state,
    binding_of,
    field_rows,
    history_of,
    put_account,
    remembered_of,
    shows_another_case,
    slot_of,
    state_of,
    unanswered_of,
)
from importer.state.merge import MergeResult, State, merge_result, merged

APPLY = "apply"

NO_IDS: Mapping[Attribute, str] = {}

PLANNED = "planned"
FAILED = "failed"

_BINDINGS = "SELECT key, incident_id, reference, settled, written_at FROM binding"
_ENTRIES = "SELECT key, step, status, at, idempotency_key, detail FROM entry"


_SENDING = (
    "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?) ON CONFLICT (key, step) DO UPDATE SET"
    " first_sent = CASE WHEN status = excluded.status THEN first_sent ELSE excluded.first_sent END,"
    " status = excluded.status, at = excluded.at, idempotency_key = excluded.idempotency_key,"
    " plan_hash = excluded.plan_hash, detail = NULL, content = excluded.content"
)


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
        """Return all bindings, and the creations that were sent and never answered."""
        # In this order, a creation that another process confirms in between is bound rather than lost.
        sent = self._file.query(SENT_WITH, CREATE, SENT)
        bindings = {each.key: each for each in self.bindings()}
        unanswered = {key: unanswered_of(tuple(rest)) for key, *rest in sent if key not in bindings}
        return Memory(bindings, unanswered, self.remembered, self.history, self.child_owner)

    def bindings(self) -> tuple[Binding, ...]:
        """Return all bindings, sorted by key."""
        return tuple(binding_of(row) for row in self._file.query(f"{_BINDINGS} ORDER BY key"))

    def binding(self, key: str) -> Binding | None:
        """Return the binding of one key, or None if there is none."""
        return next((binding_of(row) for row in self._file.query(f"{_BINDINGS} WHERE key = ?", key)), None)

    def owner(self, incident_id: str) -> str | None:
        """Return the key that an incident is bound to, or None if there is none."""
        rows = self._file.query("SELECT key FROM binding WHERE incident_id = ?", incident_id)
        return next((key for (key,) in rows), None)

    def remembered(self, key: str) -> Mapping[Attribute, Remembered]:
        """Return the last declared and answered values of one key by attribute."""
        rows = self._file.query(
            "SELECT attribute, declared, answered, child_id, refused FROM field WHERE key = ?", key
        )
        with readable_errors(self.path):
            return {
                decode_record(Attribute, json.loads(attribute)): remembered_of(*rest)
                for attribute, *rest in rows
            }

    def changes_case(self, attribute: Attribute) -> bool:
        """Whether the account answered a text of a custom field in another case than it was sent."""
        return shows_another_case(self._file.query(ANSWERED_OTHERWISE, slot_of(attribute)))

    def history(self, key: str) -> ChildHistory:
        """Return what is known of the creation of one key's children."""
        with readable_errors(self.path):
            return history_of(self._file.query(HISTORY, key))

    def child_owner(self, child_id: str) -> str | None:
        """Return the key of the incident that a child belongs to, or None if the state does not know it."""
        rows = self._file.query("SELECT key FROM field WHERE child_id = ?", child_id)
        return next((key for (key,) in rows), None)

    def entries(self, key: str) -> tuple[JournalEntry, ...]:
        """Return the journal of one key, in chronological order."""
        return tuple(
            JournalEntry(*row) for row in self._file.query(f"{_ENTRIES} WHERE key = ? ORDER BY at, step", key)
        )

    def in_doubt(self, key: str, step: str) -> Unanswered | None:
        """Return the request of a step that has an idempotency key, was sent and was never answered."""
        sql = (
            "SELECT idempotency_key, content, first_sent FROM entry"
            " WHERE key = ? AND step = ? AND status = ? AND idempotency_key IS NOT NULL"
        )
        return next(map(unanswered_of, self._file.query(sql, key, step, SENT)), None)

    def carried_out(self, key: str, *, plan_hash: str) -> frozenset[str]:
        """Return the steps of one key that runs of a saved plan carried out."""
        sql = "SELECT step FROM entry WHERE key = ? AND status = ? AND plan_hash = ?"
        return frozenset(step for (step,) in self._file.query(sql, key, CONFIRMED, plan_hash))

    def is_created(self, key: str) -> bool:
        """Whether a creation of this key was confirmed."""
        sql = "SELECT 1 FROM entry WHERE key = ? AND step = ? AND status = ?"
        return bool(self._file.query(sql, key, CREATE, CONFIRMED))

    def pending(self) -> tuple[str, ...]:
        """Return the keys whose creation was sent and never answered, sorted."""
        return tuple(sorted(self.memory().sent))

    def account(self) -> Account | None:
        """Return the account that this state is bound to, or None if it is new."""
        endpoint, dashboard_url = self.meta("endpoint"), self.meta("dashboard_url")
        return Account(endpoint, dashboard_url) if endpoint and dashboard_url is not None else None

    def state(self) -> State:
        """Return a consistent snapshot of everything that another machine needs to continue."""
        return self._file.snapshot(state_of)

    def is_finished(self, plan_hash: str) -> bool:
        """Whether a saved plan was applied completely."""
        return bool(self._file.query("SELECT 1 FROM plan WHERE hash = ?", plan_hash))

    def applied_by(self, plan_hash: str) -> frozenset[str]:
        """Return the keys whose change in a saved plan an earlier run already made."""
        rows = self._file.query(
            "SELECT key FROM entry WHERE step = ? AND status = ? AND plan_hash = ?",
            APPLY,
            CONFIRMED,
            plan_hash,
        )
        return frozenset(key for (key,) in rows)

    def begun_by(self, plan_hash: str) -> frozenset[str]:
        """Return the keys that a saved plan may have changed and that no later plan has taken up."""
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
        """Bind the file to the account. Raises Refused if it belongs to another one."""
        check_account(self, account)
        self._file.write(lambda db: put_account(db, account))

    def planned(self, keys: Iterable[str], *, plan_hash: str) -> None:
        """Record the keys that a run is going to change."""
        rows = [(key, APPLY, PLANNED, self._stamp(), plan_hash) for key in keys]
        sql = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, NULL, ?, NULL, NULL, NULL)"
        self._file.write(lambda db: db.executemany(sql, rows))

    def sending(self, key: str, step: str, request: Unanswered, *, plan_hash: str) -> None:
        """Record that a step is sent, with what to send again, or to look for, if it is not answered; durable
        when this returns. A step in doubt keeps the time when it was first sent."""
        first_sent = request.first_sent.isoformat() if request.first_sent else None
        kept = (request.idempotency_key or None, plan_hash, request.content, first_sent)
        self._file.write(lambda db: db.execute(_SENDING, (key, step, SENT, self._stamp(), *kept)))

    def confirmed(
        self,
        key: str,
        *steps: str,
        live: LiveIncident,
        declared: Attributes,
        answered: Attributes,
        child_ids: Mapping[Attribute, str] = NO_IDS,
        is_found: bool = False,
    ) -> None:
        """Record that steps were carried out, with their incident, the answered values and the IDs of
        children. If it `is_found`, the incident of a creation was there before, with unknown children."""
        rows = field_rows(
            key,
            (
                (name, Remembered(value, answered.get(name), child_ids.get(name)))
                for name, value in declared.items()
            ),
        )

        def work(db: sqlite3.Connection) -> None:
            self._bind(db, key, live.id, live.reference)
            self._note_writing(db, key, live.last_edit)
            db.executemany(PUT_FIELDS, rows)
            for step in steps:
                self._end(db, key, step, status=CONFIRMED, detail=FOUND if is_found else None)

        self._file.write(work)

    def failed(self, key: str, step: str, *, detail: str) -> None:
        """Record that the server refused a step, with its message."""
        self._file.write(lambda db: self._end(db, key, step, status=FAILED, detail=detail))

    def refused(self, key: str, declared: Attributes, *, answered: Attributes, reason: str) -> None:
        """Record that the account does not take or keep these values, what it last answered, and why."""
        rows = field_rows(
            key,
            ((name, Remembered(value, answered.get(name), None, reason)) for name, value in declared.items()),
        )
        self._file.write(lambda db: db.executemany(PUT_FIELDS, rows))

    def settled(self, key: str, incident_id: str, reference: str, *, plan_hash: str) -> None:
        """Record that a change is complete. This may wait for the next transaction: if it is lost in a crash,
        the change is made again, which is safe."""

        def work(db: sqlite3.Connection) -> None:
            self._bind(db, key, incident_id, reference)
            db.execute("UPDATE binding SET settled = 1 WHERE key = ?", (key,))
            # Only for this plan: what an older plan left undone stays undone.
            db.execute(
                "UPDATE entry SET status = ?, at = ? WHERE key = ? AND step = ? AND plan_hash = ?",
                (CONFIRMED, self._stamp(), key, APPLY, plan_hash),
            )

        self._file.write_later(work)

    def bind(self, key: str, live: LiveIncident) -> None:
        """Record that an incident proved to be this key's. Raises Refused if it is bound to another one."""
        self._file.write(lambda db: self._bind(db, key, live.id, live.reference))

    def finished(self, plan_hash: str) -> None:
        """Record that a saved plan was applied completely."""
        row = (plan_hash, self._stamp())
        self._file.write(lambda db: db.execute("INSERT OR IGNORE INTO plan VALUES (?, ?)", row))

    def adopt(self, key: str, live: LiveIncident) -> None:
        """Record that the user adopted an existing incident under this key."""
        self._file.write(lambda db: self._claim(db, key, live, settled=False))

    def bind_all(self, adopted: Iterable[tuple[str, LiveIncident, Attributes]]) -> None:
        """Bind these incidents to these keys, as unchanged: either all of them or none."""

        def work(db: sqlite3.Connection) -> None:
            for key, live, attributes in adopted:
                self._claim(db, key, live, settled=True)
                known = (
                    (name, Remembered(value, value, live.child_ids.get(name)))
                    for name, value in attributes.items()
                )
                db.executemany(PUT_FIELDS, field_rows(key, known))

        self._file.write(work)

    def merge(self, given: State) -> MergeResult:
        """Merge another state into this one, completely or not at all. Raises Refused if they contradict."""
        results: list[MergeResult] = []

        def work(db: sqlite3.Connection) -> None:
            own = state_of(db)
            whole = merged(own, given)
            add_state(db, own, whole, at=self._stamp())
            results[:] = [merge_result(own, whole)]

        self._file.write(work)
        return results[0]

    def forget(self, key: str) -> None:
        """Remove everything about a key. The incident itself is not changed."""

        def work(db: sqlite3.Connection) -> None:
            for table in ("binding", "entry", "field"):
                db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608

        self._file.write(work)

    def set_meta(self, name: str, value: str) -> None:
        """Store a value about the file itself, such as who holds its lock."""
        self._file.write(lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value)))

    def meta(self, name: str) -> str | None:
        """Return the value of `set_meta`, or None if there is none."""
        rows = self._file.query("SELECT value FROM meta WHERE name = ?", name)
        return next((value for (value,) in rows), None)

    def close(self) -> None:
        """Write what is waiting, and close the file. Raises Refused if it cannot be written."""
        self._file.close()

    # -- helpers ---------------------------------------------------------------------------------------

    def _bind(self, db: sqlite3.Connection, key: str, incident_id: str, reference: str) -> None:
        db.execute(
            "INSERT INTO binding VALUES (?, ?, ?, 1, ?, NULL) ON CONFLICT (key) DO UPDATE SET"
            " incident_id = excluded.incident_id, reference = excluded.reference",
            (key, incident_id, reference, self._stamp()),
        )

    def _note_writing(self, db: sqlite3.Connection, key: str, at: datetime | None) -> None:
        """Record when an incident was last written: an edit that is later is somebody else's."""
        if at:
            sql = "UPDATE binding SET written_at = max(coalesce(written_at, ''), ?) WHERE key = ?"
            db.execute(sql, (at.astimezone(UTC).isoformat(), key))

    def _claim(self, db: sqlite3.Connection, key: str, live: LiveIncident, *, settled: bool) -> None:
        """Bind a key as of now: in a merge with another state, the later binding wins."""
        self._bind(db, key, live.id, live.reference)
        row = (settled, self._stamp(), key)
        db.execute("UPDATE binding SET settled = ?, bound_at = ? WHERE key = ?", row)

    def _end(
        self, db: sqlite3.Connection, key: str, step: str, *, status: str, detail: str | None = None
    ) -> None:
        db.execute(
            "UPDATE entry SET status = ?, at = ?, detail = ?, content = NULL WHERE key = ? AND step = ?",
            (status, self._stamp(), detail, key, step),
        )

    def _stamp(self) -> str:
        return self._now().isoformat()


def open_ledger(path: Path, *, now: Callable[[], datetime]) -> Ledger:
    """Open the state file for writing; create it if it does not exist.

    Raises Refused if it is foreign, damaged, or of a later version.
    """
    return Ledger(open_file(path), path, now)


def read_ledger(path: Path, *, now: Callable[[], datetime]) -> Ledger:
    """Open the state file for reading; a missing one is empty and is not created."""
    return Ledger(read_file(path), path, now)


def check_account(ledger: Ledger, account: Account) -> None:
    """Raise Refused if the state belongs to another account."""
    known = ledger.account()
    if known is not None and known != account:
        raise Refused(
            f"the state {ledger.path} belongs to another account: {known.dashboard_url} at {known.endpoint},"
            f" not {account.dashboard_url} at {account.endpoint}",
            hint="use that account's key and endpoint, or another state file with --state FILE",
            code="foreign-account",
        )
