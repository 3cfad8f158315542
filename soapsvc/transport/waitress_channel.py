"""One connection in waitress, and what answers its requests: a call, or a fault for what never became one."""

from __future__ import annotations

import socket
import struct
import time
from functools import lru_cache
from typing import Any, ClassVar

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge, build_http_date

from soapsvc.errors import ServingError
from soapsvc.transport.application import WebApplication
from soapsvc.transport.places import RETRY_AFTER_S
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import too_large
from soapsvc.transport.waitress_parser import RequestTimeout, ServiceUnavailable

SLACK = 65536  # bytes: one read of a chunked body with its framing; the application checks the exact limit
_FIRST_READ = 8192  # bytes of a request: its headers; what is behind them is read to where it shall stay
_MOST_READS = 8  # from one connection before others have their turn
_ONE_READ = 1048576  # bytes at most of a body
_ONE_WRITE = 65536  # bytes of an answer at most that are copied behind its headers


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """Return a time as headers have it (RFC 9110, 5.6.7)."""
    return str(build_http_date(second))


class CallTask(WSGITask):
    """Tells the application when a request began to arrive."""

    wrote_header: bool
    has_body: bool
    close_on_finish: bool
    content_length: int | None
    version: str
    status: str
    start_time: float
    response_headers: list[tuple[str, str]]

    def write(self, data: bytes) -> None:
        """Send headers and a small body in one packet; see waitress."""
        if self.wrote_header or not self.complete or not self.content_length or len(data) > _ONE_WRITE:
            super().write(data)
            return
        head = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = len(data)
        self.channel.write_soon(head + data)

    def build_response_header(self) -> bytes:
        """Return the header of an answer, at a fifth of the price where nothing about it is unusual; see waitress."""
        usual = self.version == "1.1" and self.has_body and self.content_length is not None
        if not usual or self.close_on_finish or "CONNECTION" in self.request.headers:
            return bytes(super().build_response_header())
        lines = "".join([f"{name}: {value}\r\n" for name, value in self.response_headers])
        return f"HTTP/1.1 {self.status}\r\n{lines}Date: {_date(int(self.start_time))}\r\n\r\n".encode("latin-1")

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment; see waitress."""
        environ: dict[str, Any] = super().get_environment()
        environ["soapsvc.began"], environ["soapsvc.queued"] = self.request.began, self.request.queued
        return environ


class FaultTask(ErrorTask):
    """Answers what was refused before it reached the application, with a fault instead of a line of text."""

    web: ClassVar[WebApplication]

    def execute(self) -> None:
        """Write the response; see waitress."""
        error, request = self.request.error, self.request

        def header(name: str) -> str:
            return str(request.headers.get(name, ""))

        origin = self.web.soap.proxies.origin(self.channel.addr[0], header)
        call = self.web.soap.begun(header, origin.peer, getattr(request, "began", time.monotonic()))
        path = getattr(request, "path", "")
        if isinstance(error, ServingError):
            reply = self.web.refusal(path, error, call)
            self.status = f"{reply.status} Internal Server Error"
        else:
            text = error.reason
            if isinstance(error, RequestEntityTooLarge):
                text = too_large(request.adj.max_request_body_size - SLACK)
            reply = self.web.refused(path, error.code, text, call)
            self.status = f"{error.code} {error.reason}"
            self.set_close_on_finish()
        self.response_headers.extend([("Content-Type", reply.content_type), ("X-Request-Id", call.request_id)])
        if isinstance(error, ServiceUnavailable):
            self.response_headers.append(("Retry-After", str(RETRY_AFTER_S)))
        self.content_length = len(reply.body)
        self.write(reply.body)


class Channel(HTTPChannel):
    """One connection, with the moment since which its answer waits to be taken."""

    answering_since: float | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing of a request or an answer is under way."""
        return not self.requests and self.request is None and not self.total_outbufs_len

    @property
    def untouched(self) -> bool:
        """Whether nothing came on it since it was accepted: its first request may be on its way."""
        return bool(self.last_activity == self.creation_time)

    @property
    def held_bytes(self) -> int:
        """How much of requests is held in memory."""
        partial = self.request
        held: int = sum(request.held_bytes for request in self.requests)
        return held if partial is None else held + int(partial.held_bytes)

    def writable(self) -> bool:
        """Whether the loop has to send or close: while a call goes on, its own thread sends; see waitress."""
        return bool(self.will_close or self.close_when_flushed or (self.total_outbufs_len and not self.requests))

    def handle_read(self) -> None:
        """Take what came, all of a large message that is there already; see waitress."""
        for _ in range(_MOST_READS):
            room = self.request.room if self.request is not None else None
            if room is not None:
                most = min(len(room), _ONE_READ)
            else:
                most = _FIRST_READ if self.request is None else self.adj.recv_bytes
            try:
                if room is None:
                    data = self.socket.recv(most)
                else:
                    with room:  # no view is left when a call takes the memory, which may be before `received` returns
                        data = range(self.socket.recv_into(room, most))
            except BlockingIOError:
                return
            except OSError:
                self.handle_close()
                return
            if not data:
                self.handle_close()
                return
            self.last_activity = time.time()
            self.received(data)
            if len(data) < most or not self.readable():
                return

    def service(self) -> None:
        """Run a call in the thread of its own, and wake the loop if it has to go on with the connection."""
        super().service()
        self.server.served(self)

    def give_up(self, patience: Patience, now: float) -> None:
        """Answer 408 to a request that takes too long to arrive, or hang up on who does not take his answer."""
        request = self.request
        if request is not None and not self.requests:
            allowed = patience.request_timeout_s if request.headers_finished else patience.header_timeout_s
            if now - request.began > allowed:
                self._time_out(request)
        if not self.total_outbufs_len:
            self.answering_since = None
        elif self.answering_since is None:
            self.answering_since = now
        elif now - self.answering_since > patience.request_timeout_s:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close at once, and drop what the client did not take: it never becomes writable for a closing in order."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handle_close()

    def _time_out(self, request: Any) -> None:
        with self.requests_lock:
            request.error, request.completed = RequestTimeout(""), True
            self.requests.append(request)
            self.request = None
        self.server.add_task(self)
