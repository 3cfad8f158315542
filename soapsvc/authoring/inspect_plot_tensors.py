"""The picture of stored tensors: a small histogram of each one's values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soapsvc.authoring.inspect_plot_canvas import fitted, new_figure, plain
from soapsvc.authoring.inspect_report import show_shape, statistics
from soapsvc.authoring.inspect_summary import Inspected, StoredTensor
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_HISTOGRAMS = 60
_MOST_COLUMNS = 5
_BINS = 40
_WIDTH, _HEIGHT = 210.0, 150.0
_HEADER, _MARGIN = 62.0, 16.0
_BAR = "#0072B2"


@dataclass(frozen=True)
class _Drawn:
    """A tensor's histogram: its words, and (counts, edges of the bins), None when there are no bins to draw."""

    tensor: StoredTensor
    words: tuple[str, ...]
    bins: tuple[Array, Array] | None


def draw_tensors(inspected: Inspected) -> tuple[Figure, dict[str, str]]:
    """Return the picture and the tooltips of its parts by gid. Raises SourceError when there are no numbers."""
    found = inspected.summary
    numbers = [tensor for tensor in found.tensors if tensor.dtype != "string"]
    if not numbers:
        raise SourceError(f"--tensors --plot: a {found.what} stores no tensors of numbers")
    largest = sorted(numbers, key=lambda tensor: -tensor.elements)[:MOST_HISTOGRAMS]
    shown = [_drawn(tensor, inspected.read(tensor.name)) for tensor in numbers if tensor in largest]
    columns = min(_MOST_COLUMNS, max(3, len(shown)))
    rows = -(-len(shown) // columns)
    figure = new_figure(columns * _WIDTH + _MARGIN, rows * _HEIGHT + _HEADER + _MARGIN)
    _write_header(figure, inspected, [tensor for tensor in numbers if tensor not in largest], len(shown))
    tooltips = {}
    for index, each in enumerate(shown):
        row, column = divmod(index, columns)
        axes = _new_axes(figure, _MARGIN + column * _WIDTH, _HEADER + row * _HEIGHT)
        axes.set_gid(f"tensor{index}")
        _draw(axes, each)
        tooltips[f"tensor{index}"] = "\n".join(map(plain, (each.tensor.name, each.tensor.dtype, *each.words)))
    return figure, tooltips


def _drawn(tensor: StoredTensor, values: Array) -> _Drawn:
    numbers = np.abs(values) if values.dtype.kind == "c" else values.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    bins = _bins(finite)
    words = [f"{tensor.dtype} {show_shape(tensor.shape)}", *_words(numbers, finite)]
    if finite.size and bins is None:
        words.append("no histogram: too near or too far apart")
    return _Drawn(tensor, tuple(words), bins)


def _words(numbers: Array, finite: Array) -> Iterator[str]:
    if not finite.size:
        yield "no values" if not numbers.size else "no finite values"
    else:
        facts = {name: value if value is not None else float("nan") for name, value in statistics(finite).items()}
        yield f"min {facts['min']:.3g}, mean {facts['mean']:.3g}, max {facts['max']:.3g}"
        yield f"zeros {facts['zeros']:.1%}"
    odd = {"NaN": int(np.isnan(numbers).sum()), "infinite": int(np.isinf(numbers).sum())}
    if any(odd.values()):
        yield ", ".join(f"{number:,} {name}" for name, number in odd.items() if number)


def _bins(finite: Array) -> tuple[Array, Array] | None:
    """Return a histogram; None when there are no values, or they are too near or too far apart for bins."""
    if not finite.size:
        return None
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(finite, _BINS)
    except ValueError:
        return None
    return (counts, edges) if np.isfinite(edges).all() else None


def _new_axes(figure: Figure, x: float, y: float) -> Axes:
    """Return axes in the lower part of a histogram's place; its words go above. x, y: the place's corner in points."""
    width, height = figure.get_size_inches() * 72
    inner, top = _WIDTH - 2 * _MARGIN, 58.0
    bottom = y + _HEIGHT - 26
    return figure.add_axes((x / width, 1 - bottom / height, inner / width, (bottom - y - top) / height))


def _draw(axes: Axes, each: _Drawn) -> None:
    from matplotlib.ticker import MaxNLocator

    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(labelsize=6.5, length=2)
    if each.bins is None:
        axes.set_xticks([])
    else:
        axes.stairs(*each.bins, fill=True, color=_BAR)
        axes.set_xlim(each.bins[1][0], each.bins[1][-1])
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.ticklabel_format(useOffset=False, axis="x")
    room = _WIDTH - 2 * _MARGIN
    lines = [(each.tensor.name, 8.0, True), *((words, 7.0, False) for words in each.words)]
    y = 54.0
    for words, size, bold in lines:
        text = fitted(words, room, size, bold)
        weight = "bold" if bold else "normal"
        place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
        axes.annotate(text, (0, 1), (0, y), **place, size=size, weight=weight, parse_math=False)
        y -= size * 1.4


def _write_header(figure: Figure, inspected: Inspected, left_out: list[StoredTensor], shown: int) -> None:
    found = inspected.summary
    width, height = figure.get_size_inches() * 72
    strings = sum(tensor.dtype == "string" for tensor in found.tensors)
    words = [f"{found.what}: the values of {shown} stored tensors"]
    if left_out:
        values = sum(tensor.elements for tensor in left_out)
        words = [f"{found.what}: the {shown} largest of {shown + len(left_out)} stored tensors"]
        words.append(f"left out: {len(left_out)} smaller ones with {values:,} values")
    if strings:
        words.append(f"left out: {strings} of strings")
    lines: list[tuple[str, float, Any]] = [(found.path, 12.0, "bold"), ("; ".join(words), 9.0, "normal")]
    for y, (text, size, weight) in zip((12.0, 32.0), lines, strict=True):
        room = width - 2 * _MARGIN
        short = fitted(text, room, size, weight == "bold")
        figure.text(_MARGIN / width, 1 - y / height, short, size=size, weight=weight, va="top", parse_math=False)
