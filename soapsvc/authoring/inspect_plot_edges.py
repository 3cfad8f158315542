"""The edges of a picture: curves that keep clear of the boxes, and labels where there is room for them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from soapsvc.authoring.inspect_plot_canvas import plain, text_width
from soapsvc.authoring.inspect_plot_layout import Layout, Size
from soapsvc.authoring.inspect_plot_scopes import Box, Edge
from soapsvc.model.dtypes import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
EDGE_COLOUR = "#4D4D4D"
DASHES = (0, (4, 3))
_HEAD = 5.0
_LABEL_SIZE, _LABEL_HEIGHT = 7.0, 10.0
_MOST_IN_TOOLTIP = 20


def draw_edges(
    axes: Axes, boxes: Sequence[Box], edges: Sequence[Edge], layout: Layout, sizes: Sequence[Size]
) -> dict[str, str]:
    """Draw the edges between placed boxes and return their tooltips by gid."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    routes = _routes(edges, layout, sizes)
    tooltips = {}
    for index, (edge, route) in enumerate(zip(edges, routes, strict=True)):
        points, codes = [route[0]], [Path.MOVETO]
        for start, end in itertools.pairwise(route):
            middle = (start[1] + end[1]) / 2
            is_straight = start[0] == end[0]
            points += [end] if is_straight else [(start[0], middle), (end[0], middle), end]
            codes += [Path.LINETO] if is_straight else [Path.CURVE4] * 3
        style = "solid" if edge.tensors else DASHES
        width = min(1 + 0.6 * log2(max(len(edge.tensors), 1)), 4.5)
        patch = PathPatch(
            Path(points, codes), fill=False, edgecolor=EDGE_COLOUR, linewidth=width, linestyle=style, clip_on=False
        )
        patch.set_gid(f"edge{index}")
        axes.add_patch(patch)
        x, y = route[-1]
        tip = y + _HEAD if route[0][1] < y else y - _HEAD
        half = 2.4 + width / 2
        axes.add_patch(
            Polygon([(x - half, y), (x + half, y), (x, tip)], facecolor=EDGE_COLOUR, linewidth=0, clip_on=False)
        )
        tooltips[f"edge{index}"] = _tooltip(edge, boxes)
    for text, (x, y) in _labels(edges, routes):
        label = axes.text(x, y, text, size=_LABEL_SIZE, ha="center", va="center_baseline", parse_math=False)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    return tooltips


def _tooltip(edge: Edge, boxes: Sequence[Box]) -> str:
    ends = f"{boxes[edge.source].name} → {boxes[edge.target].name}"
    tensors = [f"{name} {shape}".rstrip() for name, shape in edge.tensors.items()] or ["control edge"]
    left_out = len(tensors) - _MOST_IN_TOOLTIP
    more = [f"and {left_out} more"] if left_out > 0 else []
    return "\n".join(plain(line) for line in [ends, *tensors[:_MOST_IN_TOOLTIP], *more])


def _routes(edges: Sequence[Edge], layout: Layout, sizes: Sequence[Size]) -> list[list[Point]]:
    """Return the points of each edge, from its source to the foot of its arrow head.

    Between rows edges are curves; within a row, where the boxes are, they go straight up or down.
    """
    ways = [_way(edge, layout, sizes) for edge in edges]
    ports: dict[tuple[int, bool], list[tuple[float, int, bool]]] = defaultdict(list)
    for index, (edge, way) in enumerate(zip(edges, ways, strict=True)):
        is_down = way[0][1] < way[-1][1]
        ports[edge.source, is_down].append((way[2][0], index, True))
        ports[edge.target, not is_down].append((way[-3][0], index, False))
    for (box, _), ends in ports.items():
        for number, (_, index, is_source) in enumerate(sorted(ends), 1):
            x = layout.corners[box][0] + sizes[box][0] * number / (len(ends) + 1)
            way = ways[index]
            if is_source:
                way[0], way[1] = (x, way[0][1]), (x, way[1][1])
            else:
                way[-1], way[-2] = (x, way[-1][1]), (x, way[-2][1])
    return ways


def _way(edge: Edge, layout: Layout, sizes: Sequence[Size]) -> list[Point]:
    """Return an edge's points as if each box had its only port in the middle."""
    source, target = edge.source, edge.target
    middles = [layout.corners[box][0] + sizes[box][0] / 2 for box in (source, target)]
    is_down = layout.rows[source][0] < layout.rows[target][0]
    out, into = (1, 0) if is_down else (0, 1)
    start = layout.corners[source][1] + out * sizes[source][1]
    end = layout.corners[target][1] + into * sizes[target][1] + (-_HEAD if is_down else _HEAD)
    way = [(middles[0], start), (middles[0], layout.rows[source][out])]
    for x, top, bottom in layout.bands.get((source, target), []):
        way += [(x, top), (x, bottom)] if is_down else [(x, bottom), (x, top)]
    return [*way, (middles[1], layout.rows[target][into] + (-_HEAD if is_down else _HEAD)), (middles[1], end)]


def _labels(edges: Sequence[Edge], routes: Sequence[list[Point]]) -> Iterator[tuple[str, Point]]:
    """Yield the labels that touch neither each other nor another edge, with their middles."""
    lines = [_sampled(route) for route in routes]
    taken: list[tuple[float, float, float]] = []  # middle and half width
    for index, edge in enumerate(edges):
        text = _label(edge)
        half = text_width(text, _LABEL_SIZE) / 2 + 2 if text else 0.0
        others = np.concatenate([np.zeros((0, 2)), *(line for at, line in enumerate(lines) if at != index)])
        for x, y in _candidates(routes[index]) if text else ():
            apart = all(abs(x - a) > half + b or abs(y - c) > _LABEL_HEIGHT for a, c, b in taken)
            on_line = (abs(others[:, 0] - x) < half) & (abs(others[:, 1] - y) < _LABEL_HEIGHT / 2)
            if apart and not on_line.any():
                taken.append((x, y, half))
                yield text, (x, y)
                break


def _label(edge: Edge) -> str:
    if len(edge.tensors) > 1:
        return f"{len(edge.tensors)} tensors"
    shape = next(iter(edge.tensors.values()), "")
    return shape if shape.startswith("[") else ""


def _candidates(route: list[Point]) -> Iterator[Point]:
    for share in (0.5, 0.38, 0.62, 0.28, 0.72):
        for start, end in list(itertools.pairwise(route))[1::2]:
            yield _on_curve(start, end, share)


def _sampled(route: list[Point]) -> Array:
    return np.array(
        [_on_curve(start, end, share) for start, end in itertools.pairwise(route) for share in np.linspace(0, 1, 12)]
    )


def _on_curve(start: Point, end: Point, share: float) -> Point:
    """Return a point of the curve between two points that leaves and arrives straight up or down."""
    eased = share * share * (3 - 2 * share)
    middle = (start[1] + end[1]) / 2
    rest = 1 - share
    y = rest**3 * start[1] + 3 * rest * share * middle + share**3 * end[1]
    return start[0] + (end[0] - start[0]) * eased, y
