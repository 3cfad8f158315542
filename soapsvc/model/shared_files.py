"""Bytes that several processes hold once: files in a folder of theirs alone, which each of them maps.

A file is checked each time before it is used, and what was mapped stays as it was checked: the file may be removed, or
made anew, while others still use it.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedBytes:
    """Bytes mapped from a file, for reading only."""

    content: memoryview
    _path: Path

    def remove(self) -> None:
        """Remove the file; whoever has it mapped keeps the bytes, and who needs it later makes another."""
        self._path.unlink(missing_ok=True)


class SharedFiles:
    """A folder of such files."""

    def __init__(self, folder: Path) -> None:
        """folder: made when it is needed; only its owner may enter it."""
        self._folder = folder

    def remove_all(self) -> None:
        """Remove every file, whoever uses it: see `SharedBytes.remove`."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process into its own such block meanwhile; `find` and `write` want one. Raises OSError."""
        import fcntl  # Windows has none, and no several processes to share with

        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def find(self, name: str, expected: bytes) -> SharedBytes | None:
        """Return a file's bytes, None when there is none or it holds others than expected. Raises OSError."""
        path = self._folder / name
        if not path.exists():
            return None
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            if os.fstat(file.fileno()).st_size == len(expected):
                content = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
                if hashlib.sha256(content).digest() == hashlib.sha256(expected).digest():
                    return SharedBytes(content, path)
        log.warning("%s is not what was written to it; it is made anew", path)
        return None

    def write(self, name: str, content: bytes) -> SharedBytes:
        """Put bytes into a file, in one step, and return them as they are found there. Raises OSError."""
        fresh, path = self._folder / "fresh", self._folder / name
        fresh.unlink(missing_ok=True)  # of a process that was killed
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            fresh.rename(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        if (found := self.find(name, content)) is None:
            raise OSError(f"{path} is not what was written to it")
        return found
