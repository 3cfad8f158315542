"""Golden calls: inputs by seed or from a file, answers of the original and of the frozen graph, their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.authoring.source import SourceError
from soapsvc.errors import InvalidInput, LoadError
from soapsvc.model.dtypes import NUMPY_DTYPE, Array
from soapsvc.model.graph import FrozenGraph, Threads, first_line
from soapsvc.model.signature import TensorSpec, show_shape

BATCHES = (2, 3)  # different ones, to see which outputs follow the batch; different from any fixed size they are not
_WORDS = (b"a", b"some words", "größe".encode(), b"")


@dataclass(frozen=True)
class Call:
    """Inputs, the frozen graph's answers to them, and how far those are from the original's.

    difference: the largest of |original - frozen| / max(1, |original|); infinite when shapes, strings or NaN differ.
    """

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    difference: float

    @property
    def elements(self) -> int:
        """How many values the call records."""
        return sum(array.size for array in (*self.inputs.values(), *self.outputs.values()))


def compared(frozen: Frozen, request: Request) -> list[Call]:
    """Run the original and the frozen graph on the same inputs.

    Two calls with different batches, or the one of --golden and its first row. Raises SourceError when either fails.
    """
    try:
        graph = FrozenGraph(frozen.graph_def, Threads(), frozen.init_ops)
    except LoadError as err:
        raise SourceError(f"the frozen graph can't be loaded: {err}") from err
    try:
        constants = {tensor: graph.constant(tensor, value) for tensor, value in frozen.constants.items()}
        return [_call(frozen, graph, constants, inputs) for inputs in _inputs(frozen.inputs, request)]
    except LoadError as err:  # a constant that does not fit its tensor
        raise SourceError(f"--constant: {err}") from err
    finally:
        graph.close()


def _inputs(specs: Mapping[str, TensorSpec], request: Request) -> list[dict[str, Array]]:
    if request.golden is not None:
        given = _read(specs, request)
        batched = all(spec.shape and spec.shape[0] is None for spec in specs.values())
        first = {name: array[:1] for name, array in given.items()}
        return [given, first] if batched and all(len(array) > 1 for array in given.values()) else [given]
    random = np.random.default_rng(request.seed)
    return [
        {name: _random(spec, batch, request.free_size, random) for name, spec in specs.items() if not spec.optional}
        for batch in BATCHES
    ]


def _read(specs: Mapping[str, TensorSpec], request: Request) -> dict[str, Array]:
    assert request.golden is not None
    try:
        with np.load(request.golden, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as err:
        raise SourceError(f"--golden {request.golden}: expected an .npz of plain arrays: {err}") from err
    wanted = {name for name, spec in specs.items() if not spec.optional}
    if not wanted <= arrays.keys() <= specs.keys():
        raise SourceError(
            f"--golden {request.golden}: expected the arrays {', '.join(specs)}, it has {', '.join(arrays)}"
        )
    return {name: _fitted(specs[name], array, request) for name, array in arrays.items()}


def _fitted(spec: TensorSpec, array: Array, request: Request) -> Array:
    shape = spec.shape
    if shape is not None and not tf.TensorShape(shape).is_compatible_with(array.shape):
        raise SourceError(
            f"--golden {request.golden}: {spec.name} has shape {show_shape(array.shape)}, expected {show_shape(shape)}"
        )
    if spec.dtype == "string":
        return np.char.encode(array).astype(object) if array.dtype.kind == "U" else array.astype(object)
    return array.astype(NUMPY_DTYPE[spec.dtype])


def _random(spec: TensorSpec, batch: int, free_size: int, random: np.random.Generator) -> Array:
    """Return floats in [0, 1), whole numbers in 0..3 (bytes in 0..255), or short strings, of a fitting shape."""
    shape = (batch,) if spec.shape is None else spec.shape
    sizes = [(batch if index == 0 else free_size) if dim is None else int(dim) for index, dim in enumerate(shape)]
    if spec.dtype == "string":
        words = np.empty(int(np.prod(sizes)), dtype=object)
        words[:] = [_WORDS[index % len(_WORDS)] for index in range(words.size)]
        return words.reshape(sizes)
    if spec.dtype == "bool":
        return random.integers(0, 2, sizes).astype(bool)
    if spec.dtype in ("float32", "float64"):
        return random.random(sizes).astype(NUMPY_DTYPE[spec.dtype])
    return random.integers(0, 256 if spec.dtype == "uint8" else 4, sizes).astype(NUMPY_DTYPE[spec.dtype])


def _call(frozen: Frozen, graph: FrozenGraph, constants: Mapping[str, Array], inputs: dict[str, Array]) -> Call:
    try:
        wanted = frozen.original(inputs)
    except (tf.errors.OpError, ValueError, TypeError) as err:
        raise SourceError(
            f"the original refuses the inputs it was tried on: {first_line(err)}; "
            "give ones that fit, as --golden FILE.npz, or another --free-size; "
            "fix with --constant what only training varies"
        ) from err
    feeds = {
        frozen.inputs[name].tensor: np.ascontiguousarray(array).reshape(array.shape) for name, array in inputs.items()
    }
    try:
        values = graph.run({**feeds, **constants}, [spec.tensor for spec in frozen.outputs.values()])
    except (tf.errors.OpError, InvalidInput) as err:
        raise SourceError(
            f"the frozen graph fails where the original answers: {first_line(err.__cause__ or err)}"
        ) from err
    outputs = dict(zip(frozen.outputs, values, strict=True))
    return Call(inputs, outputs, max(difference(wanted[name], outputs[name]) for name in outputs))


def difference(wanted: Array, answered: Array) -> float:
    """Return the largest of |wanted - answered| / max(1, |wanted|), infinity when they can't be compared."""
    if wanted.shape != answered.shape:
        return float("inf")
    if wanted.dtype.kind in "OSU":
        return 0.0 if np.array_equal(wanted.astype(object), answered.astype(object)) else float("inf")
    left, right = wanted.astype(np.float64), answered.astype(np.float64)
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(left - right) / np.maximum(1.0, np.abs(left)))
    largest: Any = np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0)
    return float(largest)
