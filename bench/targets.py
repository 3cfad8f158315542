"""The ratios to reach, each with how it is taken from the results of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.measure import Result
from bench.workloads import ROWS

_RI = "JAX-WS RI, no model"


class Absent(Exception):
    """A result that a ratio needs is missing; the message names it."""


@dataclass(frozen=True)
class Results:
    """The results of one run, to be looked up.

    memory: of two workers as a multiple of one's, None when not measured.
    """

    all: Sequence[Result]
    memory: float | None = None

    def find(self, name: str, workload: str = "iris", connections: int = 8) -> Result:
        """Return one result. Raises Absent."""
        for result in self.all:
            if (result.name, result.workload, result.connections) == (name, workload, connections):
                return result
        raise Absent(f"{name}, {workload}, {connections} connections")

    def rate(self, name: str, workload: str = "iris", connections: int = 8) -> float:
        """Return calls/s. Raises Absent."""
        return self.find(name, workload, connections).calls_per_s

    def rest_rate(self, name: str) -> float:
        """Return calls/s of a server that is asked by REST. Raises Absent."""
        return self.rate(name, "iris-rest")


@dataclass(frozen=True)
class Target:
    """One line. at_most: the ratio is to stay below the bound, not above."""

    workload: str
    against: str
    bound: float
    ratio: Callable[[Results], float]
    at_most: bool = False

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio <= self.bound if self.at_most else ratio >= self.bound


def _tail(results: Results) -> float:
    ours = results.find("ours")
    return ours.p99_ms / ours.p50_ms


def _memory(results: Results) -> float:
    if results.memory is None:
        raise Absent("the memory of two workers")
    return results.memory


_LARGE, _GRANIAN1, _GRANIAN2 = "ours, large models", "ours, Granian, 1 worker", "ours, Granian, 2 workers"
TARGETS = (
    Target(
        "iris predict, waitress", "stock Spyne + waitress, collector fixed", 3.2,
        lambda of: of.rate("ours") / of.rate("stock Spyne, collector fixed"),
    ),
    Target(
        "iris predict, waitress", "bare lxml handler on waitress", 0.8,
        lambda of: of.rate("ours") / of.rate("hand-written lxml"),
    ),
    Target(
        "iris predict, Granian, 1 worker", "bare lxml handler on Granian", 0.8,
        lambda of: of.rate(_GRANIAN1) / of.rate("hand-written lxml, Granian, 1 worker"),
    ),
    Target(
        "iris predict, Granian, 2 workers", "JAX-WS RI without a model, warm", 0.6,
        lambda of: of.rate(_GRANIAN2) / of.rate(_RI),
    ),
    Target(
        "iris predict, Granian, 2 workers", "MLServer REST, 2 workers, same graph", 8,
        lambda of: of.rate(_GRANIAN2) / of.rest_rate("MLServer REST, 2 workers"),
    ),
    Target("p99 / p50, 8 connections, waitress", "itself", 3, _tail, at_most=True),
    Target(
        "224x224x3 float32, MTOM", "bare handler that reads the bytes", 0.7,
        lambda of: of.rate(_LARGE, "tensor-mtom") / of.rate("reader", "tensor-mtom"),
    ),
    Target(
        "the same, 150,528 elements", "stock Spyne, collector fixed", 10,
        lambda of: of.rate(_LARGE, "tensor-numbers", 1) / of.rate("stock Spyne, tensor", "tensor-numbers", 1),
    ),
    Target(
        "iris batch of 1,000 rows", "1,000 single calls", 50,
        lambda of: of.rate("ours", "iris-batch") * ROWS / of.rate("ours"),
    ),
    Target(
        "MobileNetV2, 2 callers", "the bare callable in a loop, 2 threads", 0.95,
        lambda of: of.rate(_LARGE, "mobilenet", 2) / of.rate("bare callable", "mobilenet", 2),
    ),
    Target(
        "iris predict, 64 connections, waitress", "at 8", 0.9,
        lambda of: of.rate("ours", connections=64) / of.rate("ours"),
    ),
    Target("memory, 2 workers, 57 MB graph", "1 worker", 1.5, _memory, at_most=True),
)  # fmt: skip
