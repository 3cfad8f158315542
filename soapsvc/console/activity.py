"""What the pages need to know of recent calls, however that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from soapsvc.metrics.recent import LastHour


@dataclass(frozen=True)
class Minutes:
    """The last minutes of a model or of one of its versions, the oldest first, in all workers.

    calls: answered a minute, faults among them.  p50_ms, p99_ms: None for a minute without calls.
    """

    calls: Sequence[int]
    faults: Sequence[int]
    p50_ms: Sequence[float | None]
    p99_ms: Sequence[float | None]


class Activity(Protocol):
    """Recent calls. Safe to use from many threads."""

    def models(self) -> Mapping[str, Minutes]:
        """Return the last hour of each model that was called in it, by its name."""


class RecentActivity:
    """The whole minutes that a LastHour knows."""

    def __init__(self, last_hour: LastHour) -> None:
        self._last_hour = last_hour

    def models(self) -> Mapping[str, Minutes]:
        """See `Activity`."""
        hour = self._last_hour.read()
        found = {}
        for model in hour.models():
            whole = hour.minutes(model)[:-1]
            p50, p99 = ([_milliseconds(minute.quantile(share)) for minute in whole] for share in (0.5, 0.99))
            faults = [sum(minute.faults.values()) for minute in whole]
            found[model] = Minutes([minute.calls for minute in whole], faults, p50, p99)
        return found


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
