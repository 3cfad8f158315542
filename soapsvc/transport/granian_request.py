"""One request on Granian: its environment, its answer, and the fault for what never became a call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property, lru_cache
from io import BytesIO
from typing import Any, TypeVar

from soapsvc.errors import ServingError
from soapsvc.soap.application import Reply
from soapsvc.soap.call import Call, request_id
from soapsvc.soap.untold import untold
from soapsvc.transport.application import WebApplication
from soapsvc.transport.http import Environ, Response, WsgiApp

log = logging.getLogger(__name__)
T = TypeVar("T")


class GranianRequest:
    """A request until it is answered. For one thread at a time, but for `answer`.

    began, queued: when it came, and was there whole, by time.monotonic().  held: bytes of its body that are counted.
    error: why it is refused instead of run.
    """

    held = 0
    error: ServingError | None = None

    def __init__(self, protocol: Any, scope: Any, web: WebApplication, done: Callable[[GranianRequest], None]) -> None:
        """protocol, scope: Granian's, as its RSGI specification has them.  done: called once it is answered."""
        self.protocol, self._scope, self._web, self._done = protocol, scope, web, done
        self.headers = scope.headers
        self.began = self.queued = time.monotonic()
        self.body: bytes | BytesIO = b""

    @property
    def is_post(self) -> bool:
        """Whether it may call a model."""
        return bool(self._scope.method == "POST")

    @cached_property
    def environ(self) -> Environ:
        """Its WSGI environment. Made late, as the thread that reads requests is to be held up as little as may be."""
        return environ_of(self._scope, self.headers)

    @property
    def size(self) -> int:
        """Bytes of its body, as far as it was kept."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.getbuffer().nbytes

    @property
    def path(self) -> str:
        """Where it goes."""
        return str(self.environ["PATH_INFO"])

    def service(self) -> None:
        """Answer it: with what the application says, or with the fault for why it is refused."""
        self.guarded(self._serve)
        self._done(self)

    def refuse(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        """Answer that it never becomes a call."""
        call = self._begun()
        self.answer(_response(self._web.refused(self.path, status, text, call), call, headers))

    def guarded(self, work: Callable[[], T]) -> T | None:
        """Do some work for it and return what that returns; log a defect in it, and answer HTTP 500.

        Granian drops what is raised unseen, a client would wait for ever, and no request may end the loop.
        """
        try:
            return work()
        except Exception as err:  # whatever it is: this is where it would be lost
            self._failed(err)
            return None

    def _failed(self, error: Exception) -> None:
        """Answer without the environment, which may be what can't be made."""
        call = Call(request_id(None))
        log.error("request %s failed", call.request_id, exc_info=untold(error))
        reply = self._web.soap.fault(self._scope.path, 500, "Internal Server Error", call)
        headers = {"Content-Type": reply.content_type, "X-Request-Id": call.request_id, "Connection": "close"}
        self.protocol.response_bytes(reply.status, list(headers.items()), reply.body)
        self._done(self)

    def answer(self, response: Response) -> None:
        """Send a response, unless one was sent already. Safe to call from any thread."""
        self._send(response.send)

    def _serve(self) -> None:
        if self.error is None:
            self._call()
        else:
            call = self._begun()
            self.answer(_response(self._web.refusal(self.path, self.error, call), call))

    def _call(self) -> None:
        environ = self.environ
        environ["soapsvc.began"], environ["soapsvc.queued"] = self.began, self.queued
        if isinstance(self.body, bytes):
            environ["soapsvc.body"] = self.body
        else:
            environ["wsgi.input"] = self.body
        self.body = b""  # nobody but the application holds it from here on
        self._send(self._web)

    def _send(self, app: WsgiApp) -> None:
        status, named = 500, list[tuple[str, str]]()

        def start_response(line: str, headers: list[tuple[str, str]]) -> None:
            nonlocal status, named
            status, named = int(line[:3]), headers

        body = b"".join(app(self.environ, start_response))
        self.protocol.response_bytes(status, named, body)

    def _begun(self) -> Call:
        environ = self.environ
        origin = self._web.soap.proxies.take(environ)
        return self._web.soap.begun(lambda name: str(environ.get(f"HTTP_{name}", "")), origin.peer, self.began)


def environ_of(scope: Any, headers: Any) -> Environ:
    """Return the WSGI environment of a request (PEP 3333), without its body.

    Headers whose names have underscores are left out: they would pass for those with hyphens there.
    """
    path = scope.path
    environ = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "QUERY_STRING": scope.query_string,
        "PATH_INFO": path if path.isascii() else path.encode().decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}", "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme, "wsgi.input": BytesIO(), "wsgi.input_terminated": True,
    }  # fmt: skip
    for name, value in headers.items():
        key = _key(name)
        if not key:
            continue
        before = environ.get(key)
        if before is not None:
            value = f"{before}{'; ' if name == 'cookie' else ','}{value}"
        environ[key] = value
    environ.setdefault("HTTP_HOST", scope.authority or "")
    return environ


@lru_cache(maxsize=256)
def _key(header: str) -> str:
    """Return the name of a header in the environment; empty for one that has no place there."""
    if "_" in header:
        return ""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _response(reply: Reply, call: Call, headers: dict[str, str] | None = None) -> Response:
    named = {"X-Request-Id": call.request_id, **(headers or {})}
    return Response(reply.status, reply.content_type, reply.body, named)
