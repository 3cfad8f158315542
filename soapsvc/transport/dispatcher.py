"""Which request gets a thread next: a bounded queue for each model, so that a slow one can't take all threads.

Health and pages, and requests that are refused, have threads of their own: they are answered however busy models are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded, Overloaded, ServingError

log = logging.getLogger(__name__)
SIDE_THREADS = 2
RETRY_AFTER_S = 1


@dataclass(frozen=True)
class Allowance:
    """What a model takes at once: running calls, and calls that wait."""

    running: int
    waiting: int


@dataclass(frozen=True)
class Ticket:
    """One request that wants a thread. model: empty for what is no call of a model."""

    channel: Any
    model: str
    allowance: Allowance
    deadline: Deadline | None = None


class ModelDispatcher:
    """Threads for calls, and what waits for them. Safe to use from many threads."""

    def __init__(self, threads: int, refuse: Callable[[Any, ServingError], None]) -> None:
        """Start the threads. refuse: makes the request of a channel answer with an error instead of a call."""
        self._refuse = refuse
        self._changed = threading.Condition()  # guards what follows; notified when a thread may find work, or stop
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()  # models in turn
        self._running: Counter[str] = Counter()
        self._stopping = False
        self._side = ThreadedTaskDispatcher()
        self._side.set_thread_count(SIDE_THREADS)
        self._threads = [threading.Thread(target=self._work, name=f"call-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

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

    def _work(self) -> None:
        while True:
            with self._changed:
                while (ticket := self._next()) is None:
                    if self._stopping:
                        return
                    self._changed.wait()
            try:
                ticket.channel.service()
            except BaseException:
                log.exception("a call of %s ended a thread's work", ticket.model)
            finally:
                with self._changed:  # nobody is woken: this thread takes what may run now
                    self._running[ticket.model] -= 1
