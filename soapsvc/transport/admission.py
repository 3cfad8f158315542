"""Lets calls run in the threads that they came in, by the rules of `places`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded
from soapsvc.transport.places import Allowance, Places


@dataclass(frozen=True, eq=False)
class _Ticket:
    model: str
    allowance: Allowance
    deadline: Deadline | None
    admitted: threading.Event = field(default_factory=threading.Event)


class Admission:
    """Bounds how many calls run at the same time. Safe to use from many threads."""

    def __init__(self, threads: int) -> None:
        """threads: calls that run at the same time, of all models."""
        self._lock = threading.Lock()  # guards what follows
        self._places: Places[_Ticket] = Places()
        self._free = threads

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return self._places.waiting

    def enter(self, model: str, allowance: Allowance, deadline: Deadline | None) -> None:
        """Wait until a call may run; `leave` after it. Raises Overloaded at once, DeadlineExceeded in its time."""
        with self._lock:
            if self._free and self._places.begin(model, allowance):
                self._free -= 1
                return
            ticket = _Ticket(model, allowance, deadline)
            self._places.add(ticket)
        if ticket.admitted.wait(None if deadline is None else deadline.remaining_s):
            return
        with self._lock:
            if ticket.admitted.is_set():
                return
            self._places.remove(ticket)
        assert deadline is not None
        raise DeadlineExceeded(deadline.seconds)

    def leave(self, model: str) -> None:
        """Let a call end, and others begin."""
        with self._lock:
            self._places.leave(model)
            self._free += 1
            self._admit()

    def _admit(self) -> None:
        while self._free and (ticket := self._places.next()) is not None:
            self._free -= 1
            ticket.admitted.set()
