"""The sessions of clients: their ids, whose they are, and one turn at a time in each.

An id is made here, of 192 random bits, and is kept nowhere: a session stands in the store under a hash of the model,
the id and the caller's credentials, keyed by the id. So a stolen store gives no id and no password away, and the id of
another caller finds what an invented one finds: nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import Unavailable
from soapsvc.model.conversation import Conversation, Memory
from soapsvc.session import LOST, RETRY_S, Kept, Store
from soapsvc.session.record import decode, encode

log = logging.getLogger(__name__)
_ID_BYTES = 24
_BEAT_S = 1.0  # between two signs of life; a lease is some of them long
_POLL_S = 0.01  # how often a call looks whether one in another process has ended
_LONGEST_ID = 64  # characters; a longer one was not made here


class SessionState(Enum):
    """What became of the session that a caller asked for.

    EXPIRED: there is none of this id that is the caller's.  RESET: the model can't go on with what the session held.
    """

    STARTED = "started"
    CONTINUED = "continued"
    EXPIRED = "expired"
    RESET = "reset"


class Turn:
    """One call in a session. memory: what the session holds before it; finish keeps what it holds after."""

    def __init__(self, session_id: str, state: SessionState, memory: Memory) -> None:
        self.session_id, self.state, self.memory = session_id, state, memory
        self.kept: bytes | None = None

    def finish(self, memory: Memory) -> None:
        """Say what the session holds from now on; it is kept when the turn ends without an error."""
        self.kept = encode(memory)


class Sessions:
    """Gives each call its turn in its session. Safe to use from many threads.

    kept: what the store keeps, of all processes, as of the last sign of life.
    """

    kept = Kept()

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns: Counter[str] = Counter()
        self._changed = threading.Condition()  # guards thread and turns; notified when a call of this process ends
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def turns(self) -> Mapping[str, int]:
        """How many calls of this process got a turn, by the state of their session."""
        with self._changed:
            return dict(self._turns)

    @property
    def gone(self) -> Mapping[str, int]:
        """How many sessions this process let go, by the reason."""
        return {"evicted": self._store.evicted, "expired": self._store.expired}

    @contextmanager
    def turn(
        self, model: str, given: str | None, credentials: str, conversation: Conversation, deadline: Deadline | None
    ) -> Iterator[Turn]:
        """Wait for a call's turn and lend it; what it finished with is kept at the end of the block.

        given: the id that the caller sent; one that finds no session starts a new one.
        Raises DeadlineExceeded, Overloaded, Unavailable.
        """
        if self._thread is None:
            self._store.beat()
            self.start()
        key = _key(model, (given or "")[: _LONGEST_ID + 1], credentials)
        call = self._store.enter(key) if given else None
        if given is None or call is None:
            state = SessionState.EXPIRED if given else SessionState.STARTED
            turn = Turn(secrets.token_urlsafe(_ID_BYTES), state, conversation.start)
            self._count(state)
            yield turn
            if turn.kept is not None:
                self._store.create(_key(model, turn.session_id, credentials), turn.kept)
            return
        ended = False
        try:
            self._wait(key, call, deadline)
            turn = _resumed(given, self._store.content(key), conversation)
            self._count(turn.state)
            yield turn
            if turn.kept is not None:
                ended = self._store.finish(key, call, turn.kept)
                if not ended:
                    raise Unavailable(LOST, RETRY_S)
        finally:
            if not ended:
                with suppress(Unavailable):  # forgotten with the process's lease, then
                    self._store.leave(key, call)
            with self._changed:
                self._changed.notify_all()

    def _count(self, state: SessionState) -> None:
        with self._changed:
            self._turns[state.value] += 1

    def _wait(self, key: bytes, call: str, deadline: Deadline | None) -> None:
        while not self._store.is_first(key, call):
            if deadline is not None:
                deadline.check()
            with self._changed:
                self._changed.wait(_POLL_S)

    def start(self) -> None:
        """See that the store is told from now on that this process is alive, and forgets what has expired."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="sessions", daemon=True)
                self._thread.start()

    def _beat(self) -> None:
        reached = True
        while not self._closed.is_set():
            try:
                self._store.beat()
                self.kept = self._store.kept()
            except Unavailable as err:
                if reached:
                    log.error("%s: %s", err, err.__cause__)
                reached = False
            else:
                if not reached:
                    log.info("the sessions can be reached again")
                reached = True
            self._closed.wait(_BEAT_S)

    def close(self) -> None:
        """Keep no more sessions."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._store.close()


def _key(model: str, session_id: str, credentials: str) -> bytes:
    return hmac.digest(session_id.encode(), f"{model}\0{credentials}".encode(), hashlib.sha256)


def _resumed(session_id: str, content: bytes | None, conversation: Conversation) -> Turn:
    memory = None if content is None else decode(content)
    if memory is None or not conversation.takes(memory):
        return Turn(session_id, SessionState.RESET, conversation.start)
    return Turn(session_id, SessionState.CONTINUED, memory)
