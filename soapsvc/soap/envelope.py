"""The guard in front of Spyne: from the bytes of a request to one checked Body child, or a SoapFault.

Parses once, with entities and network off. Refuses any DOCTYPE before the parser sees it. Knows nothing of
operations and their schemas.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from lxml import etree

from soapsvc.soap import addressing
from soapsvc.soap.addressing import Addressed, read_addressing
from soapsvc.soap.beside import MOST_ITEMS, Beside
from soapsvc.soap.faults import FaultCode, SoapFault, client_fault, wrong_media_type
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.namespaces import check_namespaces
from soapsvc.soap.ns import VERSION_OF, SoapVersion
from soapsvc.soap.parsed import note_parsed
from soapsvc.soap.text import escape

MAX_DEPTH = 64
MAX_ITEMS, MAX_CHILDREN, MAX_ATTRIBUTES = MOST_ITEMS, 10_000, 64  # of one element
_NOTHING = Beside()
_CHARSETS = {"utf-8": "utf-8", "ascii": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16-le",
             "utf-16-be": "utf-16-be", "iso8859-1": "iso8859-1"}  # fmt: skip
_SHOWN_CHARSETS = "utf-8, utf-16, us-ascii, iso-8859-1"
_DECLARATION = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_PROLOG = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_TOO_WIDE = etree.XPath(f"boolean(//*[*[{MAX_CHILDREN + 1}]][*[{MAX_ITEMS + 1}] or local-name(*[1]) != 'item'])")
_TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(//*[@*[{MAX_ATTRIBUTES + 1}]])")
_NEXT_ROLE = {
    SoapVersion.SOAP11: {"http://schemas.xmlsoap.org/soap/actor/next"},
    SoapVersion.SOAP12: {
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    },
}


@dataclass(frozen=True)
class Message:
    """A request that passed the guard: `body` is the one child of its Body.

    beside: what is not parsed with the envelope.
    """

    envelope: etree._Element
    body: etree._Element
    addressed: Addressed | None = None
    beside: Beside = _NOTHING


def read_message(content: bytes, sent_as: ContentType, soap: SoapVersion, beside: Beside = _NOTHING) -> Message:
    """Return the message in a request's bytes. Raises SoapFault."""
    if not content.strip():
        raise client_fault("expected a SOAP envelope, received an empty body")
    document = parse_document(_as_utf8(content, sent_as.charset))
    _check_version(document, soap)
    if sent_as.media_type != soap.mime_type:
        raise wrong_media_type(sent_as.media_type, soap)
    header, body = _parts(document, soap)
    addressed = None
    if header is not None:
        _check_understood(header, soap)
        addressed = read_addressing(header)
    if len(body) != 1:
        raise client_fault(f"expected one element in the Body, received {len(body)}")
    return Message(document, body[0], addressed, beside)


def parse_document(content: bytes) -> etree._Element:
    """Return the root of a document in UTF-8 that is harmless, whatever it says. Raises SoapFault."""
    document = _parse(content)
    if _TOO_DEEP(document):
        raise client_fault(f"elements are nested deeper than {MAX_DEPTH}")
    if _TOO_WIDE(document):
        raise client_fault(f"an element has more than {MAX_CHILDREN} children; an array's items may be {MAX_ITEMS}")
    if _TOO_MANY_ATTRIBUTES(document):
        raise client_fault(f"an element has more than {MAX_ATTRIBUTES} attributes")
    return document


def _as_utf8(content: bytes, charset: str | None) -> bytes:
    """Return content in UTF-8, without a byte order mark. The transport's charset wins over the document's."""
    name = charset or _own_charset(content)
    try:
        encoding = _CHARSETS[codecs.lookup(name).name]
    except (LookupError, ValueError):
        raise client_fault(f"unknown charset; expected one of {_SHOWN_CHARSETS}") from None
    try:
        utf8 = content if encoding == "utf-8" else content.decode(encoding).encode("utf-8")
    except UnicodeDecodeError:
        raise client_fault(f"the message is not valid {name}") from None
    return utf8.removeprefix(codecs.BOM_UTF8)


def _own_charset(content: bytes) -> str:
    """Return what a document says of its own charset: a byte order mark, a declaration, else UTF-8 (XML 1.0, F)."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if content.startswith((b"<\x00", b"\x00<")):
        return "utf-16-le" if content[0] else "utf-16-be"
    declared = _DECLARATION.match(content.removeprefix(codecs.BOM_UTF8))
    return declared.group(1).decode("ascii") if declared else "utf-8"


def _parse(content: bytes) -> etree._Element:
    _refuse_doctype(content)
    check_namespaces(content)
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    note_parsed(len(content))
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as err:
        line, column = err.position
        raise client_fault(f"the message is not well-formed XML (line {line}, column {column})") from None


def _refuse_doctype(content: bytes) -> None:
    """Raise SoapFault at a DOCTYPE (SOAP 1.1, section 3): it can only stand before the root element."""
    position = 0
    while match := _PROLOG.match(content, position):
        position = match.end()
    if content.startswith(b"<!DOCTYPE", position):
        raise client_fault("a DOCTYPE is not allowed in a SOAP message")


def _check_version(document: etree._Element, soap: SoapVersion) -> None:
    name = etree.QName(document)
    if name.localname != "Envelope":
        raise client_fault(f"expected a SOAP {soap.value} Envelope, received another root element")
    if name.namespace == soap.envelope:
        return
    came = VERSION_OF.get(name.namespace or "")
    what = f"a SOAP {came.value} envelope" if came else "an Envelope of an unknown namespace"
    text = f"this address speaks SOAP {soap.value} and received {what}"
    # A SOAP 1.2 node answers a 1.1 message in 1.1, and names what it speaks (SOAP 1.2 part 1, appendix A).
    upgrade = f'<u:Upgrade xmlns:u="{SoapVersion.SOAP12.envelope}"><u:SupportedEnvelope qname="e:Envelope" '
    upgrade += f'xmlns:e="{soap.envelope}"/></u:Upgrade>'
    downgraded = soap is SoapVersion.SOAP12
    raise SoapFault(
        FaultCode.VERSION_MISMATCH,
        text,
        answer_in=SoapVersion.SOAP11 if downgraded and came else None,
        header=upgrade if downgraded else "",
    )


def _parts(document: etree._Element, soap: SoapVersion) -> tuple[etree._Element | None, etree._Element]:
    tags = [child.tag for child in document]
    header, body = f"{{{soap.envelope}}}Header", f"{{{soap.envelope}}}Body"
    if tags == [body]:
        return None, document[0]
    if tags == [header, body]:
        return document[0], document[1]
    raise client_fault("expected an Envelope that holds a Body, after a Header if there is one, and nothing else")


def _check_understood(header: etree._Element, soap: SoapVersion) -> None:
    """Raise SoapFault at a header block that is addressed to us and must be understood (SOAP 1.1, 4.2.3)."""
    role = f"{{{soap.envelope}}}{'actor' if soap is SoapVersion.SOAP11 else 'role'}"
    for block in header:
        if block.get(f"{{{soap.envelope}}}mustUnderstand", "").strip() not in ("1", "true"):
            continue
        name = etree.QName(block)
        if name.namespace in addressing.NAMESPACES:
            continue
        if block.get(role, "") in _NEXT_ROLE[soap] | {""}:
            namespace = escape(name.namespace or "")
            not_understood = f'<soap:NotUnderstood qname="b:{name.localname}" xmlns:b="{namespace}"/>'
            raise SoapFault(
                FaultCode.MUST_UNDERSTAND,
                f"the header {name.localname} is not understood here",
                header=not_understood if soap is SoapVersion.SOAP12 else "",
            )
