"""What call log, metrics and spans cost: `python -m bench.observability`. Three servers of ours, in interleaved rounds.

The first does without log and metrics, the second has both, as by default, the third sends spans of every call besides.
Read the ratios: of calls a second, medians of all rounds, and of the server's processor time for a call, which other
programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.full_report import write_docs
from bench.measure import Contest, Result, measure
from bench.report import surroundings, table
from bench.subjects import OURS, StartFailed, Subject, running

SILENT = Subject("without log and metrics", ("-m", "bench.silent_server", *OURS.arguments[1:]))
TELLING = Subject("with log and metrics", OURS.arguments)
HEADINGS = ("server", "calls/s", "spread", "/ without", "CPU us/call", "CPU / without")
MOST = 1.05  # the goal for log and metrics, as a ratio


class _Sink(BaseHTTPRequestHandler):
    """Takes spans in and drops them."""

    def do_POST(self) -> None:
        """Answer an empty ExportTraceServiceResponse."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sink() -> Iterator[str]:
    """Lend the URL of a collector that drops what it is sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def costs_table(results: Sequence[Result], markdown: bool) -> str:
    """Return a line for each server; the first is what the others are compared with."""
    without = results[0]
    rows = [
        (
            result.name, f"{result.calls_per_s:,.0f}", f"{result.spread:.0%}",
            f"{result.calls_per_s / without.calls_per_s:.3f}", f"{result.cpu_us:.0f}",
            f"{result.cpu_us / without.cpu_us:.3f}",
        )
        for result in results
    ]  # fmt: skip
    return table(HEADINGS, rows, markdown)


def main() -> int:
    """Measure and print; return 0, or 1 when a server didn't start or answered wrongly."""
    parser = argparse.ArgumentParser(prog="python -m bench.observability", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement (default 1)")
    parser.add_argument("--rounds", type=int, default=15, help="how often each server is measured (default 15)")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    lost: dict[str, str] = {}
    try:
        with sink() as collector:
            arguments = (*OURS.arguments, "--tracing", "otlp", "--otlp-endpoint", collector)
            with running((SILENT, TELLING, Subject("and spans of every call", arguments))) as servers:
                contests = [Contest(server, "iris", 8) for server in servers]
                results = measure(contests, options.seconds, options.rounds, partial(print, file=sys.stderr), lost)
    except StartFailed as err:
        print(f"bench.observability: {err}", file=sys.stderr)
        return 1
    if lost:
        return 1
    print(surroundings())
    print(costs_table(results, markdown=False))
    if options.write_docs:
        write_docs({"bench-observability": f"{surroundings()}\n\n{costs_table(results, markdown=True)}"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
