"""Measures subjects in interleaved rounds, so that a neighbour's load on the machine meets all of them alike."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.iris import REPOSITORY
from bench.load import STALLED_S, Load
from bench.subjects import Running

WARM_UP_S = 2.0  # enough for lazy imports and for TensorFlow's first runs


class WrongAnswers(Exception):
    """A server answered wrongly: its speed means nothing."""


@dataclass(frozen=True)
class Round:
    """One subject's share of a round. server_cpu_s: processor time the server used, None when unknown."""

    load: Load
    server_cpu_s: float | None


@dataclass(frozen=True)
class Result:
    """All rounds of one subject. floor: the name of the subject that does the least on the same server."""

    name: str
    floor: str
    rounds: tuple[Round, ...]

    @property
    def calls_per_s(self) -> float:
        """The median round's."""
        return statistics.median(one.load.calls_per_s for one in self.rounds)

    @property
    def spread(self) -> float:
        """Fastest less slowest round, as a share of the median."""
        rates = [one.load.calls_per_s for one in self.rounds]
        return (max(rates) - min(rates)) / self.calls_per_s

    @property
    def p50_ms(self) -> float:
        """The median round's."""
        return statistics.median(one.load.p50_ms for one in self.rounds)

    @property
    def p99_ms(self) -> float:
        """The median round's."""
        return statistics.median(one.load.p99_ms for one in self.rounds)

    @property
    def max_ms(self) -> float:
        """The longest call of all rounds."""
        return max(one.load.max_ms for one in self.rounds)

    @property
    def cpu_us(self) -> float:
        """Processor time of the server for one call, in microseconds; NaN when unknown."""
        used = [one.server_cpu_s for one in self.rounds if one.server_cpu_s is not None]
        return sum(used) / sum(one.load.calls for one in self.rounds) * 1e6 if used else math.nan

    @property
    def generator_cpu(self) -> float:
        """The most of one core that the load generator took."""
        return max(one.load.generator_cpu for one in self.rounds)


def measure(servers: Sequence[Running], seconds: float, rounds: int, connections: int) -> list[Result]:
    """Return one Result for each server, after a warm-up. Raises WrongAnswers at the first round with one."""
    for server in servers:
        _load(server, min(seconds, WARM_UP_S), connections)
    seen: list[list[Round]] = [[] for _ in servers]
    for number in range(rounds):
        for server, own in zip(servers, seen, strict=True):
            own.append(_round(server, seconds, connections))
            print(f"round {number + 1}: {server.subject.name}: {own[-1].load.calls_per_s:.0f} calls/s", file=sys.stderr)
    return [
        Result(server.subject.name, server.subject.floor, tuple(own)) for server, own in zip(servers, seen, strict=True)
    ]


def _round(server: Running, seconds: float, connections: int) -> Round:
    before = server.cpu_s()
    load = _load(server, seconds, connections)
    after = server.cpu_s()
    return Round(load, None if before is None or after is None else after - before)


def _load(server: Running, seconds: float, connections: int) -> Load:
    """Run the load generator in a process of its own."""
    command = [sys.executable, "-m", "bench.load", str(server.port)]
    command += ["--seconds", str(seconds), "--connections", str(connections)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=seconds + 2 * STALLED_S
    )
    if done.returncode:
        raise WrongAnswers(f"{server.subject.name}: the load generator failed: {done.stderr[-500:]}")
    load = Load(**json.loads(done.stdout))
    if load.errors or not load.calls:
        raise WrongAnswers(f"{server.subject.name}: {load.errors} wrong answers, the first: {load.first_error}")
    return load
