"""Faults: which one a failed call gets, and how it is written.

One table maps each kind of ServingError to a typed fault that stubs can catch; a broken message gets a SoapFault,
which has no type of its own since no operation was reached. Nothing here ever holds a traceback, a path or a
parser's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from soapsvc.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    InvalidInput,
    ModelNotFound,
    Overloaded,
    ServingError,
    Unavailable,
)
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.text import element, escape


class FaultCode(Enum):
    """Whose fault it is, in SOAP 1.1's words."""

    CLIENT = "Client"
    SERVER = "Server"
    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"

    def name_in(self, soap: SoapVersion) -> str:
        """Return the code's local name: SOAP 1.2 has Sender and Receiver (SOAP 1.2 part 1, 5.4.6)."""
        if soap is SoapVersion.SOAP12:
            return {"Client": "Sender", "Server": "Receiver"}.get(self.value, self.value)
        return self.value


class SoapFault(Exception):
    """A message that never reached an operation.

    answer_in: the SOAP version to answer in when it is not the endpoint's.
    header: XML of header blocks that go with the fault.
    """

    def __init__(
        self, code: FaultCode, text: str, answer_in: SoapVersion | None = None, header: str = "", status: int = 500
    ) -> None:
        self.code, self.text, self.answer_in, self.header, self.status = code, text, answer_in, header, status
        super().__init__(text)


def client_fault(text: str, status: int = 500) -> SoapFault:
    """Return the fault for a message that is the sender's mistake."""
    return SoapFault(FaultCode.CLIENT, text, status=status)


def wrong_media_type(received: str, soap: SoapVersion) -> SoapFault:
    """Return the fault for a Content-Type that is none of this address's."""
    return client_fault(f"expected Content-Type {soap.mime_type}, received {received or 'none'}", status=415)


@dataclass(frozen=True)
class FaultMember:
    """One field of a typed fault; attribute is where the error keeps it."""

    element: str
    type: Literal["string", "int", "double"]
    attribute: str
    description: str


@dataclass(frozen=True)
class FaultType:
    """A declared fault; its members come after code, message and requestId, which all have."""

    name: str
    code: FaultCode
    description: str
    members: tuple[FaultMember, ...] = ()


_RETRY = FaultMember("retryAfterSeconds", "int", "retry_after_s", "When to try again.")

FAULT_FOR: dict[type[ServingError], FaultType] = {
    InvalidInput: FaultType(
        "InvalidInput",
        FaultCode.CLIENT,
        "A value breaks the contract; change it before trying again.",
        (
            FaultMember("field", "string", "field", "The element at fault, as instances[3].petalLength."),
            FaultMember("expected", "string", "expected", "What would have been right."),
            FaultMember("received", "string", "received", "What came."),
        ),
    ),
    ModelNotFound: FaultType("ModelNotFound", FaultCode.CLIENT, "No such model, version or label is loaded."),
    Overloaded: FaultType("Overloaded", FaultCode.SERVER, "Too many calls wait for this model.", (_RETRY,)),
    DeadlineExceeded: FaultType(
        "DeadlineExceeded",
        FaultCode.SERVER,
        "The answer was not ready in time.",
        (FaultMember("deadlineSeconds", "double", "deadline_s", "How long the call was given."),),
    ),
    Unavailable: FaultType("Unavailable", FaultCode.SERVER, "The model can't answer now.", (_RETRY,)),
    AuthenticationFailed: FaultType(
        "AuthenticationFailed", FaultCode.CLIENT, "The credentials are missing or not accepted."
    ),
}


def fault_envelope(error: Exception, soap: SoapVersion, namespace: str, request_id: str, header: str = "") -> bytes:
    """Return the envelope that answers an error; one that is neither ServingError nor SoapFault says nothing.

    namespace: the contract's, which the typed detail stands in.  header: XML of header blocks for the caller.
    """
    if isinstance(error, ServingError):
        kind = FAULT_FOR[type(error)]
        return write_fault(soap, kind.code, error.message, _detail(kind, error, namespace, request_id), header)
    if isinstance(error, SoapFault):
        return write_fault(error.answer_in or soap, error.code, error.text, header=error.header + header)
    return write_fault(soap, FaultCode.SERVER, f"Internal Error (request {request_id})", header=header)


def _detail(kind: FaultType, error: ServingError, namespace: str, request_id: str) -> str:
    content = element("code", error.code) + element("message", error.message) + element("requestId", request_id)
    for member in kind.members:
        value: Any = getattr(error, member.attribute)
        content += element(member.element, f"{value:g}" if member.type == "double" else str(value))
    return f'<{kind.name} xmlns="{namespace}">{content}</{kind.name}>'


def write_fault(soap: SoapVersion, code: FaultCode, text: str, detail: str = "", header: str = "") -> bytes:
    """Return a fault's envelope. detail, header: XML of what goes into them."""
    name = code.name_in(soap)
    if soap is SoapVersion.SOAP11:
        fault = f"<faultcode>soap:{name}</faultcode><faultstring>{escape(text)}</faultstring>"
        fault += f"<detail>{detail}</detail>" if detail else ""
    else:
        reason = f'<soap:Text xml:lang="en">{escape(text)}</soap:Text>'
        fault = f"<soap:Code><soap:Value>soap:{name}</soap:Value></soap:Code><soap:Reason>{reason}</soap:Reason>"
        fault += f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
    return write_envelope(soap, f"<soap:Fault>{fault}</soap:Fault>", header)


def write_envelope(soap: SoapVersion, body: str, header: str = "") -> bytes:
    """Return a whole message in UTF-8. body, header: XML of what goes into them; the prefix `soap` is bound."""
    head = f"<soap:Header>{header}</soap:Header>" if header else ""
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n"
        f'<soap:Envelope xmlns:soap="{soap.envelope}">{head}<soap:Body>{body}</soap:Body></soap:Envelope>'
    ).encode()
