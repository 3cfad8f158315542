"""What the console's first page costs: `python -m bench.console`. 50 models, each called in every minute of an hour.

Asks the WSGI application itself, as a server would: one thread, no sockets. The calls of the hour are made up, since
nobody waits an hour for a measurement; the pages read them as they read real ones.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.iris import MODELS
from bench.report import surroundings, table

MOST_BYTES, MOST_MS = 100_000, 50.0
Get = Callable[[str], bytes]


class MadeUpHour:
    """Counters that grow from minute to minute, and the clock that they grow by."""

    def __init__(self, models: list[str]) -> None:
        from soapsvc.metrics.counts import CALL, TIME, Counts
        from soapsvc.metrics.definitions import CALL_BUCKETS_S

        self.now = 1_000_000.0
        self._models, self._counts, self._random = models, defaultdict[Any, float](float), random.Random(1)
        self._bounds = [*map(str, map(float, CALL_BUCKETS_S)), "+Inf"]
        self._call, self._time, self._type = CALL, TIME, Counts

    def counts(self) -> tuple[dict[Any, float], int]:
        """Return what the counters stand at, and that nothing waits."""
        return dict(self._counts), 0

    def go_on(self) -> None:
        """Let a minute pass."""
        self.now += 60.0
        for model in self._models:
            calls = self._random.randrange(1, 400)
            self._counts[self._call, model, "1", "ok"] += calls
            self._counts[self._call, model, "-", "InvalidInput"] += self._random.randrange(3)
            for place, bound in enumerate(self._bounds):
                share = min(1.0, self._random.uniform(0.9, 1.1) * (place + 1) / 6)
                self._counts[self._time, model, "1", bound] += int(calls * (share if bound != "+Inf" else 1.0))


def make_get(models: int) -> tuple[Get, MadeUpHour, Callable[[], None]]:
    """Return what asks for a page of a server with so many models, its hour, and what notes that a minute began."""
    from soapsvc.metrics.notes import NotesInMemory
    from soapsvc.metrics.recent import LastHour
    from soapsvc.settings import Settings
    from soapsvc.transport.run import load_models, make_application

    names = [f"iris-{number}" for number in range(models)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in names:
            shutil.copytree(MODELS / "iris/1", Path(folder, name, "1"))
            manifest = Path(folder, name, "1/model.yaml")
            manifest.write_text(manifest.read_text().replace("name: iris", f"name: {name}"))
        settings = Settings(models=Path(folder))
        manager, contracts, _ = load_models(settings)
    hour = MadeUpHour(names)
    last_hour = LastHour(NotesInMemory(), hour.counts, lambda: hour.now)
    fleet = {"problems": [], "workers": []}
    web: Any = make_application(settings, manager, contracts, lambda: fleet, lambda: None, last_hour)

    def get(path: str) -> bytes:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO()}
        return b"".join(web(environ, lambda *_: None))

    return get, hour, last_hour.note


def measure(get: Get, path: str, times: int) -> tuple[list[float], list[float]]:
    """Return how many milliseconds each of so many requests took: of this thread's processor, and by the clock."""
    worked, taken = [], []
    for _ in range(times):
        began, work = time.perf_counter(), time.thread_time()
        get(path)
        taken.append((time.perf_counter() - began) * 1000)
        worked.append((time.thread_time() - work) * 1000)
    return worked, taken


def main() -> int:
    """Print what was measured; return 1 when the first page is larger, or takes more work, than it may."""
    parser = argparse.ArgumentParser("bench.console", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    get, hour, note = make_get(options.models)
    for _ in range(60):
        hour.go_on()
        note()
    rows, costs = [], {}
    for title, path in (("first page", "/"), ("page of a model", "/models/iris-0")):
        get(path)
        hour.go_on()
        note()
        worked, taken = measure(get, path, options.times)
        size, costs[path] = len(get(path)), max(statistics.median(worked), worked[0])
        numbers = (statistics.median(worked), worked[0], statistics.median(taken))
        rows.append([title, f"{size:,}", *(f"{number:.1f}" for number in numbers)])
    headings = ["", "bytes", "ms of processor, median", "first in a minute", "ms by the clock, median"]
    print(surroundings())
    print(table(headings, rows, markdown=False))
    fits = len(get("/")) <= MOST_BYTES and costs["/"] <= MOST_MS
    verdict = "within" if fits else "over"
    print(f"first page with {options.models} models: {verdict} {MOST_BYTES:,} bytes and {MOST_MS:g} ms")
    return 0 if fits else 1


if __name__ == "__main__":
    raise SystemExit(main())
