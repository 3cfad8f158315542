"""`python -m bench.authoring`: what freezing does to size, nodes and time of a call, as a Markdown table.

Needs the extras `examples` and `test`, and the packages of `make .venv/models.stamp`.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.frozen_calls import median_ms
from bench.iris import REPOSITORY
from bench.report import surroundings, table
from tests.real_models.packages import PackagesMissing, add_packages

if TYPE_CHECKING:
    from bench.authoring_subjects import Subject

_HEADINGS = (
    "model", "bytes before", "after", "share", "nodes before", "after", "largest difference", "original run by",
    "ms before", "after", "faster",
)  # fmt: skip


def main() -> int:
    """Freeze and time everything; return 0, or 1 when packages are missing or a source does not freeze."""
    parser = argparse.ArgumentParser(prog="python -m bench.authoring", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=0.4, help="how long a call is repeated in a round (default 0.4)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often all calls of a model are timed (default 5)")
    options = parser.parse_args()
    try:
        add_packages()
        rows = _measure(options.seconds, options.rounds)
    except (PackagesMissing, FreezeFailed) as err:
        print(f"bench: {err}", file=sys.stderr)
        return 1
    print(surroundings())
    print()
    print(table(_HEADINGS, rows, markdown=True))
    return 0


class FreezeFailed(Exception):
    """`freeze` refused a source; its message stands on stderr."""


def _measure(seconds: float, rounds: int) -> list[tuple[str, ...]]:
    from bench.authoring_subjects import subjects

    rows = []
    with tempfile.TemporaryDirectory() as place, ExitStack() as open_sessions:
        models = Path(place) / "models"
        models.mkdir()
        open_sessions.enter_context(redirect_stdout(sys.stderr))  # Keras's training prints
        frozen = open_sessions.enter_context(_frozen_calls(models))
        for subject in subjects(Path(place), open_sessions):
            print(f"{subject.name} ...")
            facts = _freeze(subject, models)
            originals = list(subject.originals.values())
            turns = [
                [*(median_ms(call, seconds) for call in originals), frozen(f"{_folder(subject.name)} {seconds}")]
                for _ in range(rounds)
            ]  # in turn, so that a neighbour's load on the machine meets all alike
            *before, after = (statistics.median(taken) for taken in zip(*turns, strict=True))
            rows += _rows(subject.name, facts, dict(zip(subject.originals, before, strict=True)), after)
    return rows


@contextmanager
def _frozen_calls(models: Path) -> Iterator[Callable[[str], float]]:
    """Lend the function that puts a line to `bench.frozen_calls`."""
    command = [sys.executable, "-m", "bench.frozen_calls", str(models)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        given, answered = process.stdin, process.stdout
        assert given is not None
        assert answered is not None

        def ask(line: str) -> float:
            given.write(f"{line}\n")
            return float(answered.readline())

        yield ask
        given.close()


def _freeze(subject: Subject, models: Path) -> list[str]:
    """Freeze a subject, store the inputs of its call, and return the table's cells on size, nodes and difference."""
    from soapsvc.cli import main as command

    name = _folder(subject.name)
    arguments = ["freeze", str(subject.source), "--to", str(models / name / "1"), *subject.options]
    told = io.StringIO()
    with redirect_stdout(told):
        code = command(arguments)
    if code:
        raise FreezeFailed(f"{subject.name}: freeze stopped")
    np.savez(models / f"{name}.npz", **subject.feeds)
    text = told.getvalue()
    sizes, nodes = (
        [int(each) for each in _numbers(rf"{unit}: (\d+) before, (\d+) after", text)] for unit in ("bytes", "nodes")
    )
    (difference,) = _numbers(r"original and frozen graph: (\S+)", text)
    return [
        f"{sizes[0]:,}", f"{sizes[1]:,}", f"{sizes[1] / sizes[0]:.0%}", f"{nodes[0]:,}", f"{nodes[1]:,}", difference,
    ]  # fmt: skip


def _numbers(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found is not None, f"freeze printed no {pattern!r}: {text}"
    return found.groups()


def _rows(name: str, facts: list[str], before: Mapping[str, float], after: float) -> list[tuple[str, ...]]:
    """Return a line for each way to run the original; the facts stand in the first."""
    rows = []
    for way, taken in before.items():
        first = not rows
        cells = facts if first else [""] * len(facts)
        rows.append(
            (
                name if first else "",
                *cells,
                way,
                f"{taken:.3g}",
                f"{after:.3g}",
                f"{taken / after:.2g}x" if taken < 100 * after else f"{taken / after:.0f}x",
            )
        )
    return rows


def _folder(name: str) -> str:
    """Return a name fit for a models folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
