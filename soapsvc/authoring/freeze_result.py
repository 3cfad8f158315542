"""What every reader of `freeze` hands on: a graph that stands alone, beside a way to run the original.

Owns the names that inputs and outputs get when a user gives none. Imports no TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import NUMPY_DTYPE, Array
from soapsvc.model.signature import Dim, TensorSpec

Arrays = Mapping[str, Array]
_RESERVED = ("model",)  # the scope of frozen functions


@dataclass(frozen=True)
class Frozen:
    """A frozen graph and where it came from.

    graph_def: a GraphDef that holds no variables.  inputs, outputs: by the contract's names; unknown dims are None.
    constants: tensor name -> value that is always fed.  init_ops: node names to run after each load.
    original:  runs the source on arrays by input name and returns arrays by output name.
    nodes, bytes: how many the source had.  notes: what a user should know, a line each.
    suggestions: what was chosen in the user's place, a line each; a user at a terminal confirms them.
    """

    graph_def: Any
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    original: Callable[[Arrays], dict[str, Array]]
    nodes: int
    bytes: int
    constants: Mapping[str, Any] = field(default_factory=dict)
    init_ops: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


def spec_of(name: str, tensor: str, found: Any) -> TensorSpec:
    """Return the TensorSpec of a TensorFlow tensor. Raises SourceError at a dtype that can't be served."""
    dtype = found.dtype.name
    if dtype not in NUMPY_DTYPE:
        allowed = ", ".join(NUMPY_DTYPE)
        raise SourceError(f"{tensor} is {dtype}, but only {allowed} are served; choose another tensor, or cast it")
    shape: tuple[Dim, ...] | None = None if found.shape.rank is None else tuple(found.shape.as_list())
    return TensorSpec(name, tensor, dtype, shape)


def distinct(names: Sequence[str], taken: Sequence[str] = ()) -> tuple[str, ...]:
    """Return names fit for a graph's nodes and a manifest's keys, each different, none of them taken."""
    used = {*taken, *_RESERVED}
    result = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "tensor"
        if not plain[0].isalpha():
            plain = f"t{plain}"
        fresh, number = plain, 0
        while fresh in used:
            number += 1
            fresh = f"{plain}_{number}"
        used.add(fresh)
        result.append(fresh)
    return tuple(result)


def contract_names(
    request: Request, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the contract's names for the inputs and outputs of a source: the user's, else much the source's own."""
    ins = _given_names("--input-names", request.input_names, inputs) if request.input_names else distinct(inputs)
    if request.output_names:
        return ins, _given_names("--output-names", request.output_names, outputs)
    return ins, distinct(outputs, taken=ins)


def _given_names(option: str, names: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Return the names a user gave for what was found. Raises SourceError unless there is one for each."""
    if len(names) != len(found) or len(set(names)) != len(names):
        raise SourceError(
            f"{option}: expected {len(found)} different names for {', '.join(found)}, received {len(names)}"
        )
    if set(names) & {"model"}:
        raise SourceError(f"{option}: the name `model` is taken by the graph itself; choose another")
    return tuple(names)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
