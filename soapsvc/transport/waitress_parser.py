"""Reading requests in waitress: what is refused before or while it arrives, and how long it may take.

waitress reads a whole request before it takes a thread, on one thread for all connections. What is refused here never
reaches the WSGI application.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.utilities import Error, RequestEntityTooLarge

from soapsvc.soap.media_type import parse_content_type
from soapsvc.soap.mtom import MULTIPART
from soapsvc.transport.body import Body
from soapsvc.transport.http import body_of

_MOST_KEPT = 4096  # bytes of headers whose meaning is kept


class RequestTimeout(Error):
    """The request took too long to arrive (RFC 9110, 15.5.9)."""

    code, reason = 408, "Request Timeout"


class ServiceUnavailable(Error):
    """The server as a whole has no room for one more request (RFC 9110, 15.6.4)."""

    code, reason = 503, "Service Unavailable"


class _Discard:
    """Takes the place of a request's body buffer and keeps nothing."""

    def append(self, data: bytes) -> None:
        """Drop data."""

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class SoapParser(HTTPRequestParser):
    """Reads on past an error, keeping nothing, so that the client is there to read its answer.

    (Closing on a client that still sends resets the connection, and the answer is lost.) Past twice the limit
    it stops all the same.
    """

    adjustments: ClassVar[Mapping[bool, Any]]  # for messages with attachments and without
    is_full: Callable[[int], bool]  # whether there is no room for so many bytes more
    adj: Any
    body_rcv: Any
    error: Any
    headers: dict[str, str]
    expect_continue: bool
    attached = False  # whether the body is an envelope with attachments
    _discarding = False

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = self.queued = time.monotonic()

    @property
    def held_bytes(self) -> int:
        """How much of the body is held in memory."""
        if self._discarding or self.body_rcv is None:
            return 0
        return self.body_rcv.held_bytes if isinstance(self.body_rcv, Body) else int(self.body_bytes_received)

    @property
    def room(self) -> memoryview | None:
        """Where the next bytes of the body may be written before they are given to `received`; None for nowhere."""
        return self.body_rcv.room if isinstance(self.body_rcv, Body) and not self.completed else None

    def parse_header(self, header_plus: bytes) -> None:
        """Set what a request's headers say, and the limit that its media type has; see waitress."""
        meaning = _meaning if len(header_plus) <= _MOST_KEPT else _meaning.__wrapped__
        try:
            self.__dict__.update(meaning(self.adj, header_plus))
        except (ParsingError, TransferEncodingNotImplemented):
            super().parse_header(header_plus)  # raises it again, and keeps what the fault needs: version and path
            raise
        self.headers = dict(self.headers)
        if self.chunked and "CONTENT_LENGTH" in self.headers:  # two readers could see two requests (RFC 9112, 6.1)
            raise ParsingError("Content-Length beside Transfer-Encoding")
        self.adj = self.adjustments[self.attached]
        if self.chunked:
            self.body_rcv = ChunkedReceiver(OverflowableBuffer(self.adj.inbuf_overflow))
        elif self.content_length:
            content_type, coding = (self.headers.get(name, "") for name in ("CONTENT_TYPE", "CONTENT_ENCODING"))
            self.body_rcv = body_of(self.content_length, content_type, coding)

    def received(self, data: bytes | range) -> int:
        """Return how many bytes of data belong to this request; see waitress. A range: so many stand in `room`."""
        if self._discarding:
            return self._discard(data)
        if self.chunked:
            self.body_bytes_received = len(self.body_rcv)  # the limit is on the body, not on its framing
        in_headers = not self.headers_finished
        consumed: int = super().received(data)
        if in_headers and self.headers_finished and self.error is None and self._too_much():
            self.error = ServiceUnavailable("")
        if isinstance(self.error, RequestEntityTooLarge | ServiceUnavailable):
            if self.body_rcv is not None and not self.expect_continue:
                self._start_discarding()
            else:
                self.completed = True
            self.expect_continue = False  # who waits for "100 Continue" gets the answer and sends no body
        return consumed

    def _too_much(self) -> bool:
        wanted = self.adj.max_request_body_size if self.chunked else self.content_length
        return self.is_full(wanted)

    def _start_discarding(self) -> None:
        self._discarding, self.completed = True, False
        if self.chunked:
            self.body_rcv.buf = _Discard()
        else:
            self.body_rcv = FixedStreamReceiver(self.content_length, _Discard())
        self._check_end()

    def _discard(self, data: bytes | range) -> int:
        consumed: int = self.body_rcv.received(data)
        self.body_bytes_received += consumed
        self._check_end()
        return consumed

    def _check_end(self) -> None:
        ended = self.body_rcv.completed or self.body_rcv.error
        self.completed = bool(ended) or self.body_bytes_received > 2 * self.adj.max_request_body_size


@lru_cache(maxsize=256)
def _meaning(adj: Any, header_plus: bytes) -> Mapping[str, Any]:
    """Return what a request line and headers say, as attributes of a parser. Raises what waitress does.

    A program sends the same ones over and over; to take them apart took a twentieth of a small call.
    """
    parser = HTTPRequestParser(adj)
    parser.parse_header(header_plus)
    media_type, _ = parse_content_type(parser.headers.get("CONTENT_TYPE", ""))
    attributes: dict[str, Any] = vars(parser) | {"attached": media_type == MULTIPART}
    attributes.pop("body_rcv", None)  # each request has its own
    return attributes
