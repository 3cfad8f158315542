"""Calls a second of a model folder under load, in a process of its own: TensorFlow's threads are a process's for good.

Runs the engine as the server does, without SOAP and HTTP. `python -m soapsvc.tuning.measure` is the child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.authoring.source import SourceError
from soapsvc.engine.batching import BatchingEngine
from soapsvc.engine.local import LocalEngine
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder
from soapsvc.model.trial import own_path

CONCURRENCY = (1, 8, 32)
_WARM_UP_S = 0.2


@dataclass(frozen=True)
class Load:
    """What so many callers, each waiting for its answer before it calls again, got. p99_ms: of a call."""

    callers: int
    calls_per_s: float
    p99_ms: float


Round = tuple[Load, ...]  # one for each of CONCURRENCY


class Subject:
    """A folder under measurement, loaded in a process of its own until `close`."""

    def __init__(self, folder: VersionFolder, op_libraries: tuple[str, ...], seconds: float) -> None:
        """seconds: how long each load of a round is measured. Raises SourceError when the folder does not load."""
        self._name = f"{folder.name}/{folder.version}"
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "soapsvc.tuning.measure"], env=own_path(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        try:
            self._ask({"folder": str(folder.path), "op_libraries": op_libraries, "seconds": seconds})
        except BaseException:
            self.close()
            raise

    def round(self) -> Round:
        """Return what the folder does under each load now. Raises SourceError when the process ended."""
        return tuple(Load(**each) for each in self._ask("round"))

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()
        for file in (self._child.stdin, self._child.stdout, self._errors):
            if file is not None:
                with suppress(BrokenPipeError):
                    file.close()

    def _ask(self, question: object) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(BrokenPipeError):  # a process that ended tells why below
            self._child.stdin.write(json.dumps(question).encode() + b"\n")
            self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            self._child.wait()
            self._errors.seek(0)
            last = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise SourceError(f"{self._name} can't be measured: {last}")
        return json.loads(answer)


def _rounds(folder: VersionFolder, op_libraries: tuple[str, ...], seconds: float) -> Iterator[Round]:
    """Load the folder, then yield rounds without end; the first, empty, tells that it is loaded and warm."""
    from soapsvc.model.description import describe
    from soapsvc.model.golden import read_golden
    from soapsvc.model.loader import load  # imports TensorFlow

    servable, warmup = load(folder, op_libraries), describe(folder).manifest.warmup
    assert warmup is not None
    signature = servable.find_signature(None)
    inputs = read_golden(folder.file(warmup.file), signature, warmup.file)[0].inputs
    one = {name: value[:1] for name, value in inputs.items()} if signature.batched else inputs
    engine = BatchingEngine(LocalEngine())
    _under_load(engine, servable, one, max(CONCURRENCY), _WARM_UP_S)
    yield ()
    while True:
        yield tuple(_load(engine, servable, one, callers, seconds) for callers in CONCURRENCY)


def _load(
    engine: BatchingEngine, servable: Servable, inputs: Mapping[str, Array], callers: int, seconds: float
) -> Load:
    begin = time.perf_counter()
    times = _under_load(engine, servable, inputs, callers, seconds)
    return Load(callers, len(times) / (time.perf_counter() - begin), float(np.percentile(times, 99)) * 1e3)


def _under_load(
    engine: BatchingEngine, servable: Servable, inputs: Mapping[str, Array], callers: int, seconds: float
) -> list[float]:
    """Return how long each call took, in seconds, that so many callers made in the given time."""
    signature, times, end = servable.find_signature(None), [], time.perf_counter() + seconds

    def call() -> None:
        begin = time.perf_counter()
        while begin < end:
            engine.predict(servable, signature, inputs)
            done = time.perf_counter()
            times.append(done - begin)
            begin = done

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def main() -> None:
    """Read what to load from standard input, then measure a round for each line, and answer in JSON, line by line."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    request = json.loads(sys.stdin.readline())
    path = Path(request["folder"])
    rounds = _rounds(
        VersionFolder(path.parent.name, int(path.name), path), tuple(request["op_libraries"]), request["seconds"]
    )
    answers.write(json.dumps(next(rounds)) + "\n")
    for _ in sys.stdin:
        answers.write(json.dumps([asdict(each) for each in next(rounds)]) + "\n")


if __name__ == "__main__":
    main()
