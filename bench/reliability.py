"""`python -m bench.reliability`: how long clients wait when much is asked, peers are slow, versions change, all stops.

Each figure is taken on a real server with its usual settings, beside the bound that docs/reliability.md promises. The
models are iris and `slow`, which runs one call at a time, lets two wait, and takes as long as it is told.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.iris import FLOWERS, MODELS, REPOSITORY, envelope
from bench.report import surroundings, table
from bench.subjects import Running, Subject, running

DRIPPERS, ALONE_S = 500, 5.0
VERSIONS = 4  # of iris: each but the first is published while a client calls
DEADLINE_S = 0.3
LONG, LONGER = 3_000, 1_000_000  # steps of the model `slow`: seconds, and more than a measurement takes
_TIMEOUT_S = 120.0
_HEADINGS = ("what", "median", "worst", "promised")
Row = tuple[str, str, str, str]


def main() -> int:
    """Measure and print; return 0, or 1 when a call is not answered as it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        models = Path(folder)
        shutil.copytree(MODELS / "iris/1", models / "iris/1")
        writer = [sys.executable, "tests/transport/slow_model.py", str(models / "slow/1")]
        quiet = {"PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(writer, cwd=REPOSITORY, env=os.environ | quiet, check=True)
        for measure in (_overload, _deadlines, _drippers, lambda server: _swaps(server, models), _drain):
            arguments = ("serve.py", "--host", "127.0.0.1", "--port", "0", "--models", str(models))
            with running((Subject("soapsvc", arguments),)) as (server,):
                for row in measure(server):
                    print(f"{row[0]}: {row[2]}", file=sys.stderr)
                    rows.append(row)
    print(f"{surroundings()}; load before: {busy:.1f}")
    print()
    print(table(_HEADINGS, rows, options.markdown))
    return 0


class _Client:
    """One caller on a connection of its own."""

    def __init__(self, server: Running) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_S)

    def iris(self) -> bytes:
        """Return the answer to a call that is answered at once. Raises SystemExit at any other."""
        return self._ask("iris", envelope(FLOWERS[0]), "<label>")

    def slow(self, steps: int, expected: str, **headers: str) -> bytes:
        """Return the answer to a call of so many steps. Raises SystemExit when it does not hold what is expected."""
        body = f'<predict xmlns="urn:soapsvc:slow:v1"><steps>{steps}</steps></predict>'
        namespace = "http://schemas.xmlsoap.org/soap/envelope/"
        message = f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()
        return self._ask("slow", message, expected, **headers)

    def start(self, steps: int) -> None:
        """Send such a call and do not wait for its answer."""
        threading.Thread(target=self._left, args=(steps,), daemon=True).start()

    def _left(self, steps: int) -> None:
        try:
            self.slow(steps, "")
        except (OSError, HTTPException):  # the server is stopped beneath it
            return

    def _ask(self, model: str, body: bytes, expected: str, **headers: str) -> bytes:
        named = {"Content-Type": "text/xml"} | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", f"/soap/{model}/v1", body, named)
        answer = self._connection.getresponse().read()
        if expected.encode() not in answer:
            raise SystemExit(f"bench: expected {expected} of {model}, received {answer[:500]!r}")
        return answer


def _overload(server: Running) -> Iterator[Row]:
    """Fill the model `slow`, and time what the next callers are told."""
    client = _Client(server)
    client.slow(1, "<done>")
    for _ in range(3):  # one runs and two wait
        _Client(server).start(LONGER)
    time.sleep(1)
    times = [_seconds(lambda: client.slow(1, "Overloaded")) for _ in range(100)]
    yield _row("answer Overloaded of a full model, 100 calls", times, 1000, "ms", "100 ms")
    server.process.kill()  # nobody waits for the calls that fill it


def _deadlines(server: Running) -> Iterator[Row]:
    client = _Client(server)
    client.slow(1, "<done>")
    given = str(int(DEADLINE_S * 1000))
    late = [_seconds(lambda: client.slow(LONG, "DeadlineExceeded", X_Deadline_Ms=given)) for _ in range(20)]
    yield _row("DeadlineExceeded beyond its deadline, 20 calls", [each - DEADLINE_S for each in late], 1, "s", "0.5 s")
    server.process.kill()


def _drippers(server: Running) -> Iterator[Row]:
    client = _Client(server)
    client.iris()
    alone = _for(ALONE_S, client)
    yield _row("call of a good client, alone", alone, 1000, "ms", "")
    with _dripping(server):
        beside = _for(2 * ALONE_S, client)
    yield _row(f"the same beside {DRIPPERS} that send a byte a second", beside, 1000, "ms", "1 s more")


@contextmanager
def _dripping(server: Running) -> Iterator[None]:
    """Hold connections open that send a byte a second each, of a request that never ends."""
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(DRIPPERS)]
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(1):
            for number, connection in enumerate(connections):
                try:
                    connection.send(b"P")
                except OSError:  # timed out: it comes again, as it would
                    connections[number] = socket.create_connection(("127.0.0.1", server.port))

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def _swaps(server: Running, models: Path) -> Iterator[Row]:
    """Publish versions of iris while a client calls without pause."""
    client = _Client(server)
    client.iris()
    calls: list[float] = []
    times = []
    for version in range(2, VERSIONS + 1):
        shutil.copytree(models / "iris/1", models / f"iris/.{version}")
        (models / f"iris/.{version}").rename(models / f"iris/{version}")
        published = time.perf_counter()
        while True:
            called = time.perf_counter()
            answer = client.iris()
            calls.append(time.perf_counter() - called)
            if f"<modelVersion>{version}<".encode() in answer:
                break
        times.append(time.perf_counter() - published)
        calls += _for(2.0, client)  # the old one is unloaded
    yield _row(f"from a version's folder to its first answer, {VERSIONS - 1} versions", times, 1, "s", "")
    yield _row("call of a good client meanwhile", calls, 1000, "ms", "none fails")


def _drain(server: Running) -> Iterator[Row]:
    """Stop the server beneath a call that is under way and a connection that is kept open."""
    client, kept, answered = _Client(server), _Client(server), []
    kept.iris()
    client.slow(1, "<done>")

    def call() -> None:
        client.slow(LONG, "<done>")
        answered.append(time.perf_counter())

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.5)
    if answered:
        raise SystemExit("bench: the call ended before the stop: it has to take longer")
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(_TIMEOUT_S)
    ended = time.perf_counter()
    thread.join()
    if code or not answered:
        raise SystemExit(f"bench: the drain lost a call, or ended with {code}")
    yield _row("from the last answer to the exit at SIGTERM", [ended - answered[0]], 1, "s", "30 s, no call lost")


def _for(seconds: float, client: _Client) -> list[float]:
    """Call for so long, and return how long each call took."""
    until = time.perf_counter() + seconds
    times = []
    while time.perf_counter() < until:
        times.append(_seconds(client.iris))
    return times


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _row(what: str, times: list[float], scale: int, unit: str, promised: str) -> Row:
    digits = 1 if scale == 1000 else 2
    shown = (f"{each * scale:.{digits}f} {unit}" for each in (statistics.median(times), max(times)))
    return (what, *shown, promised)


if __name__ == "__main__":
    sys.exit(main())
