"""The manifest, `model.yaml`: what an author writes beside a frozen graph.

Owns its keys, their defaults and the wording of what is wrong with one; those of `contract`, `steps`, `session` and of
how a graph is run stand in modules of their own. `docs/manifest.md` lists each with what stands below it here.
What the keys mean together is worked out in `contract` and `loader`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from soapsvc.model.contract_keys import ContractEntry
from soapsvc.model.dtypes import DTypeName
from soapsvc.model.keys import Entry, checked
from soapsvc.model.serving_keys import (
    BatchingEntry,
    DimName,
    GraphFile,
    LimitsEntry,
    RunnerEntry,
    ThreadsEntry,
    WarmupEntry,
)
from soapsvc.model.session_keys import SessionEntry
from soapsvc.model.signature import Limits, TensorSpec
from soapsvc.model.step_entries import StepEntry, StepName
from soapsvc.model.yaml_file import read_yaml

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Size = Annotated[int, Field(ge=0)]


class TensorEntry(Entry):
    """One tensor of a signature; `shape` left out means any rank. In a pipeline it is a value of a step's."""

    tensor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*(:[0-9]+)?$")]
    """Its name in the graph, as `features:0`; in a pipeline a name for an input, and `step.output` for an
    output."""
    dtype: DTypeName
    """The same as in the graph."""
    shape: tuple[Size | DimName | None, ...] | None = None
    """Its dimensions, see below; `[]` is one value. Without it: any rank."""
    optional: bool = False
    """Clients may leave this input out. In the graph it must be a PlaceholderWithDefault."""

    def spec(self, name: str) -> TensorSpec:
        """Return the same facts as the rest of the program uses them."""
        return TensorSpec(name, self.tensor, self.dtype, self.shape, self.optional)


class SignatureEntry(Entry):
    """Named inputs and outputs of the graph; `constants` maps tensor names to what is always fed."""

    inputs: dict[str, TensorEntry] = Field(min_length=1)
    """At least one. Their order is that of the elements in the contract."""
    outputs: dict[str, TensorEntry] = Field(min_length=1)
    """At least one."""
    constants: dict[str, Any] = Field({})
    """Always fed, never shown to clients, as `{"keep_prob:0": 1.0}`. The value takes the tensor's dtype."""

    @model_validator(mode="after")
    def _each_tensor_once(self) -> Self:
        fed = [*(entry.tensor for entry in self.inputs.values()), *self.constants]
        twice = [tensor for tensor in fed if fed.count(tensor) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is fed twice; name each tensor once in inputs and constants")
        return self


class Manifest(Entry):
    """One `model.yaml`, with every key checked on its own."""

    format: Literal[1]
    """Version of the manifest's format."""
    name: ModelName
    """The model's name, that of its folder; stands in addresses and namespaces. `inference` is taken."""
    description: str = ""
    """Stands in getModelInfo and getModel; its first sentence also in the WSDL, so let that be true of every
    version."""
    graph: GraphFile = GraphFile()
    """The graph's file."""
    steps: dict[StepName, StepEntry] | None = Field(None, min_length=1)
    """The steps of a pipeline, which has no graph: see docs/pipelines.md."""
    requires_ops: tuple[str, ...] = ()
    """Modules that bring ops TensorFlow lacks, as `[tensorflow_text]`. Each must be installed, and allowed by
    the setting `op_libraries`."""
    init_ops: tuple[str, ...] = ()
    """Run once, in this order, after the graph is imported; a table needs its initialiser here, as
    `[init_tables]`."""
    signatures: dict[str, SignatureEntry] = Field(min_length=1)
    """At least one. The contract uses one, the generic service can use all."""
    contract: ContractEntry = ContractEntry()
    """How the signature appears in the typed operations."""
    warmup: WarmupEntry | None = None
    """Golden calls. `{}` takes all defaults; without the key nothing is proven."""
    limits: LimitsEntry = LimitsEntry()
    """The most that one call may bring."""
    threads: ThreadsEntry = ThreadsEntry()
    """TensorFlow's threads."""
    runner: RunnerEntry | None = None
    """A converted graph that runs in the frozen one's place, see docs/tuning.md."""
    batching: BatchingEntry | None = None
    """Joins calls that come at the same time; `{}` takes all defaults."""
    session: SessionEntry | None = None
    """What is kept between the calls of a conversation, see docs/conversations.md."""

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if self.contract.signature not in self.signatures:
            raise ValueError(
                f"contract.signature is {self.contract.signature!r}; signatures has {', '.join(self.signatures)}"
            )
        served = self.signatures[self.contract.signature]
        for side, entries, tensors in (
            ("inputs", self.contract.inputs, served.inputs),
            ("outputs", self.contract.outputs, served.outputs),
        ):
            unknown = [name for name in entries if name not in tensors]
            if unknown:
                raise ValueError(f"contract.{side}.{unknown[0]} is not in the signature; it has {', '.join(tensors)}")
        named = {entry.record for entry in self.contract.outputs.values()} - {None}
        for name in sorted(named ^ self.contract.records.keys(), key=str):
            raise ValueError(f"contract.records.{name} and `record: {name}` of an output go together")
        return self

    @model_validator(mode="after")
    def _graph_or_steps(self) -> Self:
        given = self.model_fields_set & {"graph", "requires_ops", "init_ops", "threads", "runner", "batching"}
        if self.steps is not None and given:
            raise ValueError(f"`{min(given)}` goes with a graph, not with `steps`")
        for signature in self.signatures.values():
            for name, entry in [*signature.inputs.items(), *signature.outputs.items()]:
                if (":" in entry.tensor) is (self.steps is not None):
                    expected = "a step's value, as `find.boxes`" if self.steps else "a node's output, as `features:0`"
                    raise ValueError(f"the tensor of {name}: expected {expected}, received {entry.tensor!r}")
        return self

    @model_validator(mode="after")
    def _capped_dims_exist(self) -> Self:
        sides = [side for each in self.signatures.values() for side in (each.inputs, each.outputs)]
        shapes = [entry.shape or () for side in sides for entry in side.values()]
        named = {"batch", *(dim for shape in shapes for dim in shape if isinstance(dim, str))}
        for dim in self.limits.dims.keys() - named:
            raise ValueError(f"limits.dims.{dim} is no dimension of a signature; there are {', '.join(sorted(named))}")
        return self

    def limits_of_calls(self) -> Limits:
        """Return the limits as the rest of the program uses them."""
        return Limits(**self.limits.model_dump())


def read_manifest(path: Path, shown_as: str) -> Manifest:
    """Return the manifest in a file; shown_as names the file in messages.

    Raises LoadError with one line for each key that is wrong: the key, what came, what is allowed.
    """
    return checked(Manifest, read_yaml(path, shown_as), shown_as)
