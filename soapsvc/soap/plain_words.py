"""A contract as a person or a program that writes code sees it: its operations and the fields of their messages.

Read from the WSDL alone, so it tells what clients get, of typed contracts and of the generic one alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from soapsvc.soap.ns import WSDL, XSD
from soapsvc.soap.wsdl import schema_of

_W, _X = f"{{{WSDL}}}", f"{{{XSD}}}"
_SIMPLE = {
    "double": "number",
    "int": "whole number (32 bits)",
    "long": "whole number (64 bits)",
    "boolean": "true or false",
    "string": "text",
    "base64Binary": "bytes, base64 in the message",
    "dateTime": "date and time",
}


@dataclass(frozen=True)
class Field:
    """One element of a message.

    type: its name in the schema, as `double`, `ArrayOfDouble`.  optional: it may be absent, or nil for a number.
    many: it may stand any number of times.  members: the elements in it, none for a simple type.
    values: what is allowed, where that is a list.
    """

    name: str
    type: str
    words: str = ""
    optional: bool = False
    many: bool = False
    members: tuple[Field, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def item(self) -> Field | None:
        """What a list holds, None for a field that is no list."""
        return self.members[0] if len(self.members) == 1 and self.members[0].many else None

    @property
    def type_in_words(self) -> str:
        """What a client sends or gets, for somebody who reads no schema."""
        if self.item is not None:
            return f"list; each item: {self.item.type_in_words}"
        if self.values:
            return f"one of {', '.join(self.values)}"
        return _SIMPLE.get(self.type, self.type)

    def rows(self, depth: int = 0) -> Iterator[tuple[int, Field]]:
        """Yield this field and all in it, each with how deep it stands; a list's item is told of by its list."""
        yield depth, self
        for member in self.members if self.item is None else self.item.members:
            yield from member.rows(depth + 1)


@dataclass(frozen=True)
class Operation:
    """One operation. inputs: the fields of its request; result: the one of its answer."""

    name: str
    words: str
    inputs: tuple[Field, ...]
    result: Field
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """A field's value in a message. text: of a simple type, None for nil; values: of the fields in it, those given."""

    field: Field
    text: str | None = None
    values: tuple[Value, ...] = ()


def operations(wsdl: etree._Element) -> list[Operation]:
    """Return the operations of a contract, in its order."""
    types = {str(node.get("name")): node for node in schema_of(wsdl)}
    found = []
    for node in wsdl.iterfind(f"{_W}portType/{_W}operation"):
        name = str(node.get("name"))
        (result,) = _members(types[f"{name}Response"], types)
        faults = tuple(str(fault.get("name")) for fault in node.findall(f"{_W}fault"))
        words = (node.findtext(f"{_W}documentation") or "").strip()
        found.append(Operation(name, words, _members(types[name], types), result, faults))
    return found


def request_values(operation: Operation, envelope: bytes) -> tuple[Value, ...]:
    """Return what a request holds, by the operation's fields. envelope: of a valid request to it."""
    body = etree.fromstring(envelope)[-1][0]
    return _values(operation.inputs, body)


def _values(fields: tuple[Field, ...], parent: etree._Element) -> tuple[Value, ...]:
    by_name = {each.name: each for each in fields}
    found = []
    for node in parent:
        each = by_name[etree.QName(node).localname]
        if each.members:
            found.append(Value(each, None, _values(each.members, node)))
        else:
            found.append(Value(each, None if any(key.endswith("}nil") for key in node.attrib) else node.text or ""))
    return tuple(found)


def _members(node: etree._Element, types: dict[str, etree._Element]) -> tuple[Field, ...]:
    sequence = next(node.iter(f"{_X}sequence"), None)
    return () if sequence is None else tuple(_field(child, types) for child in sequence)


def _field(node: etree._Element, types: dict[str, etree._Element]) -> Field:
    prefix, kind = str(node.get("type")).split(":")
    own = types.get(kind) if prefix == "tns" else None
    simple = prefix == "xs"
    values = () if own is None else tuple(str(each.get("value")) for each in own.iter(f"{_X}enumeration"))
    return Field(
        str(node.get("name")), kind,
        " ".join((node.findtext(f"{_X}annotation/{_X}documentation") or "").split()),
        optional=node.get("minOccurs") == "0" or (node.get("nillable") == "true" and simple and kind in _BY_VALUE),
        many=node.get("maxOccurs") == "unbounded",
        members=() if own is None else _members(own, types),
        values=values,
    )  # fmt: skip


_BY_VALUE = {"double", "int", "long", "boolean"}  # of others nil is refused: see `types.in_message`
