"""A request's body while a server receives it: the socket is read straight into the memory that the call will have.

waitress collects what it reads in pieces, and its buffer moves each time that it grows.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from io import BytesIO

_FIRST = 65536  # bytes of room at first; what a connection holds must not depend on what it promises to send
_GROWTH = 16  # by how much the room grows once it is full
_SOUGHT = 16384  # bytes at the beginning of a body in which its first attachment is looked for
_ALIGNMENT = 64  # bytes: TensorFlow copies what begins elsewhere (TF_NewTensor, EIGEN_MAX_ALIGN_BYTES)
_raw_bytes = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)


class BodyFile(BytesIO):
    """A whole body, from its position on; what is around it means nothing, see `Body`."""


class Body:
    """A body of known length: in waitress's terms a receiver and its buffer, too.

    Where its first attachment is known, blank lines are put before and spaces behind it, which mean nothing in a
    multipart message (RFC 2046, 5.1.1), so that the attachment begins where TensorFlow takes it without a copy.

    completed: whether all of it is there.  held_bytes: how much memory it holds.
    """

    error = None  # waitress looks for one
    completed = False
    held_bytes = 0

    def __init__(self, length: int, attached_at: Callable[[bytes], int | None] | None = None) -> None:
        """length: in bytes, 1 or more.  attached_at: finds the first attachment in the first bytes of a package."""
        self._length, self._received, self._attached_at = length, 0, attached_at
        self._set_aside(min(length, _FIRST), None)

    def __len__(self) -> int:
        """How many bytes are there."""
        return self._received

    @property
    def room(self) -> memoryview:
        """Where the next bytes belong. Who has written some there tells `received`, by a range, how many."""
        return self._memory[self._begin + self._received : self._begin + self.held_bytes]

    def received(self, data: bytes | range) -> int:
        """Take bytes, or know so many to stand in the first of the room; return how many belong to this body."""
        count = min(len(data), self._length - self._received)
        if not isinstance(data, range):
            while count > self.held_bytes - self._received:
                self._grow(data)
            self.room[:count] = data[:count]
        self._received += count
        self.completed = self._received == self._length
        if self.completed:
            self._memory.release()
        elif self._received == self.held_bytes:
            self._grow()
        return count

    def _grow(self, more: bytes = b"") -> None:
        """Move what is there to larger memory. more: what comes next."""
        before = self._memory[self._begin : self._begin + self._received]
        attachment = None
        if self._attached_at is not None:
            beginning = bytes(before[:_SOUGHT])
            attachment = self._attached_at(beginning + more[: _SOUGHT - len(beginning)])
        self._set_aside(min(self._length, self.held_bytes * _GROWTH), attachment)
        self._memory[self._begin : self._begin + len(before)] = before

    def _set_aside(self, size: int, attachment: int | None) -> None:
        """Set memory aside for the body. attachment: where in it the first one begins, None where nobody knows."""
        around = 0 if attachment is None else _ALIGNMENT + 2
        self._file = BodyFile(_raw_bytes(None, size + around))  # not zeroed first: that took 7% of a call of 600 kB
        self._memory = self._file.getbuffer()
        self._begin = 0  # of the body in it
        if attachment is not None:
            address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
            self._begin = 2 + -(address + 2 + attachment) % _ALIGNMENT
            self._memory[: self._begin] = b"\r\n".rjust(self._begin)
            behind = len(self._memory) - self._begin - size
            self._memory[-behind:] = b" " * behind
        self._file.seek(self._begin)
        self.held_bytes = size

    def getfile(self) -> BodyFile:
        """Return a file of the whole body; see waitress."""
        return self._file

    def getbuf(self) -> Body:
        """Return what `close` is to be called on; see waitress."""
        return self

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.release()
        self._file.close()
