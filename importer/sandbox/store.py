"""Turn the account's incidents, children and keys into rows of one SQLite file, and back.

A committed transaction survives a SIGKILL at any time. Two processes may share a file. Within a process,
one connection serves all threads in turn.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from importer.sandbox import identifiers
from importer.sandbox.faults import NoReply
from importer.sandbox.records import Condition, Creation, Ordering, StoredIncident, Wire

_FORMAT = 2
LATEST = 2**62
"""A moment after all others."""
_TIMEOUT = 30.0
"""Seconds to wait for another process that uses the same file."""
_TABLES = """
CREATE TABLE IF NOT EXISTS account (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), seed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS last_identifier (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1), moment INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, mode TEXT NOT NULL, visibility TEXT NOT NULL,
    status_id TEXT NOT NULL, severity_id TEXT NOT NULL, type_id TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS incident_filters
    ON incidents (id, mode, visibility, status_id, severity_id, type_id, created, updated);
CREATE INDEX IF NOT EXISTS incident_created ON incidents (created);
CREATE TABLE IF NOT EXISTS children (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, created INTEGER NOT NULL,
    record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS children_of ON children (kind, owner, id);
CREATE TABLE IF NOT EXISTS options (
    id TEXT PRIMARY KEY, custom_field_id TEXT NOT NULL, sort_key INTEGER NOT NULL, value TEXT NOT NULL,
    UNIQUE (custom_field_id, value));
CREATE TABLE IF NOT EXISTS creations (
    position INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL,
    made TEXT NOT NULL, content TEXT NOT NULL, created INTEGER NOT NULL,
    in_journal INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS creation_keys ON creations (kind, key);
CREATE TABLE IF NOT EXISTS burned_keys (
    kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, problems TEXT NOT NULL,
    PRIMARY KEY (kind, scope, key));
CREATE TABLE IF NOT EXISTS retries (created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS announcements (position INTEGER PRIMARY KEY, words TEXT NOT NULL);
"""
_FILTERED = ("mode", "visibility", "status_id", "severity_id", "type_id", "created", "updated")


class Store:
    """The rows of one account. Thread-safe; methods that write must be called inside `transaction`."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._is_closed = False
        self._options: tuple[int, dict[str, Wire]] | None = None
        where = ":memory:" if path is None else str(path)
        self._connection = sqlite3.connect(
            where, timeout=_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        _use_write_ahead_log(self._connection)
        # With NORMAL a killed process loses nothing; a power cut may, which a sandbox need not survive.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        kept_format = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if kept_format not in (0, _FORMAT):
            self._connection.close()
            raise ValueError(
                f"{where} was written by another version of the sandbox; remove it to start again"
            )
        self._connection.executescript(f"{_TABLES} PRAGMA user_version = {_FORMAT};")

    def close(self) -> None:
        """Close the file; requests in flight and later ones get NoReply."""
        with self._lock:
            self._is_closed = True
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one exclusive, atomic transaction."""
        with self._lock:
            connection = self._open_connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._options = None
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def seed(self) -> Wire | None:
        """Return the seed that the account was made from, or None in a new file."""
        rows = self._rows("SELECT seed FROM account")
        return json.loads(rows[0][0]) if rows else None

    def keep_seed(self, seed: Wire) -> None:
        """Store the account's seed, which can be done only once."""
        self._rows("INSERT INTO account (only_one, seed) VALUES (1, ?)", (json.dumps(seed),))

    def new_identifier(self, now: int, account: str) -> str:
        """Return an identifier greater than all earlier ones, whatever the clock does."""
        rows = self._rows("SELECT moment, count FROM last_identifier")
        moment, count = rows[0] if rows else (0, 0)
        moment, count = max(moment, now), count + 1
        self._rows("REPLACE INTO last_identifier (only_one, moment, count) VALUES (1, ?, ?)", (moment, count))
        return identifiers.counted(moment, count, account)

    def next_number(self) -> int:
        """Return the number after the highest."""
        return int(self._rows("SELECT coalesce(max(number), 0) + 1 FROM incidents")[0][0])

    def lowest_free_number(self) -> int:
        """Return the lowest number that no incident has."""
        query = (
            "SELECT min(number) + 1 FROM (SELECT 0 AS number UNION ALL SELECT number FROM incidents)"
            " WHERE number + 1 NOT IN (SELECT number FROM incidents)"
        )
        return int(self._rows(query)[0][0])

    def put_incident(self, incident: StoredIncident) -> None:
        """Add an incident, or replace the one with its ID."""
        filtered = (getattr(incident, column) for column in _FILTERED)
        row = (incident.id, incident.number, *filtered, incident.to_json())
        self._rows("REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def incident(self, identifier: str) -> StoredIncident | None:
        """Return the incident with this ID."""
        return self._one_incident("SELECT record FROM incidents WHERE id = ?", identifier)

    def incident_numbered(self, number: int) -> StoredIncident | None:
        """Return the incident whose reference has this number."""
        return self._one_incident("SELECT record FROM incidents WHERE number = ?", number)

    def incidents(self, condition: Condition, ordering: Ordering) -> list[StoredIncident]:
        """Return a page of the incidents that match the condition."""
        direction = "DESC" if ordering.newest_first else "ASC"
        query = f"SELECT record FROM incidents WHERE {condition.sql} ORDER BY id {direction} LIMIT ?"  # noqa: S608
        rows = self._rows(query, (*condition.parameters, ordering.limit))
        return [StoredIncident.from_json(row[0]) for row in rows]

    def oldest_created(self, since: int) -> int:
        """Return when the first incident after a time was created, or that time."""
        query = "SELECT coalesce(min(created), ?) FROM incidents WHERE created > ?"
        return int(self._rows(query, (since, since))[0][0])

    def count_incidents(self, condition: Condition) -> int:
        """Return how many incidents match the condition."""
        query = f"SELECT count(*) FROM incidents WHERE {condition.sql}"  # noqa: S608
        return int(self._rows(query, condition.parameters)[0][0])

    def put_child(self, kind: str, owner: str, wire: Wire, now: int) -> None:
        """Add a child of `owner` (an incident or a status page), or replace the one with its ID."""
        query = (
            "INSERT INTO children VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET record = excluded.record"
        )
        self._rows(query, (wire["id"], kind, owner, now, json.dumps(wire)))

    def remove_child(self, kind: str, identifier: str) -> None:
        """Remove a child."""
        self._rows("DELETE FROM children WHERE kind = ? AND id = ?", (kind, identifier))

    def child(self, kind: str, identifier: str) -> tuple[str, Wire] | None:
        """Return a child and the ID of its owner."""
        rows = self._rows("SELECT owner, record FROM children WHERE kind = ? AND id = ?", (kind, identifier))
        return (rows[0][0], json.loads(rows[0][1])) if rows else None

    def children_of(self, kind: str, owner: str, until: int = LATEST) -> list[Wire]:
        """Return the children of a kind of one owner that were made by `until`, oldest first."""
        query = "SELECT record FROM children WHERE kind = ? AND owner = ? AND created <= ? ORDER BY id"
        return [json.loads(row[0]) for row in self._rows(query, (kind, owner, until))]

    def children(self, kind: str, condition: Condition) -> list[Wire]:
        """Return the children of a kind of all incidents that match the condition, oldest first."""
        query = (
            "SELECT children.record FROM children JOIN incidents ON incidents.id = children.owner"  # noqa: S608
            f" WHERE children.kind = ? AND {condition.sql} ORDER BY children.id"
        )
        return [json.loads(row[0]) for row in self._rows(query, (kind, *condition.parameters))]

    def add_option(self, option: Wire) -> None:
        """Add a custom field option. Raises sqlite3.IntegrityError if the field already has its value."""
        row = (option["id"], option["custom_field_id"], option["sort_key"], option["value"])
        self._rows("INSERT INTO options VALUES (?, ?, ?, ?)", row)
        self._options = None

    def options(self) -> dict[str, Wire]:
        """Return all custom field options by ID, in the order of their sort keys."""
        with self._lock:
            # data_version changes when another process has written.
            version = self._rows("PRAGMA data_version")[0][0]
            if self._options is None or self._options[0] != version:
                names = ("id", "custom_field_id", "sort_key", "value")
                rows = self._rows(f"SELECT {', '.join(names)} FROM options ORDER BY sort_key, id")  # noqa: S608
                self._options = (version, {row[0]: dict(zip(names, row, strict=True)) for row in rows})
            return self._options[1]

    def remember(self, kind: str, scope: str, key: str, creation: Creation) -> None:
        """Record what an idempotency key created; a `scope` has keys of its own."""
        query = "INSERT INTO creations (kind, scope, key, made, content, created) VALUES (?, ?, ?, ?, ?, ?)"
        self._rows(query, (kind, scope, key, creation.made, creation.content, creation.created))

    def recall(self, kind: str, scope: str, key: str, since: int | None) -> list[Creation]:
        """Return what the key created after `since`, latest first."""
        query = (
            "SELECT made, content, created FROM creations WHERE kind = ? AND key = ? AND scope = ?"
            " AND created > ? ORDER BY position DESC"
        )
        rows = self._rows(query, (kind, key, scope, -LATEST if since is None else since))
        return [Creation(*row) for row in rows]

    def burn(self, kind: str, scope: str, key: str, problems: list[Wire]) -> None:
        """Record the problems for which the first request with a key was refused."""
        query = "INSERT OR IGNORE INTO burned_keys VALUES (?, ?, ?, ?)"
        self._rows(query, (kind, scope, key, json.dumps(problems)))

    def burned(self, kind: str, scope: str, key: str) -> list[Wire]:
        """Return the problems that `burn` recorded for a key."""
        query = "SELECT problems FROM burned_keys WHERE kind = ? AND scope = ? AND key = ?"
        return [each for row in self._rows(query, (kind, scope, key)) for each in json.loads(row[0])]

    def note_retry(self, now: int) -> None:
        """Record a creation that was answered with an earlier one."""
        self._rows("INSERT INTO retries VALUES (?)", (now,))

    def count_retries(self, since: int) -> int:
        """Return how many retries there were after a time."""
        return int(self._rows("SELECT count(*) FROM retries WHERE created > ?", (since,))[0][0])

    def announce(self, text: str) -> None:
        """Record an announcement that the real API would have made."""
        self._rows("INSERT INTO announcements (words) VALUES (?)", (text,))

    def announcements(self) -> tuple[str, ...]:
        """Return what was announced since the journal was cleared, in order."""
        return tuple(row[0] for row in self._rows("SELECT words FROM announcements ORDER BY position"))

    def creation_counts(self) -> dict[str, int]:
        """Return how many incidents each idempotency key created since the journal was cleared."""
        query = (
            "SELECT key, count(*) FROM creations WHERE kind = 'incident' AND in_journal"
            " GROUP BY key ORDER BY min(position)"
        )
        return dict(self._rows(query))

    def clear_journal(self) -> None:
        """Clear announcements and counts; idempotency keys are kept."""
        self._rows("DELETE FROM announcements")
        self._rows("UPDATE creations SET in_journal = 0 WHERE in_journal")

    def _one_incident(self, query: str, value: str | int) -> StoredIncident | None:
        rows = self._rows(query, (value,))
        return StoredIncident.from_json(rows[0][0]) if rows else None

    def _rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._open_connection().execute(query, parameters).fetchall()

    def _open_connection(self) -> sqlite3.Connection:
        if self._is_closed:
            raise NoReply(104, "the sandbox was closed before it answered")
        return self._connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a file to write-ahead logging. While another process does the same, SQLite refuses at once: the
    time-out does not hold for it."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
