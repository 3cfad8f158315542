"""The seven dtypes a tensor may have, by the names that manifests and messages use."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

DTypeName = Literal["float32", "float64", "int32", "int64", "uint8", "bool", "string"]
Array = np.ndarray[Any, np.dtype[Any]]

NUMPY_DTYPE: dict[DTypeName, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
    "string": np.dtype(object),  # of bytes, as TensorFlow takes and gives them
}
FLOATS: frozenset[DTypeName] = frozenset({"float32", "float64"})
INTEGERS: frozenset[DTypeName] = frozenset({"int32", "int64", "uint8"})
_TAKES = {"f": "fiu", "i": "iu", "u": "iu", "b": "biu", "O": "OSU"}  # numpy kind -> kinds of values that fit


def array_of(value: Any, dtype: np.dtype[Any]) -> Array:
    """Return nested lists, as YAML and JSON give them, as an array.

    Raises TypeError, ValueError or OverflowError at values of another kind, which numpy would bend: 1.5 for an
    integer, "false" for a bool, null for a float.
    """
    found = np.asarray(value)
    if found.size and found.dtype.kind not in _TAKES.get(dtype.kind, found.dtype.kind):
        raise ValueError(f"{found.dtype} for {dtype}")
    return np.asarray(value, dtype=dtype)


def name_of(dtype: np.dtype[Any]) -> str:
    """Return the name that messages use for a numpy dtype: `string` for objects and bytes."""
    return "string" if dtype.kind in "OSU" else dtype.name
