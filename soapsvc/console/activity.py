"""What the pages need to know of recent calls, however that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


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
