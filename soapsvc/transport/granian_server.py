"""Granian: HTTP and TLS outside of Python, and a thread of Python's that it gives requests to.

That thread reads them (`granian_gate`); another runs quick calls (`leader`), others those that are not (`dispatcher`).
One of Granian's workers runs in this process, on our own socket: starting, stopping and replacing processes stay with
`supervisor`. Granian has no public name for that, so that what is used of it is all here.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from granian._granian import CallbackScheduler, RSGIWorker, SocketHolder, WorkerSignal
from granian.http import HTTP1Settings

from soapsvc.errors import ServingError
from soapsvc.soap.media_type import parse_content_type
from soapsvc.soap.mtom import MULTIPART
from soapsvc.transport.application import WebApplication
from soapsvc.transport.dispatcher import ModelDispatcher, Ticket
from soapsvc.transport.granian_gate import Gate
from soapsvc.transport.granian_request import GranianRequest
from soapsvc.transport.leader import Leadership
from soapsvc.transport.quick_calls import QuickCalls
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange

log = logging.getLogger(__name__)
_BACKLOG = 1024  # connections that wait to be accepted
_TICK_S = 0.2  # how often deadlines are looked at


@dataclass(frozen=True)
class Tls:
    """What the server shows of itself, and whose clients it takes. client_ca: who signed them; None takes all."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class GranianServer:
    """One of Granian's workers; `run` serves until `stop`, then drains."""

    def __init__(
        self, web: WebApplication, listener: socket.socket, exchange: Exchange, patience: Patience, tls: Tls | None
    ) -> None:
        self._web, self._patience = web, patience
        self._stopping, self._ended, self._over = threading.Event(), threading.Event(), threading.Event()
        self._signal = WorkerSignal()
        self._signal.add_cb(self._ended.set)
        self._calls = ModelDispatcher(patience.threads, _refuse)
        self._leadership = Leadership(self._turn, self._over.is_set)
        self._quick_calls = QuickCalls(web, patience.threads, self._calls, self._leadership)
        self._arrived: SimpleQueue[GranianRequest | None] = SimpleQueue()  # for the leader; None wakes it
        self._gate = Gate(exchange, patience, self._is_full, self._arrived.put)
        web.waiting = self._waiting
        _prepare(listener, patience)
        self._worker = RSGIWorker(
            1, (None, SocketHolder(listener.detach(), False, _BACKLOG)), None,
            backpressure=patience.max_connections, http_mode="1",
            http1_opts=HTTP1Settings(header_read_timeout=int(patience.header_timeout_s * 1000)),
            **_tls_options(tls),
        )  # fmt: skip

    def stop(self) -> None:
        """Make `run` drain and return. Safe to call from a signal handler and from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until `stop`; then let calls under way end and their answers be taken, and return."""
        logging.getLogger("_granian").setLevel(logging.WARNING)
        loop = _Loop()
        self._worker.serve_mtr(_Scheduler(loop, self._take), loop, self._signal)
        threading.Thread(target=self._end, name="stop", daemon=True).start()
        self._leadership.run()
        self._calls.shutdown()

    def _end(self) -> None:
        """Wait for `stop`, and end what `run` does."""
        self._stopping.wait()
        self._web.draining = True
        log.info("stopping: not ready any more")
        time.sleep(self._patience.drain_delay_s)
        self._signal.set()
        in_time = self._ended.wait(self._patience.drain_timeout_s)
        log.info("stopped%s", "" if in_time else f": calls took longer than {self._patience.drain_timeout_s:g} s")
        self._over.set()
        self._arrived.put(None)

    def _waiting(self) -> int:
        return self._calls.waiting + self._arrived.qsize()

    def _is_full(self) -> bool:
        return self._waiting() >= self._patience.max_waiting_requests

    def _take(self, watcher: Any) -> None:
        """Take a request from Granian."""
        self._gate.take(GranianRequest(watcher.proto, watcher.scope, self._web, self._gate.done))

    def _turn(self) -> None:
        """Take a request that is there whole, run it if it is a quick call, and look after who is late."""
        try:
            request = self._arrived.get(timeout=_TICK_S)
        except Empty:
            request = None
        if request is not None and not self._run(request):
            return
        now = time.monotonic()
        if now >= self._next_expiry:
            self._next_expiry = now + _TICK_S
            self._calls.expire()
            self._gate.expire(now)

    def _run(self, request: GranianRequest) -> bool:
        """Run a request, or queue it for a thread if it is no quick call; return whether this thread still leads."""
        ticket = request.guarded(lambda: self._ticket(request))
        if ticket is None:
            return True
        if self._quick_calls.is_quick(ticket):
            return self._quick_calls.run(ticket)
        self._calls.add(ticket)
        return True

    def _ticket(self, request: GranianRequest) -> Ticket:
        environ = request.environ
        media_type, _ = parse_content_type(environ.get("CONTENT_TYPE", ""))
        return self._quick_calls.ticket(
            request, self._web.model_called(environ["REQUEST_METHOD"], request.path), request.size, request.began,
            environ.get("HTTP_X_DEADLINE_MS", ""), media_type == MULTIPART, "HTTP_CONTENT_ENCODING" in environ,
        )  # fmt: skip

    _next_expiry = 0.0


class _Loop:
    """Stands where Granian expects an event loop of asyncio: what it wants to be called is called at once."""

    def call_soon(self, callback: Callable[..., object], *given: object, context: object = None) -> None:
        """Call a function, on the thread that asks for it."""
        callback(*given)

    call_soon_threadsafe = call_soon


class _Scheduler(CallbackScheduler):  # type: ignore[misc]
    """Has Granian give each request to a function, on its thread for Python. take: given the request's watcher."""

    def __new__(cls, loop: _Loop, take: Callable[[Any], None]) -> _Scheduler:
        made: _Scheduler = super().__new__(cls, loop, None, None, None, None)
        made._schedule_fn = take
        return made


def _refuse(request: GranianRequest, error: ServingError) -> None:
    request.error = error


def _prepare(listener: socket.socket, patience: Patience) -> None:
    """Listen, and set what connections inherit from the socket, where the system knows it."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    seconds = max(1, int(patience.request_timeout_s))
    if hasattr(socket, "TCP_KEEPIDLE"):  # a peer that is gone without a word holds a connection no longer than that
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, min(seconds, 32767))
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # who takes nothing of an answer for so long is hung up on
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
    listener.listen(_BACKLOG)  # who comes before `run` waits


def _tls_options(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl_enabled": True, "ssl_cert": str(tls.certificate), "ssl_key": str(tls.key), "ssl_protocol_min": "tls1.2",
        "ssl_ca": None if tls.client_ca is None else str(tls.client_ca),
        "ssl_client_verify": tls.client_ca is not None,
    }  # fmt: skip
