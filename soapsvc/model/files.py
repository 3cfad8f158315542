"""The files of a model's folder as bytes: plain files only, and none larger than what it is for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from soapsvc.errors import LoadError

MAX_GRAPH_BYTES = 2**31 - 1  # protobuf reads no more
MAX_YAML_BYTES = 1024**2
MAX_LABELS_BYTES = 16 * 1024**2
MAX_GOLDEN_BYTES = 256 * 1024**2


def read_file(path: Path, max_bytes: int, shown_as: str) -> bytes:
    """Return a file's bytes. Raises LoadError before it reads one that is too large or no plain file, and OSError."""
    with open(path, "rb", opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise LoadError(f"{shown_as}: expected a plain file, received a folder, a pipe or a device")
        if status.st_size <= max_bytes:
            content = file.read(max_bytes + 1)
            if len(content) <= max_bytes:
                return content
    raise LoadError(f"{shown_as}: larger than {max_bytes} bytes, the most that is read")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe would have its reader wait for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such flag
