"""Readers of single values: from an element's text, or from what is attached in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from lxml import etree
from spyne import Boolean, ByteArray, Double, Int, Long, Unicode

from soapsvc.errors import InvalidInput
from soapsvc.soap.beside import Beside
from soapsvc.soap.lexical import WHITE, parse_boolean, parse_bytes, parse_double, parse_int, parse_long
from soapsvc.soap.mtom import Content, content_id_of
from soapsvc.soap.ns import XOP, XSD, XSI
from soapsvc.soap.types import PICTURE, Type

_DERIVED = {  # what XML Schema part 2, 3, derives from a type, as far as clients name it
    "long": {"int", "short", "byte", "unsignedInt", "unsignedShort", "unsignedByte"},
    "int": {"short", "byte", "unsignedShort", "unsignedByte"},
    "string": {"normalizedString", "token"},
}
TYPE_HINT = f"{{{XSI}}}type"
INCLUDE = f"{{{XOP}}}Include"


@dataclass(frozen=True)
class LeafReader:
    """Reads one value out of text. parse raises ValueError for text that is none."""

    type_name: str
    expected: str
    parse: Callable[[str], Any]
    dtype: np.dtype[Any] | None = None  # of an array of such values

    def read(self, node: etree._Element, field: str, beside: Beside) -> Any:
        """Return the value; see `Reader`."""
        check_declared_type(node, self.type_name, field)
        if len(node):
            raise InvalidInput("wrong-type", field, self.expected, came(node[0]))
        text = node.text or ""
        try:
            return self.parse(text)
        except ValueError:
            raise InvalidInput("wrong-type", field, self.expected, quoted(text)) from None


@dataclass(frozen=True)
class BytesReader(LeafReader):
    """Reads base64 into bytes, or takes the attachment that stands in its place (XOP 1.0, 3.2).

    views: whether the operation works on a view of the request's body, which is held in memory as long as that.
    """

    views: bool = True

    def taken(self, attachment: Content) -> Content:
        """Return what the operation is given of an attachment."""
        return attachment if self.views else bytes(attachment)

    def read(self, node: etree._Element, field: str, beside: Beside) -> Any:
        """Return bytes, or what was attached; see `Reader`."""
        if beside.attachments is None or len(node) != 1 or node[0].tag != INCLUDE:
            return super().read(node, field, beside)
        check_declared_type(node, self.type_name, field)
        include = node[0]
        if len(include) or (include.text or "").strip(WHITE):
            raise InvalidInput("wrong-type", field, "an empty xop:Include", "one with content")
        content_id = content_id_of(include.get("href", ""))
        if content_id is None:
            raise InvalidInput("wrong-type", field, "an xop:Include whose href starts with cid:", "another")
        try:
            return self.taken(beside.attachments[content_id])
        except KeyError:
            name = quoted(content_id)
            raise InvalidInput("missing", field, "an attachment", f"the name {name}, which no part has") from None


LEAVES: dict[Type, LeafReader] = {  # the more special before the more general
    Double: LeafReader("double", "a number, NaN, INF or -INF", parse_double, np.dtype(np.float64)),
    Long: LeafReader("long", "a whole number of at most 64 bits", parse_long, np.dtype(np.int64)),
    Int: LeafReader("int", "a whole number of at most 32 bits", parse_int, np.dtype(np.int64)),
    Boolean: LeafReader("boolean", "true or false", parse_boolean, np.dtype(np.bool_)),
    PICTURE: BytesReader("base64Binary", "base64", parse_bytes, views=False),
    ByteArray: BytesReader("base64Binary", "base64", parse_bytes),
    Unicode: LeafReader("string", "text", str),
}


def check_declared_type(node: etree._Element, type_name: str, field: str) -> None:
    """Raise InvalidInput at an xsi:type that is neither the contract's type nor derived from it (XML Schema 1, 3.3.4).

    The value need only be one of the contract's type.
    """
    declared = node.get(TYPE_HINT)
    if declared is None:
        return
    prefix, _, local = declared.strip(WHITE).rpartition(":")
    namespace = node.nsmap.get(prefix or None)
    own = etree.QName(node).namespace
    if (namespace, local) in {(XSD, type_name), (own, type_name)}:
        return
    if namespace != XSD or local not in _DERIVED.get(type_name, ()):
        name = field or etree.QName(node).localname
        raise InvalidInput("wrong-type", name, f"type {type_name}", f"xsi:type {shortened(declared)}")


def came(node: etree._Element | None) -> str:
    """Return what a fault says of an element that came, or of none.

    The contract's elements all have a namespace, so that one of the right name without it would look right.
    """
    if node is None:
        return "nothing"
    return f"element {shortened(str(node.tag))}{'' if etree.QName(node).namespace else ' of no namespace'}"


def shortened(text: str) -> str:
    """Return text cut to what fits a log line."""
    return text if len(text) <= 60 else text[:57] + "..."


def quoted(text: str) -> str:
    """Return text as a fault quotes it."""
    return f"'{shortened(text)}'"
