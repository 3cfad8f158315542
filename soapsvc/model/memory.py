"""Freed memory given back to the operating system: glibc would keep most of what a large graph took."""

from __future__ import annotations

import ctypes
import os


def return_memory() -> None:
    """Give back what is free, where the C library can (glibc)."""
    if os.name != "posix":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
