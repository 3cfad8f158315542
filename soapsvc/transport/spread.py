"""Spreads connections over workers: how many each has open, in memory that all share.

Without it the first worker to wake takes a whole burst, and keep-alive connections stay where they are.
"""

from __future__ import annotations

import mmap
from pathlib import Path

_AWAY = 2**62  # of a worker that accepts nothing


class Spread:
    """The open connections of every worker."""

    def __init__(self, folder: Path, workers: int) -> None:
        """folder: shared by the supervisor, which comes first, and the workers."""
        file = folder / "connections"
        file.touch()
        with file.open("r+b") as opened:
            opened.truncate(8 * workers)
            self._counts = memoryview(mmap.mmap(opened.fileno(), 8 * workers)).cast("q")

    def leave(self, number: int) -> None:
        """Tell that a worker accepts nothing now."""
        self._counts[number - 1] = _AWAY

    def share(self, number: int) -> Share:
        """Return what is one worker's. number: from 1."""
        return Share(self._counts, number)


class Share:
    """One worker's connections beside the others'. Each writes its own number only, so no lock is needed."""

    def __init__(self, counts: memoryview[int], number: int) -> None:
        self._counts, self._place = counts, number - 1

    def count(self, connections: int) -> None:
        """Tell how many connections this worker has open."""
        self._counts[self._place] = connections

    def another_has_fewer(self) -> bool:
        """Return whether a new connection is better left to another worker."""
        return self._counts[self._place] > min(self._counts)
