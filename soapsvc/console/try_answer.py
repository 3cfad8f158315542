"""An answer as a page draws it: bars for scores, boxes on a picture, tables, and faults in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from soapsvc.model.contract import OutputField
from soapsvc.soap.tensors import CARRIERS
from soapsvc.soap.text import number

_FEW = 16  # values that are shown one by one
_MAX_ROWS = 200  # of a table
_BOXES = (  # the members of a record that is a box; corners: whether the last two are a place, not a size
    (("x", "y", "width", "height"), False), (("left", "top", "width", "height"), False),
    (("left", "top", "right", "bottom"), True), (("xMin", "yMin", "xMax", "yMax"), True),
    (("x1", "y1", "x2", "y2"), True),
)  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """One label and its score. width: of 100."""

    label: str
    text: str
    exact: str
    width: float


@dataclass(frozen=True)
class Part:
    """One element of an answer.

    text: a value, or what is told of many.  bars: scored labels.  parts: the members of a record.
    rows: a list of records, each with its members.  more: how many records are not shown.
    """

    element: str
    about: str = ""
    text: str = ""
    kind: str = "text"
    bars: Sequence[Bar] = ()
    parts: Sequence[Part] = ()
    rows: Sequence[Sequence[Part]] = ()
    more: int = 0


@dataclass(frozen=True)
class Box:
    """A rectangle on the picture that was sent, in its pixels."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """What was sent. address: holds it, empty where the page has it already."""

    address: str
    width: int
    height: int
    boxes: Sequence[Box] = field(default=())


def parts_of(outputs: Sequence[OutputField], values: Sequence[Any]) -> list[Part]:
    """Return one answer's elements. values: as an endpoint's reader gives them, in the contract's order."""
    return [_part(output, value) for output, value in zip(outputs, values, strict=False)]


def _part(output: OutputField, value: Any) -> Part:
    part = Part(output.element, output.description)
    if output.kind == "scoredLabels":
        return replace(part, kind="bars", bars=_bars(value))
    if output.kind in ("record", "columns"):
        return replace(part, kind="record", parts=parts_of(output.members, value))
    if output.kind == "records":
        rows = [parts_of(output.members, each) for each in value[:_MAX_ROWS]]
        return replace(part, kind="records", rows=rows, more=len(value) - len(rows))
    if output.kind == "tensor":
        return replace(part, kind="many", text=_tensor(value))
    if output.kind == "vector":
        return replace(part, kind="many", text=_many(value))
    if isinstance(value, str):
        return replace(part, text=value)
    return replace(part, kind="number", text=_short(value))


def _bars(scored: Sequence[tuple[str, float]]) -> list[Bar]:
    scores = [score for _, score in scored if math.isfinite(score)]
    shares = all(0 <= score <= 1 for score in scores)
    most = 1.0 if shares else max(map(abs, scores), default=1.0) or 1.0
    return [
        Bar(label, _percent(score) if shares else _short(score), number(score),
            round(100 * abs(score) / most, 2) if math.isfinite(score) else 0.0)
        for label, score in scored
    ]  # fmt: skip


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "< 0.1%"
    if 0.999 < share < 1:
        return "> 99.9%"
    return f"{share:.1%}"


def _short(value: Any) -> str:
    """Return a number with the digits that a reader wants, and a bool as XML has it."""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return number(value)
    return f"{float(value):.6g}" if math.isfinite(value) else number(float(value))


def _many(values: Any) -> str:
    """Return values one by one, or the first of them with what is true of all."""
    shown = list(values[:_FEW])
    texts = [value if isinstance(value, str) else _short(value) for value in shown]
    if len(values) <= _FEW:
        return ", ".join(texts) or "none"
    told = f"{len(values):,} values: {', '.join(texts[: _FEW // 2])}, …"
    if isinstance(values, np.ndarray) and values.dtype.kind in "if":
        told += f" (least {_short(values.min())}, mean {_short(values.mean())}, greatest {_short(values.max())})"
    return told


def _tensor(record: Sequence[Any]) -> str:
    dtype, shape, *carried = record
    sizes = " by ".join(map(str, shape)) or "one value"
    for name, values in zip(CARRIERS, carried, strict=True):
        if values is not None:
            told = f"{len(values):,} bytes" if name == "content" else _many(values)
            return f"{dtype}, {sizes}: {told}"
    return f"{dtype}, {sizes}"


def boxes_of(outputs: Sequence[OutputField], values: Sequence[Any]) -> list[Box]:
    """Return the boxes in an answer: its records with a box, labelled with what else the record says."""
    return [box for output, value in zip(outputs, values, strict=False) for box in _boxes(output, value)]


def _boxes(output: OutputField, value: Any) -> Iterator[Box]:
    if output.kind == "records":
        for each in value:
            yield from _boxes(replace(output, kind="record"), each)
    elif output.kind == "columns":
        if (box := _box(output, value)) is not None:
            yield box
    elif output.kind == "record":
        members = list(zip(output.members, value, strict=True))
        label = next((_label(member, each) for member, each in members if member.kind in ("scoredLabels", "text")), "")
        for member, each in members:
            for box in _boxes(member, each):
                yield replace(box, label=box.label or label)


def _box(output: OutputField, value: Sequence[float]) -> Box | None:
    found = dict(zip([member.element for member in output.members], map(float, value), strict=True))
    for names, corners in _BOXES:
        if all(name in found for name in names):
            x, y, last, lowest = (found[name] for name in names)
            width, height = (last - x, lowest - y) if corners else (last, lowest)
            return Box(x, y, width, height) if all(map(math.isfinite, (x, y, width, height))) else None
    return None


def _label(member: OutputField, value: Any) -> str:
    if member.kind == "scoredLabels":
        return value[0][0] if value else ""
    return str(value)
