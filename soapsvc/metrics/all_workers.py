"""The metrics of all workers, out of the files that prometheus-client keeps for each of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's name; the supervisor sets it for its workers


class AllWorkers(MultiProcessCollector):
    """Reads what the workers have counted. A file that one of them is just making is empty, and passed over."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._folder = os.environ[FOLDER_VARIABLE]
        super().__init__(registry, self._folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, each summed up as its definition says."""
        files = []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # of a worker that has ended
                if entry.name.endswith(".db") and entry.stat().st_size:
                    files.append(entry.path)
        metrics: Iterable[Metric] = self.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return metrics
