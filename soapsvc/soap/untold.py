"""A defect as the log may tell it where a message holds a secret: which kinds, and where, but not their own words.

A library's error likes to quote the value that it could not work on.
"""

from __future__ import annotations

from soapsvc.soap.disclosure import MASK


class Untold(Exception):
    """Stands for an error whose words are not told."""


def untold(error: BaseException) -> Untold:
    """Return what stands for an error, with its traceback and those of what caused it."""
    stand_in = Untold(f"{error.__class__.__name__}: {MASK}").with_traceback(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        stand_in.__cause__ = untold(cause)
    return stand_in
