"""Small things of HTTP that several handlers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from http import HTTPStatus
from typing import Any

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
        line = f"{self.status} {HTTPStatus(self.status).phrase}"
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(self.body)), **self.headers}
        start_response(line, list(headers.items()))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else self.body]


class BodyTooLarge(Exception):
    """A request's body is over the limit."""


def read_body(environ: Environ, max_bytes: int) -> bytes:
    """Return the request's body. Raises BodyTooLarge before more than max_bytes are kept in memory."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        if int(length) > max_bytes:
            raise BodyTooLarge
        return bytes(environ["wsgi.input"].read(int(length)))
    if not environ.get("wsgi.input_terminated"):
        return b""
    body = bytes(environ["wsgi.input"].read(max_bytes + 1))
    if len(body) > max_bytes:
        raise BodyTooLarge
    return body


@lru_cache(maxsize=256)
def parse_content_type(header: str) -> tuple[str, Mapping[str, str]]:
    """Return the media type in lower case and the parameters of a Content-Type; both empty when it is none."""
    message = Message()
    message["content-type"] = header
    parameters = message.get_params(failobj=[], unquote=True)
    if not parameters or "/" not in parameters[0][0]:
        return "", {}
    named = {name.lower(): value if isinstance(value, str) else value[2] for name, value in parameters[1:]}
    return parameters[0][0].strip().lower(), named
