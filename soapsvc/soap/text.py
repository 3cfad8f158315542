"""Values as the text of XML elements: escaping, and numbers as XML Schema spells them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import orjson

from soapsvc.model.dtypes import Array

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", '"': "&quot;"})
_FEW = 16  # numbers: below it a call of the JSON writer costs more than it saves
_JSON_DTYPES = {np.dtype(dtype) for dtype in ("float32", "float64", "int32", "int64", "uint8")}
_SPECIAL = {  # XML Schema part 2, 3.2.2 and 3.2.5
    "nan": "NaN", "inf": "INF", "-inf": "-INF", "True": "true", "False": "false"
}  # fmt: skip
# Of all float32 only this one and its negative, 0x15AE43FD, have shortest digits that read as a double and then
# rounded, as clients do, give a neighbour.
_TWICE_ROUNDED = np.float32(7.0385307e-26)
_ONE_MORE_DIGIT = {"7.038531e-26": "7.0385307e-26", "-7.038531e-26": "-7.0385307e-26"}


def escape(text: str) -> str:
    """Return text fit for an element or attribute; what XML can't hold becomes U+FFFD."""
    if text.isalnum():
        return text
    return _ILLEGAL.sub("\ufffd", text).translate(_ESCAPES)


def element(name: str, text: str) -> str:
    """Return an element that holds text."""
    return f"<{name}>{escape(text)}</{name}>"


def numbers(values: Array) -> list[str]:
    """Return each number or bool of an array, in row-major order, as XML Schema spells it.

    float32 is written with as few digits as tell it apart from its neighbours, read as a double too, and never as its
    double.
    """
    flat = values.ravel()
    if flat.dtype == np.bool_:
        return ["true" if value else "false" for value in flat.tolist()]
    finite = flat.dtype.kind != "f" or bool(np.isfinite(flat).all())
    if finite and len(flat) > _FEW and flat.dtype in _JSON_DTYPES:
        packed = orjson.dumps(np.ascontiguousarray(flat), option=orjson.OPT_SERIALIZE_NUMPY)
        texts = packed[1:-1].decode("ascii").split(",")
    elif flat.dtype == np.float32:
        texts = flat.astype(str).tolist()
    else:
        texts = [repr(value) for value in flat.tolist()]
    if flat.dtype == np.float32 and (np.abs(flat) == _TWICE_ROUNDED).any():
        texts = [_ONE_MORE_DIGIT.get(text, text) for text in texts]
    return texts if finite else [_SPECIAL.get(text, text) for text in texts]


def number(value: Any) -> str:
    """Return one number or bool as XML Schema spells it."""
    if type(value) is str:  # spelled by `numbers`, with many others
        return value
    text = str(value)  # numpy's scalars and Python's agree on the shortest digits; arrays of one have none
    if isinstance(value, np.float32):
        text = _ONE_MORE_DIGIT.get(text, text)
    return _SPECIAL.get(text, text)
