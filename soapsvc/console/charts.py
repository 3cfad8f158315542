"""Charts as shapes in SVG's coordinates, with what they show in a sentence and in a table. Templates draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 8, 10, 26  # around the field that values are drawn in
_FIELD_WIDTH, _FIELD_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
FLOOR = HEIGHT - _BOTTOM
Format = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """Values of one name, None where there is none. kind: the class that colours it."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Rect:
    """A bar. title: what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True)
class Line:
    """A line, in pieces where values are missing. A piece of one point is a dot."""

    pieces: Sequence[Sequence[tuple[float, float]]]
    kind: str


@dataclass(frozen=True)
class Tick:
    """A mark at an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawn chart. said: it in a sentence.  head, rows: it as a table.  series: what its colours mean.

    left, right: where the field begins and ends.
    """

    title: str
    said: str
    bars: Sequence[Rect]
    lines: Sequence[Line]
    across: Sequence[Tick]
    up: Sequence[Tick]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    series: Sequence[Series] = ()
    left: int = _LEFT
    right: int = WIDTH - _RIGHT


def histogram(title: str, said: str, names: Sequence[str], counts: Sequence[int], first: str) -> Chart:
    """Return a bar for each count. names: of them.  first: what the names are, for the table."""
    most = nice(max(counts, default=0))
    slot = _FIELD_WIDTH / max(len(counts), 1)
    bars = [_bar(place * slot, slot, 0, count, most, "value", f"{name}: {count:,}")
            for place, (name, count) in enumerate(zip(names, counts, strict=True)) if count]  # fmt: skip
    across = [Tick(round(_LEFT + (place + 0.5) * slot, 1), name) for place, name in enumerate(names)]
    rows = [(name, f"{count:,}") for name, count in zip(names, counts, strict=True) if count]
    return Chart(title, said, bars, (), across, _ticks(most, _count), (first, "calls"), rows)


def stacked(title: str, said: str, series: Sequence[Series], form: Format) -> Chart:
    """Return the minutes of an hour as bars that stand on each other. series: from the floor up, all of one length."""
    minutes = list(zip(*(each.values for each in series), strict=True))
    most = nice(max((sum(value or 0 for value in minute) for minute in minutes), default=0))
    slot = _FIELD_WIDTH / max(len(minutes), 1)
    bars = []
    for place, minute in enumerate(minutes):
        floor = 0.0
        for each, value in zip(series, minute, strict=True):
            if value:
                title_of_bar = f"{_ago(len(minutes), place)}: {each.name} {form(value)}"
                bars.append(_bar(place * slot, slot, floor, value, most, each.kind, title_of_bar))
                floor += value
    return Chart(title, said, bars, (), _clock(len(minutes)), _ticks(most, form), *_table(series, form), series)


def lines(title: str, said: str, series: Sequence[Series], form: Format) -> Chart:
    """Return the minutes of an hour as lines."""
    most = nice(max((value for each in series for value in each.values if value is not None), default=0))
    drawn = [Line(_pieces(each.values, most), each.kind) for each in series]
    count = max((len(each.values) for each in series), default=0)
    return Chart(title, said, (), drawn, _clock(count), _ticks(most, form), *_table(series, form), series)


def nice(most: float) -> float:
    """Return the next round number, 1 where there is nothing."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if most <= step * power * (1 + 1e-9))


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _ticks(most: float, form: Format) -> list[Tick]:
    return [Tick(round(FLOOR - share * _FIELD_HEIGHT, 1), form(share * most)) for share in (0, 0.5, 1)]


def _bar(start: float, slot: float, floor: float, value: float, most: float, kind: str, title: str) -> Rect:
    height = value / most * _FIELD_HEIGHT
    bottom = FLOOR - floor / most * _FIELD_HEIGHT
    gap = min(2.0, slot / 5)
    return Rect(
        round(_LEFT + start + gap / 2, 2),
        round(bottom - height, 2),
        round(slot - gap, 2),
        round(height, 2),
        kind,
        title,
    )


def _pieces(values: Sequence[float | None], most: float) -> list[list[tuple[float, float]]]:
    slot = _FIELD_WIDTH / max(len(values), 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is not None:
            pieces[-1].append((round(_LEFT + (place + 0.5) * slot, 1), round(FLOOR - value / most * _FIELD_HEIGHT, 1)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _clock(count: int) -> list[Tick]:
    slot = _FIELD_WIDTH / max(count, 1)
    places = [place for place in range(count) if (count - 1 - place) % 15 == 0]
    return [Tick(round(_LEFT + (place + 0.5) * slot, 1), _ago(count, place)) for place in places]


def _ago(count: int, place: int) -> str:
    return "now" if place == count - 1 else f"{count - 1 - place} min ago"


def _table(series: Sequence[Series], form: Format) -> tuple[Sequence[str], list[list[str]]]:
    """Return head and rows of what was not nothing, the newest minute first."""
    minutes = list(enumerate(zip(*(each.values for each in series), strict=True)))
    rows = [[_ago(len(minutes), place), *("none" if value is None else form(value) for value in minute)]
            for place, minute in reversed(minutes) if any(minute)]  # fmt: skip
    return ["minute", *(each.name for each in series)], rows
