"""Who takes part in bench-full: starts every server that can be had, and notes why the others can't."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from bench.bare_calls import BareCalls, bare_calls
from bench.iris import REPOSITORY
from bench.peers import jvm, venvs
from bench.peers.runtimes import FLOORS
from bench.subjects import OURS, SUBJECTS, Running, StartFailed, Subject, running
from bench.workloads import LARGE_MODELS, MOBILENET
from interop.tools import CannotRun, run

TWO_WORKERS = replace(OURS, name="ours, 2 workers", arguments=(*OURS.arguments, "--workers", "2"))
LARGE = Subject("ours, large models", (*OURS.arguments[:-1], str(LARGE_MODELS), "--log-level", "warning"))
READER = Subject("reader", ("-m", "bench.reader_server"), computes=False)
GRAPH = Subject("bare handler with the graph", ("-m", "bench.graph_server"))
SPYNE_TENSOR = Subject("stock Spyne, tensor", ("-m", "bench.spyne_tensor_server"))
_PYTHON = (*SUBJECTS["waitress"], TWO_WORKERS, *SUBJECTS["granian"])
PEERS: dict[str, Callable[[], Subject]] = {
    **{subject.name: (lambda subject=subject: subject) for subject in _PYTHON}, **jvm.PEERS, **venvs.PEERS,
}  # fmt: skip
Started = TypeVar("Started")
_FAILURES = (CannotRun, StartFailed, OSError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Field:
    """Everything that runs.

    rivals: those that answer iris. floors: what iris costs without a server. absent: name and reason of each that does
    not run.
    """

    rivals: list[Running]
    floors: list[BareCalls]
    large: Running | None
    reader: Running | None
    graph: Running | None
    spyne: Running | None
    bare: BareCalls
    absent: dict[str, str]


@contextmanager
def field(names: list[str], tell: Callable[[str], None]) -> Iterator[Field]:
    """Start the peers named, one after the other, and what the workloads need; stop all after the block."""
    absent: dict[str, str] = {}
    make_large_models(tell)
    with ExitStack() as stack:

        def attempt(name: str, enter: Callable[[], Started]) -> Started | None:
            tell(f"starting {name}")
            try:
                return enter()
            except _FAILURES as err:
                absent[name] = _short(err)
                tell(f"{name} is absent: {absent[name]}")
                return None

        def start(name: str, prepare: Callable[[], Subject]) -> Running | None:
            return attempt(name, lambda: stack.enter_context(running((prepare(),)))[0])

        def loop(name: str) -> BareCalls | None:
            return attempt(name, lambda: stack.enter_context(bare_calls(FLOORS[name]())))

        rivals = [server for name in names if name in PEERS and (server := start(name, PEERS[name]))]
        floors = [calls for name in names if name in FLOORS and (calls := loop(name))]
        large, reader, graph, spyne = (
            start(each.name, lambda each=each: each) for each in (LARGE, READER, GRAPH, SPYNE_TENSOR)
        )
        yield Field(rivals, floors, large, reader, graph, spyne, stack.enter_context(bare_calls()), absent)


def make_large_models(tell: Callable[[str], None]) -> None:
    """Have the models that git does not hold. Raises CannotRun."""
    program = REPOSITORY / "bench" / "large_models.py"
    if not MOBILENET.is_file() or MOBILENET.stat().st_mtime < program.stat().st_mtime:  # written last
        tell("making the large models")
        run([sys.executable, "-m", "bench.large_models"], REPOSITORY, timeout_s=600)


def _short(error: Exception) -> str:
    """Return the last line of a message, which is where programs say what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
