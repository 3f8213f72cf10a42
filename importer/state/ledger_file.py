"""A path -> the SQLite file of the ledger, shared by threads; what one wrote is on the disk.

Hides SQLite: WAL mode with synchronous=FULL, so that a crash leaves no half line; one commit for all who wait
for the disk at the same moment; and words for what SQLite or the file system says.
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

APPLICATION_ID = 0x494D5054  # "IMPT": tells our file from any other SQLite database
SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE binding (
    key TEXT PRIMARY KEY, incident_id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    settled INTEGER NOT NULL, bound_at TEXT NOT NULL
);
CREATE TABLE entry (
    key TEXT NOT NULL, step TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL,
    idempotency_key TEXT, plan_hash TEXT, detail TEXT, content TEXT, PRIMARY KEY (key, step)
) WITHOUT ROWID;
CREATE TABLE field (
    key TEXT NOT NULL, slot TEXT NOT NULL, attribute TEXT NOT NULL, declared TEXT NOT NULL, answered TEXT,
    PRIMARY KEY (key, slot)
) WITHOUT ROWID;
CREATE TABLE plan (hash TEXT PRIMARY KEY, finished_at TEXT NOT NULL);
"""

_MIGRATIONS = {1: "ALTER TABLE entry ADD COLUMN content TEXT;"}
"""By the version that a file has: what makes the next version of it."""

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
"""What SQLite gives for the columns that a query names: texts, whole numbers and None."""
Work: TypeAlias = Callable[[sqlite3.Connection], object]


@dataclass(slots=True, eq=False)
class _Write:
    """One write on its way to the disk. It counts as refused until it is there."""

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
        """Return all rows. What `write_later` was given may still be missing."""
        with self._lock, readable_errors(self._path):
            return self._connection.execute(sql, parameters).fetchall()

    def look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` finds, all of it at one moment."""
        with self._lock, readable_errors(self._path):
            self._connection.execute("BEGIN")
            try:
                return work(self._connection)
            finally:
                self._connection.execute("COMMIT")

    def write(self, work: Work) -> None:
        """Carry out `work` in a transaction that is durable when this returns, or raise Refused.

        Whoever gets the lock commits for all who wait for it: a commit costs the disk as much for eight
        threads as for one.
        """
        own = _Write(work)
        self._waiting.append(own)
        with self._lock:
            if not own.is_over:
                self._commit_waiting()
        if own.refusal:
            raise own.refusal

    def write_later(self, work: Work) -> None:
        """Carry out `work` together with the next write, or when the file is closed."""
        self._waiting.append(_Write(work))

    def close(self) -> None:
        """Write what is waiting, and close the file. Raises Refused where that cannot be written."""
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
        """Commit all writes at once, or, where one of them cannot be, each for itself."""
        refusal: Exception | None = None
        try:
            with readable_errors(self._path), self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for each in batch:
                    each.work(self._connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that asked
            refusal = error
        if refusal and len(batch) > 1:
            for each in batch:
                self._commit([each])
            return
        for each in batch:
            each.refusal, each.is_over = refusal, True


def open_file(path: Path) -> LedgerFile:
    """Open the file for writing; make it if it is not there.

    Raises Refused where it is not ours, damaged, or of a later version, and leaves it as it is.
    """
    with readable_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it holds what private incidents say
        with _connected(_address(path, "rwc")) as connection:
            if _is_blank(connection, path):
                _make_tables(connection)
            _migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    return LedgerFile(connection, path)


def read_file(path: Path) -> LedgerFile:
    """Open the file for reading; an absent or blank one is empty, and stays as it is."""
    with readable_errors(path):
        if path.exists():
            with _connected(_address(path, "ro") + _if_unwritable(path)) as connection:
                is_blank = _is_blank(connection, path)
            if not is_blank:
                return LedgerFile(_in_todays_form(connection), path)
            connection.close()
        with _connected("file::memory:") as connection:
            _make_tables(connection)
    return LedgerFile(connection, path)


def _address(path: Path, mode: str) -> str:
    """Return the URI of a file, so that no name of a file means anything else to SQLite."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def _if_unwritable(path: Path) -> str:
    """SQLite reads a file in WAL mode only where it may write beside it, or is told that nobody writes: so
    it is in a folder that we may not write and that has no log of somebody at work."""
    is_still = not os.access(path.resolve().parent, os.W_OK) and not Path(f"{path.resolve()}-wal").exists()
    return "&immutable=1" if is_still else ""


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    """Give a connection that stays open, unless something goes wrong."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _is_blank(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has nothing in it yet. Raises Refused for what is not ours to read."""
    version = _version(connection)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not (tables or application or version):
        return True
    if application != APPLICATION_ID:
        raise Refused(f"{path} is not a state file of importer", hint="name another one with --state FILE")
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
    """Bring the tables of an older version up to date, all of it or nothing."""
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for version in range(_version(connection), SCHEMA_VERSION):
        connection.execute(_MIGRATIONS[version])
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _in_todays_form(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return what reads a file as if it had today's tables: of an older version a copy in memory, since who
    only reads leaves the file as it is."""
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
    """Turn what SQLite or the file system says into a refusal that a person can act on."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Refused(
            f"two keys of the state {path} would be one incident",
            hint="see that no two keys have one idempotency_key; `importer state list` shows which key has"
            " which incident, `importer state forget KEY` undoes a wrong one",
            code="identity-conflict",
        ) from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise Refused(
            f"the state {path} cannot be used: {error}",
            hint="see that it can be written and that its disk is not full; if it is damaged, restore a copy"
            " or move it away: see docs/state.md for what that means",
            code="state",
        ) from error
    except OSError as error:
        raise Refused(
            f"the state {path} cannot be used: {error.strerror or error}",
            hint="choose a folder that can be written with --state FILE",
            code="state",
        ) from error
