"""`python -m tests.soak`: 100,000 calls while versions, labels and workers change under them.

Prints what was seen, and ends with code 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.soak.run import Plan, Report, soak
from tests.soak.workers import Life

SHOWN = 12  # samples of a series


def main() -> int:
    """Soak, and print the report."""
    plan = _plan()
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=plan.calls)
        report = soak(plan, Path(folder), lambda done, what: bar.update(task, completed=done, description=what))
        log = (Path(folder) / "server.log").read_text()
    print(told(report))
    broken = report.broken_promises()
    for text in dict.fromkeys(broken):
        print(f"BROKEN ({broken.count(text)}): {text}")
    if broken:
        print(f"the server's log ends with:\n{log[-3000:]}", file=sys.stderr)
    return 1 if broken else 0


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    for each in fields(Plan):
        name = f"--{each.name.replace('_', '-')}"
        parser.add_argument(name, type=type(each.default), default=each.default, help=f"(default {each.default})")
    return Plan(**vars(parser.parse_args()))


def told(report: Report) -> str:
    """Return a report as text."""
    tally, changes = report.tally, report.changes
    lines = [
        f"{tally.good} good calls in {report.seconds:.0f} s, {len(tally.lost)} lost (then answered when tried again)",
        f"{tally.broken} broken messages answered in SOAP; {tally.slow_bytes} bytes of slow clients",
        f"{changes.swaps} versions pushed and removed, {changes.moves} moves of a label, {len(changes.kills)} kills",
        f"versions that answered: {min(tally.versions, default=0)} to {max(tally.versions, default=0)}, "
        f"{len(tally.versions)} in all",
    ]
    for when, samples in (("before", report.before), ("after", report.after)):
        seen = ", ".join(
            f"{each.rss_mib:.0f} MiB, {each.descriptors} descriptors, {each.threads} threads" for each in samples
        )
        lines.append(f"workers at rest {when}: {seen}")
    return "\n".join([*lines, *(_series(life, report.plan.warm_up) for life in report.lives)])


def _series(life: Life, warm_up: int) -> str:
    ends = life.memory(warm_up)
    verdict = (
        "too short a life to tell"
        if ends is None
        else f"{ends[0]:.1f} -> {ends[1]:.1f} MiB ({ends[1] / ends[0] - 1:+.1%})"
    )
    sizes = [f"{sample.rss_mib:.0f}" for sample in life.samples[:: max(1, len(life.samples) // SHOWN)]]
    return f"process {life.pid}: after warm-up to end {verdict}; over time {' '.join(sizes)}"


if __name__ == "__main__":
    sys.exit(main())
