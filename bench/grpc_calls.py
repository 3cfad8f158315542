"""Calls of the Open Inference Protocol over gRPC, by hand on a socket: HTTP/2 frames (RFC 9113) and protobuf fields.

So that the load generator takes as little for them as for HTTP/1.1; a gRPC library would take more than many a server.
One call at a time on a connection, headers never indexed (RFC 7541), answers never read beyond their message.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bench.exchange import Exchange
from bench.iris import FLOWERS, Flower, names_species

if TYPE_CHECKING:
    from bench.load import Tally

_PATH = b"/inference.GRPCInferenceService/ModelInfer"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_ACK = _END_STREAM = 1
_END_HEADERS = 4
_WINDOW = 2**31 - 1 - 65535  # of bytes that the server may send: a run never uses it up


def exchanges() -> list[Exchange]:
    """Return a call of ModelInfer for each flower; its request is the message, with gRPC's five bytes before it."""
    return [
        Exchange(_framed(_request(flower)), f"{flower.species.decode()} first",
                 partial(names_species, species=flower.species))
        for flower in FLOWERS
    ]  # fmt: skip


def _framed(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


def _request(flower: Flower) -> bytes:
    row = [float(value) for value in flower.values]
    contents = _field(6, struct.pack(f"<{len(row)}f", *row))  # InferTensorContents.fp32_contents
    tensor = _field(1, b"features") + _field(2, b"FP32") + _field(3, bytes([1, len(row)])) + _field(5, contents)
    return _field(1, b"iris") + _field(5, tensor)


def _field(number: int, content: bytes) -> bytes:
    """Return a protobuf field of bytes, a message or packed numbers; below 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def _header_block() -> bytes:
    indexed = b"\x83\x86"  # :method POST, :scheme http
    named = ((4, _PATH), (1, b"localhost"), (31, b"application/grpc"))  # :path, :authority, content-type
    block = b"".join(_name(index) + bytes([len(value)]) + value for index, value in named)
    return indexed + block + b"\x00\x02te\x08trailers"


def _name(index: int) -> bytes:
    """Return a name of the static table, for a value that is not to be indexed."""
    return bytes([index]) if index < 15 else bytes([15, index - 15])


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


class GrpcConnection:
    """One connection with at most one call under way."""

    def __init__(self, port: int, exchanges: Sequence[Exchange], turn: int, timeout_s: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        window = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0) + window)
        self._exchanges, self._turn, self._unread = exchanges, turn, b""
        self._headers, self._stream, self._message, self._sent_at = _header_block(), -1, b"", 0.0

    def ask(self) -> None:
        """Send the next call."""
        self._turn += 1
        self._stream += 2
        self._message, self._sent_at = b"", time.perf_counter()
        headers = _frame(_HEADERS, _END_HEADERS, self._stream, self._headers)
        self.socket.sendall(headers + _frame(_DATA, _END_STREAM, self._stream, self._exchange.request))

    @property
    def _exchange(self) -> Exchange:
        return self._exchanges[self._turn % len(self._exchanges)]

    def receive(self, tally: Tally) -> bool:
        """Take in what came; return whether the answer is whole, and then count it. Raises ConnectionError."""
        content = self.socket.recv(65536)
        if not content:
            raise ConnectionError("the server closed the connection")
        self._unread += content
        ended = False
        while len(self._unread) >= 9 and len(self._unread) >= (end := 9 + int.from_bytes(self._unread[:3])):
            kind, flags, stream = struct.unpack(">BBI", self._unread[3:9])
            ended = self._take(kind, flags, stream, self._unread[9:end]) or ended
            self._unread = self._unread[end:]
        if ended:
            right = self._exchange.is_right(self._message)
            problem = "" if right else f"expected {self._exchange.expected} in {self._message[:600]!r}"
            tally.add(problem, time.perf_counter() - self._sent_at)
        return ended

    def _take(self, kind: int, flags: int, stream: int, content: bytes) -> bool:
        """Act on one frame; return whether it ends the call."""
        if kind in (_RESET, _GOAWAY):
            raise ConnectionError(f"the server ended the call: frame of type {kind}, {content!r}")
        if kind in (_SETTINGS, _PING) and not flags & _ACK:
            self.socket.sendall(_frame(kind, _ACK, 0, content if kind == _PING else b""))
        if kind == _DATA:
            self._message += content
        return kind in (_DATA, _HEADERS) and stream == self._stream and bool(flags & _END_STREAM)
