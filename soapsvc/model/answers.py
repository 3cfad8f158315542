"""Answers out of a graph's outputs: one value for each output field, as `binding` tells what values look like.

Of records: `columns` and `record` give a tuple with a value for each member, `records` a list of such tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from soapsvc.model.contract import OutputField
from soapsvc.model.dtypes import Array
from soapsvc.model.values import decoded

_FEW = 32  # scores


@dataclass(frozen=True)
class ScoredLabels:
    """Class names with their scores, best first; both have the same length, scores keep the graph's dtype."""

    labels: tuple[str, ...]
    scores: Array


def answer_of(field: OutputField, outputs: Mapping[str, Array]) -> Any:
    """Return the answer of one instance. outputs: output name -> array without a batch dimension.

    Raises RuntimeError when the tensors of a list of records hold different numbers of them.
    """
    if field.kind == "record":
        return tuple(answer_of(member, outputs) for member in field.members)
    if field.kind != "records":
        return _answer(field, outputs[field.tensor])
    counts = {len(outputs[member.tensor]) for member in field.members}
    if len(counts) != 1:
        raise RuntimeError(f"the graph answered {field.element} with {sorted(counts)} values, not one number of them")
    return list(zip(*[_answers(member, outputs[member.tensor]) for member in field.members], strict=True))


def answers_of(field: OutputField, outputs: Mapping[str, Array], count: int) -> Sequence[Any]:
    """Return the answers of `count` instances. outputs: output name -> array, its first dimension the instances."""
    if field.kind not in ("record", "records"):
        return _answers(field, outputs[field.tensor])
    names = {member.tensor for member in field.members}
    return [answer_of(field, {name: outputs[name][row] for name in names}) for row in range(count)]


def _answers(field: OutputField, values: Array) -> Sequence[Any]:
    """Return the answers of several rows in one output. values: the output's tensor, its first dimension the rows."""
    if field.kind == "scoredLabels" and len(values) > 1:
        order = (-values).argsort(axis=1, kind="stable")[:, : field.top]
        scores = values[np.arange(len(values))[:, np.newaxis], order]
        labels = [tuple([field.labels[index] for index in best]) for best in order.tolist()]
        return list(map(ScoredLabels, labels, scores))
    return [_answer(field, value) for value in values]


def _answer(field: OutputField, value: Any) -> Any:
    if field.kind == "columns":
        return tuple(value)
    if field.kind == "scoredLabels":
        best = _best_first(value)[: field.top]
        return ScoredLabels(tuple([field.labels[index] for index in best]), value.take(best))
    if field.kind == "text" or (field.kind == "scalar" and field.dtype == "string"):
        return decoded(value)
    if field.kind == "vector" and field.dtype == "string":
        return [decoded(item) for item in value]
    return value


def _best_first(scores: Array) -> list[int]:
    """Return the places of scores, the highest first, equal ones in their order, NaN last.

    Of a few, Python finds them sooner than numpy, which lets other threads run first.
    """
    values = scores.tolist()
    if len(values) > _FEW or any([score != score for score in values]):  # noqa: C419  (a list is faster)
        order: list[int] = (-scores).argsort(kind="stable").tolist()
        return order
    return sorted(range(len(values)), key=values.__getitem__, reverse=True)
