"""Which thread turns the event loop: a leader, who runs quick calls itself.

To hand a call to another thread, which hands its answer back, takes longer than many a call. So the leader runs what is
known to be quick; where such a call takes its time after all, another thread leads on (the pattern leader/followers).
So it does once the leader is worn (`soap.parsed`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from soapsvc.soap.parsed import is_worn

log = logging.getLogger(__name__)
QUICK_S = 0.001  # what a call may take on average to be run by the leader
_BUSY = 4  # how many times a call's processor time may go by on a busy machine
_TAKEN_S = 4 * QUICK_S  # what a call counts for at most: one that was held up once does not make its kind slow
_WEIGHT = 0.1  # of the last call in the average
_FORGET = 0.999  # what is left of a slow kind's average after each of its calls, so that it is tried again by and by
_SAMPLED = 8  # calls, of which one is measured
_MOST_KINDS = 10_000
_WATCH_S = 0.01  # a call that runs at two looks in a row is not waited for
_PAUSE_S = 0.2  # between two looks while nothing runs

Kind = tuple[str, int]  # model, and the number of binary digits of the message's size


class Pace:
    """Which kinds of calls are quick, by what the last of them took.

    Has no lock: threads that ask or tell at the same time may lose one call's share of an average.
    """

    def __init__(self) -> None:
        self._averages: dict[Kind, float] = {}
        self._asked = 0

    def is_quick(self, kind: Kind) -> bool:
        """Return whether the leader shall run a call. A kind that never came before is tried."""
        average = self._averages.get(kind, 0.0)
        if average < QUICK_S:
            return True
        self._averages[kind] = average * _FORGET
        return False

    def wants(self, kind: Kind) -> bool:
        """Return whether to measure a call; of a kind that is far from slow, only some: to measure takes time, too."""
        self._asked += 1
        return self._asked % _SAMPLED == 0 or not self._averages.get(kind, QUICK_S) < QUICK_S / 2

    def took(self, kind: Kind, seconds: float) -> None:
        """Note how long a call took that the leader ran."""
        if len(self._averages) >= _MOST_KINDS:  # of models that don't exist
            self._averages.clear()
        seconds = min(seconds, _TAKEN_S)
        average = self._averages.get(kind, seconds)
        self._averages[kind] = average + (seconds - average) * _WEIGHT


class StopWatch:
    """Measures what a call takes of its thread from now on."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.thread_time()

    @property
    def seconds(self) -> float:
        """Seconds of processor time; but where the call waited for long, some of that: others waited for it, too."""
        return max(time.thread_time() - self._processor, (time.perf_counter() - self._clock) / _BUSY)


class Leadership:
    """Turns a loop on one thread after another until it is done."""

    def __init__(self, turn: Callable[[], None], done: Callable[[], bool]) -> None:
        """turn: one turn of the loop; ends early when `call` tells that the thread leads no more."""
        self._turn, self._done = turn, done
        self._lock = threading.Lock()  # guards who leads, and whether a call of the leader is under way
        self._leader: threading.Thread | None = None
        self._calling = False
        self._calls = 0  # that leaders have begun
        self._failure: BaseException | None = None
        self._over, self._wanted, self._paused = threading.Event(), threading.Event(), False

    @property
    def leads(self) -> bool:
        """Whether the thread that asks is the leader."""
        return threading.current_thread() is self._leader

    def run(self) -> None:
        """Have the loop turned until it is done, and watch who turns it. Raises what a turn raised."""
        self._follow()
        while not self._over.is_set():
            self._watch()
        if self._failure is not None:
            raise self._failure

    def call(self, work: Callable[[], None]) -> bool:
        """Run a call on the leader's thread; return whether that still leads."""
        self._calls += 1
        self._calling = True
        if self._paused:
            self._wanted.set()
        work()
        with self._lock:
            if not self.leads:
                return False
            self._calling = False
        return not (is_worn() and self._follow())

    def _follow(self) -> bool:
        """Start a new leader; return whether that could be done."""
        before = self._leader, self._calling
        self._leader = threading.Thread(target=self._lead, name="loop", daemon=True)
        self._calling = False
        try:
            self._leader.start()
        except RuntimeError:  # no thread is to be had: who led leads on
            if before[0] is None:
                raise
            self._leader, self._calling = before
            return False
        return True

    def _lead(self) -> None:
        try:
            while self.leads:
                if self._done():
                    break
                self._turn()
            else:
                return
        except BaseException as err:
            if not self.leads:
                log.exception("the thread that gave the loop away failed")
                return
            self._failure = err
        self._over.set()
        self._wanted.set()

    def _watch(self) -> None:
        """Let some time pass, and put another in the leader's place if all of it went by in one call."""
        calls, calling = self._calls, self._calling
        self._over.wait(_WATCH_S)
        if self._calls != calls:
            return
        if not calling:
            self._pause(calls)
            return
        with self._lock:
            if self._calling and self._calls == calls:
                self._follow()

    def _pause(self, calls: int) -> None:
        """Look no more until a call begins, or for a while."""
        self._wanted.clear()
        self._paused = True
        if self._calls == calls:
            self._wanted.wait(_PAUSE_S)
        self._paused = False
