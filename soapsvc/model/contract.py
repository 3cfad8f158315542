"""How a model's inputs and outputs appear to a client: elements, their kinds and their meaning.

Works out a Contract from a manifest and refuses combinations that make no sense. Knows no XML: `soapsvc.soap`
gives each kind its schema type and its wire form, `binding` moves its values in and out of tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

from soapsvc.errors import LoadError
from soapsvc.model.contract_keys import InputEntry, InputKind, OutputEntry, OutputKind, Preprocess, RecordEntry
from soapsvc.model.dtypes import FLOATS, DTypeName
from soapsvc.model.elements import check_unique, element_name
from soapsvc.model.manifest import Manifest
from soapsvc.model.signature import Dim, Signature, TensorSpec, show_shape

AnswerKind = OutputKind | Literal["columns", "record", "records"]
RESERVED_TYPES = frozenset(  # names that the contract, or what stubs make of it, has for something else
    """AuthenticationFailed DType DeadlineExceeded GetModelInfo GetModelInfoResponse Instance InvalidInput ModelInfo
    ModelNotFound ObjectFactory Overloaded Predict PredictBatch PredictBatchResponse PredictResponse Prediction
    ScoredLabel String Tensor Unavailable""".split()
)


@dataclass(frozen=True)
class InputField:
    """One element of a request.

    tensor: the signature's input it goes into, at index `column` when several elements share it.
    shape: of one instance, without the batch dimension.  optional: the client may leave it out.
    sensitive: its values stand in no log and no fault.
    """

    element: str
    kind: InputKind
    dtype: DTypeName
    tensor: str
    shape: tuple[Dim, ...] | None
    column: int | None = None
    optional: bool = False
    finite: bool = False
    sensitive: bool = False
    description: str = ""
    preprocess: Preprocess | None = None


@dataclass(frozen=True)
class OutputField:
    """One element of an answer; labels are the class names of scored labels, in the tensor's order.

    kind: `columns` is a record out of one row of numbers, `record` one out of several tensors, `records` a list of
    those; of these three, type_name and members say what a client sees.
    """

    element: str
    kind: AnswerKind
    dtype: DTypeName
    tensor: str
    shape: tuple[Dim, ...] | None
    labels: tuple[str, ...] = ()
    top: int | None = None
    content: bool = False
    sensitive: bool = False
    description: str = ""
    type_name: str = ""
    members: tuple[OutputField, ...] = ()

    def flat(self) -> Iterator[OutputField]:
        """Yield this field, its members, and theirs."""
        yield self
        for member in self.members:
            yield from member.flat()


@dataclass(frozen=True)
class Contract:
    """The typed operations of one model: what stubs are generated from. converses: reply is one of them."""

    model: str
    version: int
    description: str
    inputs: tuple[InputField, ...]
    outputs: tuple[OutputField, ...]
    converses: bool = False

    @cached_property
    def tensor_inputs(self) -> tuple[int, ...]:
        """The places of the inputs that are shown as tensors."""
        return tuple([place for place, field in enumerate(self.inputs) if field.kind == "tensor"])


class LabelReader(Protocol):
    """Reads a file of class names that stands beside the manifest."""

    def __call__(self, file: str) -> tuple[str, ...]:
        """Return the names in order. Raises LoadError."""


def contract_of(manifest: Manifest, signature: Signature, read_labels: LabelReader) -> Contract:
    """Return the contract that a manifest describes. Raises LoadError naming the key that makes no sense."""
    entries = manifest.contract
    _check_batches(f"signatures.{entries.signature}", signature)
    inputs: list[InputField] = []
    for name, spec in signature.inputs.items():
        where = f"contract.inputs.{name}"
        inputs.extend(_input_fields(where, spec, entries.inputs.get(name) or InputEntry()))
    outputs = list(_output_fields(manifest, signature, read_labels))
    check_unique("contract.inputs", [item.element for item in inputs])
    check_unique("contract.outputs", ["modelVersion", *(item.element for item in outputs)])
    _check_record_types(outputs)
    return Contract(manifest.name, entries.version, manifest.description, tuple(inputs), tuple(outputs))


def _check_batches(where: str, signature: Signature) -> None:
    """Raise LoadError when only some tensors count instances: one instance would have no clear shape."""
    specs = [*signature.inputs.values(), *signature.outputs.values()]
    batched = [spec.name for spec in specs if spec.batched]
    for spec in specs:
        if batched and not spec.batched:
            raise LoadError(
                f"{where}.{spec.name}.shape: {show_shape(spec.shape)}, but {batched[0]} begins with batch; "
                "every input and output of the contract must begin with batch, or none"
            )


def _input_fields(where: str, spec: TensorSpec, entry: InputEntry) -> Iterator[InputField]:
    description = entry.description or ""
    if entry.finite and spec.dtype not in FLOATS:
        raise LoadError(f"{where}.finite: only floats can be NaN or infinite, {spec.name} is {spec.dtype}")
    if entry.columns is None:
        kind = entry.kind or _suggested_kind(spec)
        _check_input_kind(where, spec, kind, entry)
        element = element_name(where, entry.element, spec.name)
        yield InputField(
            element, kind, spec.dtype, spec.name, spec.instance_shape,
            optional=spec.optional, finite=entry.finite, sensitive=entry.sensitive, description=description,
            preprocess=_preprocess(spec, entry),
        )  # fmt: skip
        return
    if spec.instance_shape not in ((len(entry.columns),), (None,)) or spec.optional:
        raise LoadError(
            f"{where}.columns: names {len(entry.columns)} values, but one instance has shape "
            f"{show_shape(spec.instance_shape)}{' and is optional' if spec.optional else ''}"
        )
    for index, column in enumerate(entry.columns):
        yield InputField(
            column, "scalar", spec.dtype, spec.name, spec.instance_shape,
            column=index, finite=entry.finite, sensitive=entry.sensitive, description=description,
        )  # fmt: skip


def _suggested_kind(spec: TensorSpec) -> InputKind:
    rank = None if spec.instance_shape is None else len(spec.instance_shape)
    if rank == 0:
        return "text" if spec.dtype == "string" else "scalar"
    return "vector" if rank == 1 else "tensor"


_RANK: Mapping[str, int] = {"scalar": 0, "text": 0, "vector": 1, "scoredLabels": 1}


def _check_rank(where: str, spec: TensorSpec, kind: str) -> None:
    rank = None if spec.instance_shape is None else len(spec.instance_shape)
    if kind in _RANK and rank != _RANK[kind]:
        raise LoadError(
            f"{where}.as: {kind} needs an instance of rank {_RANK[kind]}, "
            f"{spec.name} has shape {show_shape(spec.instance_shape)} without its batch dimension"
        )


def _check_input_kind(where: str, spec: TensorSpec, kind: InputKind, entry: InputEntry) -> None:
    _check_rank(where, spec, kind)
    if kind == "text" and spec.dtype != "string":
        raise LoadError(f"{where}.as: text needs dtype string, {spec.name} is {spec.dtype}")
    if kind == "image" and spec.dtype == "string" and entry.preprocess is not None:
        raise LoadError(f"{where}.preprocess: the graph takes the encoded image itself; leave preprocess out")
    if kind == "image" and not _is_picture(spec):
        raise LoadError(
            f"{where}.as: image needs one string, or numbers of shape [height, width, 1 or 3] with sizes; "
            f"{spec.name} is {spec.dtype} {show_shape(spec.instance_shape)} without its batch dimension"
        )


def _is_picture(spec: TensorSpec) -> bool:
    shape = spec.instance_shape
    if spec.dtype == "string":
        return shape == ()
    if shape is None or len(shape) != 3 or spec.dtype == "bool":
        return False
    return all(isinstance(dim, int) and dim > 0 for dim in shape) and shape[2] in (1, 3)


def _preprocess(spec: TensorSpec, entry: InputEntry) -> Preprocess | None:
    wanted = entry.kind == "image" and spec.dtype != "string"
    return (entry.preprocess or Preprocess()) if wanted else None


def _output_fields(manifest: Manifest, signature: Signature, read_labels: LabelReader) -> Iterator[OutputField]:
    """Yield the elements of an answer; a record stands where the first of its outputs does."""
    entries, records = manifest.contract.outputs, manifest.contract.records
    members: dict[str, list[OutputField]] = {name: [] for name in records}
    made: list[OutputField | str] = []
    for name, spec in signature.outputs.items():
        where, entry = f"contract.outputs.{name}", entries.get(name) or OutputEntry()
        record = entry.record
        if record is None:
            made.append(_output_field(where, spec, entry, read_labels))
            continue
        if not members[record]:
            made.append(record)
        inner = _one_record(where, spec) if records[record].list else spec
        members[record].append(_output_field(where, inner, entry, read_labels))
    for each in made:
        yield _record_field(each, records[each], members[each]) if isinstance(each, str) else each


def _one_record(where: str, spec: TensorSpec) -> TensorSpec:
    """Return the spec of an output for one of its records."""
    shape = spec.instance_shape
    if not shape:
        raise LoadError(
            f"{where}.record: needs a value for each record in its first dimension, {spec.name} has shape "
            f"{show_shape(shape)} without its batch dimension"
        )
    return replace(spec, shape=shape[1:])


def _record_field(element: str, entry: RecordEntry, members: list[OutputField]) -> OutputField:
    check_unique(f"contract.records.{element}", ["item", *(member.element for member in members)])
    return OutputField(
        element, "records" if entry.list else "record", members[0].dtype, members[0].tensor, None,
        description=entry.description or "", type_name=entry.type, members=tuple(members),
    )  # fmt: skip


def _check_record_types(outputs: list[OutputField]) -> None:
    """Raise LoadError where a record's type has a name that is taken, or one name means two types."""
    seen: dict[str, list[tuple[str, ...]]] = {}
    for field in (inner for output in outputs for inner in output.flat() if inner.type_name):
        name = field.type_name
        members: list[tuple[str, ...]] = [(each.element, each.kind, each.dtype) for each in field.members]
        if name in RESERVED_TYPES or name.startswith("ArrayOf"):
            raise LoadError(
                f"contract: the type {name} of {field.element} is the contract's own; choose another `type`"
            )
        if seen.setdefault(name, members) != members:
            raise LoadError(f"contract: two records of type {name} have other members; give one another `type`")


def _output_field(where: str, spec: TensorSpec, entry: OutputEntry, read_labels: LabelReader) -> OutputField:
    if entry.columns is not None:
        return _columns_field(where, spec, entry)
    kind = entry.kind or _suggested_kind(spec)
    assert kind != "image"
    _check_rank(where, spec, kind)
    if kind == "text" and spec.dtype != "string":
        raise LoadError(f"{where}.as: text needs dtype string, {spec.name} is {spec.dtype}")
    if entry.content and spec.dtype == "string":
        raise LoadError(f"{where}.content: strings can't travel as bytes; leave content out")
    return OutputField(
        element_name(where, entry.element, spec.name), kind, spec.dtype, spec.name, spec.instance_shape,
        labels=_labels(where, spec, entry, read_labels), top=entry.top, content=entry.content,
        sensitive=entry.sensitive, description=entry.description or "",
    )  # fmt: skip


def _columns_field(where: str, spec: TensorSpec, entry: OutputEntry) -> OutputField:
    columns, element = entry.columns or (), element_name(where, entry.element, spec.name)
    if spec.instance_shape not in ((len(columns),), (None,)) or spec.dtype == "string":
        raise LoadError(
            f"{where}.columns: names {len(columns)} numbers, but one instance is {spec.dtype} of shape "
            f"{show_shape(spec.instance_shape)}"
        )
    check_unique(f"{where}.columns", ["item", *columns])
    members = tuple(
        OutputField(column, "scalar", spec.dtype, spec.name, (), sensitive=entry.sensitive) for column in columns
    )
    return OutputField(
        element, "columns", spec.dtype, spec.name, spec.instance_shape, sensitive=entry.sensitive,
        description=entry.description or "", type_name=entry.type or "", members=members,
    )  # fmt: skip


def _labels(where: str, spec: TensorSpec, entry: OutputEntry, read_labels: LabelReader) -> tuple[str, ...]:
    if entry.labels is None:
        return ()
    if spec.dtype not in FLOATS:
        raise LoadError(f"{where}.as: scoredLabels needs float scores, {spec.name} is {spec.dtype}")
    labels = read_labels(entry.labels) if isinstance(entry.labels, str) else entry.labels
    size = spec.instance_shape[0] if spec.instance_shape else None
    if size != len(labels):
        raise LoadError(f"{where}.labels: {len(labels)} names, but one instance has {show_shape(spec.instance_shape)}")
    return labels
