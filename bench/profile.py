"""`python -m bench.profile`: where each microsecond of an iris call goes under load, by py-spy, on both servers.

Samples the thread that holds the interpreter (its lock, the GIL), which is what calls wait for. What runs beside it,
TensorFlow's computing and the system's sending, is not seen. Tells shares, which a busy machine moves less than times.
Needs `pip install -e '.[bench]'`, and leave to read another process's memory.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench.full_report import write_docs
from bench.progress import steps
from bench.report import surroundings, table
from bench.subjects import SUBJECTS, Running, StartFailed, WrongAnswers, running
from interop.tools import CannotRun

RATE, CONNECTIONS, WARM_UP_S = 200, 8, 3.0
LEAST_SAMPLES = 100
OTHER, SERVER = "other", "HTTP server: sockets, threads"
STAGES = {
    SERVER: (
        "waitress/", "selectors.py", "soapsvc/transport/waitress_", "soapsvc/transport/event_loop",
        "soapsvc/transport/granian_", "soapsvc/transport/body", "soapsvc/transport/dispatcher",
        "soapsvc/transport/places", "soapsvc/transport/leader", "soapsvc/transport/quick_calls",
    ),
    "HTTP: route, limits, headers": ("soapsvc/transport/",),
    "call log": (
        "logging/", "soapsvc/transport/log_format", "soapsvc/transport/telling", "soapsvc/metrics/", "soapsvc/later",
    ),
    "message to values": (
        "soapsvc/soap/reader", "soapsvc/soap/outline", "soapsvc/soap/leaf_reader", "soapsvc/soap/lexical",
        "soapsvc/soap/cut", "soapsvc/soap/envelope", "soapsvc/soap/mtom",
    ),
    "values to message": ("soapsvc/soap/writer", "soapsvc/soap/text", "soapsvc/soap/faults"),
    "SOAP: checks, service": ("soapsvc/soap/",),
    "Spyne's dispatch": ("spyne/",),
    "engine and handle to the model": ("soapsvc/engine/", "soapsvc/model/manager"),
    "graph: into TensorFlow and back": ("tensorflow/", "soapsvc/model/graph", "soapsvc/model/servable"),
    "values to tensors and back": ("soapsvc/model/",),
}  # fmt: skip


def stage_of(frames: Iterable[str]) -> str:
    """Return the stage of a stack, the outermost frame first: that of the innermost frame that belongs to one.

    frames: as py-spy writes them, `function (file:line)`. The longest beginning of a file's name decides. A stack
    without frames is Granian's own code, which is not Python.
    """
    stack = [frame for frame in frames if frame]
    for frame in reversed(stack):
        file = frame.rpartition("(")[2]
        found = [(len(start), stage) for stage, starts in STAGES.items() for start in starts if file.startswith(start)]
        if found:
            return max(found)[1]
    return OTHER if stack else SERVER


def shares(stacks: str) -> Mapping[str, float]:
    """Return the share of each stage in lines of py-spy's raw format: `frame;frame;frame count`. Raises CannotRun."""
    samples = Counter[str]()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        samples[stage_of(stack.split(";"))] += int(count)
    if samples.total() < LEAST_SAMPLES:
        raise CannotRun(f"py-spy took {samples.total()} samples, too few to tell: give more --seconds")
    return {stage: count / samples.total() for stage, count in samples.items()}


def _profiled(server: Running, seconds: float) -> str:
    """Return what py-spy saw of a server under load. Raises CannotRun and WrongAnswers."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise CannotRun("py-spy is missing: pip install -e '.[bench]'")
    server.load("iris", WARM_UP_S, CONNECTIONS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stacks = Path(folder) / "stacks"
        command = [spy, "record", "--pid", str(server.process.pid), "--duration", str(int(seconds)), "--gil"]
        command += ["--nonblocking", "--rate", str(RATE), "--format", "raw", "--output", str(stacks)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as recording:
            server.load("iris", seconds, CONNECTIONS)
            said, _ = recording.communicate(timeout=60)
        if recording.returncode or not stacks.is_file():
            last = said.strip().rpartition("\n")[2]
            raise CannotRun(f"py-spy failed: {last}; it may need root, or kernel.yama.ptrace_scope=0")
        return stacks.read_text()


def report(profiles: Mapping[str, Mapping[str, float]], markdown: bool) -> str:
    """Return the table: stages, the longest of the first server first."""
    first = next(iter(profiles.values()))
    stages = sorted((*STAGES, OTHER), key=lambda stage: -first.get(stage, 0.0))
    rows = [(stage, *(f"{each.get(stage, 0.0):.0%}" for each in profiles.values())) for stage in stages]
    return f"{table(('stage', *profiles), rows, markdown)}\n\n{surroundings()}."


def main() -> int:
    """Profile and print; return 0, or 1 when a server or py-spy could not do its part."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each profile (default 20)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    try:
        with steps() as tell:
            profiles = {name: _profile(name, options.seconds, tell) for name in SUBJECTS}
    except (CannotRun, StartFailed, WrongAnswers) as err:
        print(f"bench: {err}", file=sys.stderr)
        return 1
    print(report(profiles, options.markdown))
    if options.write_docs:
        write_docs({"bench-profile": report(profiles, markdown=True)})
    return 0


def _profile(name: str, seconds: float, tell: Callable[[str], None]) -> Mapping[str, float]:
    ours = SUBJECTS[name][0]
    tell(f"profile of {ours.name}")
    with running((ours,)) as (server,):
        return shares(_profiled(server, seconds))


if __name__ == "__main__":
    sys.exit(main())
