"""Where the counts of the last hour's minutes are kept: in this process, or in a folder of all workers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

KEPT = 60  # notes, one for each minute of an hour


class Notes(Protocol):
    """What the counts stood at when a minute began, by the minute's number. Safe to use from many threads."""

    def find(self, minute: int) -> bytes | None:
        """Return a minute's note, None where there is none."""

    def keep(self, minute: int, note: bytes) -> None:
        """Put a note down, and let go of those that are older than an hour."""


class NotesInMemory:
    """The notes of the only process."""

    def __init__(self) -> None:
        self._notes: dict[int, bytes] = {}

    def find(self, minute: int) -> bytes | None:
        """See `Notes`."""
        return self._notes.get(minute)

    def keep(self, minute: int, note: bytes) -> None:
        """See `Notes`."""
        self._notes[minute] = note
        for old in [each for each in list(self._notes) if each <= minute - KEPT]:
            self._notes.pop(old, None)


class NotesInFolder:
    """The notes of several workers: whoever comes first in a minute writes for all, and they outlive each of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def find(self, minute: int) -> bytes | None:
        """See `Notes`."""
        with suppress(FileNotFoundError):
            return self._path(minute).read_bytes()
        return None

    def keep(self, minute: int, note: bytes) -> None:
        """See `Notes`. Raises OSError."""
        fresh = self._folder / f".{minute}.{os.getpid()}"
        fresh.write_bytes(note)
        fresh.replace(self._path(minute))
        for path in self._folder.glob("*.json"):
            if int(path.stem) <= minute - KEPT:
                path.unlink(missing_ok=True)

    def _path(self, minute: int) -> Path:
        return self._folder / f"{minute}.json"
