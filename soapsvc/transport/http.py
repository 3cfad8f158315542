"""Small things of HTTP that several handlers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

from soapsvc.soap.media_type import parse_content_type
from soapsvc.soap.mtom import MULTIPART, attached_at
from soapsvc.transport.body import Body, BodyFile
from soapsvc.transport.coding import is_identity

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Response:
    """What goes back to the client."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Start the response and return its body, left out for HEAD."""
        line = _STATUS_LINES[self.status]
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(self.body)), **self.headers}
        start_response(line, list(headers.items()))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else self.body]


class BodyTooLarge(Exception):
    """A request's body is over the limit."""


def body_of(length: int, content_type: str, content_encoding: str) -> Body:
    """Return what receives a request's body. length: in bytes, 1 or more."""
    media_type, parameters = parse_content_type(content_type)
    if media_type != MULTIPART or not is_identity(content_encoding):
        return Body(length)
    return Body(length, partial(attached_at, boundary=parameters.get("boundary", "")))


def read_body(environ: Environ, max_bytes: int) -> bytes:
    """Take the request's body out of environ. Raises BodyTooLarge before more than max_bytes are kept in memory.

    environ: `soapsvc.body` may hold what was read already, as far as it is no larger than allowed. What is returned
    is held by nobody else: who drops it frees it, even while the request is still under way. Around a package there
    may be white space that the client did not send; see `Body`.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    if length.isdigit():
        if int(length) > max_bytes:
            raise BodyTooLarge
        if "soapsvc.body" in environ:
            return bytes(environ.pop("soapsvc.body"))
        if isinstance(stream, BodyFile) or (isinstance(stream, BytesIO) and _is_all(stream, int(length))):
            body = stream.getvalue()  # shares the memory that it was received into
            stream.truncate(0)
            return body
        return bytes(stream.read(int(length)))
    if not environ.get("wsgi.input_terminated"):
        return b""
    body = bytes(stream.read(max_bytes + 1))
    if len(body) > max_bytes:
        raise BodyTooLarge
    return body


def _is_all(stream: BytesIO, length: int) -> bool:
    return stream.tell() == 0 and stream.getbuffer().nbytes == length
