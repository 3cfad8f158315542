"""What only receiving a message costs: reads the body and answers a fixed text. `python -m bench.reader_server`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bench.listen import serve

_ANSWER = b"<read/>"


def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read a body and forget it (PEP 3333)."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    assert len(body) == int(environ["CONTENT_LENGTH"])
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(_ANSWER)))])
    return [_ANSWER]


if __name__ == "__main__":
    serve(handle, inbuf_overflow=2**30, recv_bytes=2**16)
