"""The manifest, `model.yaml`: what an author writes beside a frozen graph.

Owns its keys, their defaults and the wording of what is wrong with one. `docs/manifest.md` explains each key.
What the keys mean together is worked out in `contract` and `loader`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from soapsvc.errors import LoadError
from soapsvc.model.dtypes import DTypeName
from soapsvc.model.session_keys import SessionEntry
from soapsvc.model.signature import Limits, TensorSpec
from soapsvc.model.yaml_file import read_yaml

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
ElementName = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]{0,62}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
DimName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Size = Annotated[int, Field(ge=0)]
InputKind = Literal["scalar", "vector", "tensor", "image", "text"]
OutputKind = Literal["scoredLabels", "scalar", "vector", "tensor", "text"]
PAGE = "docs/manifest.md"
Keys = TypeVar("Keys", bound=BaseModel)
_UNION_STEPS = ("constrained-", "tuple[")  # pydantic's names for the choices of one key; no author knows them


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """One tensor of a signature; `shape` left out means any rank."""

    tensor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*:[0-9]+$")]
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
    """

    element: ElementName | None = None
    description: str | None = None
    kind: OutputKind | None = Field(None, alias="as")
    labels: FileName | tuple[str, ...] | None = None
    top: Annotated[int, Field(ge=1)] | None = None
    content: bool = False
    sensitive: bool = False

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind == "scoredLabels") != (self.labels is not None):
            raise ValueError("`as: scoredLabels` and `labels` go together")
        if self.top is not None and self.kind != "scoredLabels":
            raise ValueError("`top` goes with `as: scoredLabels` only")
        if self.content and self.kind not in (None, "tensor"):
            raise ValueError("`content` goes with `as: tensor` only")
        return self


class ContractEntry(_Strict):
    """The typed operations; inputs and outputs left out appear as their dtype and shape suggest."""

    version: Annotated[int, Field(ge=1)] = 1
    signature: str = "predict"
    inputs: dict[str, InputEntry] = {}
    outputs: dict[str, OutputEntry] = {}


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


def checked(model: type[Keys], content: Mapping[str, Any], shown_as: str, page: str = PAGE) -> Keys:
    """Return content as a model of keys; page is where its keys are explained. Raises LoadError as read_manifest."""
    try:
        return model.model_validate(content)
    except ValidationError as err:
        raise LoadError("\n".join(f"{shown_as}: {line}" for line in _lines(err.errors(), page))) from err


def check_part(model: type[BaseModel], content: Mapping[str, Any], shown_as: str) -> None:
    """Do as `checked`, but for content that is to be merged: keys that go together only need not be together yet."""
    try:
        model.model_validate(content)
    except ValidationError as err:
        wrong = [problem for problem in err.errors() if problem["type"] != "value_error"]
        if wrong:
            raise LoadError("\n".join(f"{shown_as}: {line}" for line in _lines(wrong, PAGE))) from err


def _lines(problems: Iterable[Any], page: str) -> list[str]:
    lines = []
    for problem in problems:
        where = ".".join(str(step) for step in problem["loc"] if not str(step).startswith(_UNION_STEPS))
        came = problem["input"]
        shown = "" if isinstance(came, dict | BaseModel) else f" (received {came!r:.80})"
        lines.append(f"{where + ': ' if where else ''}{_message(problem, page)}{shown}")
    return lines


def _message(problem: Any, page: str) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key; {page} lists the keys that are allowed here"
    return str(problem["msg"]).removeprefix("Value error, ")
