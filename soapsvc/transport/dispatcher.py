"""Which request gets a thread next: a bounded queue for each model, so that a slow one can't take all threads.

Health and pages, and requests that are refused, have threads of their own: they are answered however busy models are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded, Overloaded, ServingError

log = logging.getLogger(__name__)
SIDE_THREADS = 2
RETRY_AFTER_S = 1
CALLS_OF_A_THREAD = 256


@dataclass(frozen=True)
class Allowance:
    """What a model takes at once: running calls, and calls that wait."""

    running: int
    waiting: int


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
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()  # models in turn
        self._running: Counter[str] = Counter()
        self._stopping = False
        self._side = ThreadedTaskDispatcher()
        self._side.set_thread_count(SIDE_THREADS)
        for number in range(threads):
            self._start(f"call-{number}")

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        with self._changed:
            return sum(map(len, self._waiting.values()))

    @property
    def busy(self) -> bool:
        """Whether a call runs or waits."""
        with self._changed:
            return bool(self._waiting) or any(self._running.values())

    def add(self, ticket: Ticket) -> None:
        """Queue a call, or refuse it: its model's queue is full."""
        if not ticket.model:
            self._side.add_task(ticket.channel)
            return
        with self._changed:
            queue = self._waiting.get(ticket.model, ())
            free = max(0, ticket.allowance.running - self._running[ticket.model])  # threads about to take a call
            if len(queue) < ticket.allowance.waiting + free:
                self._waiting.setdefault(ticket.model, deque()).append(ticket)
                self._changed.notify()
                return
        text = f"{ticket.model} has {len(queue)} calls waiting already, its most"
        self.refuse(ticket.channel, Overloaded(text, RETRY_AFTER_S))

    def refuse(self, channel: Any, error: ServingError) -> None:
        """Answer a channel's request with an error, on a thread of its own."""
        self._refuse(channel, error)
        self._side.add_task(channel)

    def expire(self) -> None:
        """Refuse the calls that wait past their deadlines: nobody wants their answers any more."""
        now = time.monotonic()
        with self._changed:
            late = [
                ticket for queue in self._waiting.values() for ticket in queue
                if ticket.deadline is not None and ticket.deadline.at <= now
            ]  # fmt: skip
            for ticket in late:
                self._take(ticket.model, ticket)
        for ticket in late:
            assert ticket.deadline is not None
            self.refuse(ticket.channel, DeadlineExceeded(ticket.deadline.seconds))

    def shutdown(self) -> None:
        """Let the threads end after what they do now; calls that still wait are dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._side.shutdown()

    def _take(self, model: str, ticket: Ticket) -> None:
        queue = self._waiting[model]
        queue.remove(ticket)
        if not queue:
            del self._waiting[model]

    def _next(self) -> Ticket | None:
        """Return a call whose model may run one more, models in turn; None when there is none."""
        for model, queue in self._waiting.items():
            ticket = queue[0]
            if self._running[model] < ticket.allowance.running:
                self._take(model, ticket)
                if model in self._waiting:
                    self._waiting.move_to_end(model)
                self._running[model] += 1
                return ticket
        return None

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
                while (ticket := self._next()) is None:
                    if self._stopping:
                        return False
                    self._changed.wait()
            try:
                ticket.channel.service()
            except BaseException:
                log.exception("a call of %s ended a thread's work", ticket.model)
            finally:
                with self._changed:  # nobody is woken: this thread takes what may run now
                    self._running[ticket.model] -= 1
            if ticket.large:
                break
        return True
