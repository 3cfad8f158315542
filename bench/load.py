"""The load generator: one process and thread, N keep-alive connections that each await an answer before the next call.

`python -m bench.load PORT --workload iris --seconds 5 --connections 8` prints one JSON object. Requests are
built beforehand and answers are read by hand, so that it takes little of the cores that the server needs; it says how
much it took.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import selectors
import socket
import time
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from bench.exchange import Exchange
from bench.grpc_calls import GrpcConnection
from bench.workloads import WORKLOADS

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
STALLED_S = 30.0  # no answer on any connection for this long: give up


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw. Latencies in milliseconds, cpu in cores."""

    calls: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_cpu: float
    first_error: str

    @property
    def calls_per_s(self) -> float:
        """Right answers a second."""
        return self.calls / self.seconds


@dataclass
class Tally:
    """Counts answers."""

    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: int = 0
    first_error: str = ""

    def add(self, problem: str, latency_s: float) -> None:
        """Count one answer. problem: what is wrong with it, nothing when it is right."""
        if problem:
            self.errors += 1
            self.first_error = self.first_error or problem
        else:
            self.latencies.append(latency_s * 1000)


class _Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int, exchanges: Sequence[Exchange], turn: int, timeout_s: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._exchanges, self._turn, self._received, self._sent_at = exchanges, turn, b"", 0.0

    def ask(self) -> None:
        """Send the next request."""
        self._turn += 1
        self._received, self._sent_at = b"", time.perf_counter()
        self.socket.sendall(self._exchange.request)

    @property
    def _exchange(self) -> Exchange:
        return self._exchanges[self._turn % len(self._exchanges)]

    def receive(self, tally: Tally) -> bool:
        """Take in what came; return whether the answer is whole, and then count it. Raises ConnectionError."""
        content = self.socket.recv(65536)
        if not content:
            raise ConnectionError(f"the server closed the connection after {self._received[:200]!r}")
        self._received += content
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or not _whole(head + b"\r\n", body):
            return False
        latency_s = time.perf_counter() - self._sent_at
        tally.add(_problem(head, body, self._exchange), latency_s)
        return True


def _whole(head: bytes, body: bytes) -> bool:
    length = _LENGTH.search(head)
    if length:
        return len(body) >= int(length[1])
    if _CHUNKED.search(head):
        return body.endswith(b"0\r\n\r\n")
    raise ConnectionError(f"an answer without a length: {head!r}")


def _problem(head: bytes, body: bytes, exchange: Exchange) -> str:
    """Return what is wrong with an answer, nothing when it is right."""
    if not head.startswith(b"HTTP/1.1 200 "):
        return f"{head.splitlines()[0]!r} {body[:300]!r}"
    if not exchange.is_right(body):
        return f"expected {exchange.expected} in {body[:600]!r}"
    return ""


def run(port: int, exchanges: Sequence[Exchange], seconds: float, connections: int, grpc: bool = False) -> Load:
    """Call for so many seconds and return what was seen; answers that are under way at the end still count."""
    selector, tally = selectors.DefaultSelector(), Tally()
    connect = GrpcConnection if grpc else _Connection
    idle = [connect(port, exchanges, turn, STALLED_S) for turn in range(connections)]
    gc.disable()  # the longest call must be the server's doing, not ours
    started, cpu = time.perf_counter(), time.process_time()
    for connection in idle:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask()
    _exchange(selector, tally, started + seconds)
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    for connection in idle:
        connection.socket.close()
    return _summary(tally, elapsed, cpu / elapsed)


def _exchange(selector: selectors.BaseSelector, tally: Tally, until: float) -> None:
    waiting = len(selector.get_map())
    while waiting:
        ready = selector.select(STALLED_S)
        if not ready:
            raise TimeoutError(f"no answer for {STALLED_S:g} s")
        for key, _ in ready:
            if not key.data.receive(tally):
                continue
            if time.perf_counter() < until:
                key.data.ask()
            else:
                waiting -= 1


def _summary(tally: Tally, elapsed: float, cpu: float) -> Load:
    ordered = sorted(tally.latencies)
    p50, p99, longest = (quantile(ordered, share) for share in (0.5, 0.99, 1.0))
    return Load(len(ordered), tally.errors, elapsed, p50, p99, longest, cpu, tally.first_error)


def quantile(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values doesn't exceed; NaN for none."""
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else float("nan")


def main() -> None:
    """Run once and print the Load as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--workload", choices=tuple(WORKLOADS), default="iris")
    parser.add_argument("--any-answer", action="store_true", help="count every answer with status 200 as right")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    exchanges = WORKLOADS[options.workload].exchanges()
    if options.any_answer:
        exchanges = [replace(each, is_right=lambda answer: True) for each in exchanges]
    grpc = options.workload == "iris-grpc"
    print(json.dumps(asdict(run(options.port, exchanges, options.seconds, options.connections, grpc))))


if __name__ == "__main__":
    main()
