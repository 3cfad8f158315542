"""`python -m bench`: ours, stock Spyne with and without its collector, and the floor, in one run; also on Granian."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from bench.measure import Contest, Result, measure
from bench.report import results_table, surroundings
from bench.subjects import SUBJECTS, StartFailed, running

QUICK_S = 1.0


def main() -> int:
    """Measure and print; return 0, or 1 when a server didn't start or answered wrongly."""
    options = _parser().parse_args()
    seconds = QUICK_S if options.quick else options.seconds
    subjects = [subject for name in options.servers for subject in SUBJECTS[name]]
    lost: dict[str, str] = {}
    print(f"Starting {len(subjects)} servers ...", file=sys.stderr)
    try:
        with running(subjects) as servers:
            contests = [Contest(server, "iris", options.connections) for server in servers]
            results = measure(contests, seconds, options.rounds, partial(print, file=sys.stderr), lost)
    except StartFailed as err:
        print(f"bench: {err}", file=sys.stderr)
        return 1
    if lost:
        return 1
    _print(results, seconds, options)
    return 0


def _print(results: list[Result], seconds: float, options: argparse.Namespace) -> None:
    print(f"iris predict, SOAP 1.1, {options.connections} connections, {options.rounds} rounds of {seconds:g} s")
    print(surroundings())
    print()
    print(results_table(results, options.markdown))
    print()
    print("calls/s, p50 and p99 are the median round's; longest is of all rounds; read them as ratios.")
    taken = max(result.generator_cpu for result in results)
    print(f"No wrong answers. The load generator took at most {taken:.0%} of one core.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is measured (default 3)")
    parser.add_argument("--connections", type=int, default=8, help="calls under way at the same time (default 8)")
    servers = parser.add_argument("--servers", nargs="+", choices=tuple(SUBJECTS), default=["waitress"])
    servers.help = "HTTP servers to measure on (default waitress)"
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_S:g} s instead: whether it works, not how fast")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
