"""Spyne's SOAP protocols with our own readers and writers in place of its (de)serialisation.

Spyne still finds the operation and runs it. The message was parsed by the guard; faults are written by `faults`.
"""

from __future__ import annotations

from typing import Any

from spyne import MethodContext
from spyne.protocol.soap import Soap11, Soap12

from soapsvc.soap.call import Call
from soapsvc.soap.envelope import Message
from soapsvc.soap.faults import write_envelope
from soapsvc.soap.mtom import Enclosure
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.reader import RecordReader, compile_reader, read_operation
from soapsvc.soap.writer import Writer, compile_writer


class _Compiled:
    """What both protocols share. `ctx.in_document` holds a Message when Spyne first asks for it."""

    soap: SoapVersion

    def set_app(self, app: Any) -> None:
        """Compile a reader and a writer for each operation, once there is an application."""
        super().set_app(app)  # type: ignore[misc]
        if app is None:
            return
        self._readers: dict[str, RecordReader] = {}
        self._writers: dict[str, Writer] = {}
        for method in (method for service in app.services for method in service.public_methods.values()):
            reader = compile_reader(method.in_message)
            assert isinstance(reader, RecordReader)
            self._readers[method.operation_name] = reader
            self._writers[method.operation_name] = compile_writer(method.out_message)

    def create_in_document(self, ctx: MethodContext, charset: str | None = None) -> None:
        """Leave the document alone: it is parsed already."""

    def decompose_incoming_envelope(self, ctx: MethodContext, message: Any = None) -> None:
        """Name the operation by the body's element."""
        request: Message = ctx.in_document
        ctx.in_body_doc = request.body
        ctx.method_request_string = request.body.tag

    def deserialize(self, ctx: MethodContext, message: Any) -> None:
        """Read the operation's parameters. Raises InvalidInput."""
        request: Message = ctx.in_document
        reader = self._readers[ctx.descriptor.operation_name]
        ctx.in_object = read_operation(reader, request.body, request.attachments)

    def serialize(self, ctx: MethodContext, message: Any) -> None:
        """Write the answer's envelope, unless the operation failed."""
        if ctx.out_error is not None:
            return
        name = ctx.descriptor.out_message.get_type_name()
        call: Call = ctx.udc
        if call.takes_attachments:
            call.enclosure = Enclosure()
        attach = call.enclosure.attach if call.enclosure else None
        content = self._writers[ctx.descriptor.operation_name](ctx.out_object, attach)
        body = f'<{name} xmlns="{ctx.descriptor.out_message.get_namespace()}">{content}</{name}>'
        ctx.out_string = [write_envelope(self.soap, body, call.header)]

    def create_out_string(self, ctx: MethodContext, charset: str | None = None) -> None:
        """Do nothing: `serialize` wrote the bytes."""


class CompiledSoap11(_Compiled, Soap11):
    """SOAP 1.1."""

    soap = SoapVersion.SOAP11


class CompiledSoap12(_Compiled, Soap12):
    """SOAP 1.2."""

    soap = SoapVersion.SOAP12
