"""The manifest, `model.yaml`: what an author writes beside a frozen graph.

Owns its keys, their defaults and the wording of what is wrong with one. `docs/manifest.md` explains each key.
What the keys mean together is worked out in `contract` and `loader`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from soapsvc.model.dtypes import DTypeName
from soapsvc.model.keys import STRICT, checked
from soapsvc.model.session_keys import SessionEntry
from soapsvc.model.signature import Limits, TensorSpec
from soapsvc.model.step_entries import StepEntry, StepName
from soapsvc.model.yaml_file import read_yaml

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
ElementName = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]{0,62}$")]
TypeName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
DimName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Size = Annotated[int, Field(ge=0)]
InputKind = Literal["scalar", "vector", "tensor", "image", "text"]
OutputKind = Literal["scoredLabels", "scalar", "vector", "tensor", "text"]


class _Strict(BaseModel):
    model_config = STRICT


class GraphFile(_Strict):
    """The frozen GraphDef; its sha256 is checked at load when it is given."""

    file: FileName = "model.pb"
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class RunnerEntry(_Strict):
    """A converted form of the graph that runs in its place; `python -m soapsvc accelerate` writes it."""

    kind: Literal["onnx"]
    file: FileName = "model.onnx"
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class TensorEntry(_Strict):
    """One tensor of a signature; `shape` left out means any rank. In a pipeline it is a value of a step's."""

    tensor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*(:[0-9]+)?$")]
    dtype: DTypeName
    shape: tuple[Size | DimName | None, ...] | None = None
    optional: bool = False

    def spec(self, name: str) -> TensorSpec:
        """Return the same facts as the rest of the program uses them."""
        return TensorSpec(name, self.tensor, self.dtype, self.shape, self.optional)


class SignatureEntry(_Strict):
    """Named inputs and outputs of the graph; `constants` maps tensor names to what is always fed."""

    inputs: dict[str, TensorEntry] = Field(min_length=1)
    outputs: dict[str, TensorEntry] = Field(min_length=1)
    constants: dict[str, Any] = {}

    @model_validator(mode="after")
    def _each_tensor_once(self) -> Self:
        fed = [*(entry.tensor for entry in self.inputs.values()), *self.constants]
        twice = [tensor for tensor in fed if fed.count(tensor) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is fed twice; name each tensor once in inputs and constants")
        return self


class Preprocess(_Strict):
    """How an image's bytes become an array of the input's shape [height, width, channels].

    range: what a pixel of 0 and one of 255 become.
    """

    resize: Literal["nearest", "bilinear", "area"] = "bilinear"
    range: tuple[float, float] = (0.0, 255.0)


class InputEntry(_Strict):
    """How one input appears in the contract: as named scalar `columns`, or `as` one thing."""

    element: ElementName | None = None
    description: str | None = None
    columns: tuple[ElementName, ...] | None = Field(None, min_length=1)
    kind: InputKind | None = Field(None, alias="as")
    finite: bool = False
    sensitive: bool = False
    preprocess: Preprocess | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.columns is not None and self.kind is not None:
            raise ValueError("give `columns` or `as`, not both")
        if self.columns is not None and self.element is not None:
            raise ValueError("`columns` names its own elements; leave `element` out")
        if self.columns is not None and len(set(self.columns)) != len(self.columns):
            raise ValueError("`columns` names an element twice")
        if self.preprocess is not None and self.kind != "image":
            raise ValueError("`preprocess` goes with `as: image` only")
        return self


class OutputEntry(_Strict):
    """How one output appears in the contract.

    labels: a file beside the manifest with one class name a line, or the names themselves.
    top: how many scored labels to answer, best first; None means all.
    content: answer a tensor as bytes instead of as numbers.
    columns: one instance is a row of numbers: a record of `type` with a scalar for each.
    record: the record under `contract.records` that this output is a member of.
    """

    element: ElementName | None = None
    description: str | None = None
    kind: OutputKind | None = Field(None, alias="as")
    labels: FileName | tuple[str, ...] | None = None
    top: Annotated[int, Field(ge=1)] | None = None
    content: bool = False
    sensitive: bool = False
    columns: tuple[ElementName, ...] | None = Field(None, min_length=1)
    type: TypeName | None = None
    record: ElementName | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind == "scoredLabels") != (self.labels is not None):
            raise ValueError("`as: scoredLabels` and `labels` go together")
        if self.top is not None and self.kind != "scoredLabels":
            raise ValueError("`top` goes with `as: scoredLabels` only")
        if self.content and self.kind not in (None, "tensor"):
            raise ValueError("`content` goes with `as: tensor` only")
        if (self.columns is None) != (self.type is None):
            raise ValueError("`columns` and `type` go together")
        if self.columns is not None and self.kind is not None:
            raise ValueError("give `columns` or `as`, not both")
        return self


class RecordEntry(_Strict):
    """A record type that outputs make together: each output that names it gives a member.

    list: every output holds a value for each record in its first dimension, and clients see an array of records.
    """

    type: TypeName
    list: bool = True
    description: str | None = None


class ContractEntry(_Strict):
    """The typed operations; inputs and outputs left out appear as their dtype and shape suggest."""

    version: Annotated[int, Field(ge=1)] = 1
    signature: str = "predict"
    inputs: dict[str, InputEntry] = {}
    outputs: dict[str, OutputEntry] = {}
    records: dict[ElementName, RecordEntry] = {}


class WarmupEntry(_Strict):
    """Golden inputs and outputs, replayed before the version goes live; answers must agree this closely."""

    file: FileName = "warmup.jsonl"
    rtol: Annotated[float, Field(ge=0)] = 1e-3
    atol: Annotated[float, Field(ge=0)] = 1e-5


class LimitsEntry(_Strict):
    """The most that one call may bring, and that the model takes at once; see `soapsvc.model.signature.Limits`."""

    max_batch: Annotated[int, Field(ge=1)] = Limits.max_batch
    max_elements: Annotated[int, Field(ge=1)] = Limits.max_elements
    max_text_bytes: Annotated[int, Field(ge=1)] = Limits.max_text_bytes
    max_image_pixels: Annotated[int, Field(ge=1)] = Limits.max_image_pixels
    dims: dict[DimName, Annotated[int, Field(ge=1)]] = {}
    max_concurrent_calls: Annotated[int, Field(ge=1)] | None = None
    max_waiting_calls: Annotated[int, Field(ge=0)] = Limits.max_waiting_calls
    deadline_s: Annotated[float, Field(gt=0)] | None = None


class ThreadsEntry(_Strict):
    """TensorFlow's threads: by default each op runs in the caller's thread, the fastest for most graphs."""

    intra_op: Annotated[int, Field(ge=0, le=256)] = 1
    inter_op: Annotated[int, Field(ge=-1, le=256)] = -1


class BatchingEntry(_Strict):
    """Joins calls that come at the same time into one run; see `soapsvc.model.servable.Batching`."""

    max_size: Annotated[int, Field(ge=2)] = 32
    max_wait_us: Annotated[int, Field(ge=0, le=1_000_000)] = 500


class Manifest(_Strict):
    """One `model.yaml`, with every key checked on its own."""

    format: Literal[1]
    name: ModelName
    description: str = ""
    graph: GraphFile = GraphFile()
    steps: dict[StepName, StepEntry] | None = Field(None, min_length=1)
    requires_ops: tuple[str, ...] = ()
    init_ops: tuple[str, ...] = ()
    signatures: dict[str, SignatureEntry] = Field(min_length=1)
    contract: ContractEntry = ContractEntry()
    warmup: WarmupEntry | None = None
    limits: LimitsEntry = LimitsEntry()
    threads: ThreadsEntry = ThreadsEntry()
    runner: RunnerEntry | None = None
    batching: BatchingEntry | None = None
    session: SessionEntry | None = None

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
