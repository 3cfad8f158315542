"""The form of a model: a control for each element of a request, filled with what the model's author tried."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import FLOATS
from soapsvc.model.servable import Servable
from soapsvc.model.signature import show_shape
from soapsvc.soap.samples import sample_row
from soapsvc.soap.tensors import tensor_record
from soapsvc.soap.text import number, numbers

ControlKind = Literal["value", "text", "choice", "items", "lines", "tensor", "image"]
_RANGES = {"uint8": "0 to 255", "int32": "of at most 32 bits", "int64": "of at most 64 bits"}
_MAX_UNIT = 20  # letters of a description that is taken for a unit
_CARRIERS = {"string": "strings"} | dict.fromkeys(FLOATS, "doubles")


@dataclass(frozen=True)
class Posted:
    """What a form sent: its fields by name, and the files that were chosen."""

    texts: Mapping[str, str]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Control:
    """One element of a request as a form has it.

    kind: items are values between white space or commas, lines are texts, a tensor has a shape beside its items.
    unit, hint: what its author says of it, and what may be written.  value: what is written.
    carrier, dtype, shape: of a tensor.  sample: the picture that is sent where none is chosen.  chosen: one that was.
    """

    element: str
    kind: ControlKind
    unit: str
    hint: str
    optional: bool
    value: str = ""
    dtype: str = ""
    carrier: str = ""
    shape: str = ""
    sample: bytes = b""
    chosen: bytes = b""

    @property
    def content(self) -> bytes:
        """The picture that is sent."""
        return self.chosen or self.sample

    def filled(self, posted: Posted, row: int) -> Control:
        """Return it with what was sent for it."""
        name = f"{row}.{self.element}"
        return replace(
            self,
            value=posted.texts.get(name, self.value).replace("\r\n", "\n"),
            shape=posted.texts.get(f"{name}.shape", self.shape),
            chosen=posted.files.get(name, b""),
        )


def picture_address(content: bytes) -> str:
    """Return an address that holds a picture."""
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def controls_of(servable: Servable) -> list[Control]:
    """Return the controls of a model's form, filled with its golden values, or made-up ones."""
    row = sample_row(servable)
    return [_control(field, value) for field, value in zip(servable.contract.inputs, row, strict=True)]


def _control(field: InputField, value: Any) -> Control:
    about = " ".join(field.description.split())
    is_unit = field.kind in ("scalar", "vector") and 0 < len(about) <= _MAX_UNIT and about.count(" ") < 2
    words = ("" if is_unit else about, _expected(field), "leave it empty to leave it out" if field.optional else "")
    unit, hint = about if is_unit else "", "; ".join(filter(None, words))
    control = Control(field.element, _kind(field), unit, hint, field.optional, dtype=field.dtype)
    if value is None:
        return replace(control, carrier=_CARRIERS.get(field.dtype, "longs"), shape=_shape(field))
    if field.kind == "image":
        return replace(control, sample=bytes(value))
    if field.kind == "tensor":
        return _tensor(control, value)
    if field.kind == "vector":
        listed = "\n".join(value) if field.dtype == "string" else ", ".join(numbers(value))
        return replace(control, value=listed)
    return replace(control, value=value if isinstance(value, str) else number(value))


def _tensor(control: Control, value: Any) -> Control:
    _, shape, doubles, longs, strings, _ = tensor_record(value, as_content=False)
    items: Sequence[str] = strings if strings is not None else numbers(doubles if doubles is not None else longs)
    return replace(
        control, carrier=_CARRIERS.get(control.dtype, "longs"), shape=", ".join(numbers(shape)),
        value=("\n" if strings is not None else ", ").join(items),
    )  # fmt: skip


def _kind(field: InputField) -> ControlKind:
    if field.kind == "image":
        return "image"
    if field.kind == "tensor":
        return "tensor"
    if field.kind == "vector":
        return "lines" if field.dtype == "string" else "items"
    if field.dtype == "bool":
        return "choice"
    return "text" if field.dtype == "string" else "value"


def _shape(field: InputField) -> str:
    return ", ".join(str(dim) if isinstance(dim, int) else "1" for dim in field.shape or ())


def _expected(field: InputField) -> str:
    """Return what may be written, as far as the contract knows."""
    if field.kind == "tensor":
        return f"{_of_dtype(field)}s in row-major order, shape {show_shape(field.shape)}"
    if field.kind == "vector":
        size = field.shape[0] if field.shape else None
        unit = "texts, one a line" if field.dtype == "string" else f"{_of_dtype(field)}s, apart by commas or spaces"
        return f"{size} {unit}" if isinstance(size, int) else unit
    if field.kind == "image" or field.dtype in ("string", "bool", *FLOATS):
        return ""
    return _of_dtype(field)


def _of_dtype(field: InputField) -> str:
    if field.dtype == "string":
        return "text"
    if field.dtype == "bool":
        return "true or false value" if field.kind == "vector" else "0 or 1 value"
    if field.dtype in FLOATS:
        return "finite number" if field.finite else "number"
    return f"whole number {_RANGES[field.dtype]}" if field.kind == "scalar" else "whole number"
