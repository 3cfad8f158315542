"""The command `freeze SOURCE --to models/NAME/VERSION`: its options, and lines for the user.

Imports TensorFlow only when it runs, so that `--help` stays fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

from soapsvc.authoring.freeze_request import Request, by_name, comma_list, constant, named
from soapsvc.authoring.progress import steps
from soapsvc.authoring.wiring import part_option, read_wiring


def add_freeze_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command `freeze`; its `run` takes the options, returns 0 and raises SourceError."""
    parser = commands.add_parser(
        "freeze",
        help="make a model folder of a Keras file, SavedModel, checkpoint or frozen graph",
        description="Freeze a trained model into a folder that serves; nothing is written unless it answers alike.",
    )
    parser.add_argument("source", nargs="?", type=Path, metavar="SOURCE", help="file or folder, whichever of its files")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="as models/iris/1")
    parser.add_argument("--force", action="store_true", help="replace the folder if it exists")
    parser.add_argument("--no-optimise", action="store_true", help="leave the frozen graph as the source has it")
    _add_parts(parser)
    _add_tensors(parser)
    _add_reading(parser)
    _add_contract(parser)
    _add_proof(parser)
    parser.set_defaults(run=_run)


def _add_parts(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("parts", "several sources in one graph, in place of SOURCE")
    group.add_argument(
        "--part", metavar="SCOPE=PATH", type=part_option, action="append", default=[],
        help="a source, and the scope of its nodes",
    )  # fmt: skip
    group.add_argument("--wiring", type=Path, metavar="FILE.yaml", help="whose outputs feed whose inputs")


def _add_tensors(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("inputs and outputs")
    names: dict[str, Any] = {"type": comma_list, "default": ()}
    group.add_argument("--inputs", metavar="A,B", help="tensors of a graph that calls feed", **names)
    group.add_argument("--outputs", metavar="A,B", help="tensors of a graph that calls get", **names)
    group.add_argument("--collection", metavar="KEY", help="outputs of a meta graph: the tensors in this collection")
    group.add_argument("--yes", action="store_true", help="take what is suggested without asking")
    group.add_argument("--signature", metavar="KEY", default="serving_default", help="signature of a SavedModel")
    group.add_argument("--input-names", metavar="A,B", help="what the contract calls the inputs", **names)
    group.add_argument("--output-names", metavar="A,B", help="what the contract calls the outputs", **names)
    group.add_argument(
        "--constant", metavar="NAME=VALUE", type=constant, action="append", default=[],
        help="a tensor that is always fed this value and hidden from clients, as keep_prob=1.0",
    )  # fmt: skip


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reading")
    group.add_argument("--custom-objects", metavar="MODULE", help="Python module with a Keras file's own classes")
    group.add_argument(
        "--build", metavar="MODULE:FUNCTION", help="makes the graph or model that a checkpoint or weights go into"
    )
    group.add_argument("--unsafe", action="store_true", help="let a Keras file run the Python code that it holds")
    group.add_argument(
        "--op-library",
        metavar="MODULE",
        action="append",
        default=[],
        help="Python module with ops that the graph needs",
    )


def _add_contract(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("contract")
    several: dict[str, Any] = {"type": named, "action": "append", "default": []}
    group.add_argument("--labels", metavar="[OUTPUT=]FILE", help="class names of the scores, one a line", **several)
    group.add_argument("--columns", metavar="[INPUT=]A,B", help="names of the values of an input", **several)
    group.add_argument("--units", metavar="[INPUT=]TEXT", help="what its values are measured in", **several)
    group.add_argument(
        "--contract", type=Path, metavar="FILE.yaml", help="keys of model.yaml to write as they are here"
    )
    group.add_argument("--description", default="", help="what the model is for")


def _add_proof(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proof")
    group.add_argument("--golden", type=Path, metavar="FILE.npz", help="inputs to compare on, by the contract's names")
    group.add_argument("--free-size", type=int, default=16, metavar="N", help="unknown dimensions of random inputs")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random inputs")
    group.add_argument("--tolerance", type=float, default=1e-4, metavar="X", help="largest relative difference")


def _run(options: argparse.Namespace) -> int:
    wiring = read_wiring(options.wiring, options.part) if options.wiring or options.part else None
    request = Request(
        source=options.source, to=options.to, inputs=options.inputs, outputs=options.outputs,
        input_names=options.input_names, output_names=options.output_names, collection=options.collection,
        signature=options.signature, constants=dict(options.constant), custom_objects=options.custom_objects,
        build=options.build, unsafe=options.unsafe, op_libraries=tuple(options.op_library),
        labels=by_name("--labels", options.labels, Path), columns=by_name("--columns", options.columns, comma_list),
        units=by_name("--units", options.units, str), contract=options.contract, description=options.description,
        golden=options.golden, free_size=options.free_size, seed=options.seed, tolerance=options.tolerance,
        optimise=not options.no_optimise, force=options.force, wiring=wiring,
    )  # fmt: skip
    request.check_source()
    request.check_target()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are no news to an author,
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # nor are its deprecations
    with steps() as step:
        step("starting TensorFlow")
        from soapsvc.authoring.freeze_job import freeze_source  # imports TensorFlow: not before it is needed

        freeze_source(request, _tell, step, lambda: options.yes or _confirmed())
    return 0


def _confirmed() -> bool:
    """Ask a user at a terminal; where nobody can answer, go on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    try:
        return input("Freeze with these? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
