"""One request as it goes over the wire, and how to tell a right answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """request: the whole of it, headers and all. expected: what is_right looks for in the answer's body, in words."""

    request: bytes
    expected: str
    is_right: Callable[[bytes], bool]


def post(path: str, content_type: str, body: bytes, action: str = "") -> bytes:
    """Return an HTTP/1.1 request. action: of SOAP 1.1; no such header when empty."""
    soap_action = f'SOAPAction: "{action}"\r\n' if action else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"{soap_action}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def first_label(expected: str) -> Callable[[bytes], bool]:
    """Return a check for the best label of a SOAP answer, or one of several divided by |."""
    pattern = re.compile(rf"<(?:\w+:)?label>(?:{expected})</".encode())
    best = re.compile(rb"<(?:\w+:)?label>")

    def is_right(body: bytes) -> bool:
        first = best.search(body)
        return first is not None and pattern.match(body, first.start()) is not None

    return is_right
