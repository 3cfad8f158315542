"""Threads for waitress's requests, which one gets a thread next by the rules of `places`.

Health and pages, and requests that are refused, have threads of their own: they are answered however busy models are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded, Overloaded, ServingError
from soapsvc.transport.places import Allowance, Places

log = logging.getLogger(__name__)
SIDE_THREADS = 2
CALLS_OF_A_THREAD = 256


@dataclass(frozen=True)
class Ticket:
    """One request that wants a thread. model: empty for what is no call of a model.  large: see `ModelDispatcher`."""

    channel: Any
    model: str
    allowance: Allowance
    deadline: Deadline | None = None
    large: bool = False


class ModelDispatcher:
    """Threads for calls, and what waits for them. Safe to use from many threads.

    A thread ends after CALLS_OF_A_THREAD calls, or a large one, and another takes its place: lxml keeps every name that
    a thread ever parsed until the thread ends, and hostile messages have ever new ones.
    """

    def __init__(self, threads: int, refuse: Callable[[Any, ServingError], None]) -> None:
        """Start the threads. refuse: makes the request of a channel answer with an error instead of a call."""
        self._refuse = refuse
        self._changed = threading.Condition()  # guards what follows; notified when a thread may find work, or stop
        self._places: Places[Ticket] = Places()
        self._stopping = False
        self._side = ThreadedTaskDispatcher()
        self._side.set_thread_count(SIDE_THREADS)
        for number in range(threads):
            self._start(f"call-{number}")

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        with self._changed:
            return self._places.waiting

    @property
    def busy(self) -> bool:
        """Whether a call runs or waits."""
        with self._changed:
            return self._places.busy

    def add(self, ticket: Ticket) -> None:
        """Queue a call, or refuse it: its model's queue is full."""
        if not ticket.model:
            self._side.add_task(ticket.channel)
            return
        try:
            with self._changed:
                self._places.add(ticket)
                self._changed.notify()
        except Overloaded as err:
            self.refuse(ticket.channel, err)

    def refuse(self, channel: Any, error: ServingError) -> None:
        """Answer a channel's request with an error, on a thread of its own."""
        self._refuse(channel, error)
        self._side.add_task(channel)

    def expire(self) -> None:
        """Refuse the calls that wait past their deadlines: nobody wants their answers any more."""
        with self._changed:
            late = self._places.late(time.monotonic())
        for ticket in late:
            assert ticket.deadline is not None
            self.refuse(ticket.channel, DeadlineExceeded(ticket.deadline.seconds))

    def shutdown(self) -> None:
        """Let the threads end after what they do now; calls that still wait are dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._side.shutdown()

    def _start(self, name: str) -> None:
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while self._serve_some():
            with suppress(RuntimeError):  # no thread is to be had: this one goes on
                self._start(threading.current_thread().name)
                return

    def _serve_some(self) -> bool:
        """Take the calls of one thread; return whether another shall follow it."""
        for _ in range(CALLS_OF_A_THREAD):
            with self._changed:
                while (ticket := self._places.next()) is None:
                    if self._stopping:
                        return False
                    self._changed.wait()
            try:
                ticket.channel.service()
            except BaseException:
                log.exception("a call of %s ended a thread's work", ticket.model)
            finally:
                with self._changed:  # nobody is woken: this thread takes what may run now
                    self._places.leave(ticket.model)
            if ticket.large:
                break
        return True
