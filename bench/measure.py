"""Measures subjects in interleaved rounds, so that a neighbour's load on the machine meets all of them alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.load import Load
from bench.subjects import Subject, WrongAnswers

SHORT_S = 1.0


class Server(Protocol):
    """What can be asked: a server on a port, or the bare callable in a process."""

    subject: Subject

    def load(self, workload: str, seconds: float, connections: int) -> Load:
        """Put the workload to it. Raises WrongAnswers."""

    def cpu_s(self) -> float | None:
        """Return the processor time it has used so far, None when unknown."""


@dataclass(frozen=True)
class Round:
    """One subject's share of a round. server_cpu_s: processor time the server used, None when unknown."""

    load: Load
    server_cpu_s: float | None


@dataclass(frozen=True)
class Contest:
    """What is measured in each round: a workload put to a server over so many connections."""

    server: Server
    workload: str
    connections: int

    def __str__(self) -> str:
        many = "s" * (self.connections > 1)
        return f"{self.server.subject.name}, {self.workload}, {self.connections} connection{many}"


@dataclass(frozen=True)
class Result:
    """All rounds of one contest. floor: the name of the subject that does the least on the same server."""

    name: str
    floor: str
    rounds: tuple[Round, ...]
    workload: str = "iris"
    connections: int = 8

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


def measure(
    contests: Sequence[Contest], seconds: float, rounds: int, tell: Callable[[str], None], lost: dict[str, str]
) -> list[Result]:
    """Return one Result for each contest, after a warm-up.

    tell: is given a line after each measurement. lost: gets the name of each contest that failed, and why; it is
    measured no more.
    """
    seen: dict[Contest, list[Round]] = {contest: [] for contest in contests}
    warm: set[str] = set()
    for number in range(rounds + 1):  # the first is the warm-up
        for contest in list(seen):
            try:
                one = _round(contest, seconds if number else _warm_up_s(contest, seconds, warm))
            except WrongAnswers as err:
                lost[str(contest)] = str(err)
                del seen[contest]
                tell(f"{contest}: {err}")
                continue
            if number:
                seen[contest].append(one)
            tell(f"{f'round {number}' if number else 'warm-up'}: {contest}: {one.load.calls_per_s:,.0f} calls/s")
    return [
        Result(
            contest.server.subject.name, contest.server.subject.floor, tuple(own), contest.workload, contest.connections
        )
        for contest, own in seen.items()
    ]  # fmt: skip


def _warm_up_s(contest: Contest, seconds: float, warm: set[str]) -> float:
    """Return how long to warm up. warm: names of the servers that were, to which this one is added.

    A server that is warm has only the workload or its connections to get used to.
    """
    subject = contest.server.subject
    long_enough = min(SHORT_S if subject.name in warm else subject.warm_up_s, 5 * seconds)
    warm.add(subject.name)
    return long_enough


def _round(contest: Contest, seconds: float) -> Round:
    before = contest.server.cpu_s()
    load = contest.server.load(contest.workload, seconds, contest.connections)
    after = contest.server.cpu_s()
    if load.errors or not load.calls:
        raise WrongAnswers(f"{load.errors} wrong answers, the first: {load.first_error}")
    return Round(load, None if before is None or after is None else after - before)
