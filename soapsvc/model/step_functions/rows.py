"""Functions on rows: what is chosen, ordered, cut and put together along the first dimension."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from soapsvc.model.dtypes import NUMPY_DTYPE, Array
from soapsvc.model.step_functions import function
from soapsvc.model.value_types import Items

Count = Annotated[int, Field(ge=1)]


@function({"scores": "number[n]"}, {"kept": "int64[any]"})
def threshold(scores: Array, *, above: float) -> Array:
    """Return which scores are above a number, in their order."""
    return np.flatnonzero(scores > above).astype(np.int64)


@function({"keys": "t[n]"}, {"order": "int64[n]"})
def sort(keys: Array, *, descending: bool = False) -> Array:
    """Return the places of keys in ascending order; equal ones stay in theirs."""
    order = np.argsort(-keys if descending else keys, kind="stable")
    return order.astype(np.int64)


@function({"values": "t[n, ...]", "places": "int64[k]"}, {"taken": "t[k, ...]"})
def take(values: Array, places: Array) -> Array:
    """Return the rows at these places."""
    return values[places]


@function({"items": "list of t[...]"}, {"stacked": "t[any, ...]"})
def stack(items: Items) -> Array:
    """Return a list's arrays, all of one size, as the rows of one; no array makes no row."""
    if items.arrays:
        return np.stack(items.arrays)
    sizes = (size or 0 for size in items.type.shape or ())
    return np.zeros((0, *sizes), NUMPY_DTYPE[items.type.dtype])


@function({"values": "t[n, ...]"}, {"items": "list of t[...]"})
def unstack(values: Array) -> list[Array]:
    """Return the rows of an array as a list."""
    return list(values)


@function({"items": "list of t[any, ...]"}, {"rows": "t[any, ...]", "owners": "int64[any]"})
def flatten(items: Items) -> tuple[Array, Array]:
    """Return the rows of all arrays in one, and of each row the place in the list that it came from."""
    counts = [len(each) for each in items.arrays]
    owners = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    if items.arrays:
        return np.concatenate(items.arrays), owners
    sizes = (size or 0 for size in (items.type.shape or (0,))[1:])
    return np.zeros((0, *sizes), NUMPY_DTYPE[items.type.dtype]), owners


@function({"values": "t[n, ...]"}, {"windows": "t[any, size, ...]"})
def window(values: Array, *, size: Count, step: Count = 1) -> Array:
    """Return windows of `size` rows, one every `step` rows; rows at the end that fill none are left out."""
    starts = range(0, len(values) - size + 1, step)
    if not starts:
        return np.zeros((0, size, *values.shape[1:]), values.dtype)
    return np.stack([values[start : start + size] for start in starts])


@function({"scores": "number[n, c]"}, {"places": "int64[n]", "scores": "number[n]"})
def best(scores: Array) -> tuple[Array, Array]:
    """Return of each row the place of the highest score, and that score."""
    places = scores.argmax(axis=1) if scores.size else np.zeros(len(scores), np.int64)
    return places.astype(np.int64), scores[np.arange(len(scores)), places]


@function({"votes": "t[n]"}, {"winner": "t[]", "share": "float64[]"})
def majority_vote(votes: Array) -> tuple[Array, Array]:
    """Return the value that stands most often, the first among equals, and its share; of no vote: zero and 0."""
    if not len(votes):
        return np.zeros((), votes.dtype) if votes.dtype != object else np.asarray(b"", object), np.asarray(0.0)
    values, firsts, counts = np.unique(votes, return_index=True, return_counts=True)
    winner = np.lexsort((firsts, -counts))[0]
    return np.asarray(values[winner], votes.dtype), np.asarray(counts[winner] / len(votes))


@function({"places": "int64[n]"}, {"texts": "string[n]"})
def name_places(places: Array, *, labels: list[str]) -> Array:
    """Return the label at each place."""
    texts = np.empty(len(places), object)
    texts[:] = [labels[place].encode() for place in places]
    return texts


@function({"texts": "string[n]"}, {"text": "string[]"})
def join(texts: Array, *, between: str = "") -> Array:
    """Return texts as one."""
    return np.asarray(between.encode().join(texts), object)


@function({"values": "number[...]"}, {"scaled": "float32[...]"})
def scale(values: Array, *, factor: float = 1.0, offset: float = 0.0) -> Array:
    """Return values times factor plus offset."""
    return (values * np.float64(factor) + offset).astype(np.float32)
