"""What the overview tells of recent calls: a few numbers of each model for each minute of the last hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soapsvc.metrics.recent import Changes, LastHour, minute_of


@dataclass(frozen=True)
class Minutes:
    """The last minutes of a model or of one of its versions, the oldest first, in all workers.

    calls: answered a minute, faults among them.  p50_ms, p99_ms: None for a minute without calls.
    """

    calls: Sequence[int]
    faults: Sequence[int]
    p50_ms: Sequence[float | None]
    p99_ms: Sequence[float | None]


@dataclass(frozen=True)
class _Figures:
    """A model's numbers of one minute."""

    calls: int
    faults: int
    p50_ms: float | None
    p99_ms: float | None


_NOTHING = _Figures(0, 0, None, None)


class Activity:
    """The whole minutes that a LastHour knows; works each out once. Safe to use from many threads."""

    def __init__(self, last_hour: LastHour) -> None:
        self._last_hour = last_hour
        self._known: dict[int, Mapping[str, _Figures]] = {}  # by the minute's number; replaced, never changed

    def models(self) -> Mapping[str, Minutes]:
        """Return the last hour of each model that was called in it, by its name."""
        known = self._known
        minutes = {
            number: known[number] if number in known else _figures(changes)
            for number, changes in self._last_hour.whole_minutes().items()
        }
        self._known = minutes
        names = sorted({model for minute in minutes.values() for model in minute})
        return {model: _minutes([minute.get(model, _NOTHING) for minute in minutes.values()]) for model in names}


def _figures(changes: Changes) -> Mapping[str, _Figures]:
    """Return the numbers of each model that was called in a minute."""
    found = {}
    for model in changes:
        minute = minute_of(changes, model)
        if minute.calls and model != "-":
            p50, p99 = (_milliseconds(minute.quantile(share)) for share in (0.5, 0.99))
            found[model] = _Figures(minute.calls, sum(minute.faults.values()), p50, p99)
    return found


def _minutes(hour: Sequence[_Figures]) -> Minutes:
    return Minutes(
        [each.calls for each in hour],
        [each.faults for each in hour],
        [each.p50_ms for each in hour],
        [each.p99_ms for each in hour],
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
