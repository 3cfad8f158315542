"""Conversations between calls: where the sessions of clients are kept, and whose turn it is in each.

`sessions` is what an operation uses. A store behind it keeps bytes under keys; it knows no model, no id and no caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LEASE_S = 5.0  # how long a process that says no more counts as alive
MOST_CALLS = 16  # on one session, the one whose turn it is included
RETRY_S = 2
SWEPT = 1000  # expired sessions forgotten in one go
AWAY = "the sessions can't be reached now"
FULL = "the store of sessions is full, and none of them is idle"
LOST = "the server was too busy to keep this call's turn in its session; ask again"


@dataclass(frozen=True)
class Limits:
    """How much a store keeps. time_to_live_s: how long a session may be idle.  max_bytes: of all sessions."""

    time_to_live_s: float = 1800.0
    max_sessions: int = 100_000
    max_bytes: int = 256 * 1024**2


@dataclass(frozen=True)
class Kept:
    """What a store keeps now, of all processes. bytes: of the sessions' contents."""

    sessions: int = 0
    bytes: int = 0


class Store(Protocol):
    """Sessions by key, and the queue of calls on each. Safe to use from many threads and processes.

    A call is a name that the store gave out. It counts as long as its process is alive: told so within the lease.
    Each method takes no longer than a short transaction. Raises Unavailable where the store can't be reached.
    evicted, expired: how many sessions this process let go as the store was full, and as nobody used them.
    """

    evicted: int
    expired: int

    def enter(self, key: bytes) -> str | None:
        """Queue a call on a session and return its name; None where there is no such session, or it has expired.

        Raises Overloaded when too many calls wait already.
        """

    def is_first(self, key: bytes, call: str) -> bool:
        """Return whether all calls before this one on its session have ended, or their processes have.

        Raises Unavailable when the call itself is off the queue: this process did not say in time that it is alive.
        """

    def content(self, key: bytes) -> bytes | None:
        """Return what a session holds; None where it is gone."""

    def finish(self, key: bytes, call: str, content: bytes) -> bool:
        """Keep what a session holds now and take the call off the queue; False, and nothing is kept, if it was off.

        Raises Overloaded as create.
        """

    def leave(self, key: bytes, call: str) -> None:
        """Take a call off the queue that has nothing to keep."""

    def create(self, key: bytes, content: bytes) -> None:
        """Keep a new session; where the store is full, the oldest idle ones go. Raises Overloaded if none is idle."""

    def beat(self) -> None:
        """Tell that this process is alive for another lease, and forget expired sessions and the calls of dead ones."""

    def kept(self) -> Kept:
        """Return how much is kept."""

    def close(self) -> None:
        """Let go of the store. What it keeps stays, unless it was this process's own."""
