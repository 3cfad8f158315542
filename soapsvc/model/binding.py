"""Between a contract's values and a graph's tensors, both ways.

A row is one instance as a client sees it: one value for each input field, in the contract's order, None for an
optional one that was left out. Values by kind: scalar float, int, bool or str; text str; image bytes; vector a
one-dimensional array or list of str; tensor an array. An answer is one value for each output field likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from soapsvc.errors import InvalidInput
from soapsvc.model.contract import Contract, InputField, OutputField
from soapsvc.model.dtypes import FLOATS, INTEGERS, NUMPY_DTYPE, Array, DTypeName, name_of
from soapsvc.model.images import check_image, image_array
from soapsvc.model.signature import Limits, Signature, show_shape

_LARGEST = {dtype: float(np.finfo(NUMPY_DTYPE[dtype]).max) for dtype in FLOATS}

Row = Sequence[Any]
Feeds = dict[str, Array]  # signature's input name -> array


@dataclass(frozen=True)
class ScoredLabels:
    """Class names with their scores, best first; both have the same length, scores keep the graph's dtype."""

    labels: tuple[str, ...]
    scores: Array


class Binding:
    """Packs rows into feeds and unpacks outputs into answers, for one version of one model."""

    def __init__(self, contract: Contract, signature: Signature, limits: Limits) -> None:
        self._signature, self._limits = signature, limits
        self._outputs = contract.outputs
        by_tensor = groupby(enumerate(contract.inputs), key=lambda pair: pair[1].tensor)
        self._inputs: dict[str, list[tuple[int, InputField]]] = {name: list(pairs) for name, pairs in by_tensor}

    def pack(self, rows: Sequence[Row], of_batch: bool = False) -> list[tuple[int, Feeds]]:
        """Return the runs that answer the rows in order: how many rows each takes, and its feeds.

        One run takes all rows when their tensors can be stacked, else each row has its own.
        Raises InvalidInput, its field beginning with `instances[i].` when the rows are of a batch.
        """
        if not rows:
            raise InvalidInput("empty", "instances", "at least 1 instance", "0")
        if len(rows) > self._limits.max_batch:
            raise InvalidInput("too-large", "instances", f"at most {self._limits.max_batch}", str(len(rows)))
        tensors = []
        for index, row in enumerate(rows):
            with located(index, of_batch):
                tensors.append({name: tensor for name, tensor in self._each_tensor(row) if tensor is not None})
        if self._signature.batched and _stackable(tensors):
            runs = [(len(rows), {name: np.stack([one[name] for one in tensors]) for name in tensors[0]})]
        elif self._signature.batched:
            runs = [(1, {name: value[np.newaxis] for name, value in one.items()}) for one in tensors]
        else:
            runs = [(1, one) for one in tensors]
        for index, (_, feeds) in enumerate(runs):
            with located(index, of_batch):
                self._check(feeds)
        return runs

    def _check(self, feeds: Feeds) -> None:
        """Check feeds against the signature, in the words of the contract where an element has its own name."""
        try:
            self._signature.check_inputs(feeds, self._limits)
        except InvalidInput as err:
            fields = self._inputs.get(err.field, ())
            raise err.renamed(fields[0][1].element) if len(fields) == 1 else err from err

    def check_tensors(self, feeds: Mapping[str, Array]) -> None:
        """Raise InvalidInput unless tensors that came past the typed contract keep what it promises the graph."""
        self._signature.check_inputs(feeds, self._limits)
        for name, fields in self._inputs.items():
            if name in feeds:
                _check_content(fields[0][1], name, feeds[name], self._limits)

    def unpack(self, outputs: Mapping[str, Array], count: int) -> list[tuple[Any, ...]]:
        """Return the answers of one run of `count` rows. outputs: output name -> array.

        Raises RuntimeError when a graph answers another number of rows than it was given.
        """
        if not self._signature.batched:
            return [tuple(_answer(field, outputs[field.tensor]) for field in self._outputs)]
        if any(len(outputs[field.tensor]) != count for field in self._outputs):
            raise RuntimeError(f"the graph answered another number of rows than the {count} it was given")
        return [
            tuple(_answer(field, outputs[field.tensor][index]) for field in self._outputs) for index in range(count)
        ]

    def row_of(self, feeds: Mapping[str, Array]) -> Row:
        """Return the first instance of some feeds as a client would send it: the way back from `pack`.

        A picture that the graph takes as numbers has no way back and comes as None.
        """
        row: dict[int, Any] = {}
        for name, fields in self._inputs.items():
            value = feeds.get(name)
            if value is not None and self._signature.batched:
                value = value[0]
            for index, field in fields:
                row[index] = None if value is None else _value(field, value)
        return [row[index] for index in sorted(row)]

    def _each_tensor(self, row: Row) -> Iterator[tuple[str, Array | None]]:
        for name, fields in self._inputs.items():
            first = fields[0][1]
            if first.column is None:
                value = row[fields[0][0]]
                yield name, None if value is None else _tensor(first, value, self._limits)
            else:
                yield name, _columns([field for _, field in fields], [row[index] for index, _ in fields], self._limits)


@contextmanager
def located(index: int, of_batch: bool) -> Iterator[None]:
    """Name the instance in an error that is raised inside."""
    try:
        yield
    except InvalidInput as err:
        raise (err.inside(f"instances[{index}]") if of_batch else err) from err


def _columns(fields: Sequence[InputField], values: Sequence[Any], limits: Limits) -> Array:
    """Return the tensor that several elements share; the slow way names the one at fault."""
    dtype = fields[0].dtype
    if dtype in FLOATS:
        largest = _LARGEST[dtype]
        if all(-largest <= value <= largest for value in values):  # finite and in range
            return np.array(values, dtype=NUMPY_DTYPE[dtype])
    return np.stack([_tensor(field, value, limits) for field, value in zip(fields, values, strict=True)])


def _check_content(field: InputField, name: str, tensor: Array, limits: Limits) -> None:
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


def _stackable(tensors: Sequence[Feeds]) -> bool:
    shapes = {tuple((name, value.shape) for name, value in one.items()) for one in tensors}
    return len(shapes) == 1


def _tensor(field: InputField, value: Any, limits: Limits) -> Array:
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


def _picture(field: InputField, value: bytes, limits: Limits) -> Array:
    if field.preprocess is None:
        check_image(value, field.element, limits.max_image_pixels)
        return np.asarray(value, dtype=object)
    height, width, channels = (int(dim) for dim in field.shape or () if dim is not None)
    pixels = image_array(value, field.element, limits.max_image_pixels, (height, width, channels), field.preprocess)
    if field.dtype in INTEGERS:
        pixels = np.rint(pixels)
    return cast_exactly(pixels, field.dtype, field.element)


def _value(field: InputField, value: Array) -> Any:
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


def _answer(field: OutputField, value: Any) -> Any:
    if field.kind == "scoredLabels":
        best = np.argsort(-value, kind="stable")[: field.top]
        return ScoredLabels(tuple(field.labels[index] for index in best), value[best])
    if field.kind == "text" or (field.kind == "scalar" and field.dtype == "string"):
        return decoded(value)
    if field.kind == "vector" and field.dtype == "string":
        return [decoded(item) for item in value]
    return value


def decoded(value: Any) -> str:
    """Return one string of TensorFlow's as text; bytes that are no UTF-8 become U+FFFD."""
    content = value.item() if isinstance(value, np.ndarray) else value
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
