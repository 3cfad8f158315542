"""What an answer's envelope holds: an operation's result, or a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.envelope import read_message
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.ns import VERSION_OF, SoapVersion


@dataclass(frozen=True)
class ReceivedFault:
    """A fault as its receiver sees it. type: that of a typed fault, and its members; both empty without."""

    text: str
    type: str
    members: Mapping[str, str]


def read_answer(endpoint: SoapEndpoint, operation: str, content: bytes) -> Any:
    """Return an operation's result as a reader gives it, or a ReceivedFault. Raises SoapFault, InvalidInput."""
    soap = _version_of(content) or endpoint.soap  # a fault may be in the other version
    body = read_message(content, ContentType(soap.mime_type, "utf-8"), soap).body
    if body.tag != f"{{{soap.envelope}}}Fault":
        return endpoint.result(operation, body)
    names = ("faultstring", "detail") if soap is SoapVersion.SOAP11 else ("Reason", "Detail")
    text, detail = (_child(body, name) for name in names)
    typed = detail[0] if detail is not None and len(detail) else None
    said = "" if text is None else " ".join("".join(map(str, text.itertext())).split())
    if typed is None:
        return ReceivedFault(said, "", {})
    members = {etree.QName(member).localname: member.text or "" for member in typed}
    return ReceivedFault(said, etree.QName(typed).localname, members)


def _version_of(content: bytes) -> SoapVersion | None:
    return next((soap for namespace, soap in VERSION_OF.items() if namespace.encode() in content[:512]), None)


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in parent if etree.QName(child).localname == name), None)
