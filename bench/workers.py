"""`python -m bench.workers`: what a second worker costs in memory, and how long a worker takes to start.

Memory is PSS, summed over a server's processes. It counts a page of TensorFlow's code once for all who have it, so that
another program that runs TensorFlow meanwhile lowers the figures. Starts are told less `import tensorflow` alone, which
is measured in turn with them, the shortest of each.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.field import make_large_models
from bench.full_report import write_docs
from bench.iris import MODELS
from bench.progress import steps
from bench.report import surroundings, table
from bench.subjects import OURS, Running, StartFailed, Subject, WrongAnswers, running
from bench.workloads import HEAVY_MODELS
from interop.tools import CannotRun

WARM_UP_S = 2.0
START_TIMEOUT_S, POLL_S = 120.0, 0.05
HEAVY = Subject("1 worker", (*OURS.arguments[:-1], str(HEAVY_MODELS), "--log-level", "warning"))
HEAVY_TWO = Subject("2 workers", (*HEAVY.arguments, "--workers", "2"))
HEAVY_APART = Subject("2 workers, share_constants = never", (*HEAVY_TWO.arguments, "--share-constants", "never"))
_BUNDLED = Subject("the bundled models", (*OURS.arguments[:-1], str(MODELS), "--workers", "2"))
STARTS = (_BUNDLED, Subject("a 57 MB graph", HEAVY_TWO.arguments))
_IMPORT = "import time; began = time.perf_counter(); import tensorflow; print(time.perf_counter() - began)"


@dataclass(frozen=True)
class Start:
    """What starts took, in seconds, each in turn with an import of TensorFlow alone.

    The shortest of each counts: a busy machine only ever adds.
    """

    name: str
    ready_s: Sequence[float]
    import_s: Sequence[float]

    @property
    def beyond_import_s(self) -> float:
        """What a start took more than an import."""
        return min(self.ready_s) - min(self.import_s)


def held_bytes(subject: Subject, tell: Callable[[str], None]) -> int:
    """Return the memory of a server with a 57 MB graph that has answered calls. Raises StartFailed."""
    tell(f"memory of {subject.name}")
    with running((subject,)) as (server,):
        server.load("weights", WARM_UP_S, 8)
        return server.proportional_bytes()


def memory_of_workers(tell: Callable[[str], None]) -> float:
    """Return the memory of two workers with a model of 57 MB, as a multiple of one's. Raises StartFailed."""
    one, two = (held_bytes(subject, tell) for subject in (HEAVY, HEAVY_TWO))
    return two / one


def starts(subject: Subject, rounds: int, tell: Callable[[str], None]) -> Start:
    """Return what it took a worker to be ready that was killed and started anew while the other one idles."""
    ready_s, import_s = [], []
    with running((subject,)) as (server,):
        for _ in range(rounds + 1):
            import_s.append(_import_s())
            ready_s.append(_restart_s(server))
            tell(f"{subject.name}: ready after {ready_s[-1]:.1f} s, import alone {import_s[-1]:.1f} s")
    return Start(subject.name, ready_s[1:], import_s[1:])  # the first fills the page cache


def _import_s() -> float:
    """Return how long a new process takes to import TensorFlow, without its own start and end."""
    command = [sys.executable, "-c", _IMPORT]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(done.stdout)


def _restart_s(server: Running) -> float:
    """Kill a worker and return how long it takes until another is ready in its place. Raises StartFailed."""
    worker, before = next((number, pid) for number, pid in _processes(server).items() if pid is not None)
    began = time.perf_counter()
    os.kill(before, signal.SIGKILL)
    while _processes(server)[worker] in (before, None):
        if time.perf_counter() - began > START_TIMEOUT_S:
            raise StartFailed(f"no worker was ready again within {START_TIMEOUT_S:g} s")
        time.sleep(POLL_S)
    return time.perf_counter() - began


def _processes(server: Running) -> dict[int, int | None]:
    """Return each worker's process, None for one that starts, as the worker tells that takes the call."""
    until = time.perf_counter() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health/models", timeout=10) as answer:
                return {each["worker"]: each["pid"] for each in json.load(answer)["workers"]}
        except OSError:  # the worker that was to answer was killed
            if time.perf_counter() > until:
                raise


def report(held: Mapping[str, int], started: Sequence[Start], markdown: bool) -> str:
    """Return both tables."""
    one = held[HEAVY.name]
    memory = [(name, f"{size / 1e6:,.0f}", f"{size / one:.2f}") for name, size in held.items()]
    starts_shown = [
        (each.name, *(f"{value:.1f}" for value in (min(each.ready_s), min(each.import_s), each.beyond_import_s)))
        for each in started
    ]
    return "\n\n".join(
        (
            table(("57 MB graph", "PSS, MB", "/ 1 worker"), memory, markdown),
            table(("start of a worker with", "ready, s", "import alone, s", "beyond it, s"), starts_shown, markdown),
            surroundings() + ".",
        )
    )


def main() -> int:
    """Measure and print; return 0, or 1 when a server did not start or answered wrongly."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind (default 5)")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    try:
        with steps() as tell:
            make_large_models(tell)
            held = {subject.name: held_bytes(subject, tell) for subject in (HEAVY, HEAVY_APART, HEAVY_TWO)}
            started = [starts(subject, options.rounds, tell) for subject in STARTS]
    except (CannotRun, StartFailed, WrongAnswers, OSError) as err:
        print(f"bench: {err}", file=sys.stderr)
        return 1
    print(report(held, started, options.markdown))
    if options.write_docs:
        write_docs({"bench-workers": report(held, started, markdown=True)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
