"""A call that was answered: what is left to tell of it, in the log, the metrics and its spans. Not its messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from soapsvc.trace_context import TraceContext

Timed = tuple[float, float]  # when it began, on time.monotonic, and the seconds that it took


class Answered(NamedTuple):
    """What is told of a call.

    version, operation: None and `-` where it came to none.  outcome: `ok`, or the fault's name.
    began, ended: on time.monotonic; at: when it ended, on time.time.  taken_s: what it took, as the log has it.
    received, sent: bytes of its HTTP bodies.  unpacked: those of the answer before compression.
    stages, steps: those that it came through, by name.
    """

    request_id: str
    peer: str
    model: str
    version: int | None
    operation: str
    outcome: str
    trace: TraceContext | None
    began: float
    ended: float
    at: float
    taken_s: float
    received: int
    sent: int
    unpacked: int
    stages: Mapping[str, Timed]
    steps: Mapping[str, Timed]
