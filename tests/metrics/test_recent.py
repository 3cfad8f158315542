"""The last hour out of counters that grow: minutes, versions, quantiles, and workers that end and come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from soapsvc.metrics.calls import count
from soapsvc.metrics.counts import CALL, RUNS, SECONDS, STEP, TIME, WAIT, Counts, read_counts
from soapsvc.metrics.definitions import CALL_BUCKETS_S
from soapsvc.metrics.notes import KEPT, NotesInFolder, NotesInMemory
from soapsvc.metrics.recent import LastHour, StepTime, quantile
from tests.metrics.test_calls import CALL as CALL_OF_TEST

BOUNDS = [*(str(float(bound)) for bound in CALL_BUCKETS_S), "+Inf"]


class Counters:
    """Counters of one model, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.counts: Counts = {}
        self.waiting = 0
        self.now = 6_000.0

    def call(self, seconds: float, times: int = 1, outcome: str = "ok", version: str = "1") -> None:
        self._add((CALL, "iris", version, outcome), times)
        for bound in BOUNDS:
            self._add((TIME, "iris", version, bound), times * (seconds <= float(bound)))

    def _add(self, key: tuple[str, str, str, str], more: float) -> None:
        self.counts[key] = self.counts.get(key, 0.0) + more

    def step(self, seconds: float) -> None:
        self._add((STEP, "iris", "find", RUNS), 1)
        self._add((STEP, "iris", "find", SECONDS), seconds)
        self._add((WAIT, "iris", "", ""), seconds / 2)

    def read(self) -> tuple[Counts, int]:
        return dict(self.counts), self.waiting

    def clock(self) -> float:
        return self.now


@pytest.fixture
def counters() -> Counters:
    return Counters()


def last_hour(counters: Counters) -> LastHour:
    hour = LastHour(NotesInMemory(), counters.read, counters.clock)
    hour.note()
    return hour


def test_hour_gives_each_minute_what_came_in_it(counters: Counters) -> None:
    hour = last_hour(counters)
    for calls in (3, 0, 2):
        counters.call(0.003, calls)
        counters.now += 60
        hour.note()
    counters.call(0.003)
    minutes = hour.read().minutes("iris")
    assert len(minutes) == 60
    assert [minute.calls for minute in minutes[-4:]] == [3, 0, 2, 1]
    assert not any(minute.calls for minute in minutes[:-4])


def test_hour_forgets_what_is_older(counters: Counters) -> None:
    notes = NotesInMemory()
    hour = LastHour(notes, counters.read, counters.clock)
    hour.note()
    counters.call(0.003)
    for _ in range(KEPT - 1):
        counters.now += 60
        hour.note()
    assert hour.read().minutes("iris")[0].calls == 1
    counters.now += 60
    assert sum(minute.calls for minute in hour.read().minutes("iris")) == 0
    assert len(notes._notes) <= KEPT


def test_hour_of_a_process_that_began_late_counts_nothing_from_before(counters: Counters) -> None:
    counters.call(0.003, 1000)
    hour = last_hour(counters)
    counters.call(0.003)
    assert sum(minute.calls for minute in hour.read().minutes("iris")) == 1


def test_minutes_that_nobody_noted_stand_in_the_last_of_them(counters: Counters) -> None:
    hour = last_hour(counters)
    counters.call(0.003, 5)
    counters.now += 180
    hour.note()
    counters.call(0.003, 2)
    assert [minute.calls for minute in hour.read().minutes("iris")[-4:]] == [0, 0, 5, 2]


def test_versions_and_faults_are_told_apart(counters: Counters) -> None:
    hour = last_hour(counters)
    counters.call(0.003, 4, version="1")
    counters.call(0.3, 2, version="12")
    counters.call(0.0004, 1, outcome="InvalidInput", version="-")
    found = hour.read()
    assert found.versions("other") == []
    assert found.versions("iris") == [1, 12]
    assert [found.minutes("iris", version)[-1].calls for version in (None, 1, 12)] == [7, 4, 2]
    assert found.minutes("iris")[-1].faults == {"InvalidInput": 1}
    assert found.minutes("iris", 12)[-1].faults == {}


def test_steps_waits_and_depth_are_the_models(counters: Counters) -> None:
    hour = last_hour(counters)
    counters.step(0.5)
    counters.step(0.25)
    counters.waiting = 7
    found = hour.read()
    assert found.minutes("iris")[-1].steps == {"find": StepTime(2, 0.75)}
    assert found.minutes("iris")[-1].waited == 0.375
    assert found.waiting == 7


def test_quantile_lies_in_the_bucket_of_its_call() -> None:
    times = [0] * (len(CALL_BUCKETS_S) + 1)
    assert quantile(times, 0.5) is None
    times[2] = 98  # 1 to 2.5 ms
    times[-1] = 2
    assert quantile(times, 0.49) == pytest.approx(0.00175)
    assert quantile(times, 0.99) == CALL_BUCKETS_S[-1]


def test_worker_that_comes_anew_tells_of_the_minutes_before_it(counters: Counters, tmp_path: Path) -> None:
    first = LastHour(NotesInFolder(tmp_path / "minutes"), counters.read, counters.clock)
    first.note()
    counters.call(0.003, 9)
    counters.now += 60
    first.note()
    counters.now += 20
    second = LastHour(NotesInFolder(tmp_path / "minutes"), counters.read, counters.clock)
    second.note()
    counters.call(0.003)
    assert [minute.calls for minute in second.read().minutes("iris")[-2:]] == [9, 1]


def test_folder_keeps_an_hour_and_nothing_beside(counters: Counters, tmp_path: Path) -> None:
    folder = tmp_path / "minutes"
    hour = LastHour(NotesInFolder(folder), counters.read, counters.clock)
    for _ in range(KEPT + 20):
        hour.note()
        counters.now += 60
    assert len(list(folder.iterdir())) == KEPT


def test_counts_are_those_of_answered_calls() -> None:
    hour = LastHour(NotesInMemory(), read_counts)
    hour.note()
    call = CALL_OF_TEST._replace(model="recent", stages={"queue": (5.0, 0.25)})
    count([call, call, call, call._replace(operation="wsdl", stages={}, steps={})])
    minute = hour.read().minutes("recent", 3)[-1]
    assert (minute.calls, minute.waited) == (3, 0.75)
    assert minute.steps == {"find": StepTime(3, 0.375)}
