"""Counts the calls that were answered; what a call costs includes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from soapsvc.answered import Answered
from soapsvc.metrics.definitions import (
    CALL_SECONDS,
    CALLS,
    RECEIVED_BYTES,
    SENT_BYTES,
    STAGE_SECONDS,
    STEP_SECONDS,
    UNPACKED_BYTES,
)


@dataclass
class _Sum:
    """What calls of the same model, version and operation have in common. Lists are of seconds."""

    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    received: int = 0
    sent: int = 0
    unpacked: int = 0


def count(calls: Iterable[Answered]) -> None:
    """Count calls, all at once: of 140 each takes a tenth of the time that it takes alone."""
    sums: dict[tuple[str, str, str], _Sum] = defaultdict(_Sum)
    for call in calls:
        one = sums[call.model, str(call.version or "-"), call.operation]
        one.outcomes[call.outcome] += 1
        one.seconds.append(call.ended - call.began)
        one.received += call.received
        one.sent += call.sent
        one.unpacked += call.unpacked
        for stage, (_, seconds) in call.stages.items():
            one.stages[stage].append(seconds)
        for step, (_, seconds) in call.steps.items():
            one.steps[step].append(seconds)
    for (model, version, operation), one in sums.items():
        for outcome, count in one.outcomes.items():
            _calls(model, version, operation, outcome).inc(count)
        _seconds(model, version, operation).observe_all(one.seconds)
        _received(model).inc(one.received)
        _sent(model).inc(one.sent)
        _unpacked(model).inc(one.unpacked)
        for stage, taken in one.stages.items():
            _stage(model, stage).observe_all(taken)
        for step, taken in one.steps.items():
            _step(model, step).observe_all(taken)


_calls = lru_cache(maxsize=4096)(CALLS.labels)
_seconds = lru_cache(maxsize=4096)(CALL_SECONDS.labels)
_received = lru_cache(maxsize=1024)(RECEIVED_BYTES.labels)
_sent = lru_cache(maxsize=1024)(SENT_BYTES.labels)
_unpacked = lru_cache(maxsize=1024)(UNPACKED_BYTES.labels)
_step = lru_cache(maxsize=4096)(STEP_SECONDS.labels)
_stage = lru_cache(maxsize=4096)(STAGE_SECONDS.labels)
