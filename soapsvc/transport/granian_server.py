"""Granian: HTTP and TLS outside of Python, and a thread of Python's for each request.

One of its workers runs in this process, on our own socket: starting, stopping and replacing processes stay with
`supervisor`. Granian has no public name for that, so that what is used of it is all here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian._futures import _new_cbscheduler
from granian._granian import SocketHolder, WorkerSignal, WSGIWorker
from granian.http import HTTP1Settings

from soapsvc.transport.application import WebApplication
from soapsvc.transport.gate import Gate
from soapsvc.transport.http import Environ, WsgiApp
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange

log = logging.getLogger(__name__)
_BACKLOG = 1024  # connections that wait to be accepted
_ENVIRON: Environ = {
    "SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.input_terminated": True, "wsgi.multithread": True,
    "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.errors": sys.stderr,
}  # fmt: skip
_SPARE_THREADS = 8  # beyond one for each connection: a thread may still end its call when the next request is there


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
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._signal = WorkerSignal()
        self._signal.add_cb(self._ended.set)
        self._app = _caller(Gate(web, exchange, patience))
        _prepare(listener, patience)
        self._worker = WSGIWorker(
            1, (None, SocketHolder(listener.detach(), False, _BACKLOG)), None,
            py_threads=patience.max_connections + _SPARE_THREADS, backpressure=patience.max_connections,
            http_mode="1", http1_opts=HTTP1Settings(header_read_timeout=int(patience.header_timeout_s * 1000)),
            **_tls_options(tls),
        )  # fmt: skip

    def stop(self) -> None:
        """Make `run` drain and return. Safe to call from a signal handler and from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until `stop`; then let calls under way end and their answers be taken, and return."""
        logging.getLogger("_granian").setLevel(logging.WARNING)
        loop = asyncio.new_event_loop()  # asked for, and not used to call WSGI
        self._worker.serve_mtr(_new_cbscheduler(loop, self._app, impl_asyncio=True), loop, self._signal)
        self._stopping.wait()
        self._web.draining = True
        log.info("stopping: not ready any more")
        time.sleep(self._patience.drain_delay_s)
        self._signal.set()
        in_time = self._ended.wait(self._patience.drain_timeout_s)
        log.info("stopped%s", "" if in_time else f": calls took longer than {self._patience.drain_timeout_s:g} s")


def _prepare(listener: socket.socket, patience: Patience) -> None:
    """Listen, and set what connections inherit from the socket, where the system knows it."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    seconds = max(1, int(patience.request_timeout_s))
    if hasattr(socket, "TCP_KEEPIDLE"):  # a peer that is gone without a word holds a thread no longer than that
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


def _caller(app: WsgiApp) -> Callable[[Any, Environ], None]:
    """Return what Granian calls for each request, in a thread that waits for it."""

    def call(protocol: Any, environ: Environ) -> None:
        environ.update(_ENVIRON)
        environ["soapsvc.answer"] = lambda response: _answer(protocol, environ, response.send)
        _answer(protocol, environ, app)

    return call


def _answer(protocol: Any, environ: Environ, app: WsgiApp) -> None:
    """Send what an application answers, unless an answer was sent already."""
    status, named = 500, list[tuple[str, str]]()

    def start_response(line: str, headers: list[tuple[str, str]]) -> None:
        nonlocal status, named
        status, named = int(line[:3]), headers

    body = b"".join(app(environ, start_response))
    protocol.response_bytes(status, named, body)
