"""A servable: one loaded version of one model, ready to predict. Cheap to use, safe from many threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
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
class Need:
    """A version of a model that a pipeline runs; with neither version nor label the highest loaded one."""

    model: str
    version: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        """Return it as messages name it: `digit-areas version 2`."""
        which = f" version {self.version}" if self.version else f" with label {self.label}" if self.label else ""
        return f"model {self.model}{which}"


class PinnedGraph(Graph, Protocol):
    """What runs one call of a pipeline. times: when each step began, and the seconds that it took so far."""

    @property
    def times(self) -> Mapping[str, tuple[float, float]]:
        """By the steps' names."""


class Pinnable(Graph, Protocol):
    """A pipeline: it runs only what is pinned for a call; see `soapsvc.model.pipeline`."""

    @property
    def needs(self) -> Sequence[Need]:
        """The versions of models that it runs."""

    def misfit(self, given: Given) -> str:
        """Return why these models can't be run, "" when they can."""

    def pinned(self, given: Given) -> PinnedGraph:
        """Return what runs one call with these models."""


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
    memory: bytes that it takes, by what they are: `graph_file`, `mapped_constants`, `load_growth`.
    pipeline: what has to be pinned before a call, None for a model with a graph.
    pins: the models that are pinned for this call.  step_times: when the steps of this call
    began, and the seconds that they took so far.
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
    memory: Mapping[str, int] = field(default_factory=dict, repr=False)
    pipeline: Pinnable | None = field(default=None, repr=False)
    pins: tuple[Servable, ...] = field(default=(), repr=False)
    step_times: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    @cached_property
    def calls_wait(self) -> bool:
        """Whether a call waits for what runs elsewhere: calls to be joined with, its session, a pipeline's steps."""
        return any(each is not None for each in (self.batching, self.conversation, self.pipeline))

    def pinned(self, given: Given) -> Servable:
        """Return this pipeline for one call, which runs these models."""
        assert self.pipeline is not None
        graph = self.pipeline.pinned(given)
        return replace(self, graph=graph, pins=tuple(given.values()), step_times=graph.times)

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


Given = Mapping[Need, Servable]  # the models of a pipeline's steps


def feeds_of(signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Return what a graph is fed for a call: tensor name -> C-contiguous array, constants included."""
    feeds = {}
    for name, spec in signature.inputs.items():
        value = inputs.get(name)
        if value is not None:
            feeds[spec.tensor] = value if value.flags.c_contiguous else np.ascontiguousarray(value)
    feeds.update(signature.constants)
    return feeds
