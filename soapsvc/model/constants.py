"""The large constants of a graph: which of them can be fed from outside instead, and how they lie in one file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from soapsvc.model.dtypes import Array

MIN_CONSTANT_BYTES = 256 * 1024  # feeding one takes 1.2 us, reading so much of it once some 20 us
MIN_BYTES = 8 * 1024**2  # of all: a session holds four copies, and 32 MB are a tenth of what a worker has for itself
_ALIGNMENT = 64  # TensorFlow copies a feed that begins elsewhere
_NUMBERED = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 19: "float16"}
_DTYPES = {number: np.dtype(name) for number, name in _NUMBERED.items()}  # numbers of TensorFlow's types.proto


@dataclass(frozen=True)
class Constant:
    """One constant of a graph. offset: where its bytes begin in the file of all."""

    node: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Parted:
    """A graph with placeholders in place of its large constants, these, and the bytes of all of them."""

    graph_def: Any
    constants: Sequence[Constant]
    content: bytes

    @property
    def digest(self) -> str:
        """What tells this graph with these constants from any other."""
        graph = self.graph_def.SerializeToString(deterministic=True)
        return hashlib.sha256(graph + hashlib.sha256(self.content).digest()).hexdigest()

    def arrays(self, content: memoryview) -> Mapping[str, Array]:
        """Return the constants as arrays over their bytes, which may lie elsewhere: tensor name -> array."""
        return {
            f"{each.node}:0": np.frombuffer(content[each.offset :][: each.size], each.dtype).reshape(each.shape)
            for each in self.constants
        }


def part(graph_def: Any, kept: Collection[str]) -> Parted | None:
    """Return a graph apart from its large constants, None when these are too few bytes to be worth it.

    kept: names of nodes to leave as they are.
    """
    rest, constants, chunks, end = type(graph_def)(), list[Constant](), list[bytes](), 0
    for node in graph_def.node:
        content = b"" if node.name in kept else _content(node)
        if not content:
            rest.node.add().CopyFrom(node)
            continue
        tensor = node.attr["value"].tensor
        placeholder = rest.node.add(name=node.name, op="Placeholder", device=node.device)
        placeholder.attr["dtype"].type = tensor.dtype
        placeholder.attr["shape"].shape.CopyFrom(tensor.tensor_shape)
        padding = -end % _ALIGNMENT
        constants.append(Constant(node.name, _DTYPES[tensor.dtype], _shape(tensor), end + padding))
        chunks += [bytes(padding), content]
        end += padding + len(content)
    if end < MIN_BYTES:
        return None
    rest.library.CopyFrom(graph_def.library)
    rest.versions.CopyFrom(graph_def.versions)
    return Parted(rest, constants, b"".join(chunks))


def _content(node: Any) -> bytes:
    """Return the bytes of a constant that may be fed, else none.

    One with an input is a control dependency's, or belongs to a loop, which no feed can.
    """
    if node.op != "Const" or node.input:
        return b""
    tensor = node.attr["value"].tensor
    content: bytes = tensor.tensor_content
    if len(content) < MIN_CONSTANT_BYTES or tensor.dtype not in _DTYPES:
        return b""
    plain = len(content) == math.prod(_shape(tensor)) * _DTYPES[tensor.dtype].itemsize
    return content if plain else b""


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(dim.size for dim in tensor.tensor_shape.dim)
