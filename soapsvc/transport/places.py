"""Which call runs next: a bounded queue for each model, models in turn, so that a slow one can't take all threads.

The rules alone. Knows no threads and has no lock: `dispatcher` has.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Generic, NamedTuple, Protocol, TypeVar

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import Overloaded
from soapsvc.model.signature import Limits

RETRY_AFTER_S = 1


class Allowance(NamedTuple):
    """What a model takes at once: running calls, and calls that wait."""

    running: int
    waiting: int


class Waiting(Protocol):
    """A call that wants to run."""

    @property
    def model(self) -> str:
        """Which model it calls."""

    @property
    def allowance(self) -> Allowance:
        """What that model takes."""

    @property
    def deadline(self) -> Deadline | None:
        """When nobody waits for its answer any more."""

    @property
    def large(self) -> bool:
        """Whether it takes Python long to read."""


Call = TypeVar("Call", bound=Waiting)


def allowance_of(limits: Limits, threads: int) -> Allowance:
    """Return what a model with these limits may take of a server's threads."""
    running = limits.max_concurrent_calls or max(1, threads * 3 // 4)
    return Allowance(min(running, threads), limits.max_waiting_calls)


class Places(Generic[Call]):
    """The calls that run and those that wait. waiting: how many."""

    def __init__(self, most_large: int) -> None:
        """most_large: large calls of a model that run at the same time: more would only hold each other up."""
        self.waiting = 0
        self._most_large = most_large
        self._large: Counter[str] = Counter()  # that run
        self._waiting: OrderedDict[str, deque[Call]] = OrderedDict()  # models in turn
        self._running: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        """Whether a call runs or waits."""
        return bool(self._waiting or self._running)

    def add(self, call: Call) -> None:
        """Let a call wait. Raises Overloaded when its model's queue is full."""
        queue = self._waiting.get(call.model, ())
        free = max(0, call.allowance.running - self._running[call.model])  # about to be taken
        if len(queue) >= call.allowance.waiting + free:
            raise Overloaded(f"{call.model} has {len(queue)} calls waiting already, its most", RETRY_AFTER_S)
        self._waiting.setdefault(call.model, deque()).append(call)
        self.waiting += 1

    def begin(self, model: str, allowance: Allowance) -> bool:
        """Let a call run at once, if none of its model waits and it may run one more; return whether it does."""
        if model in self._waiting or self._running[model] >= allowance.running:
            return False
        self._running[model] += 1
        return True

    def next(self) -> Call | None:
        """Return a call whose model may run one more, which then runs, models in turn; None when there is none.

        A model's calls run in their order, but that large ones which may not run yet hold up no others.
        """
        for model, queue in self._waiting.items():
            no_large = self._large[model] >= self._most_large
            call = next((call for call in queue if not (call.large and no_large)), None)
            if call is not None and self._running[model] < call.allowance.running:
                self.remove(call)
                self._large[model] += call.large
                if model in self._waiting:
                    self._waiting.move_to_end(model)
                self._running[model] += 1
                return call
        return None

    def leave(self, model: str, large: bool = False) -> None:
        """Let a call of a model end."""
        self._large[model] -= large
        self._running[model] -= 1
        if not self._running[model]:  # names of models that don't exist must not stay
            del self._running[model], self._large[model]

    def remove(self, call: Call) -> None:
        """Let a call wait no more."""
        queue = self._waiting[call.model]
        queue.remove(call)
        self.waiting -= 1
        if not queue:
            del self._waiting[call.model]

    def late(self, now: float) -> list[Call]:
        """Return the calls that wait past their deadlines, and let them wait no more."""
        late = [
            call for queue in self._waiting.values() for call in queue
            if call.deadline is not None and call.deadline.at <= now
        ]  # fmt: skip
        for call in late:
            self.remove(call)
        return late
