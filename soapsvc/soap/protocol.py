"""Spyne's SOAP protocols behind the guard: they get messages that are parsed already. Faults are written by `faults`.

An operation with a codec does without them; see `application`.
"""

from __future__ import annotations

from spyne import MethodContext
from spyne.protocol.soap import Soap11, Soap12

from soapsvc.soap.envelope import Message
from soapsvc.soap.ns import SoapVersion


class _Parsed:
    """What both protocols share. `ctx.udc` is the Call, `ctx.in_document` a Message when Spyne first asks for it."""

    def create_in_document(self, ctx: MethodContext, charset: str | None = None) -> None:
        """Hand the parsed document over, with no ids of its elements."""
        message: Message = ctx.in_document
        ctx.in_document = message.envelope, None


class ParsedSoap11(_Parsed, Soap11):
    """SOAP 1.1."""


class ParsedSoap12(_Parsed, Soap12):
    """SOAP 1.2."""


PROTOCOLS = {SoapVersion.SOAP11: ParsedSoap11, SoapVersion.SOAP12: ParsedSoap12}
