"""How long a run takes in TensorFlow and in onnxruntime, measured in turn so that a neighbour's load meets both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from soapsvc.model.dtypes import Array
from soapsvc.model.onnx_runner import OnnxGraph
from soapsvc.model.servable import Servable, feeds_of

_BATCHES = (1, 32)
_ROUNDS = 15
_ROUND_S = 0.02  # a round holds as many runs as fit, at least one


@dataclass(frozen=True)
class Timing:
    """The median time of a run of `batch` instances, in microseconds; batch None: the signature counts none."""

    batch: int | None
    tensorflow_us: float
    onnxruntime_us: float


def timings(servable: Servable, graph: OnnxGraph, inputs: Mapping[str, Array]) -> tuple[Timing, ...]:
    """Return the times of runs of one instance, then of several. inputs: a golden call, its first instance repeated."""
    signature = servable.signatures[servable.signature]
    if not signature.batched:
        return (_timing(servable, graph, None, inputs),)
    sizes = [size for size in _BATCHES if size <= servable.limits.max_batch]
    return tuple(
        _timing(servable, graph, size, {name: np.repeat(value[:1], size, axis=0) for name, value in inputs.items()})
        for size in sizes
    )


def _timing(servable: Servable, graph: OnnxGraph, batch: int | None, inputs: Mapping[str, Array]) -> Timing:
    signature = servable.signatures[servable.signature]
    feeds = feeds_of(signature, inputs)
    runs: list[Callable[[], object]] = [
        lambda: servable.graph.run(feeds, signature.fetches),
        lambda: graph.run(feeds, signature.fetches),
    ]
    counts = [max(1, int(_ROUND_S / _seconds(run, 1))) for run in runs for _ in (run(),)]
    rounds = [[_seconds(run, count) for run, count in zip(runs, counts, strict=True)] for _ in range(_ROUNDS)]
    tensorflow, onnxruntime = (median(column) * 1e6 for column in zip(*rounds, strict=True))
    return Timing(batch, tensorflow, onnxruntime)


def _seconds(run: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - begin) / count
