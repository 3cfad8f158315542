"""WS-Addressing: header blocks that CXF and WCF send with mustUnderstand, and those that answer them.

Owns what is read of them and what goes back. An answer always goes to the caller's own connection, so a request that
wants it elsewhere is refused. Sources: WS-Addressing 1.0 SOAP Binding and Metadata; the submission of August 2004.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from lxml import etree

from soapsvc.soap.faults import client_fault
from soapsvc.soap.ns import ContractNames
from soapsvc.soap.text import escape

_W3C, _SUBMISSION = "http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"
NAMESPACES = frozenset({_W3C, _SUBMISSION})
_ANONYMOUS = {f"{_W3C}/anonymous", f"{_SUBMISSION}/role/anonymous"}
_FAULT_ACTION = {_W3C: f"{_W3C}/soap/fault", _SUBMISSION: f"{_SUBMISSION}/fault"}
_ONCE = ("To", "Action", "MessageID", "ReplyTo", "FaultTo", "From")
_MAX_ID = 1024  # characters of a MessageID, which comes back in the answer


@dataclass(frozen=True)
class Addressed:
    """What a request's header blocks say. action, message_id: as they came, empty when absent."""

    namespace: str
    action: str
    message_id: str

    def check_action(self, names: ContractNames, operation: str) -> None:
        """Raise SoapFault unless the action is the operation's SOAPAction, or what WSDL makes of its names."""
        if self.action not in ("", names.action(operation), _default_action(names, f"{operation}Request")):
            raise client_fault(f"wsa:Action does not name the operation {operation} that the Body holds")

    def answer(self, names: ContractNames, operation: str) -> str:
        """Return the header blocks of an answer (SOAP Binding, section 5; Metadata, 4.4.4)."""
        return self._blocks(_default_action(names, f"{operation}Response"))

    def fault(self, names: ContractNames, operation: str, fault: str | None) -> str:
        """Return the header blocks of a fault; fault: the typed one's name, None for any other (Metadata, 4.4.4)."""
        if fault is None:
            return self._blocks(_FAULT_ACTION[self.namespace])
        return self._blocks(_default_action(names, f"{operation}:Fault:{fault}"))

    def _blocks(self, action: str) -> str:
        blocks = {"Action": action, "MessageID": f"urn:uuid:{uuid.uuid4()}", "RelatesTo": self.message_id}
        return "".join(
            f'<wsa:{name} xmlns:wsa="{self.namespace}">{escape(text)}</wsa:{name}>'
            for name, text in blocks.items()
            if text
        )


def read_addressing(header: etree._Element) -> Addressed | None:
    """Return what the header's addressing blocks say, None when there are none. Raises SoapFault."""
    blocks = [block for block in header if etree.QName(block).namespace in NAMESPACES]
    if not blocks:
        return None
    namespace = str(etree.QName(blocks[0]).namespace)
    found = {name: [block for block in blocks if block.tag == f"{{{namespace}}}{name}"] for name in _ONCE}
    for name, same in found.items():
        if len(same) > 1:
            raise client_fault(f"expected wsa:{name} once, received it {len(same)} times")
    for name in ("ReplyTo", "FaultTo"):
        for block in found[name]:
            address = (block.findtext(f"{{{namespace}}}Address") or "").strip()
            if address not in _ANONYMOUS:
                raise client_fault(f"wsa:{name} names another address; answers go to the caller's connection only")
    message_id = _text(found["MessageID"])
    if len(message_id) > _MAX_ID:
        raise client_fault(f"wsa:MessageID is longer than {_MAX_ID} characters")
    return Addressed(namespace, _text(found["Action"]), message_id)


def _text(blocks: list[etree._Element]) -> str:
    return (blocks[0].text or "").strip() if blocks else ""


def _default_action(names: ContractNames, message: str) -> str:
    """Return the action of a message whose WSDL names none: `:` joins, as the namespace is a URN (Metadata, 4.4.4)."""
    return f"{names.namespace}:{names.title}:{message}"
