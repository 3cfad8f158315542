"""The last hour of a model in a few numbers and small plots, as tables show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soapsvc.console.activity import Minutes
from soapsvc.console.plots import Plot, small_plot


@dataclass(frozen=True)
class Traffic:
    """calls, faults: in the last whole minute.  p50_ms, p99_ms: of the latest minute that had calls, in words."""

    calls: int
    faults: int
    p50_ms: str
    p99_ms: str
    calls_plot: Plot
    times_plot: Plot


def traffic(minutes: Minutes) -> Traffic:
    """Return the numbers and plots of a model."""
    p50, p99 = _latest(minutes.p50_ms), _latest(minutes.p99_ms)
    calls, faults = list(minutes.calls), list(minutes.faults)
    calls_words = f"Calls a minute in the last hour: {max(calls, default=0)} at most; faults: {max(faults, default=0)}."
    highest = max((value for value in minutes.p99_ms if value is not None), default=None)
    times_words = f"p50 and p99 in the last hour: p99 {milliseconds(highest)} ms at most."
    return Traffic(
        calls[-1] if calls else 0,
        faults[-1] if faults else 0,
        milliseconds(p50),
        milliseconds(p99),
        small_plot(calls_words, calls, *([faults] if any(faults) else [])),
        small_plot(times_words, minutes.p50_ms, minutes.p99_ms),
    )


def milliseconds(value: float | None) -> str:
    """Return a time as a reader wants it: two digits that count."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _latest(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)
