"""Golden inputs and outputs, `warmup.jsonl`: they warm a version up and prove that it answers as its author saw.

One JSON object a line, at the level of tensors: {"inputs": {name: nested lists}, "outputs": {…}}; outputs may
be left out. A string that is no text is {"b64": "…"}, as in TensorFlow Serving's JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.errors import LoadError
from soapsvc.model.dtypes import NUMPY_DTYPE, Array, array_of
from soapsvc.model.files import MAX_GOLDEN_BYTES, read_file
from soapsvc.model.signature import Signature, TensorSpec, show_shape


@dataclass(frozen=True)
class GoldenCall:
    """Inputs by name and, where recorded, the outputs they gave; `where` names file and line."""

    where: str
    inputs: dict[str, Array]
    outputs: dict[str, Array]


def read_golden(path: Path, signature: Signature, shown_as: str) -> list[GoldenCall]:
    """Return the calls in a file. Raises LoadError naming the line that does not fit the signature."""
    try:
        text = read_file(path, MAX_GOLDEN_BYTES, shown_as).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise LoadError(f"{shown_as}: can't be read: {err.__class__.__name__}") from err
    calls = []
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines would cut at U+2028 inside a string
        if line.strip():
            calls.append(_call(line, signature, f"{shown_as}:{number}"))
    if not calls:
        raise LoadError(f"{shown_as}: holds no call")
    return calls


def _call(line: str, signature: Signature, where: str) -> GoldenCall:
    try:
        content = json.loads(line)
        inputs, outputs = dict(content["inputs"]), dict(content.get("outputs", {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise LoadError(f'{where}: expected {{"inputs": {{…}}, "outputs": {{…}}}}') from err
    return GoldenCall(where, _arrays(inputs, signature.inputs, where), _arrays(outputs, signature.outputs, where))


def _arrays(values: Mapping[str, Any], specs: Mapping[str, TensorSpec], where: str) -> dict[str, Array]:
    arrays = {}
    for name, value in values.items():
        if name not in specs:
            raise LoadError(f"{where}: {name} is not in the signature; it has {', '.join(specs)}")
        try:
            arrays[name] = _array(value, specs[name])
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as err:
            raise LoadError(f"{where}: {name} is no {specs[name].dtype} {show_shape(specs[name].shape)}") from err
    return arrays


def _array(value: Any, spec: TensorSpec) -> Array:
    if spec.dtype != "string":
        return array_of(value, NUMPY_DTYPE[spec.dtype])
    return _map_strings(value)


def _map_strings(value: Any) -> Array:
    """Return nested lists of strings as an object array of bytes, whatever the lists' depth."""
    if not isinstance(value, list):
        content = base64.b64decode(value["b64"], validate=True) if isinstance(value, dict) else value.encode()
        return np.asarray(content, dtype=object)
    return np.stack([_map_strings(item) for item in value]) if value else np.empty((0,), dtype=object)


def differences(expected: Array, answered: Array, rtol: float, atol: float) -> str | None:
    """Return in words how an answer differs from the golden one, None when it agrees within the tolerance."""
    if expected.shape != answered.shape:
        return f"expected shape {show_shape(expected.shape)}, answered {show_shape(answered.shape)}"
    if expected.dtype.kind in "Ob":
        return None if np.array_equal(expected, answered) else "the values differ"
    wrong = ~np.isclose(expected, answered, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return None
    largest = np.max(np.abs(expected[wrong].astype(np.float64) - answered[wrong].astype(np.float64)))
    return f"the largest difference is {largest:.3g}, allowed are rtol {rtol:g} and atol {atol:g}"
