"""One contract in one SOAP version: its WSDL, and the answer to each request.

The one place that turns errors into faults.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from spyne import Application, MethodContext, ServiceBase
from spyne.server import ServerBase

from soapsvc.errors import InvalidInput, ServingError
from soapsvc.soap.call import Call
from soapsvc.soap.disclosure import Disclosure
from soapsvc.soap.envelope import Message, read_message
from soapsvc.soap.faults import FAULT_FOR, SoapFault, client_fault, fault_envelope, write_envelope
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments
from soapsvc.soap.ns import HTTP_TRANSPORT, ContractNames, SoapVersion
from soapsvc.soap.protocol import CompiledSoap11, CompiledSoap12
from soapsvc.soap.reader import compile_reader
from soapsvc.soap.writer import compile_writer
from soapsvc.soap.wsdl import build_wsdl, with_address

log = logging.getLogger(__name__)
_PROTOCOLS = {SoapVersion.SOAP11: CompiledSoap11, SoapVersion.SOAP12: CompiledSoap12}


@dataclass(frozen=True)
class Reply:
    """An answer: HTTP status, Content-Type and body."""

    status: int
    content_type: str
    body: bytes


class _Application(Application):
    """A Spyne application that keeps what an operation raised, for Spyne would make it an Internal Error."""

    def call_wrapper(self, ctx: MethodContext) -> Any:
        try:
            return super().call_wrapper(ctx)
        except Exception as err:
            ctx.udc.error = err
            raise


class _Transport(ServerBase):
    """Hands parsed messages to Spyne; HTTP is dealt with before."""

    transport = HTTP_TRANSPORT


class SoapEndpoint:
    """Answers requests to one contract in one SOAP version. Safe to use from many threads."""

    def __init__(
        self, names: ContractNames, service: type[ServiceBase], soap: SoapVersion, description: str,
        disclosure: Callable[[], Disclosure],
    ) -> None:  # fmt: skip
        """disclosure: gives what may be told of messages, now."""
        self.names, self.soap, self.disclosure = names, soap, disclosure
        protocol = _PROTOCOLS[soap]
        app = _Application([service], names.namespace, names.service, protocol(), protocol())
        self._transport = _Transport(app)
        self._methods = service.public_methods
        self._operations: dict[str, str] = {names.element(name): name for name in self._methods}
        self.wsdl = build_wsdl(app, names, soap, description)

    @property
    def operations(self) -> list[str]:
        """The names of the operations, in the order in which they were declared."""
        return list(self._operations.values())

    def wsdl_at(self, address: str) -> bytes:
        """Return the WSDL that names an address."""
        return with_address(self.wsdl, self.soap, address)

    def request(self, operation: str, values: Sequence[Any]) -> bytes:
        """Return a request's envelope. values: the operation's parameters, as its reader gives them."""
        method = self._methods[operation]
        name, namespace = method.in_message.get_type_name(), self.names.namespace
        body = f'<{name} xmlns="{namespace}">{compile_writer(method.in_message)(values, None)}</{name}>'
        return write_envelope(self.soap, body)

    def result(self, operation: str, body: etree._Element) -> Any:
        """Return what the Body's child of an answer holds, as a reader gives it: the way back from the writer."""
        (result,) = compile_reader(self._methods[operation].out_message).read(body, "", None)
        return result

    def answer(self, content: bytes, sent_as: ContentType, call: Call, attachments: Attachments | None = None) -> Reply:
        """Return the answer to a request, be it a fault. attachments: what came beside the envelope, None without."""
        try:
            envelope = self._run(read_message(content, sent_as, self.soap, attachments), sent_as.action, call)
        except Exception as err:
            return self.fault(err, call)
        if call.enclosure is None or not call.enclosure.parts:
            return Reply(200, self.soap.content_type, envelope)
        return Reply(200, *call.enclosure.pack(envelope, self.soap))

    def fault(self, error: Exception, call: Call) -> Reply:
        """Return the fault that answers an error; one that nobody foresaw is logged with its traceback."""
        if isinstance(error, InvalidInput):
            error = self.disclosure().masked(error)
        call.outcome = _outcome(error)
        if not isinstance(error, ServingError | SoapFault):
            log.error("request %s failed", call.request_id, exc_info=error)
        status = error.status if isinstance(error, SoapFault) else 500  # .NET reads faults from 2xx and 500 only
        soap = (error.answer_in if isinstance(error, SoapFault) else None) or self.soap
        header = ""
        if call.addressed is not None:
            kind = FAULT_FOR[type(error)].name if isinstance(error, ServingError) else None
            header = call.addressed.fault(self.names, call.operation, kind)
        body = fault_envelope(error, self.soap, self.names.namespace, call.request_id, header)
        return Reply(status, soap.content_type, body)

    def _run(self, message: Message, action: str, call: Call) -> bytes:
        call.addressed = message.addressed
        call.operation = self._operation(message.body, action)
        if call.addressed is not None:
            call.addressed.check_action(self.names, call.operation)
            call.header = call.addressed.answer(self.names, call.operation)
        initial = MethodContext(self._transport, MethodContext.SERVER)
        initial.in_document, initial.udc = message, call
        (ctx,) = self._transport.generate_contexts(initial)
        try:
            self._transport.get_in_object(ctx)
            self._transport.get_out_object(ctx)
            if call.error is not None:
                raise call.error
            self._transport.get_out_string(ctx)
            return b"".join(ctx.out_string)
        finally:
            ctx.close()

    def _operation(self, body: etree._Element, action: str) -> str:
        """Return the operation that the body names. Raises SoapFault: none does, or the action names another."""
        operation = self._operations.get(str(body.tag))
        if operation is None:
            raise client_fault(
                f"unknown operation; expected one of {', '.join(self.operations)} in {self.names.namespace}"
            )
        if action not in ("", "*", self.names.action(operation)):  # Mono's stubs send "*"
            raise client_fault(f"the SOAP action does not name the operation {operation} that the Body holds")
        return operation


def _outcome(error: Exception) -> str:
    if isinstance(error, ServingError):
        return FAULT_FOR[type(error)].name
    return error.code.value if isinstance(error, SoapFault) else "InternalError"
