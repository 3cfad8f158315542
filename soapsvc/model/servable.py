"""A servable: one loaded version of one model, ready to predict. Cheap to use, safe from many threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from soapsvc.errors import ModelNotFound
from soapsvc.model.binding import Binding, Row
from soapsvc.model.contract import Contract
from soapsvc.model.conversation import Conversation
from soapsvc.model.dtypes import Array
from soapsvc.model.signature import Limits, Signature

TENSORFLOW = "TensorFlow"


class Graph(Protocol):
    """What a servable runs: `FrozenGraph` of `soapsvc.model.graph`, or `OnnxGraph` before it."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Return the fetched tensors' values. feeds: tensor name -> array."""

    def close(self) -> None:
        """Free what the graph holds."""


@dataclass(frozen=True)
class Batching:
    """How calls are joined: into runs of at most max_size instances, each call waiting at most max_wait_us."""

    max_size: int
    max_wait_us: int


@dataclass(frozen=True)
class Servable:
    """One version of a model with everything that a call needs.

    signature: the one that the contract's typed operations use.
    sample: one instance out of the golden inputs, as a client would send it; None without golden inputs.
    batching: None: every call runs by itself.
    conversation: how its sessions work, None when it has none.
    runner: what runs the graph, and why it is TensorFlow where the manifest asks for another, for an operator.
    """

    name: str
    version: int
    description: str
    signatures: Mapping[str, Signature]
    signature: str
    contract: Contract
    binding: Binding
    limits: Limits
    graph: Graph = field(repr=False)
    sample: Row | None = None
    batching: Batching | None = None
    conversation: Conversation | None = None
    runner: str = TENSORFLOW

    def find_signature(self, name: str | None) -> Signature:
        """Return a signature by name, the contract's when name is None. Raises ModelNotFound."""
        try:
            return self.signatures[name or self.signature]
        except KeyError:
            known = ", ".join(self.signatures)
            raise ModelNotFound("unknown-signature", f"{self.name} has no signature {name}; it has {known}") from None

    def check_tensors(self, signature: Signature, inputs: Mapping[str, Array]) -> None:
        """Raise InvalidInput unless tensors that a caller named himself may go into the graph."""
        if signature is self.signatures[self.signature]:
            self.binding.check_tensors(inputs)
        else:
            signature.check_inputs(inputs, self.limits)

    def run(self, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name. inputs must have passed `signature.check_inputs`. Raises InvalidInput."""
        values = self.graph.run(feeds_of(signature, inputs), signature.fetches)
        return dict(zip(signature.outputs, values, strict=True))


def feeds_of(signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Return what a graph is fed for a call: tensor name -> C-contiguous array, constants included."""
    feeds = {}
    for name, spec in signature.inputs.items():
        value = inputs.get(name)
        if value is not None:
            feeds[spec.tensor] = value if value.flags.c_contiguous else np.ascontiguousarray(value)
    feeds.update(signature.constants)
    return feeds
