"""Times calls of frozen models in a process that loads them as the server does, without Keras.

`python -m bench.frozen_calls FOLDER`: FOLDER holds NAME/1 and NAME.npz with the inputs of one call. Reads lines
`NAME SECONDS` and answers each with the median milliseconds of a call.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Call = Callable[[], object]
WARM_UP_CALLS = 2
LEAST_CALLS = 5


def median_ms(call: Call, seconds: float) -> float:
    """Return the median time of a call, which is repeated for so many seconds, after a warm-up."""
    for _ in range(WARM_UP_CALLS):
        call()
    times_ns: list[int] = []
    until = time.perf_counter() + seconds
    while len(times_ns) < LEAST_CALLS or time.perf_counter() < until:
        started = time.perf_counter_ns()
        call()
        times_ns.append(time.perf_counter_ns() - started)
    return statistics.median(times_ns) / 1e6


def main() -> None:
    """Answer lines until there are no more."""
    folder = Path(sys.argv[1])
    calls: dict[str, Call] = {}
    for line in sys.stdin:
        name, seconds = line.split()
        if name not in calls:
            calls[name] = _loaded(folder, name)
        print(median_ms(calls[name], float(seconds)), flush=True)


def _loaded(folder: Path, name: str) -> Call:
    from soapsvc.model.loader import load
    from soapsvc.model.source import VersionFolder

    servable = load(VersionFolder(name, 1, folder / name / "1"))
    signature = servable.signatures[servable.signature]
    with np.load(folder / f"{name}.npz") as file:
        inputs = {key: file[key] for key in file.files}
    inputs = {key: array.astype(object) if array.dtype.kind == "S" else array for key, array in inputs.items()}
    return lambda: servable.run(signature, inputs)


if __name__ == "__main__":
    main()
