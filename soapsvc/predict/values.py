"""From what a file holds to what an operation takes: each value by its field, as strict as the service's readers.

A raw value is JSON (numbers, bools, text, lists, a Tensor as the contract has it), the text of a CSV cell, a numpy
array, or the path of a picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree
from PIL import Image

from soapsvc.authoring.source import SourceError
from soapsvc.errors import InvalidInput
from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import FLOATS, INTEGERS, NUMPY_DTYPE, Array, array_of
from soapsvc.model.values import cast_exactly
from soapsvc.predict.service import Form, Row
from soapsvc.soap.beside import Beside
from soapsvc.soap.leaf_reader import shortened
from soapsvc.soap.lexical import parse_bytes
from soapsvc.soap.reader import compile_reader
from soapsvc.soap.tensors import CARRIERS, tensor_record
from soapsvc.soap.text import escape, number
from soapsvc.soap.types import scalar_type

_SPECIAL = {"NaN": float("nan"), "INF": float("inf"), "-INF": float("-inf")}
_MEMBERS = ("dtype", "shape", *CARRIERS)


class Cell(str):
    """The text of a CSV cell or of an argument: what it means depends on its field."""


def row_of(form: Form, values: Mapping[str, Any]) -> Row:
    """Return an instance in the order of the fields. Raises InvalidInput in the service's words."""
    known = [field.element for field in form.inputs]
    for name in values:
        if name not in known:
            raise InvalidInput("unexpected", name, f"one of {', '.join(known)}", f"a field named {name}")
    return [_value(field, values.get(field.element)) for field in form.inputs]


def _value(field: InputField, raw: Any) -> Any:
    if isinstance(raw, Cell):
        raw = _cell(field, raw)
    if raw is None:
        if not field.optional:
            raise InvalidInput("missing", field.element, "a value", "nothing")
        return None
    if field.kind == "image":
        return _picture(field, raw)
    if field.kind == "tensor":
        return _tensor(field, raw)
    if field.kind == "vector":
        return _vector(field, raw)
    return _leaf(field, _scalar(field, raw) if isinstance(raw, np.ndarray) and raw.ndim == 0 else raw)


def _scalar(field: InputField, array: Array) -> Any:
    return array.item() if field.dtype == "string" else cast_exactly(array, field.dtype, field.element)[()]


def _cell(field: InputField, text: Cell) -> Any:
    """Return what a cell means: nothing, where it is empty and may be; lists as JSON; True and False as bools."""
    if not text and field.optional:
        return None
    if field.kind in ("vector", "tensor"):
        try:
            return json.loads(text)
        except ValueError:
            raise InvalidInput("wrong-type", field.element, "a JSON list", f"'{shortened(text)}'") from None
    return text.lower() if field.dtype == "bool" else str(text)


def _leaf(field: InputField, raw: Any, name: str = "") -> Any:
    """Return one value, read by the reader that the service has for it."""
    where = name or field.element
    if field.dtype == "string":
        return _text(where, raw)
    if not isinstance(raw, str | bool | int | float | np.generic):
        raise InvalidInput("wrong-type", where, "one value", _kind_of(raw))
    node = etree.Element("value")
    node.text = escape(raw) if isinstance(raw, str) else number(raw)
    return compile_reader(scalar_type(field.dtype)).read(node, where, Beside())


def _text(where: str, raw: Any) -> str:
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    if not isinstance(raw, str):
        raise InvalidInput("wrong-type", where, "text", _kind_of(raw))
    if escape(raw).count("\ufffd") != raw.count("\ufffd"):
        raise InvalidInput("wrong-type", where, "text that XML can hold", "a control character")
    return raw


def _kind_of(raw: Any) -> str:
    if isinstance(raw, list | np.ndarray):
        return f"a list of {len(raw)}"
    return "an object" if isinstance(raw, dict) else f"'{shortened(str(raw))}'"


def _vector(field: InputField, raw: Any) -> Any:
    if isinstance(raw, np.ndarray) and raw.ndim == 1:
        raw = raw.tolist() if raw.dtype.kind in "OSU" else cast_exactly(raw, field.dtype, field.element)
    if isinstance(raw, np.ndarray) and raw.ndim == 1:
        return raw
    if not isinstance(raw, list):
        raise InvalidInput("wrong-type", field.element, "a list", _kind_of(raw))
    values = [_leaf(field, each, f"{field.element}[{index}]") for index, each in enumerate(raw)]
    return values if field.dtype == "string" else np.array(values, dtype=_wide(field))


def _wide(field: InputField) -> np.dtype[Any]:
    """Return the dtype that takes all the service would read for a field, before it checks the field's own."""
    if field.dtype in FLOATS:
        return np.dtype(np.float64)
    return np.dtype(np.int64) if field.dtype in INTEGERS else NUMPY_DTYPE[field.dtype]


def _tensor(field: InputField, raw: Any) -> Any:
    """Return a Tensor's record out of an array, of nested lists, or of the members that the contract names."""
    if isinstance(raw, dict):
        return _given_tensor(field, raw)
    return tensor_record(_array(field, raw), as_content=False)


def _array(field: InputField, raw: Any) -> Array:
    try:
        if field.dtype == "string":
            found = np.asarray(raw, dtype=object)
            texts = [_text(field.element, each).encode() for each in found.ravel()]
            strings = np.empty(len(texts), dtype=object)
            strings[:] = texts
            return strings.reshape(found.shape)
        array = raw if isinstance(raw, np.ndarray) else array_of(_numbers(raw), _wide(field))
    except (ValueError, TypeError, OverflowError):
        expected = f"nested lists of {field.dtype}, as long as each other"
        raise InvalidInput("wrong-type", field.element, expected, "something else") from None
    return cast_exactly(array, field.dtype, field.element)


def _numbers(raw: Any) -> Any:
    """Return nested lists with NaN and INF, which JSON has only as text, as numbers."""
    if isinstance(raw, list):
        return [_numbers(each) for each in raw]
    return _SPECIAL.get(raw, raw) if isinstance(raw, str) else raw


def _given_tensor(field: InputField, members: dict[str, Any]) -> Any:
    given = [name for name in CARRIERS if members.get(name) is not None]
    if set(members) - set(_MEMBERS) or members.get("dtype") not in NUMPY_DTYPE or len(given) != 1:
        expected = f"dtype, shape and one of {', '.join(CARRIERS)}, or nested lists"
        raise InvalidInput("wrong-type", field.element, expected, f"{', '.join(members) or 'nothing'}")
    read = {"shape": ("int64", _vector), "doubles": ("float64", _vector), "longs": ("int64", _vector)}
    read |= {"strings": ("string", _vector), "content": ("string", _base64)}
    record: list[Any] = [members["dtype"]]
    for name in _MEMBERS[1:]:
        dtype, reader = read[name]
        member = InputField(f"{field.element}.{name}", "vector", dtype, field.tensor, None)  # type: ignore[arg-type]
        raw = members.get(name)
        record.append(None if raw is None and name != "shape" else reader(member, raw))
    return tuple(record)


def _base64(field: InputField, raw: Any) -> bytes:
    text = _text(field.element, raw)
    try:
        return parse_bytes(text)
    except ValueError:
        raise InvalidInput("wrong-type", field.element, "base64", f"'{shortened(text)}'") from None


def _picture(field: InputField, raw: Any) -> bytes:
    """Return a picture file's bytes: read from a path, out of base64, or a PNG made of pixels."""
    if isinstance(raw, Path):
        try:
            return raw.read_bytes()
        except OSError as err:
            raise SourceError(f"{raw}: can't be read: {err.strerror or err}") from err
    if isinstance(raw, bytes):
        return raw
    if not isinstance(raw, np.ndarray):
        return _base64(field, raw)
    if raw.dtype != np.uint8 or raw.ndim not in (2, 3) or (raw.ndim == 3 and raw.shape[2] not in (1, 3)):
        expected = "pixels as uint8 of shape [height, width] or [height, width, 1 or 3]"
        raise InvalidInput("wrong-type", field.element, expected, f"{raw.dtype} of shape {list(raw.shape)}")
    picture = BytesIO()
    Image.fromarray(raw[..., 0] if raw.shape[2:] == (1,) else raw).save(picture, format="PNG")
    return picture.getvalue()
