"""What a running service takes, out of its WSDL and of what the generic service tells of its model.

A WSDL names no tensor and, for a Tensor, no dtype. The generic service lists a model's tensors in the order of
the elements that they came from, which is enough to bring both together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import InputField
from soapsvc.model.contract_keys import InputKind
from soapsvc.model.dtypes import DTypeName
from soapsvc.predict.service import Form

_SIMPLE: dict[str, tuple[InputKind, DTypeName]] = {
    "double": ("scalar", "float64"), "long": ("scalar", "int64"), "int": ("scalar", "int32"),
    "boolean": ("scalar", "bool"), "string": ("text", "string"), "base64Binary": ("image", "string"),
    "Tensor": ("tensor", "float32"),
}  # fmt: skip
_RANK = {"scalar": 0, "text": 0, "vector": 1}


def form_of(elements: Sequence[tuple[str, Any]], metadata: Any, max_batch: int) -> Form:
    """Return the form. Raises SourceError when a Tensor's dtype can't be learned.

    elements: those of Instance in zeep's words; of those of `predict` .NET wants some nillable that must be there.
    metadata: ModelMetadata, or None.
    """
    fields = tuple(_field(name, element) for name, element in elements)
    named = None if metadata is None else _named(fields, metadata.inputs.item)
    if named is None:
        tensors = [field.element for field in fields if field.kind == "tensor"]
        if tensors:
            raise SourceError(
                f"the dtype of {tensors[0]} stands in no WSDL, and the generic service, /soap/inference/v1, "
                "which tells it, gives no answer; let it through the proxy, or predict with the model's folder"
            )
        return Form(fields, True, max_batch)
    return Form(named, _batched(named, metadata), max_batch)


def _field(name: str, element: Any) -> InputField:
    type_name = element.type.name
    optional = bool(element.is_optional or element.nillable)
    if type_name.startswith("ArrayOf"):
        dtype = _SIMPLE[type_name.removeprefix("ArrayOf").lower()][1]
        return InputField(name, "vector", dtype, name, None, optional=optional)
    kind, dtype = _SIMPLE[type_name]
    return InputField(name, kind, dtype, name, None, optional=optional)


def _named(fields: Sequence[InputField], specs: Sequence[Any]) -> tuple[InputField, ...] | None:
    """Return the fields with their tensor's name, dtype and shape; None when they are not of these tensors."""
    found: list[InputField] = []
    for spec in specs:
        shape = None if spec.shape is None else [None if size < 0 else size for size in spec.shape.item]
        rest = fields[len(found) :]
        if not rest:
            return None
        columns = shape[-1] if shape and shape[-1] is not None and _RANK.get(rest[0].kind) == 0 else None
        found += _with_tensor(rest[: columns or 1], spec, None if shape is None else tuple(shape), columns is not None)
    return tuple(found) if len(found) == len(fields) else None


def _with_tensor(
    fields: Sequence[InputField], spec: Any, shape: tuple[int | None, ...] | None, columns: bool
) -> Iterator[InputField]:
    for index, field in enumerate(fields):
        yield replace(field, tensor=spec.name, dtype=spec.dtype, shape=shape, column=index if columns else None)


def _batched(fields: Sequence[InputField], metadata: Any) -> bool:
    """Whether instances are stacked: a tensor has one dimension more than its element; unsure, all begin with any."""
    for field in fields:
        rank = 1 if field.column is not None else _RANK.get(field.kind)
        if rank is not None and field.shape is not None:
            return len(field.shape) > rank
    shapes = [spec.shape for spec in (*metadata.inputs.item, *metadata.outputs.item)]
    return all(shape is not None and shape.item and shape.item[0] == -1 for shape in shapes)
