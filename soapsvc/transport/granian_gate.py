"""What reads requests on Granian, and lets them on once they are there whole: what waitress's parser does there.

Refuses what is too large or too much, and answers 408 to who is too slow. All of it but `expire` and `done` runs on the
one thread that Granian calls, which never waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from granian.rsgi import ProtocolClosed

from soapsvc.soap.media_type import parse_content_type
from soapsvc.transport.granian_request import GranianRequest
from soapsvc.transport.http import body_of
from soapsvc.transport.places import RETRY_AFTER_S
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange

_SMALL = 65536  # bytes: a body up to it is taken in one piece and not counted
_CLOSE = {"Connection": "close"}

Take = Callable[[bytes], bool]
End = Callable[[bool], None]


class Gate:
    """Reads requests."""

    def __init__(
        self, exchange: Exchange, patience: Patience, full: Callable[[], bool], then: Callable[[GranianRequest], None]
    ) -> None:
        """full: whether as many calls wait as may.  then: called with each request that is there whole."""
        self._exchange, self._patience, self._full, self._then = exchange, patience, full, then
        self._reading: dict[GranianRequest, Any] = {}  # with the part of its body that is awaited, Granian's future
        self._lock = threading.Lock()  # guards the count
        self._held = 0  # bytes of large bodies
        self._small = min(_SMALL, exchange.max_request_bytes, exchange.max_mtom_bytes)

    def take(self, request: GranianRequest) -> None:
        """Read a request."""
        request.guarded(lambda: self._take(request))

    def _take(self, request: GranianRequest) -> None:
        if not request.is_post:  # a page reads no body
            self._then(request)
            return
        length = request.headers.get("content-length", "")
        if length.isdecimal() and 0 < int(length) <= self._small and not self._full():
            self._await(request, request.protocol(), lambda body: self._keep_small(request, body))
        else:
            self._take_slowly(request, length)

    def _take_slowly(self, request: GranianRequest, length: str) -> None:
        """Read a request if there is room for it. One that is too large is dropped: the application says so.

        (A client that still sends when the connection is closed may never see its answer. One that waits to be asked
        for its body is not asked then.)
        """
        headers = request.headers
        coding = headers.get("transfer-encoding", "")
        if coding and (coding.strip().lower() != "chunked" or len(headers.get_all("transfer-encoding")) > 1):
            request.refuse(400, "expected Transfer-Encoding to be chunked")
            return
        media_type, _ = parse_content_type(headers.get("content-type", ""))
        most = self._exchange.max_bytes(media_type)
        wanted = int(length) if length.isdecimal() else most if coding else 0
        dropped = 0 if "expect" in headers else 2 * most
        kept = wanted if _SMALL < wanted <= most else 0
        if self._full() or not self._hold(kept):
            self._drop(request, dropped, lambda: _refuse_full(request))
            return
        request.held = kept
        if not wanted:
            self._pass(request)
        elif wanted > most:
            self._drop(request, dropped, lambda: self._pass(request))
        elif not length:
            self._keep_chunked(request, most)
        else:
            self._keep(request, wanted)

    def done(self, request: GranianRequest) -> None:
        """Count the body of a request no more: it is answered."""
        self._hold(-request.held)
        request.held = 0

    def expire(self, now: float) -> None:
        """Answer 408 to who takes too long to send his request. now: by time.monotonic()."""
        late = now - self._patience.request_timeout_s
        for request in list(self._reading):
            if request.began < late and (future := self._reading.pop(request, None)) is not None:
                future.cancel()  # before the answer: while someone reads, Granian keeps the connection
                request.guarded(partial(request.refuse, 408, "Request Timeout", _CLOSE))
                self.done(request)

    def _hold(self, more: int) -> bool:
        """Count bytes of large bodies, or count them no more; return whether there is room for them."""
        if not more:
            return True
        with self._lock:
            if more > 0 and self._held + more > self._patience.max_buffered_bytes:
                return False
            self._held += more
        return True

    def _keep_small(self, request: GranianRequest, body: bytes | None) -> None:
        if body is None:
            self._ends_early(request)
            return
        request.body = body
        self._pass(request)

    def _keep(self, request: GranianRequest, length: int) -> None:
        headers = request.headers
        body = body_of(length, headers.get("content-type", ""), headers.get("content-encoding", ""))

        def take(part: bytes) -> bool:
            body.received(part)
            return not body.completed

        def end(whole: bool) -> None:
            if not body.completed:
                self._ends_early(request)
                return
            request.body = body.getfile()
            self._pass(request)

        self._read(request, take, end)

    def _keep_chunked(self, request: GranianRequest, most: int) -> None:
        body, left = BytesIO(), 2 * most

        def take(part: bytes) -> bool:
            nonlocal left
            left -= len(part)
            if body.tell() <= most:
                body.write(part)
            return left > 0

        def end(whole: bool) -> None:
            size = body.tell()
            self._hold(size - request.held)
            request.held = size
            if whole or size > most:
                body.seek(0)
                request.body = body
                self._pass(request)
            else:
                self._ends_early(request)

        self._read(request, take, end)

    def _drop(self, request: GranianRequest, most: int, then: Callable[[], None]) -> None:
        """Read what a client sends and keep nothing, up to so many bytes; then go on."""
        left = most

        def take(part: bytes) -> bool:
            nonlocal left
            left -= len(part)
            return left > 0

        if most:
            self._read(request, take, lambda whole: then())
        else:
            then()

    def _read(self, request: GranianRequest, take: Take, end: End) -> None:
        """Read a body part by part; not to its end when the client is too slow.

        take: given each part; returns whether it wants more.  end: called once there are no more, or no more are
        wanted, with False where the connection ended before the body.
        """
        request.protocol.__aiter__()
        self._next(request, take, end)

    def _next(self, request: GranianRequest, take: Take, end: End) -> None:
        self._await(request, request.protocol.__anext__(), lambda part: self._came(request, part, take, end))

    def _came(self, request: GranianRequest, part: bytes | None, take: Take, end: End) -> None:
        if part:
            if take(part):
                self._next(request, take, end)
            else:
                end(True)
            return
        try:
            request.protocol.__anext__()  # an end that comes after a last part is followed by nothing
        except StopAsyncIteration:
            end(True)
        else:
            end("trailer" in request.headers)

    def _await(self, request: GranianRequest, future: Any, then: Callable[[bytes | None], None]) -> None:
        """Go on with what a future gives, None where the connection ended; not when the client is too slow."""

        def came(future: Any) -> None:
            if self._reading.pop(request, None) is None:
                return
            try:
                content = future.result()
            except ProtocolClosed:
                content = None
            request.guarded(lambda: then(content))

        self._reading[request] = future
        future.add_done_callback(came)

    def _pass(self, request: GranianRequest) -> None:
        """Let a request on that is there whole, if there still is room for it."""
        if self._full():
            _refuse_full(request)
            self.done(request)
        else:
            request.queued = time.monotonic()
            self._then(request)

    def _ends_early(self, request: GranianRequest) -> None:
        request.refuse(400, "the message ends early", _CLOSE)
        self.done(request)


def _refuse_full(request: GranianRequest) -> None:
    request.refuse(503, "Service Unavailable", {"Retry-After": str(RETRY_AFTER_S), **_CLOSE})
