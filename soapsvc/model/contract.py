"""How a model's inputs and outputs appear to a client: elements, their kinds and their meaning.

Works out a Contract from a manifest and refuses combinations that make no sense. Knows no XML: `soapsvc.soap`
gives each kind its schema type and its wire form, `binding` moves its values in and out of tensors.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from soapsvc.errors import LoadError
from soapsvc.model.dtypes import FLOATS, DTypeName
from soapsvc.model.manifest import InputEntry, InputKind, Manifest, OutputEntry, OutputKind, Preprocess
from soapsvc.model.signature import Dim, Signature, TensorSpec, show_shape

JAVA_WORDS = frozenset(
    """abstract assert boolean break byte case catch char class const continue default do double else enum extends
    false final finally float for goto if implements import instanceof int interface long native new null package
    private protected public return short static strictfp super switch synchronized this throw throws transient true
    try void volatile while""".split()
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
    """One element of an answer; labels are the class names of scored labels, in the tensor's order."""

    element: str
    kind: OutputKind
    dtype: DTypeName
    tensor: str
    shape: tuple[Dim, ...] | None
    labels: tuple[str, ...] = ()
    top: int | None = None
    content: bool = False
    sensitive: bool = False
    description: str = ""


@dataclass(frozen=True)
class Contract:
    """The typed operations of one model: what stubs are generated from. converses: reply is one of them."""

    model: str
    version: int
    description: str
    inputs: tuple[InputField, ...]
    outputs: tuple[OutputField, ...]
    converses: bool = False


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
    outputs = [
        _output_field(f"contract.outputs.{name}", spec, entries.outputs.get(name) or OutputEntry(), read_labels)
        for name, spec in signature.outputs.items()
    ]
    _check_unique("contract.inputs", [item.element for item in inputs])
    _check_unique("contract.outputs", ["modelVersion", *(item.element for item in outputs)])
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


def _check_unique(where: str, elements: list[str]) -> None:
    """Raise LoadError where two elements would be one property of a stub, or one would be no Java identifier."""
    for element in elements:
        if element in JAVA_WORDS:
            raise LoadError(f"{where}: {element} is a word of Java's, which stubs can't bear; choose another `element`")
    property_, count = Counter(map(_java_property, elements)).most_common(1)[0]
    if count > 1:
        alike = [element for element in elements if _java_property(element) == property_]
        named = f"are named {alike[0]}" if len(set(alike)) == 1 else f"look alike in Java: {' and '.join(alike)}"
        raise LoadError(f"{where}: two elements {named}; give one of them another `element`")


def _java_property(element: str) -> str:
    """Return the property that Java's stubs make of an element: JAXB capitalises after a digit too."""
    return re.sub(r"(?<=[0-9])[a-z]", lambda match: match[0].upper(), element)


def _element_name(where: str, given: str | None, name: str) -> str:
    """Return the element's name: as given, or the tensor's name in camelCase (gSOAP mangles underscores)."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    camel = "".join(word if index == 0 else word[0].upper() + word[1:] for index, word in enumerate(words))
    element = given or camel[:1].lower() + camel[1:]
    if not re.fullmatch(r"[a-z][A-Za-z0-9]*", element):
        raise LoadError(f"{where}: {name!r} makes no element name; give one with `element`, as `element: features`")
    return element


def _input_fields(where: str, spec: TensorSpec, entry: InputEntry) -> Iterator[InputField]:
    description = entry.description or ""
    if entry.finite and spec.dtype not in FLOATS:
        raise LoadError(f"{where}.finite: only floats can be NaN or infinite, {spec.name} is {spec.dtype}")
    if entry.columns is None:
        kind = entry.kind or _suggested_kind(spec)
        _check_input_kind(where, spec, kind, entry)
        element = _element_name(where, entry.element, spec.name)
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


def _output_field(where: str, spec: TensorSpec, entry: OutputEntry, read_labels: LabelReader) -> OutputField:
    kind = entry.kind or _suggested_kind(spec)
    assert kind != "image"
    _check_rank(where, spec, kind)
    if kind == "text" and spec.dtype != "string":
        raise LoadError(f"{where}.as: text needs dtype string, {spec.name} is {spec.dtype}")
    if entry.content and spec.dtype == "string":
        raise LoadError(f"{where}.content: strings can't travel as bytes; leave content out")
    return OutputField(
        _element_name(where, entry.element, spec.name), kind, spec.dtype, spec.name, spec.instance_shape,
        labels=_labels(where, spec, entry, read_labels), top=entry.top, content=entry.content,
        sensitive=entry.sensitive, description=entry.description or "",
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
