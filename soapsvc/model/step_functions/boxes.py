"""Functions on boxes: rows of x, y, width and height, in pixels or cells, x and y those of the upper left corner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from soapsvc.model.dtypes import Array
from soapsvc.model.step_functions import function
from soapsvc.model.value_types import Items

BOXES = "float32[n, 4]"


@function({"scores": "float32[height, width]"}, {"boxes": "float32[any, 4]", "scores": "float32[any]"})
def regions(scores: Array, *, above: float = 0.5, least_cells: int = 1) -> tuple[Array, Array]:
    """Return the box and the highest score of each region of cells that touch and are above a number.

    Cells touch with sides and corners; regions of fewer cells are left out. Order: by first cell, row by row.
    """
    boxes, best = [], []
    for rows, columns in _regions(scores > above):
        if len(rows) >= least_cells:
            x, y = columns.min(), rows.min()
            boxes.append((x, y, columns.max() - x + 1, rows.max() - y + 1))
            best.append(scores[rows, columns].max())
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(best, np.float32)


def _regions(mask: Array) -> Iterator[tuple[Array, Array]]:
    """Yield rows and columns of each region's cells."""
    waiting = dict.fromkeys(zip(*map(np.ndarray.tolist, np.nonzero(mask)), strict=True))
    while waiting:
        first = next(iter(waiting))
        del waiting[first]
        cells, reached = [], [first]
        while reached:
            row, column = reached.pop()
            cells.append((row, column))
            for near in [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]:
                if near in waiting:
                    del waiting[near]
                    reached.append(near)
        rows, columns = np.array(cells).T
        yield rows, columns


@function({"boxes": BOXES, "scores": "number[n]"}, {"kept": "int64[any]"})
def non_maximum_suppression(
    boxes: Array, scores: Array, *, overlap: float = 0.5, of: Literal["union", "smaller"] = "union"
) -> Array:
    """Return which boxes stay, best first: each that shares no more than `overlap` with a better one that stays.

    of: shared area in relation to the union of both boxes, or to the smaller one.
    """
    x, y, width, height = boxes.T.astype(np.float64)
    areas = width * height
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        top, rest = order[0], order[1:]
        kept.append(top)
        wide = np.minimum(x[top] + width[top], x[rest] + width[rest]) - np.maximum(x[top], x[rest])
        high = np.minimum(y[top] + height[top], y[rest] + height[rest]) - np.maximum(y[top], y[rest])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        whole = areas[top] + areas[rest] - shared if of == "union" else np.minimum(areas[top], areas[rest])
        order = rest[shared <= overlap * whole]
    return np.array(kept, np.int64)


@function({"boxes": BOXES, "factor": "float64[]"}, {"scaled": BOXES})
def scale_boxes(boxes: Array, factor: Array, *, times: float = 1.0) -> Array:
    """Return boxes with all four numbers times `times`, divided by factor: as `fit` gives it, the way back."""
    return (boxes * (times / float(factor))).astype(np.float32)


@function({"boxes": BOXES}, {"grown": BOXES})
def grow_boxes(boxes: Array, *, by: float = 0.0, width: float = 0.0, height: float = 0.0) -> Array:
    """Return boxes that keep their middle and are larger on each side.

    by: times the box's height, on all four sides; width, height: times the box's own.
    """
    x, y, wide, high = boxes.T
    right, down = by * high + width * wide / 2, by * high + height * high / 2
    return np.stack([x - right, y - down, wide + 2 * right, high + 2 * down], axis=1).astype(np.float32)


@function({"boxes": BOXES}, {"squares": BOXES})
def square_boxes(boxes: Array) -> Array:
    """Return squares with the boxes' middles and their longer sides."""
    x, y, width, height = boxes.T
    side = np.maximum(width, height)
    return np.stack([x + (width - side) / 2, y + (height - side) / 2, side, side], axis=1).astype(np.float32)


@function(
    {"boxes": "list of float32[any, 4]", "crops": "list of t[any, any, any]", "places": "float32[n, 4]"},
    {"boxes": "float32[any, 4]"},
)
def place_boxes(boxes: Items, crops: Items, places: Array, *, times: float = 1.0) -> Array:
    """Return boxes within crops as boxes in the picture that these were cut from, all crops' together.

    crops: as large as what the boxes are in, after `times`; places: each crop's own box in the picture.
    """
    found = [np.zeros((0, 4), np.float32)]
    for inner, crop, (x, y, width, height) in zip(boxes.arrays, crops.arrays, places, strict=True):
        across, down = width / crop.shape[1] * times, height / crop.shape[0] * times
        found.append((inner * (across, down, across, down) + (x, y, 0, 0)).astype(np.float32))
    return np.concatenate(found)


@function({"boxes": BOXES}, {"order": "int64[n]"})
def reading_order(boxes: Array) -> Array:
    """Return the order in which boxes are read: line by line, from left to right.

    A box is of the line of its nearest neighbour on the left whose middle is within half its height of its own.
    """
    middles = boxes[:, 1] + boxes[:, 3] / 2
    lines: list[list[int]] = []
    for box in np.argsort(boxes[:, 0], kind="stable").tolist():
        near = [(abs(middles[line[-1]] - middles[box]), line) for line in lines]
        gap, line = min(near, key=lambda pair: pair[0], default=(np.inf, []))
        if gap > max(boxes[box, 3], boxes[line[-1], 3]) / 2 if line else True:
            line = []
            lines.append(line)
        line.append(box)
    lines.sort(key=lambda line: float(np.mean(middles[line])))
    return np.array([box for line in lines for box in line], np.int64)


@function({"boxes": BOXES}, {"whole": BOXES})
def whole_boxes(boxes: Array) -> Array:
    """Return the smallest boxes of whole pixels around boxes; `crop` cuts just these."""
    corner, end = np.floor(boxes[:, :2]), np.ceil(boxes[:, :2] + boxes[:, 2:])
    return np.concatenate([corner, np.maximum(end - corner, 1)], axis=1).astype(np.float32)
