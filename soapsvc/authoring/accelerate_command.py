"""The command `accelerate MODEL_DIR`: its options, and the table that it prints.

Imports TensorFlow, tf2onnx and onnxruntime only when it runs, so that `--help` stays fast.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soapsvc.authoring.progress import steps

if TYPE_CHECKING:
    from soapsvc.authoring.accelerate import Accelerated
    from soapsvc.authoring.accelerate_time import Timing


def add_accelerate_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command `accelerate`; its `run` takes the options, returns 0 or 1 and raises SourceError."""
    parser = commands.add_parser(
        "accelerate",
        help="convert a model folder's graph for onnxruntime, if it answers alike and faster",
        description="Convert a frozen graph to ONNX; keep it only if it answers as the graph does, and is faster.",
    )
    parser.add_argument("folder", type=Path, metavar="MODEL_DIR", help="as models/iris/1")
    parser.add_argument("--dry-run", action="store_true", help="convert, compare and time, but write nothing")
    parser.add_argument("--force", action="store_true", help="replace a runner that is there")
    parser.add_argument("--keep-slower", action="store_true", help="keep it also if a run takes no less time")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random inputs")
    parser.add_argument(
        "--op-library", metavar="MODULE", action="append", default=[], help="a module that requires_ops may name"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    with steps() as step:
        step("starting TensorFlow")
        from soapsvc.authoring.accelerate import accelerate, check_free, keep  # imports TensorFlow

        check_free(options.folder, options.force or options.dry_run)
        found, content = accelerate(options.folder, tuple(options.op_library), options.seed, step)
    _tell(found)
    if options.dry_run:
        sys.stdout.write("nothing written: --dry-run\n")
        return 0
    if not (found.faster or options.keep_slower):
        sys.stdout.write("nothing written: a run of one instance takes no less time; --keep-slower keeps it\n")
        return 1
    keep(options.folder, content, options.force)
    sys.stdout.write(f"wrote model.onnx ({len(content)} bytes) and its key `runner` in model.yaml\n")
    return 0


def _tell(found: Accelerated) -> None:
    from soapsvc.authoring.inspect_report import table

    left = f" ({found.left} left to TensorFlow: onnxruntime's answer is not finite)" if found.left else ""
    sys.stdout.write(f"answers alike in {found.calls} calls{left}; largest difference {found.difference:.3g}\n")
    sys.stdout.write(table("median time of a run", [_row(each) for each in found.timings]) + "\n")


def _row(timing: Timing) -> dict[str, str]:
    return {
        "instances": "-" if timing.batch is None else str(timing.batch),
        "TensorFlow": _duration(timing.tensorflow_us),
        "onnxruntime": _duration(timing.onnxruntime_us),
        "times as fast": f"{timing.tensorflow_us / timing.onnxruntime_us:.2g}",
    }


def _duration(microseconds: float) -> str:
    return f"{microseconds:.0f} us" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"
