"""Codecs: between the bytes of SOAP messages and what operations take and give, compiled once from Spyne's types."""

from __future__ import annotations

from typing import Any

from spyne import MethodDescriptor

from soapsvc.soap.call import Call
from soapsvc.soap.envelope import Message
from soapsvc.soap.faults import write_envelope
from soapsvc.soap.mtom import Enclosure
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.reader import compile_record, read_operation
from soapsvc.soap.writer import compile_writer


class Codec:
    """Reads the requests and writes the answers of one operation in one SOAP version."""

    def __init__(self, method: MethodDescriptor, soap: SoapVersion) -> None:
        """Raises TypeError when the operation has types that no reader or writer knows."""
        self.reader = compile_record(method.in_message)
        self._write, self._soap = compile_writer(method.out_message), soap
        name = method.out_message.get_type_name()
        self._start, self._end = f'<{name} xmlns="{method.out_message.get_namespace()}">', f"</{name}>"

    def read(self, message: Message) -> tuple[Any, ...]:
        """Return the operation's parameters. Raises InvalidInput."""
        return read_operation(self.reader, message.body, message.beside)

    def write(self, result: Any, call: Call) -> bytes:
        """Return the envelope of an answer; what is attached to it goes into `call.enclosure`."""
        if call.takes_attachments:
            call.enclosure = Enclosure()
        content = self._write((result,), call.enclosure.attach if call.enclosure else None)
        return write_envelope(self._soap, f"{self._start}{content}{self._end}", call.header)
