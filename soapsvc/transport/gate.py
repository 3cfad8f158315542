"""WSGI middleware for a server that has a thread for each connection: what waitress's parser and dispatcher do there.

Reads a request whole before it takes one of the calls' places, refuses what is too large or too much, and answers 408
to who is too slow. All it needs of the server is that `wsgi.input` ends where the body does, and `soapsvc.answer` in
the environment: a function that sends a response, from any thread, unless one was sent already.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from soapsvc.engine.deadline import earliest
from soapsvc.errors import ServingError
from soapsvc.soap.application import Reply
from soapsvc.soap.call import Call
from soapsvc.soap.media_type import parse_content_type
from soapsvc.transport.admission import Admission
from soapsvc.transport.application import WebApplication
from soapsvc.transport.http import Environ, Response, StartResponse
from soapsvc.transport.places import RETRY_AFTER_S, allowance_of
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange, deadline_given

_TICK_S = 0.2  # how often slow requests are looked for
_SMALL = 65536  # bytes: a body up to it is not counted
_CLOSE = {"Connection": "close"}


class Gate:
    """Stands before the application. Safe to use from many threads."""

    def __init__(self, web: WebApplication, exchange: Exchange, patience: Patience) -> None:
        self._web, self._exchange, self._patience = web, exchange, patience
        self._admission = Admission(patience.threads)
        web.waiting = lambda: self._admission.waiting
        self._reading: dict[int, Environ] = {}  # thread -> the request that it reads
        self._lock = threading.Lock()  # guards the count
        self._held = 0  # bytes of large bodies
        threading.Thread(target=self._watch, name="slow-requests", daemon=True).start()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        environ["soapsvc.began"] = time.monotonic()
        if environ["REQUEST_METHOD"] != "POST":  # a page reads no body
            return self._web(environ, start_response)
        if environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
            return self._fault(environ, 400, "expected Transfer-Encoding to be chunked").send(environ, start_response)
        media_type, _ = parse_content_type(environ.get("CONTENT_TYPE", ""))
        return self._received(environ, start_response, self._exchange.max_bytes(media_type))

    def _received(self, environ: Environ, start_response: StartResponse, most: int) -> Iterable[bytes]:
        """Read the body if there is room for it, and go on. One that is too large is dropped: the application says so.

        (A client that still sends when the connection is closed may never see its answer. One that waits to be asked
        for its body is not asked then.)
        """
        length = environ.get("CONTENT_LENGTH", "")
        wanted = int(length) if length.isdecimal() else most if "HTTP_TRANSFER_ENCODING" in environ else 0
        kept = wanted if _SMALL < wanted <= most else 0
        waits = "HTTP_EXPECT" in environ
        if self._admission.waiting >= self._patience.max_waiting_requests or not self._hold(kept):
            if not waits:
                self._timed(environ, lambda stream: _discard(stream, 2 * most))
            headers = {"Retry-After": str(RETRY_AFTER_S), **_CLOSE}
            return self._fault(environ, 503, "Service Unavailable", headers).send(environ, start_response)
        try:
            body = b""
            if wanted and not (waits and wanted > most):
                body = self._timed(environ, lambda stream: _body(stream, wanted, most))
            if kept:
                self._hold(len(body) - kept)
                kept = len(body)
            if length and len(body) < wanted <= most:
                return self._fault(environ, 400, "the message ends early", _CLOSE).send(environ, start_response)
            environ["soapsvc.body"], environ["wsgi.input"] = body, BytesIO(body)
            return self._admitted(environ, start_response)
        finally:
            self._hold(-kept)

    def _hold(self, more: int) -> bool:
        """Count bytes of large bodies, or count them no more; return whether there is room for them."""
        if not more:
            return True
        with self._lock:
            if more > 0 and self._held + more > self._patience.max_buffered_bytes:
                return False
            self._held += more
        return True

    def _timed(self, environ: Environ, read: Callable[[Any], bytes]) -> bytes:
        """Read from the client, who is answered 408 when he takes too long."""
        thread = threading.get_ident()
        self._reading[thread] = environ
        try:
            return read(environ["wsgi.input"])
        finally:
            self._reading.pop(thread, None)

    def _admitted(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        soap = self._web.soap
        model = soap.model_called("POST", path)
        if not model:
            return self._web(environ, start_response)
        limits = soap.limits_of(model)
        began = environ["soapsvc.began"]
        environ["soapsvc.queued"] = time.monotonic()
        deadline = earliest(began, deadline_given(environ.get("HTTP_X_DEADLINE_MS", "")), limits.deadline_s)
        try:
            self._admission.enter(model, allowance_of(limits, self._patience.threads), deadline)
        except ServingError as err:
            call = self._begun(environ)
            return _response(soap.refusal(path, err, call), call).send(environ, start_response)
        try:
            return self._web(environ, start_response)
        finally:
            self._admission.leave(model)

    def _fault(self, environ: Environ, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        call = self._begun(environ)
        return _response(self._web.soap.refused(environ["PATH_INFO"], status, text, call), call, headers)

    def _begun(self, environ: Environ) -> Call:
        peer, began = environ.get("REMOTE_ADDR", "-"), environ["soapsvc.began"]
        return self._web.soap.begun(lambda name: str(environ.get(f"HTTP_{name}", "")), peer, began)

    def _watch(self) -> None:
        while True:
            time.sleep(_TICK_S)
            late = time.monotonic() - self._patience.request_timeout_s
            for thread, environ in list(self._reading.items()):
                if environ["soapsvc.began"] < late and self._reading.pop(thread, None) is not None:
                    environ["soapsvc.answer"](self._fault(environ, 408, "Request Timeout", _CLOSE))


def _response(reply: Reply, call: Call, headers: dict[str, str] | None = None) -> Response:
    named = {"X-Request-Id": call.request_id, **(headers or {})}
    return Response(reply.status, reply.content_type, reply.body, named)


def _body(stream: Any, wanted: int, most: int) -> bytes:
    """Return a body; of one that is too large no more than tells so. The rest is dropped, up to once more."""
    if wanted > most:
        return _discard(stream, 2 * most)
    body = bytes(stream.read(wanted if wanted < most else most + 1))
    if len(body) > most:
        _discard(stream, most)
    return body


def _discard(stream: Any, most: int) -> bytes:
    while most > 0 and (read := len(stream.read(_SMALL))):
        most -= read
    return b""
