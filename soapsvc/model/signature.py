"""Signatures: the named tensors that go into and come out of a graph, and the check of a call's inputs.

Everything here is checked before TensorFlow sees a value, since its fast calling path checks nothing
(it reads a wrong dtype as garbage). Knows nothing of how a value looks in a contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from soapsvc.errors import InvalidInput
from soapsvc.model.dtypes import NUMPY_DTYPE, Array, DTypeName, name_of

Dim = int | str | None  # a size, a name that ties sizes together, or anything
BATCH = "batch"


@dataclass(frozen=True)
class Limits:
    """The most that one call may bring, and that a model takes at once.

    max_batch: instances in a call.  max_elements: values in one input tensor.
    max_text_bytes: UTF-8 length of one string.  max_image_pixels: width times height of one image.
    dims: the most a named dimension may measure.
    max_concurrent_calls: calls that run at the same time; None leaves it to the server.
    max_waiting_calls: calls that wait for their turn.  deadline_s: how long a call may take; None means as long as it
    takes.
    """

    max_batch: int = 1000
    max_elements: int = 1_000_000
    max_text_bytes: int = 100_000
    max_image_pixels: int = 50_000_000
    dims: Mapping[str, int] = field(default_factory=dict)
    max_concurrent_calls: int | None = None
    max_waiting_calls: int = 100
    deadline_s: float | None = None

    def of_dim(self, name: str) -> int | None:
        """Return the most that the named dimension may measure, None when it has no cap."""
        return self.max_batch if name == BATCH and name not in self.dims else self.dims.get(name)


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a graph.

    tensor: its name in the graph, as `x:0`.  shape: None when even the rank is unknown.
    optional: the graph has a default for it (a PlaceholderWithDefault).
    """

    name: str
    tensor: str
    dtype: DTypeName
    shape: tuple[Dim, ...] | None
    optional: bool = False

    @property
    def batched(self) -> bool:
        """Whether the first dimension counts instances."""
        return bool(self.shape) and self.shape is not None and self.shape[0] == BATCH

    @property
    def instance_shape(self) -> tuple[Dim, ...] | None:
        """The shape of one instance: without the batch dimension, if there is one."""
        return self.shape[1:] if self.shape is not None and self.batched else self.shape

    def check(self, value: Array, dims: dict[str, int], limits: Limits) -> None:
        """Raise InvalidInput unless value fits this spec; named dims are looked up in dims and added to it.

        Values are not looked at: NaN and infinity pass.
        """
        if value.dtype != NUMPY_DTYPE[self.dtype]:
            raise InvalidInput("wrong-dtype", self.name, f"a tensor of {self.dtype}", name_of(value.dtype))
        if value.size > limits.max_elements:
            raise InvalidInput("too-large", self.name, f"at most {limits.max_elements} values", str(value.size))
        if self.shape is None:
            return
        if value.ndim != len(self.shape):
            raise self._wrong_shape(value)
        for size, dim in zip(value.shape, self.shape, strict=True):
            if isinstance(dim, str):
                self._check_named(dim, size, dims, limits)
            elif dim is not None and dim != size:
                raise self._wrong_shape(value)

    def _check_named(self, dim: str, size: int, dims: dict[str, int], limits: Limits) -> None:
        cap = limits.of_dim(dim)
        if cap is not None and size > cap:
            raise InvalidInput("too-large", self.name, f"{dim} of at most {cap}", str(size))
        if dim == BATCH and size == 0:
            raise InvalidInput("empty", self.name, "a batch of at least 1", "0")
        if dims.setdefault(dim, size) != size:
            raise InvalidInput("wrong-shape", self.name, f"{dim} of {dims[dim]}, as in other inputs", str(size))

    def _wrong_shape(self, value: Array) -> InvalidInput:
        return InvalidInput("wrong-shape", self.name, f"shape {show_shape(self.shape)}", show_shape(value.shape))


def show_shape(shape: tuple[Dim, ...] | None) -> str:
    """Return a shape as messages write it: `[batch, 4]`, `[any, 3]`, `[any rank]`."""
    if shape is None:
        return "[any rank]"
    return "[" + ", ".join("any" if dim is None else str(dim) for dim in shape) + "]"


@dataclass(frozen=True)
class Signature:
    """Named inputs and outputs; `constants` are fed by us and never shown to a caller."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    constants: Mapping[str, Array] = field(default_factory=dict)  # tensor name -> value

    @cached_property
    def batched(self) -> bool:
        """Whether instances can be stacked: every input and output counts them in its first dimension."""
        return all(spec.batched for spec in (*self.inputs.values(), *self.outputs.values()))

    @cached_property
    def fetches(self) -> tuple[str, ...]:
        """The tensors of the outputs, in their order."""
        return tuple(spec.tensor for spec in self.outputs.values())

    def check_inputs(self, inputs: Mapping[str, Array], limits: Limits) -> None:
        """Raise InvalidInput unless inputs holds exactly what this signature takes.

        Every array must have native byte order; optional inputs may be left out.
        """
        for name in inputs.keys() - self.inputs.keys():
            raise InvalidInput("unexpected", name, f"one of {', '.join(self.inputs)}", f"an input named {name}")
        dims: dict[str, int] = {}
        for name, spec in self.inputs.items():
            if name in inputs:
                spec.check(inputs[name], dims, limits)
            elif not spec.optional:
                raise InvalidInput("missing", name, f"a tensor of {spec.dtype}", "nothing")
