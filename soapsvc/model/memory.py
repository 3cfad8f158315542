"""What this process holds of memory, and freed memory given back: glibc would keep most of what a large graph took."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_STATM = Path("/proc/self/statm")  # proc(5)


def return_memory() -> None:
    """Give back what is free, where the C library can (glibc)."""
    if os.name != "posix":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes() -> int | None:
    """Return the memory that this process holds, what it shares with others included; None where nothing tells."""
    if not _STATM.exists():
        return None
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
