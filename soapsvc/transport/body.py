"""A request's body while waitress receives it: the socket is read straight into the memory that the call will have.

waitress collects what it reads in pieces, and its buffer moves each time that it grows.
"""

from __future__ import annotations

import ctypes
from io import BytesIO

_FIRST = 65536  # bytes of room at first; what a connection holds must not depend on what it promises to send
_GROWTH = 16  # by how much the room grows once it is full
_raw_bytes = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)


class Body:
    """A body of known length: in waitress's terms a receiver and its buffer, too.

    completed: whether all of it is there.  held_bytes: how much memory it holds.
    """

    error = None  # waitress looks for one
    completed = False
    held_bytes = 0

    def __init__(self, length: int) -> None:
        """length: in bytes, 1 or more."""
        self._length, self._received = length, 0
        self._set_aside(min(length, _FIRST))

    def __len__(self) -> int:
        """How many bytes are there."""
        return self._received

    @property
    def room(self) -> memoryview:
        """Where the next bytes belong. Who has written some there tells `received`, by a range, how many."""
        return self._memory[self._received :]

    def received(self, data: bytes | range) -> int:
        """Take bytes, or know so many to stand in the first of the room; return how many belong to this body."""
        count = min(len(data), self._length - self._received)
        if not isinstance(data, range):
            while count > len(self.room):
                self._grow()
            self.room[:count] = data[:count]
        self._received += count
        self.completed = self._received == self._length
        if self.completed:
            self._memory.release()
        elif not self.room:
            self._grow()
        return count

    def _grow(self) -> None:
        before = self._memory
        self._set_aside(min(self._length, len(before) * _GROWTH))
        self._memory[: len(before)] = before

    def _set_aside(self, size: int) -> None:
        self._file = BytesIO(_raw_bytes(None, size))  # not zeroed first: that took 7% of a call of 600 kB
        self._memory = self._file.getbuffer()
        self.held_bytes = size

    def getfile(self) -> BytesIO:
        """Return a file of the whole body; see waitress."""
        return self._file

    def getbuf(self) -> Body:
        """Return what `close` is to be called on; see waitress."""
        return self

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.release()
        self._file.close()
