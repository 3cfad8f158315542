"""What only running the graph costs: calls of the bare servable in a loop, in threads, with no server around it.

`python -m bench.bare_calls` reads lines `WORKLOAD SECONDS THREADS` and answers each with a Load as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from bench.iris import REPOSITORY
from bench.load import STALLED_S, Load, quantile
from bench.subjects import START_TIMEOUT_S, Subject, WrongAnswers, cpu_s
from bench.workloads import WORKLOADS

SUBJECT = Subject("bare callable", ("-m", "bench.bare_calls"), "")
_WARM_UP_CALLS = 3


@dataclass(frozen=True, eq=False)
class BareCalls:
    """The process that runs the loops."""

    process: subprocess.Popen[str]
    subject: Subject = SUBJECT

    def load(self, workload: str, seconds: float, connections: int) -> Load:
        """Run the workload in as many threads as connections. Raises WrongAnswers when the process ends."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watchdog = threading.Timer(seconds + STALLED_S + START_TIMEOUT_S, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(f"{workload} {seconds} {connections}\n")
            self.process.stdin.flush()
            return Load(**json.loads(self.process.stdout.readline()))
        except (OSError, ValueError) as err:
            raise WrongAnswers(f"the bare calls ended, or took too long: {err}") from err
        finally:
            watchdog.cancel()

    def cpu_s(self) -> float | None:
        """Return the processor time it has used so far, None where the system has no /proc."""
        return cpu_s(self.process.pid)


@contextmanager
def bare_calls(subject: Subject = SUBJECT) -> Iterator[BareCalls]:
    """Lend the process, which loads a model when it is first asked for it."""
    with subprocess.Popen(
        [subject.program, *subject.arguments], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            yield BareCalls(process, subject)
        finally:
            process.kill()


def _loaded(name: str) -> Callable[[], object]:
    from soapsvc.model.loader import load
    from soapsvc.model.source import VersionFolder

    workload = WORKLOADS[name]
    servable = load(VersionFolder(workload.model, 1, workload.models / workload.model / "1"))
    signature, feeds = servable.find_signature(None), workload.feeds()
    return lambda: servable.run(signature, feeds)


def _run(call: Callable[[], object], seconds: float, threads: int) -> Load:
    for _ in range(_WARM_UP_CALLS):
        call()
    latencies: list[list[float]] = [[] for _ in range(threads)]
    started = time.perf_counter()
    loops = [threading.Thread(target=_loop, args=(call, started + seconds, own)) for own in latencies]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    ordered = sorted(latency for own in latencies for latency in own)
    p50, p99, longest = (quantile(ordered, share) for share in (0.5, 0.99, 1.0))
    return Load(len(ordered), 0, time.perf_counter() - started, p50, p99, longest, 0.0, "")


def _loop(call: Callable[[], object], until: float, latencies: list[float]) -> None:
    before = time.perf_counter()
    while before < until:
        call()
        after = time.perf_counter()
        latencies.append((after - before) * 1000)
        before = after


def answer_lines(load: Callable[[str], Callable[[], object]]) -> None:
    """Answer lines until there are no more. load: returns the call of a workload."""
    calls: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        name, seconds, threads = line.split()
        if name not in calls:
            calls[name] = load(name)
        print(json.dumps(asdict(_run(calls[name], float(seconds), int(threads)))), flush=True)


if __name__ == "__main__":
    answer_lines(_loaded)
