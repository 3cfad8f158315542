"""The page at /metrics, in the text format of Prometheus: one worker tells the counts of all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import mark_process_dead

from soapsvc.metrics.all_workers import FOLDER_VARIABLE, AllWorkers
from soapsvc.metrics.definitions import (
    GONE,
    LOAD_SECONDS,
    MEMORY_BYTES,
    MODEL_BYTES,
    RESTARTS,
    SESSION_BYTES,
    SESSIONS,
    STATE,
    TURNS,
    WAITING,
)
from soapsvc.model.memory import resident_bytes
from soapsvc.model.status import State, VersionStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REFRESH_S = 1.0  # how old what other workers and pages tell of this one may be
_MODEL_BYTES = ("graph_file", "mapped_constants", "load_growth")


class Kept(Protocol):
    """What all workers keep of conversations."""

    @property
    def sessions(self) -> int:
        """How many there are."""

    @property
    def bytes(self) -> int:
        """How much they hold."""


class Conversations(Protocol):
    """What is told of conversations. turns, gone: what this process counted so far, by state and by reason."""

    @property
    def kept(self) -> Kept:
        """As of a second ago."""

    @property
    def turns(self) -> Mapping[str, int]:
        """Calls."""

    @property
    def gone(self) -> Mapping[str, int]:
        """Sessions that were let go."""


class MetricsPage:
    """Tells what this worker, or all of them, counted."""

    def __init__(
        self, flush: Callable[[], None], versions: Callable[[], Sequence[VersionStatus]], waiting: Callable[[], int],
        conversations: Conversations,
    ) -> None:  # fmt: skip
        """flush: counts the calls that wait to be counted.  waiting: gives how many calls wait for a thread."""
        self._flush, self._versions, self._waiting = flush, versions, waiting
        self._conversations, self._told = conversations, dict[tuple[Counter, str], int]()
        self._refreshing = threading.Lock()
        disable_created_metrics()
        self._registry = REGISTRY
        if FOLDER_VARIABLE in os.environ:
            self._registry = CollectorRegistry()
            AllWorkers(self._registry)
        threading.Thread(target=self._keep_fresh, name="gauges", daemon=True).start()

    def __call__(self) -> bytes:
        """Return the page's content."""
        self._refresh()
        return generate_latest(self._registry)

    def _refresh(self) -> None:
        with self._refreshing:
            self._flush()
            WAITING.set(self._waiting())
            if (resident := resident_bytes()) is not None:
                MEMORY_BYTES.set(resident)
            self._tell_conversations()
            for status in self._versions():
                for state in State:
                    STATE.labels(status.name, status.version, state.value).set(status.state is state)
                for kind in _MODEL_BYTES:
                    MODEL_BYTES.labels(status.name, status.version, kind).set(status.memory.get(kind, 0))
                if seconds := _load_seconds(status):
                    LOAD_SECONDS.labels(status.name, status.version).set(seconds)

    def _tell_conversations(self) -> None:
        """Tell what is kept, and count what came since the last time."""
        kept = self._conversations.kept
        SESSIONS.set(kept.sessions)
        SESSION_BYTES.set(kept.bytes)
        for counter, counts in ((TURNS, self._conversations.turns), (GONE, self._conversations.gone)):
            for label, count in counts.items():
                counter.labels(label).inc(count - self._told.get((counter, label), 0))
                self._told[counter, label] = count

    def _keep_fresh(self) -> None:
        never = threading.Event()
        while True:
            self._refresh()
            never.wait(_REFRESH_S)


def _load_seconds(status: VersionStatus) -> float:
    """Return how long a version took from LOADING to AVAILABLE, 0 when it did not."""
    at = dict(status.transitions)
    if State.LOADING not in at or State.AVAILABLE not in at:
        return 0.0
    return max(0.0, (at[State.AVAILABLE] - at[State.LOADING]).total_seconds())


def forget_gauges(pid: int, folder: Path) -> None:
    """Let what a worker said of itself count no more: it ended. What it counted stays."""
    mark_process_dead(pid, str(folder))


def count_restart(worker: int) -> None:
    """Count that this process took the place of one that ended. worker: the number of the place."""
    RESTARTS.labels(worker).inc()
