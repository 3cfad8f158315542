"""Sessions in an SQLite database: in a file that all workers share, or in the memory of one process.

No lock of the database is held while a graph runs: a transaction only queues a call, looks whether it is its turn, or
keeps what it leaves. Whose turn it is stands in the table `calls`, in the order of arrival, and a call counts as long
as its process says that it is alive. So no call waits longer than a lease for a worker that died or hangs, and one that
comes back late finds its call gone and keeps nothing (a fence). The alternatives are worse: a lock held for the whole
turn stops all other sessions, SQLite having one writer; a lease for each call has to be as long as the slowest graph.

The file holds what people said. Only its owner may read it, and what is deleted is overwritten. It grows to what the
most sessions took at any one time, no further.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soapsvc.errors import Overloaded, Unavailable
from soapsvc.session import AWAY, FULL, LEASE_S, LOST, MOST_CALLS, RETRY_S, SWEPT, Kept, Limits

_BUSY_S = 5.0  # how long a transaction waits for those of other processes
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)  # errors that another process causes, and ends
_JOURNAL_BYTES = 4 * 1024**2
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", f"journal_size_limit={_JOURNAL_BYTES}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (key BLOB PRIMARY KEY, content BLOB NOT NULL, used REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_use ON sessions (used);
CREATE TABLE IF NOT EXISTS calls (number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, process TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (key);
CREATE TABLE IF NOT EXISTS processes (name TEXT PRIMARY KEY, alive_until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (sessions INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals);
CREATE TRIGGER IF NOT EXISTS session_added AFTER INSERT ON sessions BEGIN
  UPDATE totals SET sessions = sessions + 1, bytes = bytes + length(new.content);
END;
CREATE TRIGGER IF NOT EXISTS session_removed AFTER DELETE ON sessions BEGIN
  UPDATE totals SET sessions = sessions - 1, bytes = bytes - length(old.content);
END;
"""
_OLDEST_IDLE = """
DELETE FROM sessions WHERE key = (
  SELECT key FROM sessions AS s WHERE NOT EXISTS (SELECT 1 FROM calls WHERE calls.key = s.key) ORDER BY used LIMIT 1
)
"""
_EXPIRED = """
DELETE FROM sessions WHERE key IN (
  SELECT key FROM sessions AS s WHERE used <= ? AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.key = s.key) LIMIT ?
)
"""


class SqliteStore:
    """A `Store` in one database. Safe to use from many threads and processes."""

    def __init__(self, path: Path | None = None, limits: Limits = Limits()) -> None:  # noqa: B008  (frozen)
        """path: the file, made if there is none; None: in memory. Raises Unavailable."""
        self._limits, self._name = limits, secrets.token_hex(8)
        self._lock = threading.Lock()  # guards the connection
        self._counting = threading.Lock()  # guards the two counts
        self.evicted = self.expired = 0
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
            self._end = weakref.finalize(self, self._connection.close)
        except (OSError, sqlite3.Error) as err:
            raise Unavailable(f"sessions can't be kept: {err}", RETRY_S) from err

    def _prepare(self) -> None:
        """Set a new file up; again while another process does so: SQLite does not wait for all of that by itself."""
        until = time.monotonic() + _BUSY_S
        while True:
            try:
                for pragma in _PRAGMAS:
                    self._connection.execute(f"PRAGMA {pragma}")
                self._connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
                return
            except sqlite3.OperationalError as err:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if err.sqlite_errorcode & 0xFF not in _PASSING or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def enter(self, key: bytes) -> str | None:
        """See `Store`."""
        with self._transaction() as do:
            found = do.execute("SELECT 1 FROM sessions WHERE key = ? AND used > ?", (key, self._oldest())).fetchone()
            if found is None:
                return None
            (waiting,) = do.execute("SELECT count(*) FROM calls WHERE key = ?", (key,)).fetchone()
            if waiting >= MOST_CALLS:
                raise Overloaded(f"{waiting} calls are on this session", RETRY_S)
            return str(do.execute("INSERT INTO calls (key, process) VALUES (?, ?)", (key, self._name)).lastrowid)

    def is_first(self, key: bytes, call: str) -> bool:
        """See `Store`."""
        with self._reading() as do:
            queue = do.execute(
                "SELECT number, process IN (SELECT name FROM processes WHERE alive_until > ?) FROM calls "
                "WHERE key = ? AND number <= ? ORDER BY number", (time.time(), key, call),
            ).fetchall()  # fmt: skip
        if not queue or str(queue[-1][0]) != call:
            raise Unavailable(LOST, RETRY_S)
        if any(alive for _, alive in queue[:-1]):
            return False
        if len(queue) > 1:  # what is before belongs to dead processes: it must not keep anything from now on
            with self._transaction() as do:
                do.execute("DELETE FROM calls WHERE key = ? AND number < ?", (key, call))
        return True

    def content(self, key: bytes) -> bytes | None:
        """See `Store`."""
        with self._reading() as do:
            found = do.execute("SELECT content FROM sessions WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def finish(self, key: bytes, call: str, content: bytes) -> bool:
        """See `Store`."""
        with self._transaction() as do:
            if not do.execute("DELETE FROM calls WHERE number = ? AND key = ?", (call, key)).rowcount:
                return False
            do.execute("DELETE FROM sessions WHERE key = ?", (key,))
            evicted = self._add(do, key, content)
        self._count(evicted=evicted)
        return True

    def leave(self, key: bytes, call: str) -> None:
        """See `Store`."""
        with self._transaction() as do:
            do.execute("DELETE FROM calls WHERE number = ?", (call,))

    def create(self, key: bytes, content: bytes) -> None:
        """See `Store`."""
        with self._transaction() as do:
            evicted = self._add(do, key, content)
        self._count(evicted=evicted)

    def _count(self, evicted: int = 0, expired: int = 0) -> None:
        with self._counting:
            self.evicted += evicted
            self.expired += expired

    def _add(self, do: sqlite3.Connection, key: bytes, content: bytes) -> int:
        """Add a session; return how many had to go for it."""
        evicted = 0
        while True:
            sessions, size = do.execute("SELECT sessions, bytes FROM totals").fetchone()
            if sessions < self._limits.max_sessions and size + len(content) <= self._limits.max_bytes:
                break
            if not do.execute(_OLDEST_IDLE).rowcount:
                raise Overloaded(FULL, RETRY_S)
            evicted += 1
        do.execute("INSERT INTO sessions (key, content, used) VALUES (?, ?, ?)", (key, content, time.time()))
        return evicted

    def beat(self) -> None:
        """See `Store`."""
        now = time.time()
        with self._transaction() as do:
            do.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", (self._name, now + LEASE_S))
            do.execute("DELETE FROM processes WHERE alive_until <= ?", (now,))
            do.execute("DELETE FROM calls WHERE process NOT IN (SELECT name FROM processes)")
        gone = SWEPT
        while gone == SWEPT:
            with self._transaction() as do:
                gone = do.execute(_EXPIRED, (self._oldest(), SWEPT)).rowcount
            self._count(expired=gone)

    def kept(self) -> Kept:
        """See `Store`."""
        with self._reading() as do:
            return Kept(*do.execute("SELECT sessions, bytes FROM totals").fetchone())

    def close(self) -> None:
        """See `Store`."""
        with self._lock:
            self._end()

    def _oldest(self) -> float:
        return time.time() - self._limits.time_to_live_s

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as err:
                raise Unavailable(AWAY, RETRY_S) from err

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all of a block or none of it."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as err:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise Unavailable(AWAY, RETRY_S) from err
