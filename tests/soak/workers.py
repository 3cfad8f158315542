"""The server's workers from outside: their memory, descriptors and threads over time, and whether they stay flat."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

MIB = 1024**2
EVERY_S = 0.5
ENDS = 5  # samples whose median is taken, at both ends of a series


@dataclass(frozen=True)
class Sample:
    """One look at a process. at: seconds since the watch began.  calls: answered by all workers since then."""

    at: float
    calls: int
    rss_mib: float
    descriptors: int
    threads: int


@dataclass
class Life:
    """One worker's process from its first sample to its last."""

    pid: int
    samples: list[Sample] = field(default_factory=list)

    def warm(self, calls: int) -> list[Sample]:
        """Return the samples after so many calls, of all workers, since the first."""
        return [sample for sample in self.samples if sample.calls - self.samples[0].calls >= calls]

    def memory(self, warm_up_calls: int) -> tuple[float, float] | None:
        """Return MiB after warm-up and at the end; None for a process that was killed too early to tell."""
        sizes = [sample.rss_mib for sample in self.warm(warm_up_calls)]
        if len(sizes) < 2 * ENDS:
            return None
        return statistics.median(sizes[:ENDS]), statistics.median(sizes[-ENDS:])


def look(pid: int, at: float = 0.0, calls: int = 0) -> Sample:
    """Return a look at a process. Raises psutil.NoSuchProcess."""
    process = psutil.Process(pid)
    with process.oneshot():
        return Sample(at, calls, process.memory_info().rss / MIB, process.num_fds(), process.num_threads())


class Watch:
    """Looks at the workers that `pids` tells, until the block ends."""

    def __init__(self, pids: Callable[[], list[int]], calls: Callable[[], int]) -> None:
        self.lives: dict[int, Life] = {}
        self._pids, self._calls = pids, calls
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            for pid in self._pids():
                try:
                    sample = look(pid, time.monotonic() - self._began, self._calls())
                except psutil.NoSuchProcess:
                    continue
                if sample.rss_mib:  # not one that is dead and not yet buried
                    self.lives.setdefault(pid, Life(pid)).samples.append(sample)
