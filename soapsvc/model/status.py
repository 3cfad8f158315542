"""The states of a version's life, and what is told of each version: why it is in its state, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum


class State(Enum):
    """Where a version is in its life; the names are TensorFlow Serving's.

    UNAVAILABLE is ours: a pipeline that is loaded, while a model that it needs is not there.
    """

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True)
class VersionStatus:
    """State of one version.

    reason: why it is not available.  note: what an operator should know of it all the same.
    runner: what runs its graph while it is available.
    memory: bytes that it takes while it is available, by what they are; see `Servable`.
    failed: it ended because it could not be loaded, not because it was no longer wanted.
    transitions: each state since it was found the last time, with the time (UTC) at which it came about.
    """

    name: str
    version: int
    state: State
    reason: str = ""
    note: str = field(default="", compare=False)
    runner: str = field(default="", compare=False)
    memory: Mapping[str, int] = field(default_factory=dict, compare=False)
    failed: bool = field(default=False, compare=False)
    transitions: tuple[tuple[State, datetime], ...] = field(default=(), compare=False)

    def became(self, state: State, reason: str = "", failed: bool = False) -> VersionStatus:
        """Return the status after a change of state, or of reason only; START begins the transitions anew."""
        before = () if state is State.START and self.state is not state else self.transitions
        if not before or before[-1][0] is not state:
            before = (*before, (state, datetime.now(UTC)))
        return replace(
            self, state=state, reason=reason, failed=failed, note="", runner="", memory={}, transitions=before
        )


@dataclass(frozen=True)
class LabelStatus:
    """A label's place. version: what it stands on, None for nothing yet; wanted: where it is to stand."""

    name: str
    label: str
    version: int | None
    wanted: int
