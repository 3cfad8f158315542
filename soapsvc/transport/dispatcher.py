"""Threads for requests, which one gets a thread next by the rules of `places`.

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

from soapsvc.cores import usable_cores
from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded, Overloaded, ServingError
from soapsvc.soap.parsed import is_worn
from soapsvc.transport.leader import Kind
from soapsvc.transport.places import Allowance, Places

log = logging.getLogger(__name__)
SIDE_THREADS = 2


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that wants a thread.

    model: empty for what is no call of a model.  large: whether it may take long to read.  size: bytes of its body.
    """

    channel: Any
    model: str
    allowance: Allowance
    deadline: Deadline | None = None
    large: bool = False
    size: int = 0

    @property
    def kind(self) -> Kind:
        """What its pace is counted under."""
        return self.model, self.size.bit_length()


class ModelDispatcher:
    """Threads for calls, and what waits for them. Safe to use from many threads.

    Who became idle last is woken first: its stack and its memory are still in the processor's caches.
    A thread that is worn (`soap.parsed`) ends, and another takes its place.
    """

    def __init__(self, threads: int, refuse: Callable[[Any, ServingError], None]) -> None:
        """Start the threads. refuse: makes the request of a channel answer with an error instead of a call."""
        self._refuse = refuse
        self._lock = threading.Lock()  # guards what follows
        self._idle: list[threading.Lock] = []  # what threads without work wait for, who came last at the end
        self._places: Places[Ticket] = Places(most_large=usable_cores())
        self._stopping = False
        self._side = ThreadedTaskDispatcher()
        self._side.set_thread_count(SIDE_THREADS)
        for number in range(threads):
            self._start(f"call-{number}")

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return self._places.waiting

    @property
    def busy(self) -> bool:
        """Whether a call runs or waits."""
        with self._lock:
            return self._places.busy

    def add(self, ticket: Ticket) -> None:
        """Queue a call, or refuse it: its model's queue is full."""
        if not ticket.model:
            self._side.add_task(ticket.channel)
            return
        try:
            with self._lock:
                self._places.add(ticket)
                idle = self._idle.pop() if self._idle else None
            if idle is not None:
                idle.release()
        except Overloaded as err:
            self.refuse(ticket.channel, err)

    def begin(self, model: str, allowance: Allowance) -> bool:
        """Return whether the caller may run a call of a model at once itself; `end` has to follow then."""
        with self._lock:
            return self._places.begin(model, allowance)

    def end(self, model: str) -> None:
        """Let a call end that the caller ran itself."""
        with self._lock:
            self._places.leave(model)
            idle = self._idle.pop() if self._places.waiting and self._idle else None
        if idle is not None:
            idle.release()

    def refuse(self, channel: Any, error: ServingError) -> None:
        """Answer a channel's request with an error, on a thread of its own."""
        self._refuse(channel, error)
        self._side.add_task(channel)

    def expire(self) -> None:
        """Refuse the calls that wait past their deadlines: nobody wants their answers any more."""
        with self._lock:
            late = self._places.late(time.monotonic())
        for ticket in late:
            assert ticket.deadline is not None
            self.refuse(ticket.channel, DeadlineExceeded(ticket.deadline.seconds))

    def shutdown(self) -> None:
        """Let the threads end after what they do now; calls that still wait are dropped."""
        with self._lock:
            self._stopping = True
            while self._idle:
                self._idle.pop().release()
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
        woken = threading.Lock()
        woken.acquire()
        while True:
            while (ticket := self._next(woken)) is None:
                if self._stopping:
                    return False
                woken.acquire()
            try:
                ticket.channel.service()
            except BaseException:
                log.exception("a call of %s ended a thread's work", ticket.model)
            finally:
                with self._lock:  # nobody is woken: this thread takes what may run now
                    self._places.leave(ticket.model, ticket.large)
            if is_worn():
                return True

    def _next(self, woken: threading.Lock) -> Ticket | None:
        """Return the call to run next. woken: released when there may be one, or none any more."""
        with self._lock:
            ticket = self._places.next()
            if ticket is None and not self._stopping:
                self._idle.append(woken)
            return ticket
