"""The servers that are compared, each a process of its own on a free port, and how to start and stop one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.iris import MODELS, REPOSITORY
from bench.load import STALLED_S, Load

START_TIMEOUT_S = 120.0  # four imports of TensorFlow share the machine
_READY = re.compile(r"ready: http://[\w.]+:(\d+)/")


@dataclass(frozen=True)
class Subject:
    """One server under test.

    arguments: of the program, which is this Python unless given. floor: the name of the least that it could cost.
    workload: how iris is asked of it. computes: whether its answers can be right. warm_up_s: how long until its pace
    is its usual one; the default is enough for lazy imports and TensorFlow's first runs.
    """

    name: str
    arguments: tuple[str, ...]
    floor: str = "hand-written lxml"
    program: str = sys.executable
    workload: str = "iris"
    computes: bool = True
    warm_up_s: float = 2.0


OURS = Subject("ours", ("serve.py", "--host", "127.0.0.1", "--port", "0", "--models", str(MODELS)))
STOCK = Subject("stock Spyne", ("-m", "bench.spyne_server"))
STOCK_NO_GC = Subject("stock Spyne, collector fixed", ("-m", "bench.spyne_server", "--collector-off"))
FLOOR = Subject("hand-written lxml", ("-m", "bench.lxml_server"))


def _on_granian(workers: int) -> tuple[Subject, Subject]:
    """Return ours and the floor on Granian."""
    where = f"Granian, {workers} worker{'s' * (workers > 1)}"
    floor = f"{FLOOR.name}, {where}"
    ours = (*OURS.arguments, "--server", "granian", "--workers", str(workers))
    return Subject(f"ours, {where}", ours, floor), Subject(floor, (*FLOOR.arguments, "--granian", str(workers)), floor)


SUBJECTS = {"waitress": (OURS, STOCK, STOCK_NO_GC, FLOOR), "granian": (*_on_granian(1), *_on_granian(2))}


class WrongAnswers(Exception):
    """A server answered wrongly, or not: its speed means nothing."""


class StartFailed(Exception):
    """A server didn't come up; the message holds the end of what it wrote."""


@dataclass(frozen=True)
class Running:
    """A server that answers on a loopback port."""

    subject: Subject
    process: subprocess.Popen[str]
    port: int

    def peak_rise(self, act: Callable[[], object]) -> int:
        """Return by how many bytes the memory it holds rises at most while act runs. Linux only."""
        process = Path(f"/proc/{self.process.pid}")
        (process / "clear_refs").write_text("5")  # forgets the peak so far; proc(5)
        before = _kilobytes(process / "status", "VmRSS")
        act()
        return (_kilobytes(process / "status", "VmHWM") - before) * 1024

    def load(self, workload: str, seconds: float, connections: int) -> Load:
        """Run the load generator in a process of its own. Raises WrongAnswers when it fails."""
        command = [sys.executable, "-m", "bench.load", str(self.port), "--workload", workload]
        command += ["--seconds", str(seconds), "--connections", str(connections)]
        command += [] if self.subject.computes else ["--any-answer"]
        try:
            done = subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=seconds + 2 * STALLED_S
            )
        except subprocess.TimeoutExpired as err:
            raise WrongAnswers(f"the load generator did not end within {err.timeout:g} s") from err
        if done.returncode:
            raise WrongAnswers(f"the load generator failed: {done.stderr[-500:]}")
        return Load(**json.loads(done.stdout))

    def cpu_s(self) -> float | None:
        """Return the processor time it has used so far, its workers' too; None where the system has no /proc."""
        return cpu_s(self.process.pid)

    def proportional_bytes(self) -> int:
        """Return the memory that it and its workers hold, what they share counted once (PSS). Linux only."""
        return sum(_kilobytes(process / "smaps_rollup", "Pss") for process in _processes(self.process.pid)) * 1024


def cpu_s(pid: int) -> float | None:
    """Return the processor time of a process and those it started; None where the system has no /proc."""
    try:
        stats = [(process / "stat").read_text().rpartition(")")[2].split() for process in _processes(pid)]
    except OSError:
        return None
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def _processes(pid: int) -> list[Path]:
    process = Path(f"/proc/{pid}")
    children = [int(child) for task in process.glob("task/*/children") for child in task.read_text().split()]
    return [process, *(each for child in children for each in _processes(child))]


def _kilobytes(file: Path, name: str) -> int:
    lines = file.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextmanager
def running(subjects: Sequence[Subject]) -> Iterator[list[Running]]:
    """Start all subjects at once, wait for each to be ready, and stop them after the block. Raises StartFailed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        started: list[tuple[subprocess.Popen[str], Path]] = []
        try:
            for number, subject in enumerate(subjects):
                log = Path(folder) / f"{number}.log"
                started.append((_start(subject, log), log))
            yield [
                Running(subject, process, _port(subject, process, log))
                for subject, (process, log) in zip(subjects, started, strict=True)
            ]
        finally:
            for process, _ in started:
                _stop(process)


def _start(subject: Subject, log: Path) -> subprocess.Popen[str]:
    """Start a server with its default logging, which goes to a file as an operator would have it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOAPSVC_")}
    with log.open("w") as errors:
        return subprocess.Popen(
            [subject.program, *subject.arguments],
            cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _port(subject: Subject, process: subprocess.Popen[str], log: Path) -> int:
    """Return the port that a server announces on its standard output."""
    assert process.stdout is not None
    watchdog = threading.Timer(START_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            announced = _READY.search(line)
            if announced:
                threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
                return int(announced[1])
    finally:
        watchdog.cancel()
    raise StartFailed(f"{subject.name} did not start:\n{log.read_text()[-2000:]}")


def _drain(output: IO[str]) -> None:
    with output:
        for _ in output:
            pass
