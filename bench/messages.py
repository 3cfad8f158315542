"""SOAP 1.1 messages that carry tensors and pictures: inline, or attached (MTOM, SOAP 1.1 binding of 2006)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PIXELS = (224, 224, 3)
XOP = "http://www.w3.org/2004/08/xop/include"
BOUNDARY = "uuid:7f6a3c51-0d0e-4b7c-9f58-2f5f0f6d8a11"  # as long as those of CXF and WCF
MULTIPART = (
    f'multipart/related; type="application/xop+xml"; boundary="{BOUNDARY}"; start="<root>"; start-info="text/xml"'
)


@dataclass(frozen=True)
class Message:
    """One request. content: the bytes of the tensor or picture in it."""

    name: str
    path: str
    content_type: str
    body: bytes
    content: int


def inline(name: str, model: str, content: int, body: str) -> Message:
    """Return a message that is all XML. body: of the envelope."""
    return Message(name, f"/soap/{model}/v1", "text/xml; charset=utf-8", envelope(body), content)


def attached(name: str, model: str, content: bytes, body: Callable[[str], str]) -> Message:
    """Return a message with one attachment. body: makes the envelope's of the XML that stands for the content."""
    root = envelope(body(f'<xop:Include xmlns:xop="{XOP}" href="cid:content"/>'))
    root_head = f'--{BOUNDARY}\r\nContent-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root>\r\n\r\n'
    part_head = f"\r\n--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-ID: <content>\r\n\r\n"
    message = root_head.encode() + root + part_head.encode() + content + f"\r\n--{BOUNDARY}--".encode()
    return Message(name, f"/soap/{model}/v1", MULTIPART, message, len(content))


def envelope(body: str) -> bytes:
    """Return a whole SOAP 1.1 envelope around the body's XML."""
    namespace = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def predict(model: str, element: str, content: str) -> str:
    """Return the body of a call of predict with one element."""
    return f'<predict xmlns="urn:soapsvc:{model}:v1"><{element}>{content}</{element}></predict>'


def tensor(shape: tuple[int, ...], carrier: str) -> str:
    """Return a float32 tensor. carrier: the element that holds its values."""
    sizes = "".join(f"<item>{size}</item>" for size in shape)
    return f"<dtype>float32</dtype><shape>{sizes}</shape>{carrier}"


def content(text: str) -> str:
    """Return the carrier of a tensor's bytes."""
    return f"<content>{text}</content>"


def numbers(array: np.ndarray) -> str:
    """Return the carrier of a tensor's values as an element each."""
    return f"<doubles>{''.join(f'<item>{text}</item>' for text in array.ravel().astype(str))}</doubles>"


def as_base64(content: bytes) -> str:
    """Return bytes as xs:base64Binary."""
    return base64.b64encode(content).decode()
