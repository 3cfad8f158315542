"""What a session holds, as bytes and back. The form is JSON, read without running anything: a store may be shared."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import orjson

from soapsvc.model.conversation import Memory
from soapsvc.model.dtypes import NUMPY_DTYPE, Array, name_of


def encode(memory: Memory) -> bytes:
    """Return a session's memory as bytes."""
    state = {name: _tensor(value) for name, value in memory.state.items()}
    return orjson.dumps({"state": state, "turns": memory.turns})


def decode(content: bytes) -> Memory | None:
    """Return the memory that bytes hold; None where they are of another form than `encode` writes."""
    try:
        record = orjson.loads(content)
        state = {str(name): _array(**tensor) for name, tensor in record["state"].items()}
        turns = tuple([(str(question), str(sentence)) for question, sentence in record["turns"]])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return Memory(state, turns)


def _tensor(value: Array) -> dict[str, Any]:
    if value.dtype == object:
        items = [base64.b64encode(item).decode() for item in value.ravel()]
        return {"dtype": "string", "shape": value.shape, "items": items}
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    return {"dtype": name_of(value.dtype), "shape": value.shape, "items": base64.b64encode(little.tobytes()).decode()}


def _array(dtype: Any, shape: list[int], items: Any) -> Array:
    if dtype == "string":
        flat = np.empty(len(items), dtype=object)
        flat[:] = [base64.b64decode(item, validate=True) for item in items]
        return flat.reshape(shape)
    kind = NUMPY_DTYPE[dtype]
    content = base64.b64decode(items, validate=True)
    return np.frombuffer(content, dtype=kind.newbyteorder("<")).astype(kind).reshape(shape)
