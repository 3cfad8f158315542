"""Inputs to compare two runners on, made from a signature: usual ones, large ones, and the extremes it allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from soapsvc.errors import InvalidInput
from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import FLOATS, NUMPY_DTYPE, Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import BATCH, TensorSpec

BATCHES = (1, 2, 7)
_FREE_SIZE = 5  # of a dimension that the signature leaves open


@dataclass(frozen=True)
class Trial:
    """Inputs by name, and in words what they are."""

    what: str
    inputs: dict[str, Array]


_Fill = Callable[[InputField, tuple[int, ...], np.random.Generator], Array]


def trials(servable: Servable, seed: int) -> Iterator[Trial]:
    """Yield inputs that the servable's contract allows, each kind in batches of 1, 2 and 7 instances.

    Optional inputs are among them; inputs over one of the model's limits are left out.
    """
    signature = servable.signatures[servable.signature]
    fields = {field.tensor: field for field in servable.contract.inputs}
    random = np.random.default_rng(seed)
    for size in BATCHES if signature.batched else BATCHES[:1]:
        for what, fill in _FILLS.items():
            inputs = {
                name: fill(fields[name], _shape(servable, spec, size), random)
                for name, spec in signature.inputs.items()
            }
            try:
                servable.check_tensors(signature, inputs)
            except InvalidInput:
                continue
            yield Trial(f"{what}, batch of {size}" if signature.batched else what, inputs)


def _shape(servable: Servable, spec: TensorSpec, size: int) -> tuple[int, ...]:
    dims = (None,) if spec.shape is None else spec.shape
    return tuple(dim if isinstance(dim, int) else size if dim == BATCH else _free(servable, dim) for dim in dims)


def _free(servable: Servable, dim: str | None) -> int:
    cap = servable.limits.of_dim(dim) if dim is not None else None
    return _FREE_SIZE if cap is None else min(cap, _FREE_SIZE)


def _range(field: InputField) -> tuple[float, float] | None:
    """Return between what a float input lies, if the contract says so: one that is made of a picture."""
    return None if field.preprocess is None else field.preprocess.range


def _between(field: InputField, shape: tuple[int, ...], random: np.random.Generator, scale: float) -> Array:
    dtype = NUMPY_DTYPE[field.dtype]
    if field.dtype == "bool":
        return random.integers(0, 2, shape).astype(dtype)
    if field.dtype not in FLOATS:
        return random.integers(0, min(10 * int(scale), np.iinfo(dtype).max), shape).astype(dtype)
    if bounds := _range(field):
        return random.uniform(*bounds, shape).astype(dtype)
    return (scale * random.standard_normal(shape)).astype(dtype)


def _usual(field: InputField, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return _between(field, shape, random, 1.0)


def _large(field: InputField, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return _between(field, shape, random, 1000.0)


def _same(value: float) -> _Fill:
    """Return a fill with one value for all, brought into what the field allows."""

    def fill(field: InputField, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        dtype = NUMPY_DTYPE[field.dtype]
        if field.dtype == "bool":
            return np.full(shape, value > 0, dtype)
        limits: np.finfo[np.floating] | np.iinfo[np.integer]
        limits = np.finfo(dtype) if field.dtype in FLOATS else np.iinfo(dtype)
        low, high = _range(field) or (limits.min, limits.max)
        return np.full(shape, low if value <= low else high if value >= high else value, dtype)

    return fill


def _not_finite(value: float) -> _Fill:
    """Return a fill with usual values, the first of each tensor replaced where the contract lets it in."""

    def fill(field: InputField, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        array = _usual(field, shape, random)
        if field.dtype in FLOATS and not field.finite and _range(field) is None and array.size:
            array.ravel()[0] = value
        return array

    return fill


_FILLS: dict[str, _Fill] = {
    "usual values": _usual,
    "large values": _large,
    "zeros": _same(0.0),
    "ones": _same(1.0),
    "minus ones": _same(-1.0),
    "the largest values": _same(np.inf),
    "the lowest values": _same(-np.inf),
    "a NaN": _not_finite(np.nan),
    "an infinity": _not_finite(np.inf),
}
