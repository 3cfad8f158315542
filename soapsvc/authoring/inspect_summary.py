"""What an inspection finds in a source, whatever its kind: facts only, no reading and no wording of reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from soapsvc.model.dtypes import Array

Shape = tuple[int | str | None, ...] | None  # None: any rank; a dimension of None: any size
Role = Literal["weight", "optimizer", "bookkeeping", "copy"]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor whose values the source holds.

    trainable: None when the source does not record it.
    role: optimizer for what only training needs, bookkeeping for step counters and the like, copy for what Keras
    exports a second time. variable: its name in the program, where it is stored under another one (TF2).
    layer: the Keras layer it belongs to, as far as the file says.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    trainable: bool | None = None
    role: Role = "weight"
    variable: str = ""
    layer: str = ""

    @property
    def elements(self) -> int:
        """How many values it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class NamedTensor:
    """One input or output: of a signature, where `name` is its key, or suggested, where `why` says the reason.

    tensor: the name in the graph, as `x:0`; for a Keras file the layer's.
    """

    name: str
    tensor: str
    dtype: str
    shape: Shape
    why: str = ""


@dataclass(frozen=True)
class SignatureFound:
    """A signature the source records."""

    name: str
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]


@dataclass(frozen=True)
class Operation:
    """A node of the graph, or a layer of a Keras model. function: the library function whose body it is in."""

    name: str
    type: str
    inputs: tuple[str, ...]
    function: str = ""


@dataclass(frozen=True)
class Summary:
    """All that was found in one source.

    what: its kind in words. taken: what was read in place of the path given. written_by: versions it records.
    variables: False when its stored tensors are constants.
    operations_are: operations or layers. notes: what a user should know before freezing.
    """

    what: str
    path: str
    taken: str
    written_by: tuple[str, ...]
    size_bytes: int
    signatures: tuple[SignatureFound, ...] = ()
    inputs: tuple[NamedTensor, ...] = ()
    outputs: tuple[NamedTensor, ...] = ()
    tensors: tuple[StoredTensor, ...] = ()
    variables: bool = True
    operations: tuple[Operation, ...] = ()
    operations_are: str = "operations"
    notes: tuple[str, ...] = ()

    @property
    def weights(self) -> tuple[StoredTensor, ...]:
        """What a served model needs: no optimizer slots, no counters."""
        return tuple(tensor for tensor in self.tensors if tensor.role == "weight")

    @property
    def parameters(self) -> int:
        """How many values the weights have; of a graph's constants only floating-point ones of rank 1 and more."""
        counted = self.weights
        if not self.variables:
            counted = tuple(tensor for tensor in counted if tensor.shape and "float" in tensor.dtype)
        return sum(tensor.elements for tensor in counted)


@dataclass(frozen=True)
class Inspected:
    """A source that was opened.

    graph_def: its GraphDef, None where there is none. read: stored tensor's name -> its values; raises SourceError
    that names the tensor when the file is damaged. config: a Keras model's configuration, None where there is none.
    """

    summary: Summary
    graph_def: Any
    read: Callable[[str], Array]
    config: Any = None
