"""How much XML was parsed on each thread: lxml keeps every name that a thread ever parsed until the thread ends.

Hostile messages have ever new names, so that who runs calls on a thread ends it once it is worn, and starts another. A
message that is not parsed, as most are (`outlines`), does not count.
"""

from __future__ import annotations

import threading

WORN_BYTES = 2**20
_here = threading.local()


def note_parsed(size: int) -> None:
    """Count bytes that lxml is about to parse on this thread."""
    _here.parsed = getattr(_here, "parsed", 0) + size


def is_worn() -> bool:
    """Return whether so much was parsed on this thread that another shall take its place."""
    return getattr(_here, "parsed", 0) >= WORN_BYTES
