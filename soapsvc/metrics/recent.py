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
Changes = Mapping[str, Counts]  # by how much the counters of each model grew
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

    changes: Sequence[Changes]
    running_s: float
    waiting: int

    def versions(self, model: str) -> list[int]:
        """Return the versions of a model that answered."""
        found = {key[2] for each in self.changes for key in each.get(model, {}) if key[0] == CALL}
        return sorted(int(version) for version in found if version.isdecimal())

    def minutes(self, model: str, version: int | None = None) -> list[Minute]:
        """Return what happened to a model, or to one version of it.

        What reached no version, as a call with a fault, is among the whole model's only.
        """
        return [minute_of(each, model, version) for each in self.changes]


class LastHour:
    """Notes what the counters stand at, and tells what happened. Safe to use from many threads."""

    def __init__(
        self, notes: Notes, counts: Callable[[], tuple[Counts, int]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """counts: gives what the counters stand at and how many calls wait, now."""
        self._notes, self._counts, self._clock = notes, counts, clock
        self._lock = threading.Lock()  # guards the two below, which only save work
        self._states: dict[int, Counts] = {}  # what was read of the notes
        self._grown: dict[tuple[int, int], Changes] = {}  # what came between two of them

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
        whole, state = self._whole(int(now // _MINUTE_S))
        running = {} if state is None else _grown(state, counts)
        return Hour([*whole.values(), running], now % _MINUTE_S, waiting)

    def whole_minutes(self) -> Mapping[int, Changes]:
        """Return what came in each minute that has ended, by its number, the oldest first. Costs little."""
        self.note()
        return self._whole(int(self._clock() // _MINUTE_S))[0]

    def _whole(self, running: int) -> tuple[Mapping[int, Changes], Counts | None]:
        """Return what came in the minutes before the running one, and what the counters stood at after them.

        Of minutes that nobody noted, all stands in the last one.
        """
        with self._lock:
            changes, last = self._changes(running)
            return changes, None if last is None else self._state(last)

    def _changes(self, running: int) -> tuple[Mapping[int, Changes], int | None]:
        """Return what came in the minutes before the running one, and the last minute that was noted."""
        oldest = running - KEPT + 1
        changes: dict[int, Changes] = {}
        before = None if self._state(oldest) is None else oldest
        for minute in range(oldest + 1, running + 1):
            state = self._state(minute)
            changes[minute - 1] = {} if state is None or before is None else self._between(before, minute)
            before = before if state is None else minute
        self._states = {minute: state for minute, state in self._states.items() if minute >= oldest}
        self._grown = {pair: grown for pair, grown in self._grown.items() if pair[0] >= oldest}
        return changes, before

    def _state(self, minute: int) -> Counts | None:
        """Return what the counters stood at when a minute began, None when nobody noted it."""
        state = self._states.get(minute)
        if state is None and (note := self._notes.find(minute)) is not None:
            state = self._states[minute] = _unpacked(note)
        return state

    def _between(self, before: int, minute: int) -> Changes:
        grown = self._grown.get((before, minute))
        if grown is None:
            earlier, later = self._state(before), self._state(minute)
            assert earlier is not None
            assert later is not None
            grown = self._grown[before, minute] = _grown(earlier, later)
        return grown

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


def _grown(was: Counts, now: Counts) -> Changes:
    """Return by how much each counter grew, by model."""
    grown: dict[str, Counts] = {}
    for key, value in now.items():
        if (more := value - was.get(key, 0.0)) > 0:
            grown.setdefault(key[1], {})[key] = more
    return grown


def minute_of(changes: Changes, model: str, version: int | None = None) -> Minute:
    """Return what happened to a model in a minute, or to one version of it."""
    changed = changes.get(model, {})
    wanted = None if version is None else str(version)
    faults: dict[str, int] = defaultdict(int)
    upto = [0] * (len(CALL_BUCKETS_S) + 1)
    runs: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for (kind, _, name, last), more in changed.items():
        if kind == STEP:
            (runs if last == RUNS else seconds)[name] += more
        elif wanted not in (None, name):
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
