"""The log of messages, `soapsvc.messages`: envelopes on one line each, without what must not be told.

Hidden are elements that are sensitive (`disclosure`), bytes, and every header block but WS-Addressing's: tokens and
passwords stand there. Works on a copy of its own, after the call is answered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Literal

from lxml import etree

from soapsvc.soap import addressing
from soapsvc.soap.application import Reply
from soapsvc.soap.beside import Beside
from soapsvc.soap.call import Call
from soapsvc.soap.disclosure import MASK, Disclosure
from soapsvc.soap.envelope import read_message
from soapsvc.soap.faults import SoapFault
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import Attachments, Package, content_id_of, unpack
from soapsvc.soap.ns import VERSION_OF, XSI, SoapVersion

log = logging.getLogger("soapsvc.messages")
MAX_TEXT = 2_000  # characters of one element
MAX_ITEMS = 100  # of one array
MAX_LINE = 50_000  # characters of one message
_INSIDE = frozenset({"item", "dtype", "shape", "doubles", "longs", "strings", "label", "score"})
_ANSWERED = frozenset(  # elements whose text is the server's own
    {"faultcode", "faultstring", "Value", "Text", "code", "message", "requestId", "field", "expected", "received",
     "retryAfterSeconds", "deadlineSeconds", "name", "description", "modelVersion", "contractVersion", "maxBatch"}
)  # fmt: skip
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\\\\]")
_ATTRIBUTES = {*VERSION_OF, XSI}  # namespaces


class MessageLog:
    """Writes the messages that are wanted. Safe to use from many threads."""

    def __init__(self, wanted: Literal["off", "faults", "all"]) -> None:
        self._wanted = wanted

    @property
    def on(self) -> bool:
        """Whether it writes any message."""
        return self._wanted != "off"

    def wants(self, call: Call) -> bool:
        """Whether the messages of an answered call are to be written."""
        return self._wanted == "all" or (self._wanted == "faults" and call.outcome != "ok")

    def write(
        self, call: Call, soap: SoapVersion, size: int, package: Package | None, reply: Reply, disclosure: Disclosure
    ) -> None:
        """Write a call's request and its answer.

        size: bytes of the request as it came.  package: what it held, None if it could not be taken apart.
        """
        log.info("request=%s received=%d%s", call.request_id, size, _request(package, soap, disclosure))
        log.info("request=%s answered=%d%s", call.request_id, len(reply.body), _answer(reply, soap, disclosure))


def _request(package: Package | None, soap: SoapVersion, disclosure: Disclosure) -> str:
    """Return a request as it may be told; nothing of one that is no message."""
    if package is None:
        return ""
    try:
        message = read_message(package.envelope, package.sent_as, soap, Beside(package.attachments))
    except SoapFault:
        return ""
    return _line(message.envelope, _Masker(disclosure, frozenset(), package.attachments))


def _answer(reply: Reply, soap: SoapVersion, disclosure: Disclosure) -> str:
    media_type, parameters = parse_content_type(reply.content_type)
    package = unpack(reply.body, ContentType(media_type, None, "", parameters), soap, len(reply.body))
    document = etree.fromstring(package.envelope, etree.XMLParser(resolve_entities=False, huge_tree=True))
    return _line(document, _Masker(disclosure, _ANSWERED - disclosure.secret, package.attachments))


def _line(document: etree._Element, masker: _Masker) -> str:
    _each_child(document, lambda part: _each_child(part, _mask_block if _is_header(part) else masker.mask))
    for node in (document, *document):
        _mask_attributes(node)
    text = etree.tostring(document, encoding="unicode", with_tail=False)
    return " " + _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", _cut(text, MAX_LINE))


def _is_header(part: etree._Element) -> bool:
    return etree.QName(part).localname == "Header"


def _each_child(node: etree._Element, mask: Callable[[etree._Element], None]) -> None:
    """Mask the children of an element, and drop the text between them: there should be none."""
    node.text = None
    for child in node:
        mask(child)
        child.tail = None


def _mask_block(block: etree._Element) -> None:
    """Hide what stands in a header block, but for WS-Addressing's own elements."""
    if etree.QName(block).namespace not in addressing.NAMESPACES:
        _replace(block, MASK)
    elif len(block):
        _each_child(block, _mask_block)
    else:
        block.text = _cut(block.text or "", MAX_TEXT)
    _mask_attributes(block)


def _mask_attributes(node: etree._Element) -> None:
    """Hide the attributes that neither SOAP nor XML Schema gives a meaning."""
    for name in node.attrib:
        if etree.QName(name).namespace not in _ATTRIBUTES:
            node.set(name, MASK)


class _Masker:
    """Hides what may not be told below one Body. known: further elements whose text may be told."""

    def __init__(self, disclosure: Disclosure, known: frozenset[str], attachments: Attachments | None) -> None:
        self._disclosure, self._known, self._attachments = disclosure, known, attachments or {}

    def mask(self, node: etree._Element, shown: bool = False) -> None:
        """Hide what may not be told of an element. shown: whether it stands in one that may be told."""
        name = etree.QName(node).localname
        _mask_attributes(node)
        if name in self._disclosure.secret:
            _replace(node, MASK)
            return
        shown = self._disclosure.tells(name) or name in self._known or (shown and name in _INSIDE)
        if name in self._disclosure.binary:
            _replace(node, f"[binary, {self._size(node)} bytes]" if shown or name == "content" else MASK)
        elif len(node):
            more = len(node) - MAX_ITEMS
            if more > 0 and etree.QName(node[-1]).localname == "item":
                del node[MAX_ITEMS:]
            _each_child(node, lambda child: self.mask(child, shown))
            node[-1].tail = f"[{more} more]" if more > 0 else None
        elif (node.text or "").strip():
            node.text = _cut(node.text or "", MAX_TEXT) if shown else MASK

    def _size(self, node: etree._Element) -> int:
        if len(node):
            return len(self._attachments.get(content_id_of(node[0].get("href", "")) or "", b""))
        packed = "".join((node.text or "").split())
        return len(packed) * 3 // 4 - packed[-2:].count("=")


def _replace(node: etree._Element, text: str) -> None:
    for child in list(node):
        node.remove(child)
    node.text = text


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}[{len(text) - longest} more]"
