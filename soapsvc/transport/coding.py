"""gzip around messages, requests inflated within limits; and which codings and packages a caller takes in answers."""

from __future__ import annotations

import gzip
import re
import zlib

from soapsvc.soap.mtom import MULTIPART

MAX_RATIO = 100  # inflated size to sent size; XML of real tensors stays under 20
MIN_BYTES = 2048  # of an answer; a smaller one gains less than the work costs
_CODINGS = {"gzip", "x-gzip"}
_LEVEL = 1  # numbers as text shrink to about the same at every level, at many times the cost
_ITEM = re.compile(  # of a header in lower case; what it names, its parameters but for the weight, the weight
    r"\s*+([a-z0-9*+./-]++)\s*+(?:;\s*+(?!q\s*=)[a-z0-9-]++=[^;]*+)*+(?:;\s*+q\s*+=\s*+([0-9.]++)\s*+)?"
)


class NotInflated(Exception):
    """A request's Content-Encoding can't be undone. status: of HTTP; the message is fit for the client."""

    def __init__(self, text: str, status: int) -> None:
        self.status = status
        super().__init__(text)


def is_identity(coding: str) -> bool:
    """Whether a Content-Encoding leaves the message as it is."""
    return coding.strip().lower() in ("", "identity")


def inflate(content: bytes, coding: str, max_bytes: int) -> bytes:
    """Return a compressed request's message. Raises NotInflated before more than max_bytes are made."""
    if coding.strip().lower() not in _CODINGS:
        raise NotInflated("expected Content-Encoding gzip, or none", 415)
    limit = min(max_bytes, MAX_RATIO * len(content))
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        message = inflater.decompress(content, limit + 1)
    except zlib.error:
        raise NotInflated("the message is not valid gzip", 400) from None
    if len(message) > limit:
        raise NotInflated(f"the message inflates to more than {max_bytes} bytes, or {MAX_RATIO} times its size", 413)
    if not inflater.eof or inflater.unused_data:
        raise NotInflated("the message is not one whole gzip member", 400)
    return message


def deflate(content: bytes) -> bytes:
    """Return an answer compressed by gzip."""
    return gzip.compress(content, _LEVEL, mtime=0)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding allows gzip (RFC 9110, 12.5.3)."""
    weights = _weights(accept_encoding)
    named = [weights[coding] for coding in _CODINGS if coding in weights]
    return any(named) if named else weights.get("*", False)


def takes_packages(accept: str) -> bool:
    """Whether an Accept asks for MTOM.

    Axis 1 names multipart/related, too, and means the older SOAP with Attachments; it is known by DIME beside it.
    """
    weights = _weights(accept)
    return weights.get(MULTIPART, False) and "application/dime" not in weights


def _weights(header: str) -> dict[str, bool]:
    """Return what a header names, in lower case, and whether it is wanted."""
    found = map(_ITEM.fullmatch, header.lower().split(","))
    return {match[1]: match[2] is None or match[2].strip("0.") != "" for match in found if match}
