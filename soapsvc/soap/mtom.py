"""MTOM: a message whose bytes travel beside the envelope, as parts of a multipart/related body (MTOM, XOP 1.0).

Owns the MIME around an envelope, both ways; `reader` follows the references and `writer` makes them. Parts are split
in linear time and handed on as views of the request's body: neither base64 nor a copy lies between them and numpy.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from urllib.parse import unquote

from soapsvc.soap.faults import SoapFault, client_fault, wrong_media_type
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.ns import XOP, SoapVersion

MULTIPART = "multipart/related"
XOP_TYPE = "application/xop+xml"
MAX_PARTS = 32  # besides the envelope
MAX_HEADER_BYTES = 8192  # of one part
_MOST_STOPS = MAX_PARTS + 2  # delimiters: before each part and the envelope, and the last
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? @{}-]{0,255}[0-9A-Za-z'()+_,./:=?@{}-]")  # RFC 2046 5.1.1, but longer
_FOLDED = re.compile(r"\r\n[ \t]+")
_IDENTITY = {"", "binary", "8bit", "7bit"}
Content = bytes | memoryview
Attachments = dict[str, memoryview]  # Content-ID without <> -> a part's bytes


@dataclass(frozen=True)
class Package:
    """A request taken apart. attachments: None for one that was no package but an envelope alone."""

    envelope: bytes
    sent_as: ContentType
    attachments: Attachments | None = None


def unpack(content: bytes, sent_as: ContentType, soap: SoapVersion, max_envelope_bytes: int) -> Package:
    """Return the envelope of a request and what is attached to it. Raises SoapFault."""
    if sent_as.media_type != MULTIPART:
        return Package(content, sent_as)
    parameters = sent_as.parameters
    if parameters.get("type", "").lower() != XOP_TYPE:
        raise wrong_media_type(f"{MULTIPART} of {parameters.get('type') or 'an unknown type'}", soap)
    parts = _split(content, parameters.get("boundary", ""))
    start = _bare(parameters.get("start", "")) or next(iter(parts))
    root = parts.pop(start, None)
    if root is None:
        raise client_fault("the multipart message has no part that its parameter `start` names")
    content_type, envelope = root
    if len(envelope) > max_envelope_bytes:
        text = f"the envelope is larger than {max_envelope_bytes} bytes; only attachments may be larger"
        raise client_fault(text, status=413)
    attachments = {content_id: attached for content_id, (_, attached) in parts.items()}
    return Package(bytes(envelope), _root_type(content_type, sent_as, soap), attachments)


def attached_at(beginning: bytes, boundary: str) -> int | None:
    """Return where the first attachment begins in a package, None if its first bytes do not tell."""
    delimiter = f"--{boundary}\r\n".encode()
    head = beginning.find(b"\r\n" + delimiter, beginning.find(delimiter))
    end = beginning.find(b"\r\n\r\n", head)
    return None if head < 0 or end < 0 else end + 4


_Part = tuple[str, memoryview]  # Content-Type and content


def _root_type(content_type: str, sent_as: ContentType, soap: SoapVersion) -> ContentType:
    """Return what the envelope would have been sent as alone (XOP 1.0, 4.1): `type`, or `start-info` around it."""
    media_type, parameters = parse_content_type(content_type)
    if media_type != XOP_TYPE:
        raise wrong_media_type(f"a root part of {media_type or 'no type'} in {MULTIPART}", soap)
    inner, inner_parameters = parse_content_type(parameters.get("type") or sent_as.parameters.get("start-info", ""))
    if soap is SoapVersion.SOAP12:
        _, start_info = parse_content_type(sent_as.parameters.get("start-info", ""))
        named = (start_info, inner_parameters, parameters, sent_as.parameters)
        action = next((each["action"] for each in named if each.get("action")), "")
    else:
        action = sent_as.action
    return ContentType(inner, parameters.get("charset"), action.strip('"'))


def _split(content: bytes, boundary: str) -> dict[str, _Part]:
    """Return the parts between boundaries, by their Content-IDs (RFC 2046, 5.1). Raises SoapFault."""
    if not _BOUNDARY.fullmatch(boundary):
        raise client_fault("the multipart message has no usable boundary")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    view = memoryview(content)
    parts: dict[str, _Part] = {}
    stops = _stops(content, delimiter)
    for stop, end in zip(stops, [*stops[1:], None], strict=True):
        position = stop + len(delimiter)
        if content.startswith(b"--", position):  # what follows the last boundary is nobody's
            break
        if end is None:
            raise _without_end()
        head = content.index(b"\r\n", position) + 2  # at the latest where the next delimiter begins
        if content[position : head - 2].strip(b" \t"):
            raise client_fault("the multipart message is broken: text stands beside a boundary")
        headers, start = _headers(content, head, end)
        content_id, content_type = _named(headers)
        if content_id in parts:
            raise client_fault("two parts of the multipart message have the same Content-ID, or none")
        parts[content_id] = content_type, view[start:end]
    if not parts:
        raise client_fault("the multipart message has no parts")
    return parts


def _stops(content: bytes, delimiter: bytes) -> list[int]:
    """Return where delimiters begin; that of the first is -2 where no line break stands before it. Raises SoapFault.

    They are looked for from the end: Python does that in a third of the time where the bytes between them are random,
    and in linear time, as a delimiter has a carriage return at its start only.
    """
    stops: list[int] = []
    end = len(content)
    while len(stops) <= _MOST_STOPS and (end := content.rfind(delimiter, 0, end)) >= 0:
        stops.append(end)
    if content.startswith(delimiter[2:]):
        stops.append(-2)
    if not stops:
        raise _without_end()
    if len(stops) > _MOST_STOPS:
        raise client_fault(f"the message has more than {MAX_PARTS} attachments")
    return stops[::-1]


def _without_end() -> SoapFault:
    return client_fault("the multipart message ends before its last boundary")


def _headers(content: bytes, start: int, stop: int) -> tuple[bytes, int]:
    """Return a part's headers, and where its content starts (RFC 2045, section 3).

    stop: where the delimiter after the part begins; its line break may be the one that ends the headers.
    """
    if content.startswith(b"\r\n", start):
        return b"", start + 2
    end = content.find(b"\r\n\r\n", start, min(start + MAX_HEADER_BYTES, stop + 2))
    if end < 0:
        raise client_fault(f"a part's headers do not end within {MAX_HEADER_BYTES} bytes, or not at all")
    return content[start:end], end + 4


@lru_cache(maxsize=64)
def _named(headers: bytes) -> tuple[str, str]:
    """Return Content-ID and Content-Type, empty where they are missing. Raises SoapFault."""
    named: dict[str, str] = {}
    for line in _FOLDED.sub(" ", headers.decode("latin-1")).split("\r\n"):
        name, _, value = line.partition(":")
        named.setdefault(name.strip().lower(), value.strip())
    if named.get("content-transfer-encoding", "").lower() not in _IDENTITY:
        raise client_fault("a part has a Content-Transfer-Encoding; expected binary")
    return _bare(named.get("content-id", "")), named.get("content-type", "")


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


def content_id_of(href: str) -> str | None:
    """Return the Content-ID that a `cid:` URL names (RFC 2392), None for any other URL."""
    scheme, _, rest = href.strip().partition(":")
    return unquote(rest) if scheme.lower() == "cid" and rest else None


@dataclass
class Enclosure:
    """What an answer carries beside its envelope, in the order in which `attach` was called."""

    parts: list[Content] = field(default_factory=list)

    @cached_property
    def _stem(self) -> str:
        """What the names of this answer's parts have in common, and no other's."""
        return f"{random.getrandbits(128):032x}"

    def attach(self, content: Content) -> str:
        """Take bytes along and return the XML that stands for them (XOP 1.0, 2.1)."""
        self.parts.append(content)
        return f'<xop:Include xmlns:xop="{XOP}" href="cid:{self._id(len(self.parts))}"/>'

    def pack(self, envelope: bytes, soap: SoapVersion) -> tuple[str, bytes]:
        """Return Content-Type and body of the package."""
        boundary = f"soapsvc-{self._stem}"
        content_type = (
            f'{MULTIPART}; type="{XOP_TYPE}"; boundary="{boundary}"; start="<{self._id(0)}>"; '
            f'start-info="{soap.mime_type}"'
        )
        root_type = f'{XOP_TYPE}; charset=utf-8; type="{soap.mime_type}"'
        pieces: list[Content] = [_head(boundary, root_type, self._id(0)), envelope]
        for number, content in enumerate(self.parts, 1):
            pieces += [b"\r\n", _head(boundary, "application/octet-stream", self._id(number)), content]
        pieces.append(f"\r\n--{boundary}--\r\n".encode())
        return content_type, b"".join(pieces)

    def _id(self, number: int) -> str:
        return f"{number}.{self._stem}@soapsvc"


def _head(boundary: str, content_type: str, content_id: str) -> bytes:
    return (
        f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{content_id}>\r\n\r\n"
    ).encode()
