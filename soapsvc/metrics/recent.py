"""The last hour, minute by minute: calls, faults, times, waiting and steps of each model, of all workers.

What the counters stand at is noted when a minute begins; a minute is what came between two notes. Counters only grow,
those of workers that ended too, and minutes are those of the monotonic clock, which all processes share.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from soapsvc.metrics.counts import CALL, RUNS, STEP, TIME, WAIT, Counts, Key
from soapsvc.metrics.definitions import CALL_BUCKETS_S
from soapsvc.metrics.notes import KEPT, Notes

log = logging.getLogger(__name__)
_MINUTE_S = 60.0
_SPREAD_S = 1.0  # within it the workers look whether a minute is noted; the first one notes it
_PLACES = {str(float(bound)): place for place, bound in enumerate(CALL_BUCKETS_S)} | {"+Inf": len(CALL_BUCKETS_S)}


@dataclass(frozen=True)
class StepTime:
    """How often a step of a pipeline ran, and how long altogether."""

    runs: int
    seconds: float


@dataclass(frozen=True)
class Minute:
    """What happened to one model, or to one version of it, in a minute.

    faults: calls by the fault they ended with.  waited: seconds that calls waited for a thread, altogether.
    times: how many calls took up to each of CALL_BUCKETS_S and no less than the one before; the last: longer.
    waited and steps are the model's, whichever version is asked for.
    """

    faults: Mapping[str, int]
    times: tuple[int, ...]
    waited: float
    steps: Mapping[str, StepTime]

    @property
    def calls(self) -> int:
        """All calls that were answered, be it with a fault."""
        return sum(self.times)

    def quantile(self, share: float) -> float | None:
        """Return the seconds within which a share of the calls was answered, None where there were none."""
        return quantile(self.times, share)


@dataclass(frozen=True)
class Hour:
    """The minutes of the last hour, the oldest first; the last one has not ended: it is `running_s` old.

    waiting: how many calls wait for a thread now.
    """

    changes: Sequence[Counts]
    running_s: float
    waiting: int

    def models(self) -> list[str]:
        """Return the models that were called."""
        return sorted({key[1] for each in self.changes for key in each if key[0] == CALL and key[1] != "-"})

    def versions(self, model: str) -> list[int]:
        """Return the versions of a model that answered."""
        found = {key[2] for each in self.changes for key in each if key[:2] == (CALL, model)}
        return sorted(int(version) for version in found if version.isdecimal())

    def minutes(self, model: str, version: int | None = None) -> list[Minute]:
        """Return what happened to a model, or to one version of it.

        What reached no version, as a call with a fault, is among the whole model's only.
        """
        return [_minute(each, model, None if version is None else str(version)) for each in self.changes]


class LastHour:
    """Notes what the counters stand at, and tells what happened. Safe to use from many threads."""

    def __init__(
        self, notes: Notes, counts: Callable[[], tuple[Counts, int]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """counts: gives what the counters stand at and how many calls wait, now."""
        self._notes, self._counts, self._clock = notes, counts, clock

    def start(self) -> None:
        """Note the minutes from now on, in a thread."""
        self.note()
        threading.Thread(target=self._keep_on, name="last-hour", daemon=True).start()

    def note(self) -> None:
        """Note what the counters stand at, unless that is done for this minute."""
        minute = int(self._clock() // _MINUTE_S)
        if self._notes.find(minute) is None:
            try:
                self._notes.keep(minute, _packed(self._counts()[0]))
            except OSError as err:
                log.error("the minute can't be noted for the performance page: %s", err)

    def read(self) -> Hour:
        """Return what happened until now."""
        self.note()
        now = self._clock()
        counts, waiting = self._counts()
        running = int(now // _MINUTE_S)
        noted = [self._notes.find(minute) for minute in range(running - KEPT + 1, running + 1)]
        states = [None if note is None else _unpacked(note) for note in noted]
        return Hour(_changes([*states, counts]), now % _MINUTE_S, waiting)

    def _keep_on(self) -> None:
        never = threading.Event()
        while True:
            never.wait(_MINUTE_S - self._clock() % _MINUTE_S + random.uniform(0, _SPREAD_S))  # noqa: S311
            self.note()


def quantile(times: Sequence[int], share: float) -> float | None:
    """Return the seconds within which a share of calls was answered: exact within a bucket as if they were even there.

    times: as in Minute. What took longer than the last bound counts as that.
    """
    wanted, below, lower = share * sum(times), 0, 0.0
    if not wanted:
        return None
    for count, upper in zip(times, CALL_BUCKETS_S, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return float(CALL_BUCKETS_S[-1])


def _changes(states: Sequence[Counts | None]) -> list[Counts]:
    """Return what came between each two states. Of minutes that nobody noted, all stands in the last one."""
    changes: list[Counts] = []
    before = states[0]
    for state in states[1:]:
        if state is None or before is None:
            changes.append({})
        else:
            grown = {key: value - before.get(key, 0.0) for key, value in state.items()}
            changes.append({key: more for key, more in grown.items() if more > 0})
        before = before if state is None else state
    return changes


def _minute(changed: Counts, model: str, version: str | None) -> Minute:
    faults: dict[str, int] = defaultdict(int)
    upto = [0] * (len(CALL_BUCKETS_S) + 1)
    runs: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for (kind, _, name, last), more in ((key, value) for key, value in changed.items() if key[1] == model):
        if kind == STEP:
            (runs if last == RUNS else seconds)[name] += more
        elif version not in (None, name):
            continue
        elif kind == TIME:
            upto[_PLACES[last]] += int(more)
        elif kind == CALL and last != "ok":
            faults[last] += int(more)
    times = tuple(count - lower for count, lower in zip(upto, [0, *upto], strict=False))
    steps = {name: StepTime(int(count), seconds[name]) for name, count in runs.items()}
    return Minute(dict(faults), times, changed.get((WAIT, model, "", ""), 0.0), steps)


def _packed(counts: Counts) -> bytes:
    return orjson.dumps([[*key, value] for key, value in counts.items() if value])


def _unpacked(note: bytes) -> Counts:
    counts: Counts = {}
    for kind, model, name, last, value in orjson.loads(note):
        key: Key = (kind, model, name, last)
        counts[key] = value
    return counts
