"""waitress, the default server, taught to answer in SOAP when it refuses a request by itself.

waitress reads a whole request before it takes a thread. What it refuses while reading (a body over the limit,
a broken chunk) never reaches the WSGI application, and by default is answered in text/plain.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from soapsvc.soap.call import Call, request_id
from soapsvc.soap.media_type import parse_content_type
from soapsvc.soap.mtom import MULTIPART
from soapsvc.transport.application import WebApplication
from soapsvc.transport.soap_handler import Exchange, too_large

_RECEIVE = 65536  # bytes at most of one read from a connection
_SLACK = 65536  # bytes: one read of a chunked body with its framing; the application checks the exact limit


class _Discard:
    """Takes the place of a request's body buffer and keeps nothing."""

    def append(self, data: bytes) -> None:
        """Drop data."""

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class _Parser(HTTPRequestParser):
    """Reads on past the limit, keeping nothing, so that the client is there to read its 413.

    (Closing on a client that still sends resets the connection, and the answer is lost.) Past twice the limit
    it stops all the same.
    """

    adjustments: ClassVar[Mapping[bool, Any]]  # for messages with attachments and without
    adj: Any
    expect_continue: bool
    _discarding = False

    def parse_header(self, header_plus: bytes) -> None:
        """Set the limit that this request's media type has; see waitress."""
        super().parse_header(header_plus)
        media_type, _ = parse_content_type(self.headers.get("CONTENT_TYPE", ""))
        self.adj = self.adjustments[media_type == MULTIPART]

    def received(self, data: bytes) -> int:
        """Return how many bytes of data belong to this request; see waitress."""
        if self._discarding:
            return self._discard(data)
        if self.chunked:
            self.body_bytes_received = len(self.body_rcv)  # the limit is on the body, not on its framing
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            if not self.expect_continue:
                self._start_discarding()
            self.expect_continue = False  # who waits for "100 Continue" gets the 413 and sends no body
        return consumed

    def _start_discarding(self) -> None:
        self._discarding, self.completed = True, False
        self.body_rcv.buf = _Discard()
        self._check_end()

    def _discard(self, data: bytes) -> int:
        consumed: int = self.body_rcv.received(data)
        self.body_bytes_received += consumed
        self._check_end()
        return consumed

    def _check_end(self) -> None:
        ended = self.body_rcv.completed or self.body_rcv.error
        self.completed = bool(ended) or self.body_bytes_received > 2 * self.adj.max_request_body_size


class _FaultTask(ErrorTask):
    """Answers what waitress refused with a fault instead of a line of text."""

    web: ClassVar[WebApplication]

    def execute(self) -> None:
        """Write the response; see waitress."""
        error = self.request.error
        call = Call(request_id(None))
        text = error.reason
        if isinstance(error, RequestEntityTooLarge):
            text = too_large(self.request.adj.max_request_body_size - _SLACK)
        reply = self.web.soap.fault(getattr(self.request, "path", ""), error.code, text, call)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", reply.content_type), ("X-Request-Id", call.request_id)])
        self.set_close_on_finish()
        self.content_length = len(reply.body)
        self.write(reply.body)


def make_server(web: WebApplication, listener: socket.socket, threads: int, exchange: Exchange) -> Any:
    """Return a waitress server that listens on a bound socket and is ready to `run()`."""
    largest = max(exchange.max_request_bytes, exchange.max_mtom_bytes) + _SLACK
    server = create_server(
        web, sockets=[listener], threads=threads, ident=None, clear_untrusted_proxy_headers=True,
        max_request_body_size=largest, inbuf_overflow=largest, recv_bytes=_RECEIVE,
    )  # fmt: skip
    adjustments = {False: copy(server.adj), True: copy(server.adj)}
    for attached, media_type in ((False, ""), (True, MULTIPART)):
        adjustments[attached].max_request_body_size = exchange.max_bytes(media_type) + _SLACK
    parser = type("_BoundParser", (_Parser,), {"adjustments": adjustments})
    task = type("_BoundFaultTask", (_FaultTask,), {"web": web})
    server.channel_class = type("_BoundChannel", (HTTPChannel,), {"parser_class": parser, "error_task_class": task})
    return server
