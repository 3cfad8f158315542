"""The command `tune MODEL_DIR`: its options, the copies that it measures, its table, and what it writes."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from soapsvc.authoring.inspect_report import table
from soapsvc.authoring.manifest_edit import with_key
from soapsvc.authoring.new_file import new_file
from soapsvc.authoring.progress import Step, steps
from soapsvc.authoring.source import SourceError
from soapsvc.cores import usable_cores
from soapsvc.model.description import describe
from soapsvc.model.source import MANIFEST, VersionFolder, version_folder
from soapsvc.tuning.choice import BATCHING, Setting, batching_pays, best_threads, thread_settings
from soapsvc.tuning.measure import Round, Subject

Measured = Mapping[Setting, Sequence[Round]]
_ROUNDS = 5


def add_tune_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command `tune`; its `run` takes the options, returns 0 and raises SourceError or LoadError."""
    parser = commands.add_parser(
        "tune",
        help="measure which threads, and whether batching, pay for a model on this machine",
        description="Measure a model folder with 1, 8 and 32 callers, under several settings, and recommend one.",
    )
    parser.add_argument("folder", type=Path, metavar="MODEL_DIR", help="as models/iris/1")
    parser.add_argument("--write", action="store_true", help="write what is recommended into model.yaml")
    parser.add_argument(
        "--seconds", type=_seconds, default=0.4, metavar="S", help="how long each load is measured in each round"
    )
    parser.add_argument(
        "--op-library", metavar="MODULE", action="append", default=[], help="a module that requires_ops may name"
    )
    parser.set_defaults(run=_run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"expected seconds above 0 and at most 600, received {text}")
    return seconds


def _run(options: argparse.Namespace) -> int:
    folder = version_folder(options.folder)
    with steps() as step:
        measured, recommended = _measured(folder, tuple(options.op_library), options.seconds, step)
    sys.stdout.write(
        table("calls a second, and the 99th percentile of a call", [_row(*one) for one in measured.items()])
    )
    lines = [f"  {key}: {_plain(value)}" for key, value in recommended.keys.items()]
    sys.stdout.write("\nrecommended:\n" + "\n".join(lines) + "\n")
    if options.write:
        write(folder, recommended)
        sys.stdout.write(f"wrote them into {folder.show(MANIFEST)}\n")
    return 0


def _measured(
    folder: VersionFolder, op_libraries: tuple[str, ...], seconds: float, step: Step
) -> tuple[Measured, Setting]:
    """Return the rounds of each setting, those of the last comparison, and the setting to recommend."""
    described = describe(folder)
    if described.manifest.warmup is None:
        raise SourceError(f"{folder.show(MANIFEST)}: no warmup; a model is measured on a golden call, record one")
    with ExitStack() as ending:
        place = Path(ending.enter_context(tempfile.TemporaryDirectory()))

        def subject(setting: Setting) -> Subject:
            step(f"loading with {_named(setting)}")
            path = place / str(len(subjects)) / folder.name / str(folder.version)
            copy = VersionFolder(folder.name, folder.version, path)
            shutil.copytree(folder.path, copy.path)
            copy.file(MANIFEST).write_bytes(_edited(folder, setting))
            loaded = Subject(copy, op_libraries, seconds)
            ending.callback(loaded.close)
            return loaded

        subjects: dict[Setting, Subject] = {}
        for setting in thread_settings(usable_cores()):
            subjects[setting] = subject(setting)
        measured = _in_turn(subjects, step)
        threads = best_threads(measured)
        size = min(BATCHING.max_size, described.manifest.limits.max_batch)
        if not described.signatures[described.manifest.contract.signature].batched or size < 2:
            return measured, threads
        joined = replace(threads, batching=replace(BATCHING, max_size=size))
        subjects[joined] = subject(joined)
        pair = _in_turn({each: subjects[each] for each in (threads, joined)}, step)
        return {**measured, **pair}, joined if batching_pays(pair[threads], pair[joined]) else threads


def _in_turn(subjects: Mapping[Setting, Subject], step: Step) -> Measured:
    """Return the rounds of each, measured one after the other in each round."""
    rounds: dict[Setting, list[Round]] = {setting: [] for setting in subjects}
    for number in range(1, _ROUNDS + 1):
        for setting, subject in subjects.items():
            step(f"round {number} of {_ROUNDS}: {_named(setting)}")
            rounds[setting].append(subject.round())
    return rounds


def write(folder: VersionFolder, setting: Setting) -> None:
    """Set the keys of a setting in a folder's model.yaml, in one step, and leave the rest. Raises SourceError."""
    edited = _edited(folder, setting)
    with new_file(folder.path / MANIFEST) as fresh:
        fresh.write_bytes(edited)


def _edited(folder: VersionFolder, setting: Setting) -> bytes:
    text = folder.file(MANIFEST).read_bytes().decode()
    has_batching = describe(folder).manifest.batching is not None
    for key, value in setting.keys.items():
        if value is not None or has_batching:
            text = with_key(text, key, value)
    return text.encode()


def _row(setting: Setting, rounds: Sequence[Round]) -> dict[str, str]:
    row = {"setting": _named(setting)}
    for loads in zip(*rounds, strict=True):
        rate, p99 = median(load.calls_per_s for load in loads), median(load.p99_ms for load in loads)
        row[f"callers: {loads[0].callers}"] = f"{rate:,.0f}/s {p99:.3g} ms"
    return row


def _named(setting: Setting) -> str:
    threads = f"intra_op {setting.intra_op}, inter_op {setting.inter_op}"
    return threads if setting.batching is None else f"{threads}, batching {_plain(setting.keys['batching'])}"


def _plain(value: Mapping[str, int] | None) -> str:
    return "none" if value is None else "{" + ", ".join(f"{key}: {number}" for key, number in value.items()) + "}"
