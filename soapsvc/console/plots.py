"""Small plots as SVG paths, drawn here so that a page needs no script for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 120, 24  # of the drawing, in its own units
_TOP = 2  # room for the line's width
Values = Sequence[float | None]


@dataclass(frozen=True)
class Plot:
    """One small plot of one or two series that share a scale. lines: SVG path data.  words: what it shows."""

    lines: tuple[str, ...]
    words: str


def small_plot(words: str, *series: Values, points: int = 30) -> Plot:
    """Return a plot of series of equal length, the oldest value first; None leaves a gap.

    points: a longer series is joined to so many, each of which is the highest of those that it stands for.
    """
    thinned = [_thinned(values, points) for values in series]
    top = max((value for values in thinned for value in values if value is not None), default=0.0)
    return Plot(tuple(_path(values, top) for values in thinned), words)


def _thinned(values: Values, points: int) -> Values:
    if len(values) <= points:
        return values
    bounds = [round(place * len(values) / points) for place in range(points + 1)]
    parts = [[value for value in values[start:end] if value is not None] for start, end in pairwise(bounds)]
    return [max(part) if part else None for part in parts]


def _path(values: Values, top: float) -> str:
    """Return whole steps only, each relative to the one before: a page has many."""
    step, parts, pen = WIDTH / max(len(values) - 1, 1), [], False
    at = (0, 0)
    for place, value in enumerate(values):
        if value is None:
            pen = False
            continue
        here = (round(place * step), round(HEIGHT - (HEIGHT - _TOP) * value / top) if top else HEIGHT)
        if pen:
            parts.append(f"l{here[0] - at[0]} {here[1] - at[1]}".replace(" -", "-"))
        else:
            parts.append(f"M{here[0]} {here[1]}l0 0")  # a single value shows as a dot, by round ends
        at, pen = here, True
    return "".join(parts)
