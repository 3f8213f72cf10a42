"""A path -> the SQLite file of the ledger, shared by threads, with durable writes.

Hides SQLite: WAL mode with synchronous=FULL, so that a crash leaves no partial write; one commit for all
threads that are waiting for the disk; and readable messages for errors of SQLite and the file system.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from importer.model.errors import Refused
from importer.state.migrations import MIGRATIONS

APPLICATION_ID = 0x494D5054  # "IMPT": distinguishes our file from other SQLite databases
SCHEMA_VERSION = 4

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE binding (
    key TEXT PRIMARY KEY, incident_id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    settled INTEGER NOT NULL, bound_at TEXT NOT NULL, written_at TEXT
);
CREATE TABLE entry (
    key TEXT NOT NULL, step TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL,
    idempotency_key TEXT, plan_hash TEXT, detail TEXT, content TEXT, first_sent TEXT,
    PRIMARY KEY (key, step)
) WITHOUT ROWID;
CREATE TABLE field (
    key TEXT NOT NULL, slot TEXT NOT NULL, attribute TEXT NOT NULL, declared TEXT NOT NULL, answered TEXT,
    child_id TEXT, refused TEXT, PRIMARY KEY (key, slot)
) WITHOUT ROWID;
CREATE INDEX child ON field (child_id) WHERE child_id IS NOT NULL;
CREATE TABLE plan (hash TEXT PRIMARY KEY, finished_at TEXT NOT NULL);
"""


T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
"""The columns of a query, as SQLite returns them: str, int and None."""
Work: TypeAlias = Callable[[sqlite3.Connection], object]


@dataclass(slots=True, eq=False)
class _Write:
    """A write on its way to the disk. It counts as refused until it is committed."""

    work: Work
    refusal: Exception | None = field(default_factory=lambda: Refused("the state was not written"))
    is_over: bool = False


class LedgerFile:
    """An open file. Threads may share it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock()
        self._waiting: deque[_Write] = deque()

    def query(self, sql: str, *parameters: str) -> list[Row]:
        """Return all rows. Writes of `write_later` may still be missing."""
        with self._lock, readable_errors(self._path):
            return self._connection.execute(sql, parameters).fetchall()

    def snapshot(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`, which reads in one transaction."""
        with self._lock, readable_errors(self._path):
            self._connection.execute("BEGIN")
            try:
                return work(self._connection)
            finally:
                self._connection.execute("COMMIT")

    def write(self, work: Work) -> None:
        """Run `work` in a transaction that is durable when this returns. Raises Refused.

        The thread that gets the lock commits for all that wait for it: a commit for eight threads costs the
        disk as much as for one."""
        own = _Write(work)
        self._waiting.append(own)
        with self._lock:
            if not own.is_over:
                self._commit_waiting()
        if own.refusal:
            raise own.refusal

    def write_later(self, work: Work) -> None:
        """Run `work` together with the next write, or when the file is closed."""
        self._waiting.append(_Write(work))

    def close(self) -> None:
        """Write what is waiting, and close the file. Raises Refused if it cannot be written."""
        with self._lock:
            try:
                refusals = [each.refusal for each in self._commit_waiting() if each.refusal]
            finally:
                self._connection.close()
        if refusals:
            raise refusals[0]

    def _commit_waiting(self) -> list[_Write]:
        batch = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        if batch:
            self._commit(batch)
        return batch

    def _commit(self, batch: list[_Write]) -> None:
        """Commit all writes together, or each on its own if that fails."""
        refusal: Exception | None = None
        try:
            with readable_errors(self._path), self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for each in batch:
                    each.work(self._connection)
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread that asked
            refusal = error
        if refusal and len(batch) > 1:
            for each in batch:
                self._commit([each])
            return
        for each in batch:
            each.refusal, each.is_over = refusal, True


def open_file(path: Path) -> LedgerFile:
    """Open the file for writing; create it if it does not exist.

    Raises Refused if it is foreign, damaged, or of a later version, and leaves it unchanged.
    """
    with readable_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it has the contents of private incidents
        with _connected(_address(path, "rwc")) as connection:
            if _is_blank(connection, path):
                _make_tables(connection)
            _migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    return LedgerFile(connection, path)


def read_file(path: Path) -> LedgerFile:
    """Open the file for reading; a missing or blank one is empty, and is left unchanged."""
    with readable_errors(path):
        if path.exists():
            with _connected(_address(path, "ro") + _immutable_option(path)) as connection:
                is_blank = _is_blank(connection, path)
            if not is_blank:
                return LedgerFile(_migrated(connection), path)
            connection.close()
        with _connected("file::memory:") as connection:
            _make_tables(connection)
    return LedgerFile(connection, path)


def _address(path: Path, mode: str) -> str:
    """Return the URI of a file, so that no file name is special to SQLite."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def _immutable_option(path: Path) -> str:
    """Return the URI option for a file in a read-only folder without a write-ahead log. SQLite reads a file
    in WAL mode only if it can write next to it, or knows that nobody else writes."""
    is_static = not os.access(path.resolve().parent, os.W_OK) and not Path(f"{path.resolve()}-wal").exists()
    return "&immutable=1" if is_static else ""


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    """Yield a connection, and close it only if there is an exception."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _is_blank(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is empty. Raises Refused if it is foreign or of a later version."""
    version = _version(connection)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not (tables or application or version):
        return True
    if application != APPLICATION_ID:
        raise Refused(f"{path} is not an importer state file", hint="choose another one with --state FILE")
    if version > SCHEMA_VERSION:
        raise Refused(
            f"the state {path} was written by a later version of importer",
            hint="upgrade importer: pip install --upgrade incident-importer",
        )
    return False


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    """Migrate the tables of an older version, completely or not at all."""
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for version in range(_version(connection), SCHEMA_VERSION):
        MIGRATIONS[version](connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _migrated(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection to the present tables: for an older version, a migrated copy in memory, since
    reading must not change the file."""
    if _version(connection) == SCHEMA_VERSION:
        return connection
    with _connected("file::memory:") as copy:
        connection.backup(copy)
        connection.close()
        _migrate(copy)
    return copy


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
        f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into a Refused that a user can act on."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Refused(
            f"two keys in the state {path} would be bound to the same incident",
            hint="check that no two keys have the same idempotency_key; `importer state list` shows which"
            " incident each key has, `importer state forget KEY` removes a wrong one",
            code="identity-conflict",
        ) from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise Refused(
            f"the state {path} cannot be used: {error}",
            hint="check that it is writable and that the disk is not full; if it is damaged, restore a copy"
            " or move it away: docs/state.md describes the consequences",
            code="state",
        ) from error
    except OSError as error:
        raise Refused(
            f"the state {path} cannot be used: {error.strerror or error}",
            hint="choose a file in a writable folder with --state FILE",
            code="state",
        ) from error
