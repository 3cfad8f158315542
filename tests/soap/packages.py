"""MTOM packages as clients write them, and what is in one that the service wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP

from soapsvc.soap.ns import XOP, SoapVersion

BOUNDARY = "uuid:3c1f+id=7"


def include(content_id: str) -> str:
    return f'<xop:Include xmlns:xop="{XOP}" href="cid:{content_id}"/>'


@dataclass(frozen=True)
class Part:
    """One part of a package. content_type None leaves the header out; headers: further ones, a line each."""

    content_id: str
    content: bytes
    content_type: str | None = "application/octet-stream"
    headers: str = ""

    def written(self) -> bytes:
        head = f"Content-ID: <{self.content_id}>\r\n" + self.headers
        head += f"Content-Type: {self.content_type}\r\n" if self.content_type is not None else ""
        return f"\r\n--{BOUNDARY}\r\n{head}\r\n".encode() + self.content


def root(envelope: bytes, soap: SoapVersion = SoapVersion.SOAP11) -> Part:
    return Part("root@client", envelope, f'application/xop+xml; charset=utf-8; type="{soap.mime_type}"')


def package(parts: Sequence[Part]) -> bytes:
    return b"".join(part.written() for part in parts)[2:] + f"\r\n--{BOUNDARY}--".encode()


def content_type(soap: SoapVersion = SoapVersion.SOAP11, start: str = "<root@client>", more: str = "") -> str:
    return (
        f'multipart/related; start="{start}"; type="application/xop+xml"; boundary="{BOUNDARY}"; '
        f'start-info="{soap.mime_type}"{more}'
    )


def opened(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return a package's parts by Content-ID, the root's as "", read by Python's own MIME parser."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert message.get_content_type() == "multipart/related"
    parts = {str(part["Content-ID"]).strip("<>"): part.get_payload(decode=True) for part in message.iter_parts()}
    start = message["Content-Type"].params["start"].strip("<>")
    assert next(iter(parts)) == start
    return {("" if name == start else name): bytes(content) for name, content in parts.items()}
