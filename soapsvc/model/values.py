"""One value of a contract as a tensor, and the way back: conversions that lose nothing, or say what does not fit.

What a value looks like is told in `binding`; nothing here knows of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from soapsvc.errors import InvalidInput
from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import FLOATS, INTEGERS, NUMPY_DTYPE, Array, DTypeName, name_of
from soapsvc.model.images import check_image, image_array
from soapsvc.model.signature import Limits, show_shape

_LARGEST = {dtype: float(np.finfo(NUMPY_DTYPE[dtype]).max) for dtype in FLOATS}


def columns_tensor(fields: Sequence[InputField], values: Sequence[Any], limits: Limits) -> Array:
    """Return the tensor that several elements share; the slow way names the one at fault."""
    dtype = fields[0].dtype
    if dtype in FLOATS:
        largest = _LARGEST[dtype]
        if all(-largest <= value <= largest for value in values):  # finite and in range
            return np.array(values, dtype=NUMPY_DTYPE[dtype])
    return np.stack([instance_tensor(field, value, limits) for field, value in zip(fields, values, strict=True)])


def rows_tensor(fields: Sequence[InputField], rows: Sequence[Sequence[float]]) -> Array | None:
    """Return the tensor of many rows of numbers, shape [rows, fields] or, for an element of its own, [rows].

    None for other kinds than float scalars and columns, and where a value is not finite or out of range: it is for
    `columns_tensor` and `instance_tensor` to say which, and whether it may be so.
    """
    field = fields[0]
    if field.dtype not in FLOATS or (field.column is None and field.kind != "scalar"):
        return None
    values = np.array(rows)
    if values.dtype.kind not in "iuf" or not (np.abs(values) <= _LARGEST[field.dtype]).all():
        return None
    cast = values.astype(NUMPY_DTYPE[field.dtype])
    return cast if field.column is not None else cast[:, 0]


def instance_tensor(field: InputField, value: Any, limits: Limits) -> Array:
    """Return one instance's tensor (a column's: one value) in the field's dtype. Raises InvalidInput."""
    if field.kind == "image":
        return _picture(field, value, limits)
    if field.dtype == "string":
        return _strings(field, value, limits)
    array = np.asarray(value)
    if field.kind == "tensor" and array.dtype != NUMPY_DTYPE[field.dtype]:
        raise InvalidInput("wrong-dtype", field.element, f"a tensor of {field.dtype}", name_of(array.dtype))
    if array.dtype.kind == "O":  # a whole number beyond 64 bits
        raise InvalidInput("out-of-range", field.element, f"a value that fits {field.dtype}", "a larger one")
    _check_shape(field, array)
    if field.finite and not np.isfinite(array).all():
        where, value = _first_of(array, ~np.isfinite(array), field.element)
        raise InvalidInput("not-finite", where, "a finite number", value)
    return cast_exactly(array, field.dtype, field.element)


def _check_shape(field: InputField, array: Array) -> None:
    """Raise InvalidInput, in the words of one instance, where a fixed dimension or the rank differs."""
    wanted = () if field.column is not None else field.shape
    if wanted is None:
        return
    if array.ndim != len(wanted) or any(
        isinstance(dim, int) and dim != size for dim, size in zip(wanted, array.shape, strict=True)
    ):
        raise InvalidInput(
            "wrong-shape", field.element, f"shape {show_shape(wanted)}", f"shape {show_shape(array.shape)}"
        )


def cast_exactly(array: Array, dtype: DTypeName, field: str) -> Array:
    """Return array in another dtype; a value that does not fit raises InvalidInput naming the field.

    Rounding to float32 is fine, an overflow to infinity is not.
    """
    if array.dtype == NUMPY_DTYPE[dtype]:
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(NUMPY_DTYPE[dtype])
    if dtype in FLOATS:
        wrong = np.isinf(cast) & np.isfinite(array)
    elif dtype in INTEGERS:
        wrong = cast != array
    else:
        return cast
    if wrong.any():
        where, value = _first_of(array, wrong, field)
        raise InvalidInput("out-of-range", where, f"a value that fits {dtype}", value)
    return cast


def _first_of(array: Array, wrong: Array, field: str) -> tuple[str, str]:
    """Return the first wrong value's place, with its index in a vector, and the value as XML would spell it."""
    value = str(array[wrong].ravel()[0])
    where = f"{field}[{int(np.argmax(wrong))}]" if array.ndim == 1 else field
    return where, {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(value, value)


def _strings(field: InputField, value: Any, limits: Limits) -> Array:
    if isinstance(value, str):
        return np.asarray(_encoded(field, value, limits), dtype=object)
    array = np.asarray(value, dtype=object)
    _check_shape(field, array)
    flat = [_encoded(field, item, limits) for item in array.ravel()]
    encoded = np.empty(array.shape, dtype=object)
    encoded.ravel()[:] = flat
    return encoded


def _encoded(field: InputField, text: str | bytes, limits: Limits) -> bytes:
    encoded = text.encode() if isinstance(text, str) else text
    _check_length(encoded, field.element, limits)
    return encoded


def _check_length(text: bytes, field: str, limits: Limits) -> None:
    if len(text) > limits.max_text_bytes:
        raise InvalidInput("too-large", field, f"text of at most {limits.max_text_bytes} bytes", f"{len(text)} bytes")


def _picture(field: InputField, value: bytes | memoryview, limits: Limits) -> Array:
    value = bytes(value)  # TensorFlow and Pillow take no view
    if field.preprocess is None:
        check_image(value, field.element, limits.max_image_pixels)
        return np.asarray(value, dtype=object)
    height, width, channels = (int(dim) for dim in field.shape or () if dim is not None)
    pixels = image_array(value, field.element, limits.max_image_pixels, (height, width, channels), field.preprocess)
    if field.dtype in INTEGERS:
        pixels = np.rint(pixels)
    return cast_exactly(pixels, field.dtype, field.element)


def check_content(field: InputField, name: str, tensor: Array, limits: Limits) -> None:
    """Raise InvalidInput, naming the tensor, where its values break what the contract promises the graph."""
    if field.finite and not np.isfinite(tensor).all():
        where, value = _first_of(tensor, ~np.isfinite(tensor), name)
        raise InvalidInput("not-finite", where, "finite numbers", value)
    if field.dtype != "string":
        return
    for content in tensor.ravel():
        if field.kind == "image":
            check_image(content, name, limits.max_image_pixels)
        else:
            _check_length(content, name, limits)


def client_value(field: InputField, value: Array) -> Any:
    """Return one instance's tensor as the value that a client sends for a field; None where there is no way back."""
    if field.column is not None:
        value = value[field.column]
    if field.preprocess is not None:
        return None
    if field.kind == "image":
        return value.item() if isinstance(value, np.ndarray) else value
    if field.kind == "text" or (field.kind == "scalar" and field.dtype == "string"):
        return decoded(value)
    if field.kind == "vector" and field.dtype == "string":
        return [decoded(item) for item in value]
    return value


def decoded(value: Any) -> str:
    """Return one string of TensorFlow's as text; bytes that are no UTF-8 become U+FFFD."""
    content = value.item() if isinstance(value, np.ndarray) else value
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
