"""One contract in one SOAP version: its WSDL, and the answer to each request.

The one place that turns errors into faults.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lxml import etree
from spyne import Application, MethodContext, MethodDescriptor, ServiceBase
from spyne.server import ServerBase

from soapsvc.errors import InvalidInput, ServingError
from soapsvc.soap.beside import Beside, take_runs
from soapsvc.soap.call import Call
from soapsvc.soap.codec import Codec
from soapsvc.soap.disclosure import Disclosure
from soapsvc.soap.envelope import Message, read_message
from soapsvc.soap.faults import FAULT_FOR, SoapFault, client_fault, fault_envelope, write_envelope
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments
from soapsvc.soap.ns import HTTP_TRANSPORT, ContractNames, SoapVersion
from soapsvc.soap.outlines import Outlines
from soapsvc.soap.protocol import PROTOCOLS
from soapsvc.soap.reader import compile_reader
from soapsvc.soap.untold import untold
from soapsvc.soap.writer import compile_writer
from soapsvc.soap.wsdl import build_wsdl, with_address

log = logging.getLogger(__name__)


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


class _CodedContext(MethodContext):
    """What Spyne needs to run an operation whose parameters a codec has read, without what it needs to read them."""

    descriptor = None
    __setattr__ = object.__setattr__

    def __init__(self, method: MethodDescriptor, parameters: Sequence[Any], call: Call) -> None:
        self.descriptor, self.function = method, method.function
        self.in_object, self.udc = parameters, call


class SoapEndpoint:
    """Answers requests to one contract in one SOAP version. Safe to use from many threads."""

    def __init__(
        self, names: ContractNames, service: type[ServiceBase], soap: SoapVersion, description: str,
        disclosure: Callable[[], Disclosure],
    ) -> None:  # fmt: skip
        """disclosure: gives what may be told of messages, now."""
        self.names, self.soap, self.disclosure = names, soap, disclosure
        protocol = PROTOCOLS[soap]
        app = _Application([service], names.namespace, names.service, protocol(), protocol())
        self._app, self._transport = app, _Transport(app)
        self._methods = service.public_methods
        self._operations: dict[str, str] = {names.element(name): name for name in self._methods}
        self._codecs = {name: _codec(method, soap) for name, method in self._methods.items()}
        self._outlines = Outlines()
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
        (result,) = compile_reader(self._methods[operation].out_message).read(body, "", Beside())
        return result

    def answer(self, content: bytes, sent_as: ContentType, call: Call, attachments: Attachments | None = None) -> Reply:
        """Return the answer to a request, be it a fault.

        attachments: what came beside the envelope, None without. It is emptied once it is read, so that the memory
        of what the operation takes no view of is free while it runs.
        """
        try:
            envelope = self._answer(content, sent_as, call, attachments)
        except Exception as err:
            return self.fault(err, call)
        if call.enclosure is None or not call.enclosure.parts:
            return Reply(200, self.soap.content_type, envelope)
        return Reply(200, *call.enclosure.pack(envelope, self.soap))

    def fault(self, error: Exception, call: Call) -> Reply:
        """Return the fault that answers an error; one that nobody foresaw is logged with its traceback.

        Its own words are left out where the model has secrets: they may quote one.
        """
        if isinstance(error, InvalidInput):
            error = self.disclosure().masked(error)
        call.outcome = _outcome(error)
        if not isinstance(error, ServingError | SoapFault):
            told = untold(error) if self.disclosure().secret else error
            log.error("request %s failed", call.request_id, exc_info=told)
        status = error.status if isinstance(error, SoapFault) else 500  # .NET reads faults from 2xx and 500 only
        soap = (error.answer_in if isinstance(error, SoapFault) else None) or self.soap
        header = ""
        if call.addressed is not None:
            kind = FAULT_FOR[type(error)].name if isinstance(error, ServingError) else None
            header = call.addressed.fault(self.names, call.operation, kind)
        body = fault_envelope(error, self.soap, self.names.namespace, call.request_id, header)
        return Reply(status, soap.content_type, body)

    def _answer(self, content: bytes, sent_as: ContentType, call: Call, attachments: Attachments | None) -> bytes:
        in_type = sent_as.media_type == self.soap.mime_type
        known = self._outlines.read(content, sent_as, attachments) if in_type else None
        if known is not None:
            call.operation, parameters = known
            self._check_action(call.operation, sent_as.action)
            return self._run(call, parameters, attachments)
        parsed = None
        short, runs = take_runs(content, sent_as)
        if runs:
            with suppress(SoapFault, InvalidInput):  # worded by reading the message as it came
                parsed = self._parse(short, sent_as, call, Beside(attachments, runs))
        message, read = parsed or self._parse(content, sent_as, call, Beside(attachments))
        if read is None:
            return self._run_uncoded(message, call)
        if not runs and message.addressed is None:
            codec = self._codecs[call.operation]
            assert codec is not None
            self._outlines.learn(content, sent_as, attachments, message.envelope, call.operation, codec.reader)
        return self._run(call, read, attachments)

    def _parse(
        self, content: bytes, sent_as: ContentType, call: Call, beside: Beside
    ) -> tuple[Message, tuple[Any, ...] | None]:
        """Return a request and its operation's parameters, None for them where Spyne has to read them."""
        message = read_message(content, sent_as, self.soap, beside)
        call.addressed = message.addressed
        call.operation = self._operation(message.body)
        self._check_action(call.operation, sent_as.action)
        if call.addressed is not None:
            call.addressed.check_action(self.names, call.operation)
            call.header = call.addressed.answer(self.names, call.operation)
        codec = self._codecs[call.operation]
        return message, codec.read(message) if codec is not None else None

    def _run(self, call: Call, parameters: tuple[Any, ...], attachments: Attachments | None) -> bytes:
        """Let Spyne run an operation and return the answer's envelope."""
        codec = self._codecs[call.operation]
        assert codec is not None
        if attachments:
            attachments.clear()
        call.stages["parse"] = call.started, time.monotonic() - call.started
        result = self._app.call_wrapper(_CodedContext(self._methods[call.operation], parameters, call))
        ran = time.monotonic()
        answer = codec.write(result, call)
        call.stages["serialise"] = ran, time.monotonic() - ran
        return answer

    def _run_uncoded(self, message: Message, call: Call) -> bytes:
        """Let Spyne read, run and write an operation that has no codec."""
        initial = MethodContext(self._transport, MethodContext.SERVER)
        initial.in_document, initial.udc = message, call
        (ctx,) = self._transport.generate_contexts(initial)
        try:
            self._transport.get_in_object(ctx)
            if ctx.in_error is not None:
                raise client_fault(f"the parameters of {call.operation} are not as the WSDL says")
            self._transport.get_out_object(ctx)
            if call.error is not None:
                raise call.error
            self._transport.get_out_string(ctx)
            return b"".join(ctx.out_string)
        finally:
            ctx.close()

    def _operation(self, body: etree._Element) -> str:
        """Return the operation that the body names. Raises SoapFault."""
        operation = self._operations.get(str(body.tag))
        if operation is None:
            raise client_fault(
                f"unknown operation; expected one of {', '.join(self.operations)} in {self.names.namespace}"
            )
        return operation

    def _check_action(self, operation: str, action: str) -> None:
        if action not in ("", "*", self.names.action(operation)):  # Mono's stubs send "*"
            raise client_fault(f"the SOAP action does not name the operation {operation} that the Body holds")


def _codec(method: MethodDescriptor, soap: SoapVersion) -> Codec | None:
    """Return an operation's codec, None when Spyne has to read and write it."""
    try:
        return Codec(method, soap)
    except TypeError:
        return None


def _outcome(error: Exception) -> str:
    if isinstance(error, ServingError):
        return FAULT_FOR[type(error)].name
    return error.code.value if isinstance(error, SoapFault) else "InternalError"
