"""What all HTTP servers here have in common: how long they wait for others, and how they are stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Patience:
    """How long the server waits for others, and how much it holds for them.

    threads: calls at the same time.  max_connections: open at once; more wait to be accepted.
    max_waiting_requests: calls that wait for a thread, max_buffered_bytes: bodies held in memory; over either of
    them a request is answered with 503 before it is read.
    header_timeout_s: until a request's headers are there.  request_timeout_s: until all of it is, and until the
    client has taken the answer.
    drain_delay_s: between "not ready" and the end of listening.  drain_timeout_s: for calls under way at stop.
    """

    threads: int = 8
    max_connections: int = 1000
    max_waiting_requests: int = 1000
    max_buffered_bytes: int = 1024**3
    header_timeout_s: float = 10.0
    request_timeout_s: float = 60.0
    drain_delay_s: float = 0.0
    drain_timeout_s: float = 30.0


class Server(Protocol):
    """An HTTP server on a bound socket."""

    def run(self) -> None:
        """Serve until `stop`; then let calls under way end and their answers be taken, and return."""

    def stop(self) -> None:
        """Make `run` drain and return. Safe to call from a signal handler and from any thread."""


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Have SIGTERM and the first Ctrl-C call stop, which drains a server; a second Ctrl-C interrupts."""

    def heed(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    signal.signal(signal.SIGTERM, heed)
    signal.signal(signal.SIGINT, heed)
