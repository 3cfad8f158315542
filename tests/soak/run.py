"""One soak: a real server of two workers, calls of every kind, changes under them, and what must hold of all of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from soapsvc.model.labels_file import write_label
from tests.conftest import ROOT, serving
from tests.soak.adder import publish
from tests.soak.changes import Changes, NotFollowed
from tests.soak.clients import Clients, Tally
from tests.soak.workers import Life, Sample, Watch, look

SETTLE_S = 30.0  # for connections of clients that are gone to be noticed
KILL_S = 1.0  # after a kill, in which calls may be lost
GROWTH = 0.05  # of memory
Progress = Callable[[int, str], None]


@dataclass(frozen=True)
class Plan:
    """How much is done. warm_up: calls before memory is measured.  trial_load: the server's setting."""

    calls: int = 100_000
    swaps: int = 20
    kills: int = 5
    moves: int = 100
    clients: int = 6
    warm_up: int = 5_000
    trial_load: str = "never"


@dataclass
class Report:
    """What was seen. before, after: the workers at rest, before the calls and after them; lives: between."""

    plan: Plan
    tally: Tally
    changes: Changes
    seconds: float = 0.0
    before: list[Sample] = field(default_factory=list)
    after: list[Sample] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    def broken_promises(self) -> list[str]:
        """Return what did not hold, in words."""
        found = list(self.tally.wrong)
        for began, ended in self.tally.lost:
            if not any(began <= kill + KILL_S and ended >= kill for kill in self.changes.kills):
                found.append("a good call got no answer although no worker was killed then")
        found += [text for life in self.lives for text in self._growth(life)]
        for name in ("descriptors", "threads"):
            before, after = (max(getattr(sample, name) for sample in seen) for seen in (self.before, self.after))
            if after > before:
                found.append(f"{name} of a worker at rest grew from {before} to {after}")
        plan, changes = self.plan, self.changes
        done = {
            "calls": (self.tally.good, plan.calls), "swaps": (changes.swaps, plan.swaps),
            "kills": (len(changes.kills), plan.kills), "moves": (changes.moves, plan.moves),
        }  # fmt: skip
        return found + [f"only {came} {name} of {planned}" for name, (came, planned) in done.items() if came < planned]

    def _growth(self, life: Life) -> list[str]:
        ends = life.memory(self.plan.warm_up)
        if ends is None or ends[1] <= ends[0] * (1 + GROWTH):
            return []
        return [f"memory of process {life.pid} grew from {ends[0]:.0f} to {ends[1]:.0f} MiB"]


def soak(plan: Plan, folder: Path, progress: Progress) -> Report:
    """Do all that is planned; progress is told how many good calls were answered, and what happens."""
    models = folder / "models"
    shutil.copytree(ROOT / "models", models)
    publish(models, 1)
    write_label(models, "adder", "stable", 1)
    arguments = (
        "--workers", "2", "--watch-interval-s", "0.2", "--trial-load", plan.trial_load, "--log-level", "error",
        "--version-policy", '{"adder": {"latest": 2}}',
    )  # fmt: skip
    progress(0, "starting")
    with serving(models, folder / "server.log", *arguments) as server:
        parts = urlsplit(server.url)
        address = (str(parts.hostname), int(parts.port or 80))
        changes = Changes(server.url, models)
        warm_up = Report(replace(plan, calls=plan.warm_up // 5, swaps=1, kills=0, moves=1), Tally(), changes)
        _call(warm_up, address, progress)
        changes.swaps = changes.moves = 0
        report = Report(plan, Tally(wrong=warm_up.tally.wrong), changes, before=_at_rest(changes))
        began = time.monotonic()
        _call(report, address, progress)
        report.seconds = time.monotonic() - began
        report.after = _at_rest(changes, max(sample.descriptors for sample in report.before))
    return report


def _call(report: Report, address: tuple[str, int], progress: Progress) -> None:
    """Call, and make the planned changes spread over the planned calls."""
    plan, tally, changes = report.plan, report.tally, report.changes
    watch = Watch(lambda: list(changes.workers().values()), lambda: tally.good)
    with watch, Clients(address, plan.clients, tally, lambda: changes.stable):
        try:
            for step in range(plan.swaps):
                _wait_for_calls(tally, plan.calls * (step + 1) // (plan.swaps + 2), progress, f"swap {step + 1}")
                changes.swap(_share(plan.moves, plan.swaps, step))
                for _ in range(_share(plan.kills, plan.swaps, step)):
                    progress(tally.good, f"kill {len(changes.kills) + 1}")
                    changes.kill()
        except NotFollowed as err:
            tally.blame(str(err))
        _wait_for_calls(tally, plan.calls, progress, "calls alone")
    report.lives = list(watch.lives.values())


def _share(total: int, steps: int, step: int) -> int:
    """Return how many of a total fall to a step, as evenly as can be."""
    return total * (step + 1) // steps - total * step // steps


def _wait_for_calls(tally: Tally, calls: int, progress: Progress, what: str) -> None:
    """Wait until so many good calls are answered, or one was answered wrongly."""
    while tally.good < calls and not tally.wrong:
        progress(tally.good, what)
        time.sleep(0.2)


def _at_rest(changes: Changes, most_descriptors: int | None = None) -> list[Sample]:
    """Return each worker once what clients left behind is gone.

    That is when two looks are alike and find no more than most_descriptors, or after SETTLE_S.
    """
    end = time.monotonic() + SETTLE_S
    held: list[tuple[int, int]] = []
    while True:
        time.sleep(1)
        seen = [look(pid) for pid in changes.workers().values()]
        last, held = held, [(each.descriptors, each.threads) for each in seen]
        gone = most_descriptors is None or max(each.descriptors for each in seen) <= most_descriptors
        if (gone and held == last) or time.monotonic() > end:
            return seen
