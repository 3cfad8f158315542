"""The contract's Tensor: a record of dtype, shape and one carrier of values, to and from a numpy array.

Everything is checked before memory is taken: a shape that promises more than came is refused, whatever it says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from soapsvc.errors import InvalidInput
from soapsvc.model.dtypes import FLOATS, NUMPY_DTYPE, Array, DTypeName
from soapsvc.model.values import cast_exactly, decoded
from soapsvc.soap.mtom import Content

MAX_RANK = 8  # TensorFlow's kernels go no further
MAX_SIZE = 2**31 - 1  # values; numpy can't even describe some empty arrays beyond
CARRIERS = ("doubles", "longs", "strings", "content")
Record = tuple[Any, ...]  # dtype, shape, doubles, longs, strings, content


@dataclass(frozen=True)
class TensorValue:
    """A tensor out of a message, and whether its values came as bytes."""

    array: Array
    as_content: bool


def tensor_value(record: Record, field: str) -> TensorValue:
    """Return the tensor in a record. Raises InvalidInput naming the member at fault within field."""
    dtype, dims, *carried = record
    given = [name for name, value in zip(CARRIERS, carried, strict=True) if value is not None]
    if len(given) != 1:
        expected = f"exactly one of {', '.join(CARRIERS)}"
        raise InvalidInput("ambiguous-values", field, expected, " and ".join(given) or "none of them")
    carrier, values = given[0], carried[CARRIERS.index(given[0])]
    fitting = _carriers_of(dtype)
    if carrier not in fitting:
        raise InvalidInput("wrong-carrier", f"{field}.{carrier}", f"{' or '.join(fitting)} for {dtype}", carrier)
    shape = _shape(dims, f"{field}.shape")
    if carrier == "content":
        return TensorValue(_from_content(values, dtype, shape, field), as_content=True)
    _check_count(len(values), "values", shape, math.prod(shape), f"{field}.{carrier}")
    return TensorValue(_from_values(values, dtype, f"{field}.{carrier}").reshape(shape), as_content=False)


def _carriers_of(dtype: DTypeName) -> tuple[str, ...]:
    by_kind = "strings" if dtype == "string" else "doubles" if dtype in FLOATS else "longs"
    return (by_kind, "content")


def _shape(dims: Array, field: str) -> tuple[int, ...]:
    shape = tuple(dims.tolist())
    if min(shape, default=0) < 0:
        raise InvalidInput("wrong-shape", field, "sizes of 0 or more", str(min(shape)))
    if len(shape) > MAX_RANK:
        raise InvalidInput("wrong-shape", field, f"at most {MAX_RANK} dimensions", str(len(shape)))
    if math.prod(max(dim, 1) for dim in shape) > MAX_SIZE:
        raise InvalidInput("too-large", field, f"a product of at most {MAX_SIZE}", f"{list(shape)}")
    return shape


def _check_count(came: int, unit: str, shape: Sequence[int], wanted: int, field: str) -> None:
    if came != wanted:
        raise InvalidInput("wrong-shape", field, f"{wanted} {unit} for shape {list(shape)}", f"{came} {unit}")


def _from_content(content: Content, dtype: DTypeName, shape: tuple[int, ...], field: str) -> Array:
    if dtype == "string":
        return _strings_from_content(content, shape, f"{field}.content")
    little_endian = NUMPY_DTYPE[dtype].newbyteorder("<")
    wanted = math.prod(shape) * little_endian.itemsize
    _check_count(len(content), "bytes", shape, wanted, f"{field}.content")
    if dtype == "bool":
        _check_bools(np.frombuffer(content, dtype=np.uint8), f"{field}.content")
    array = np.frombuffer(content, dtype=little_endian).reshape(shape)
    return array.astype(NUMPY_DTYPE[dtype], copy=False)


def _strings_from_content(content: Content, shape: tuple[int, ...], field: str) -> Array:
    """Return byte strings, each behind its length in 4 little-endian bytes (Open Inference Protocol, BYTES)."""
    strings, position = [], 0
    while position < len(content):
        end = position + 4 + int.from_bytes(content[position : position + 4], "little")
        if position + 4 > len(content) or end > len(content):
            raise InvalidInput("wrong-shape", field, "each string behind its length in 4 bytes", "a cut string")
        strings.append(bytes(content[position + 4 : end]))
        position = end
    _check_count(len(strings), "strings", shape, math.prod(shape), field)
    return _object_array(strings).reshape(shape)


def _object_array(strings: Sequence[bytes]) -> Array:
    array = np.empty(len(strings), dtype=object)
    array[:] = strings
    return array


def _from_values(values: Any, dtype: DTypeName, field: str) -> Array:
    if dtype == "string":
        return _object_array([text.encode() for text in values])
    if dtype == "bool":
        _check_bools(values, field)
        return np.asarray(values, dtype=np.bool_)
    return cast_exactly(values, dtype, field)


def _check_bools(values: Array, field: str) -> None:
    wrong = values[(values != 0) & (values != 1)]
    if wrong.size:
        raise InvalidInput("out-of-range", field, "0 or 1 for bool", str(wrong[0]))


def tensor_record(array: Array, as_content: bool) -> Record:
    """Return the record of an array of one of the seven dtypes."""
    dtype = "string" if array.dtype.kind == "O" else array.dtype.name
    shape = np.array(array.shape, dtype=np.int64)
    if as_content:
        return (dtype, shape, None, None, None, _content(array))
    if dtype == "string":
        return (dtype, shape, None, None, [decoded(text) for text in array.ravel()], None)
    if dtype in FLOATS:
        return (dtype, shape, array.ravel(), None, None, None)
    return (dtype, shape, None, array.ravel().astype(np.int64), None, None)


def _content(array: Array) -> Content:
    if array.dtype.kind == "O":
        return b"".join(len(text).to_bytes(4, "little") + text for text in array.ravel())
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data
