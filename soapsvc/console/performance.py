"""The page that tells how fast a model answered in the last hour: times, calls, steps of a pipeline, the queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soapsvc.console.charts import Chart, Series, histogram, lines, stacked
from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.metrics.definitions import CALL_BUCKETS_S
from soapsvc.metrics.recent import LastHour, Minute, StepTime, quantile
from soapsvc.model.manager import ModelManager
from soapsvc.soap.inference import NAMES

_MOST_STEPS = 5  # with a colour of their own
_FEW_WAIT = 0.01  # calls, as a mean of a minute: no more than a moment each


@dataclass(frozen=True)
class Figures:
    """The hour in numbers, as text. faults: by name, the most frequent first."""

    calls: int
    faults: Sequence[tuple[str, int]]
    p50: str
    p99: str
    waiting: int
    busiest: int

    @property
    def failed(self) -> int:
        """Calls that ended with a fault."""
        return sum(count for _, count in self.faults)


@dataclass(frozen=True)
class StepFigures:
    """A step of a pipeline: how often it ran, its mean time, and of 100 its share of all steps' time."""

    name: str
    runs: int
    mean: str
    share: float


class PerformancePage:
    """Renders what is known of a model's last hour, in all workers."""

    def __init__(self, templates: Templates, manager: ModelManager, last_hour: LastHour) -> None:
        self._templates, self._manager, self._last_hour = templates, manager, last_hour

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return the page, None where there is no such model."""
        model = places["model"]
        loaded = {each.version for each in self._manager.status() if each.name == model}
        if not loaded and model != NAMES.model:
            return None
        hour = self._last_hour.read()
        versions = sorted(loaded | set(hour.versions(model)))
        asked = request.query.get("version", "")
        version = int(asked) if asked.isdecimal() and int(asked) in versions else None
        minutes = hour.minutes(model, version)
        return self._templates.page(
            request, "performance.html", model=model, versions=versions, version=version, hour=hour,
            figures=_figures(minutes, hour.waiting), steps=_step_figures(minutes), charts=_charts(minutes),
        )  # fmt: skip


def _figures(minutes: Sequence[Minute], waiting: int) -> Figures:
    faults: dict[str, int] = defaultdict(int)
    for minute in minutes:
        for name, count in minute.faults.items():
            faults[name] += count
    times = _times(minutes)
    return Figures(
        sum(times), sorted(faults.items(), key=lambda each: (-each[1], each[0])), shown_s(quantile(times, 0.5)),
        shown_s(quantile(times, 0.99)), waiting, max(minute.calls for minute in minutes),
    )  # fmt: skip


def _times(minutes: Sequence[Minute]) -> list[int]:
    return [sum(counts) for counts in zip(*(minute.times for minute in minutes), strict=True)]


def shown_s(seconds: float | None) -> str:
    """Return a duration as a person reads it."""
    if seconds is None:
        return "none"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _charts(minutes: Sequence[Minute]) -> list[Chart]:
    charts = [_latency(minutes), _throughput(minutes), _quantiles(minutes), _queue(minutes)]
    return [*charts, _steps(minutes)] if any(minute.steps for minute in minutes) else charts


def _latency(minutes: Sequence[Minute]) -> Chart:
    times = _times(minutes)
    p50, p99 = (shown_s(quantile(times, share)) for share in (0.5, 0.99))
    said = f"Half of {sum(times):,} calls were answered within {p50}, 99 of 100 within {p99}."
    names = [*(f"{shown_s(bound)}" for bound in CALL_BUCKETS_S), "more"]
    used = [place for place, count in enumerate(times) if count]
    first, last = (max(used[0] - 1, 0), min(used[-1] + 2, len(times))) if used else (0, len(times))
    return histogram(
        "Time to answer", said if used else "No call in the last hour.", names[first:last], times[first:last], "up to"
    )


def _throughput(minutes: Sequence[Minute]) -> Chart:
    failed = [sum(minute.faults.values()) for minute in minutes]
    answered = [minute.calls - count for minute, count in zip(minutes, failed, strict=True)]
    said = f"{sum(answered):,} answers and {sum(failed):,} faults; {max(minute.calls for minute in minutes):,} calls "
    said += "in the busiest minute."
    series = [Series("answers", "value", answered), Series("faults", "fault", failed)]
    return stacked("Calls a minute", said, series, lambda value: f"{value:,.3g}" if value < 100 else f"{value:,.0f}")


def _quantiles(minutes: Sequence[Minute]) -> Chart:
    half, most = ([minute.quantile(share) for minute in minutes] for share in (0.5, 0.99))
    slowest = max((value for value in most if value is not None), default=None)
    said = f"In the slowest minute 99 of 100 calls were answered within {shown_s(slowest)}."
    series = [Series("99%", "second", most), Series("50%", "first", half)]
    return lines("Time to answer, minute by minute", said if slowest else "No call in the last hour.", series, shown_s)


def _queue(minutes: Sequence[Minute]) -> Chart:
    depth = [minute.waited / 60 for minute in minutes]
    said = f"At most {max(depth):.2g} calls waited for a thread, as a mean of a minute."
    said = said if max(depth) >= _FEW_WAIT else "Calls did not have to wait for a thread."
    return stacked("Calls that wait", said, [Series("calls", "value", depth)], lambda value: f"{value:.3g}")


def _steps(minutes: Sequence[Minute]) -> Chart:
    """Return the mean time of a call's steps, minute by minute: the longest ones, and all others together."""
    longest = [each.name for each in _step_figures(minutes)[:_MOST_STEPS]]
    means = [{name: step.seconds / step.runs for name, step in minute.steps.items() if step.runs} for minute in minutes]
    series = [Series(name, f"step{place}", [mean.get(name) for mean in means]) for place, name in enumerate(longest)]
    others = [sum(seconds for name, seconds in mean.items() if name not in longest) for mean in means]
    said = f"The longest steps are {', '.join(longest)}."
    return stacked("Steps, minute by minute", said, [*series, Series("all others", "others", others)], shown_s)


def _step_figures(minutes: Sequence[Minute]) -> list[StepFigures]:
    """Return every step that ran, the longest first."""
    total: dict[str, StepTime] = {}
    for minute in minutes:
        for name, step in minute.steps.items():
            before = total.get(name, StepTime(0, 0.0))
            total[name] = StepTime(before.runs + step.runs, before.seconds + step.seconds)
    all_s = sum(step.seconds for step in total.values()) or 1.0
    ordered = sorted(total.items(), key=lambda each: -each[1].seconds)
    return [StepFigures(name, step.runs, shown_s(step.seconds / step.runs), round(100 * step.seconds / all_s, 1))
            for name, step in ordered if step.runs]  # fmt: skip
