"""The command `inspect SOURCE`: its options, and the files it writes."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soapsvc.authoring.inspect_plot_canvas import plot_format
from soapsvc.authoring.new_file import new_file
from soapsvc.authoring.source import Source, SourceError, find_source

if TYPE_CHECKING:
    from soapsvc.authoring.inspect_summary import Inspected


def add_inspect_parser(commands: Any) -> None:
    """Add `inspect` to the sub-commands of an argument parser; its `run` raises SourceError."""
    parser = commands.add_parser("inspect", help="tell what a trained model's file or folder holds")
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a checkpoint, SavedModel, .keras, .h5, .pb, …")
    parser.add_argument("--operations", action="store_true", help="list the graph's operations, or the layers")
    parser.add_argument("--variables", action="store_true", help="list the variables")
    parser.add_argument("--trainable", action="store_true", help="list the trainable variables")
    parser.add_argument("--tensors", action="store_true", help="list stored tensors: min, mean, max, share of zeros")
    parser.add_argument("--tensor", metavar="NAME", help="print a stored tensor's values")
    parser.add_argument("--text-graph", type=Path, metavar="FILE", help="write the graph as text")
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="write the stored tensors for numpy.load")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the graph, or --tensors' values: .svg or .png")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run_inspect)


def run_inspect(options: argparse.Namespace) -> int:
    """Print what was asked for and return 0. Raises SourceError; then nothing was printed or written."""
    source = find_source(options.source)
    if options.plot:
        plot_format(options.plot)
    inspected = _inspect(source)
    text = _report(inspected, options)
    written = [
        *([_save_graph(inspected, options.text_graph)] if options.text_graph else []),
        *([_save_tensors(inspected, options.save)] if options.save else []),
        *([_save_plot(inspected, options.plot, options.tensors)] if options.plot else []),
    ]
    sys.stdout.write(text)
    for line in written:
        (sys.stderr if options.json else sys.stdout).write(f"{line}\n")
    return 0


def _inspect(source: Source) -> Inspected:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are no news to an author
    from soapsvc.authoring.inspect_readers import inspect_source

    try:
        return inspect_source(source)
    except OSError as err:
        raise SourceError(f"{source.path}: can't be read: {err.strerror or err}") from err


def _report(inspected: Inspected, options: argparse.Namespace) -> str:
    from soapsvc.authoring import inspect_report as report

    found = inspected.summary
    sections: dict[str, Any] = {}
    if options.operations:
        sections["operations"] = report.operation_rows(found.operations)
    variables = found.tensors if found.variables else ()
    if options.variables:
        sections["variables"] = list(report.stored(inspected, variables, False))
    if options.trainable:
        if variables and all(each.trainable is None for each in found.weights):
            raise SourceError(f"{found.path}: which variables are trainable is recorded in the graph, which is missing")
        trainable = [each for each in found.weights if each.trainable] if found.variables else []
        sections["trainable"] = list(report.stored(inspected, trainable, False))
    if options.tensors:
        sections["tensors"] = list(report.stored(inspected, found.tensors, True))
    values = None if options.tensor is None else inspected.read(_stored_name(inspected, options.tensor))
    if options.json:
        wanted = {} if values is None else {"tensor": {"name": options.tensor, "values": report.plain_values(values)}}
        return report.as_json(found, sections | wanted)
    if values is not None and not sections:
        return report.values_text(values)
    parts = [report.table(title, rows) for title, rows in sections.items()]
    return "".join([report.as_text(found), *parts, *([] if values is None else [report.values_text(values)])])


def _stored_name(inspected: Inspected, given: str) -> str:
    """Return the stored tensor's name; a TF2 variable's own name will do, and `w:0` for `w`. Raises SourceError."""
    names = [each.name for each in inspected.summary.tensors]
    stored_as = {each.variable: each.name for each in inspected.summary.tensors if each.variable}
    stored_as |= {name: name for name in names}
    for name in (given, given.removesuffix(":0")):
        if name in stored_as:
            return stored_as[name]
    near = difflib.get_close_matches(given, list(stored_as), 3, 0.4) or names[:3]
    raise SourceError(f"there is no stored tensor {given}; there are {len(names)}, as {', '.join(near) or 'none'}")


def _save_graph(inspected: Inspected, path: Path) -> str:
    from google.protobuf import text_format

    if inspected.graph_def is None:
        raise SourceError(f"--text-graph: there is no graph in a {inspected.summary.what}")
    with new_file(path) as fresh:
        fresh.write_text(text_format.MessageToString(inspected.graph_def), encoding="utf-8")
    return f"wrote the graph to {path}"


def _save_tensors(inspected: Inspected, path: Path) -> str:
    """Write an .npz: one array for each tensor, under its name. Strings have no place in one and are left out."""
    numbers = [each for each in inspected.summary.tensors if each.dtype != "string"]
    with new_file(path) as fresh, zipfile.ZipFile(fresh, "w", allowZip64=True) as archive:
        for each in numbers:
            values = inspected.read(each.name)
            if values.dtype.kind == "V":
                values = values.astype(np.float32)  # bfloat16 and its like, which .npy files can't name
            with archive.open(f"{each.name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, values, allow_pickle=False)
    left_out = len(inspected.summary.tensors) - len(numbers)
    return f"wrote {len(numbers)} tensors to {path}" + (f"; left out {left_out} of strings" if left_out else "")


def _save_plot(inspected: Inspected, path: Path, of_tensors: bool) -> str:
    from soapsvc.authoring.inspect_plot import plot

    with new_file(path) as fresh:
        plot(inspected, fresh, plot_format(path), of_tensors)
    return f"wrote the picture of {'the tensors' if of_tensors else 'the graph'} to {path}"
