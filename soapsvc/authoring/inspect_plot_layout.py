"""Where boxes and edges of a picture go: layers from top to bottom, in the manner of Sugiyama. Draws nothing.

The order within layers and the bends of long edges come from fast-sugiyama, which knows points only; here they get
the room that boxes of their sizes need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Size = tuple[float, float]
Pair = tuple[int, int]
Band = tuple[float, float, float]  # x, and from which y to which an edge goes straight down or up

_GAP_X, _GAP_Y = 22.0, 46.0
_LANE = 12.0  # how wide an edge is on its way between boxes
_WIDEST = 1500.0  # parts without a connection stand side by side up to this width


@dataclass(frozen=True)
class Layout:
    """Left upper corners of the boxes, top and bottom of their rows, the bands that long edges pass, and the size."""

    corners: list[tuple[float, float]]
    rows: list[tuple[float, float]]
    bands: dict[Pair, list[Band]]
    size: Size

    def moved(self, x: float, y: float) -> Layout:
        """Return the same layout further to the right and down."""
        return Layout(
            [(left + x, top + y) for left, top in self.corners],
            [(top + y, bottom + y) for top, bottom in self.rows],
            {pair: [(at + x, top + y, bottom + y) for at, top, bottom in band] for pair, band in self.bands.items()},
            self.size,
        )


@dataclass(frozen=True)
class _Part:
    corners: dict[int, tuple[float, float]]
    rows: dict[int, tuple[float, float]]
    bands: dict[Pair, list[Band]]
    size: Size


def place(sizes: Sequence[Size], edges: Sequence[Pair]) -> Layout:
    """Place boxes of these sizes so that none overlap and no edge crosses one; edges join two different boxes."""
    from fast_sugiyama import from_edges

    parts = []
    if edges:
        layouts = from_edges(edges, vertex_spacing=10, dummy_vertices=True, check_layout=False)
        parts = [_part(dict(_sorted(points)), _sorted(links or ()), sizes) for points, _, _, links in layouts]
    joined = {index for edge in edges for index in edge}
    alone = [index for index in range(len(sizes)) if index not in joined]
    parts.sort(key=lambda part: (-len(part.corners), min(part.corners)))
    parts += [_Part({index: (0.0, 0.0)}, {index: (0.0, sizes[index][1])}, {}, sizes[index]) for index in alone]
    return _packed(parts, len(sizes))


def _sorted(pairs: Iterable[Any]) -> list[Any]:
    """Return what fast-sugiyama gives in another order each time, so that the same graph is the same picture."""
    return sorted(pairs)


def _part(points: dict[int, tuple[float, float]], links: Sequence[Pair], sizes: Sequence[Size]) -> _Part:
    """Give the points of connected boxes the room that they need. Points beyond the boxes are bends of edges."""
    layers: dict[float, list[int]] = defaultdict(list)
    for point in points:
        layers[-points[point][1]].append(point)
    real = [sizes[point] for point in points if point < len(sizes)]
    scale = (sum(width for width, _ in real) / len(real) + _GAP_X) / 10
    xs: dict[int, float] = {}
    rows: dict[int, tuple[float, float]] = {}
    y = 0.0
    for level in sorted(layers):
        layer = sorted(layers[level], key=lambda point: points[point][0])
        widths = [sizes[point][0] + _GAP_X if point < len(sizes) else _LANE for point in layer]
        xs |= dict(zip(layer, _apart([points[point][0] * scale for point in layer], widths), strict=True))
        height = max((sizes[point][1] for point in layer if point < len(sizes)), default=0.0)
        rows |= dict.fromkeys(layer, (y, y + height))
        y += height + _GAP_Y
    boxes = {point: (xs[point] - sizes[point][0] / 2, sizes[point]) for point in points if point < len(sizes)}
    left = min([x for x, _ in boxes.values()] + list(xs.values()))
    right = max([x + size[0] for x, size in boxes.values()] + list(xs.values()))
    corners = {
        point: (x - left, (rows[point][0] + rows[point][1] - height) / 2) for point, (x, (_, height)) in boxes.items()
    }
    bands = {
        (chain[0], chain[-1]): [(xs[point] - left, *rows[point]) for point in chain[1:-1]]
        for chain in _chains(links, len(sizes))
    }
    return _Part(corners, rows, bands, (right - left, y - _GAP_Y))


def _chains(links: Sequence[Pair], boxes: int) -> list[list[int]]:
    """Return each edge as its source, its bends, and its target."""
    following = {source: target for source, target in links if source >= boxes}
    chains = []
    for source, target in links:
        if source < boxes:
            chain = [source, target]
            while chain[-1] >= boxes:
                chain.append(following[chain[-1]])
            chains.append(chain)
    return chains


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted, by least squares, that keep their order and their widths free."""
    offsets = np.concatenate([[0.0], np.cumsum((np.array(widths[1:]) + np.array(widths[:-1])) / 2)])
    blocks: list[tuple[float, int]] = []  # mean and length: pooled adjacent violators
    for value in np.array(wanted) - offsets:
        mean, length = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, length = (before * count + mean * length) / (count + length), count + length
        blocks.append((mean, length))
    flat = np.concatenate([np.full(length, mean) for mean, length in blocks])
    return [float(place) for place in flat + offsets]


def _packed(parts: Sequence[_Part], boxes: int) -> Layout:
    """Put parts side by side, in rows."""
    widest = max(_WIDEST, *(part.size[0] for part in parts))
    corners, rows = [(0.0, 0.0)] * boxes, [(0.0, 0.0)] * boxes
    bands: dict[Pair, list[Band]] = {}
    x = y = height = right = 0.0
    for part in parts:
        if x and x + part.size[0] > widest:
            x, y, height = 0.0, y + height + _GAP_Y, 0.0
        for index, (left, top) in part.corners.items():
            corners[index] = (x + left, y + top)
            rows[index] = (y + part.rows[index][0], y + part.rows[index][1])
        for pair, stretch in part.bands.items():
            bands[pair] = [(x + at, y + top, y + bottom) for at, top, bottom in stretch]
        right, height = max(right, x + part.size[0]), max(height, part.size[1])
        x += part.size[0] + 2 * _GAP_X
    return Layout(corners, rows, bands, (right, y + height))
