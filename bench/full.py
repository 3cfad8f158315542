"""`python -m bench.full`: every peer, workload and load in one run, and the ratios to reach.

Installs or builds the peers that it needs; one that can't be had is named with the reason. Takes half an hour.
Results are kept in .bench/results.json, from which `--again` prints the tables anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.field import PEERS, Field, field
from bench.full_report import report, write_docs
from bench.iris import REPOSITORY
from bench.load import Load
from bench.measure import Contest, Result, Round, measure
from bench.peers.runtimes import FLOORS
from bench.progress import steps
from bench.report import surroundings
from bench.subjects import StartFailed, WrongAnswers
from bench.targets import Results
from bench.workers import memory_of_workers
from bench.workloads import APART, CACHE, MODELS, WORKLOADS
from interop.tools import CannotRun

KEPT = CACHE / "results.json"
CONNECTIONS = (1, 8, 64)
MOST_THREADS = 8  # in which a runtime without a server is called
QUICK_S = 0.5


@dataclass(frozen=True)
class Run:
    """Everything that a run found out."""

    header: str
    results: Results
    absent: dict[str, str]


def main() -> int:
    """Measure, print and write what was asked for; return 0, or 1 when the large models can't be made."""
    options = _parser().parse_args()
    if options.again:
        run = _read()
    else:
        try:
            run = _run(options)
        except (CannotRun, StartFailed) as err:
            print(f"bench: {err}", file=sys.stderr)
            return 1
        _write(run)
    print(report(run.results, run.absent, run.header, options.markdown))
    if options.write_docs:
        text = report(run.results, run.absent, run.header, markdown=True)
        write_docs({"bench-full": text, "bench-stages": _stages()})
    if options.plots:
        from bench.plots import plot

        plot(run.results, options.plots)
    return 0


def _run(options: argparse.Namespace) -> Run:
    seconds, rounds = (QUICK_S, 1) if options.quick else (options.seconds, options.rounds)
    busy = f"load average {os.getloadavg()[0]:.1f} at the start"
    started = time.strftime("%Y-%m-%d")
    with steps() as tell:
        with field(options.peers, tell) as who:
            contests = _contests(who, options.connections, options.workloads)
            tell.expect(len(contests) * (rounds + 1))
            results = measure(contests, seconds, rounds, tell, who.absent)
        try:
            memory = None if options.quick else memory_of_workers(tell)
        except (StartFailed, WrongAnswers, OSError) as err:
            memory = None
            tell(f"memory of workers: {err}")
    header = f"{started}, {rounds} rounds of {seconds:g} s, {busy}. {surroundings()}."
    return Run(header, Results(results, memory), who.absent)


def _contests(who: Field, connections: list[int], workloads: list[str]) -> list[Contest]:
    """Return what is measured, in the order of a round."""
    contests = [Contest(server, server.subject.workload, each) for each in connections for server in who.rivals]
    contests += [Contest(calls, "iris", each) for each in connections if each <= MOST_THREADS for calls in who.floors]
    ours = next((server for server in who.rivals if server.subject.name == "ours"), None)
    for name in workloads:
        workload = WORKLOADS[name]
        servers = [ours if workload.models == MODELS else who.large, who.reader, who.bare]
        if name == "tensor-numbers":
            servers.insert(1, who.spyne)
        if name == "mobilenet":
            servers.insert(1, who.graph)
        contests += [Contest(server, name, workload.connections) for server in servers if server]
    return contests


def _stages() -> str:
    """Return the stages of a call as Markdown, measured in a process of its own: it wraps the product's functions."""
    command = [sys.executable, "-m", "bench.stages", "--markdown"]
    done = subprocess.run(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300, check=True
    )
    return "\n\n".join(done.stdout.split("\n", 1))


def _write(run: Run) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(asdict(run)))


def _read() -> Run:
    kept = json.loads(KEPT.read_text())
    results = [
        Result(**{**each, "rounds": tuple(Round(Load(**one["load"]), one["server_cpu_s"]) for one in each["rounds"])})
        for each in kept["results"]["all"]
    ]
    return Run(kept["header"], Results(results, kept["results"]["memory"]), kept["absent"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.full", description=__doc__)
    others = [name for name in WORKLOADS if name not in APART]
    names = [*PEERS, *FLOORS]
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one measurement (default 3)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    parser.add_argument("--connections", type=int, nargs="+", default=list(CONNECTIONS), help="default 1 8 64")
    parser.add_argument("--peers", nargs="*", choices=names, default=names, metavar="NAME")
    parser.add_argument("--workloads", nargs="*", choices=others, default=others, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help=f"one round of {QUICK_S:g} s: whether it works")
    parser.add_argument("--again", action="store_true", help="measure nothing, print the results of the last run")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write plots there, PNG and SVG")
    return parser


if __name__ == "__main__":
    sys.exit(main())
