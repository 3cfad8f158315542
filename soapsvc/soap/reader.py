"""Readers: from the element of an operation to plain values, as strict as the contract's schema.

A reader is compiled once from a Spyne type. Values: a record gives a tuple of its members, None for one that is
absent or nil; an array of numbers or bools a one-dimensional numpy array (float64, int64 or bool), any other a list.

A test holds them against libxml2's validator: what it refuses is refused here, with three exceptions. What a caller may
leave out he may leave out in either way, whichever the schema names: Mono writes every null as xsi:nil, node's `soap`
leaves every one away. White space in an element that holds nothing is taken, for tools indent it. An xsi:type that is
derived from the contract's does not narrow its values. The validator has no place in a server, for it goes on after the
first error and looks up the place of each, which takes minutes for an array of a million wrong numbers; and it takes
`!!!` for base64 and `1e` for a number, which are refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from lxml import etree
from spyne.model import ComplexModelBase
from spyne.model.enum import EnumBase

from soapsvc.errors import InvalidInput
from soapsvc.soap.beside import Beside
from soapsvc.soap.leaf_reader import (
    INCLUDE,
    LEAVES,
    TYPE_HINT,
    LeafReader,
    came,
    check_declared_type,
    quoted,
    shortened,
)
from soapsvc.soap.lexical import (
    BOOLEANS,
    WHITE,
    parse_choice,
    parse_double,
    parse_doubles,
    parse_numbers,
)
from soapsvc.soap.ns import XSI
from soapsvc.soap.types import Type, is_optional

_NIL = f"{{{XSI}}}nil"
_HINTS = {_NIL, TYPE_HINT, f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation"}
_INCLUDE_ATTRIBUTES = {"href"}
_STRAY_TEXT = etree.XPath("descendant-or-self::*[*]/text()[normalize-space()]/..")
_WITH_ATTRIBUTES = etree.XPath("descendant-or-self::*[@*]")
_PLAIN_ITEMS = etree.XPath("not(*/@*) and not(*/*)")


class Reader(Protocol):
    """Turns one element into a value."""

    def read(self, node: etree._Element, field: str, beside: Beside) -> Any:
        """Return the element's value. Raises InvalidInput; field says where the element stands."""


_NOTHING = Beside()


def read_operation(reader: RecordReader, body: etree._Element, beside: Beside = _NOTHING) -> tuple[Any, ...]:
    """Return the members of an operation's element. Raises InvalidInput at the first thing the schema forbids."""
    for node in _WITH_ATTRIBUTES(body):
        allowed = _HINTS if beside.attachments is None or node.tag != INCLUDE else _INCLUDE_ATTRIBUTES
        for name in node.attrib:
            if name not in allowed:
                raise InvalidInput("unexpected", etree.QName(node).localname, "no attributes", "an attribute")
    stray = _STRAY_TEXT(body)
    if stray:
        raise InvalidInput("wrong-type", etree.QName(stray[0]).localname, "elements only", "text beside elements")
    values = reader.read(body, "", beside)
    if beside.runs:
        raise InvalidInput("unexpected", "item", "no items here", "items")
    return values


def compile_reader(cls: Type) -> Reader:
    """Return the reader of a Spyne type."""
    if issubclass(cls, ComplexModelBase):
        members = cls.get_flat_type_info(cls)
        return _array_reader(cls, members["item"]) if list(members) == ["item"] else compile_record(cls)
    if issubclass(cls, EnumBase):
        return LeafReader(cls.get_type_name(), f"one of {', '.join(cls.__values__)}", parse_choice(cls.__values__))
    for base, leaf in LEAVES.items():
        if issubclass(cls, base):
            return leaf
    raise TypeError(f"no reader for {cls.get_type_name()}")


def compile_record(cls: Type) -> RecordReader:
    """Return the reader of a Spyne type that is no array, whatever its members are called."""
    members = cls.get_flat_type_info(cls).items()
    return RecordReader(
        cls.get_type_name(), tuple(_member(cls.get_namespace(), name, member) for name, member in members)
    )


def _member(namespace: str, name: str, cls: Type) -> _Member:
    return _Member(name, f"{{{namespace}}}{name}", compile_reader(cls), bool(cls.Attributes.nillable), is_optional(cls))


@dataclass(frozen=True)
class _Member:
    name: str
    tag: str
    reader: Reader
    nillable: bool
    may_be_absent: bool


@dataclass(frozen=True)
class RecordReader:
    """Reads a sequence of members, in order."""

    type_name: str
    members: tuple[_Member, ...]

    def read(self, node: etree._Element, field: str, beside: Beside) -> tuple[Any, ...]:
        """Return one value for each member; see `Reader`."""
        check_declared_type(node, self.type_name, field)
        children = list(node)
        _check_no_text(node, children, field)
        prefix = f"{field}." if field else ""
        values = []
        position = 0
        for member in self.members:
            child = children[position] if position < len(children) else None
            if child is not None and child.tag == member.tag:
                position += 1
                values.append(_read_member(member, child, prefix + member.name, beside))
            elif not member.may_be_absent:
                raise self._missing(member, child, prefix)
            else:
                values.append(None)
        if position < len(children):
            raise _unexpected(children[position], prefix)
        return tuple(values)

    def _missing(self, member: _Member, child: etree._Element | None, prefix: str) -> InvalidInput:
        """Return what is wrong where a member should stand. child: what stands there, if anything."""
        later = child is None or any(child.tag == other.tag for other in self.members)
        expected = "an element"
        if child is not None and etree.QName(child).localname == member.name:
            expected += f" of namespace {shortened(etree.QName(member.tag).namespace or '')}"
        return InvalidInput("missing", prefix + member.name, expected, came(None if later else child))


def _read_member(member: _Member, node: etree._Element, field: str, beside: Beside) -> Any:
    nil = node.get(_NIL)
    if nil is None:
        return member.reader.read(node, field, beside)
    is_nil = BOOLEANS.get(nil.strip(WHITE))
    if is_nil is None or not (member.nillable or (is_nil and member.may_be_absent)):
        raise InvalidInput("missing", field, "a value", "xsi:nil")
    if not is_nil:
        return member.reader.read(node, field, beside)
    if len(node) or (node.text or "").strip(WHITE):
        raise InvalidInput("wrong-type", field, "nothing inside an element that is xsi:nil", "something")
    if not member.may_be_absent:
        raise InvalidInput("missing", field, "a value", "xsi:nil")
    return None


def _unexpected(node: etree._Element, prefix: str) -> InvalidInput:
    name = shortened(etree.QName(node).localname)
    return InvalidInput("unexpected", prefix + name, "no such element here", came(node))


def _check_no_text(node: etree._Element, children: Sequence[etree._Element], field: str) -> None:
    if not children and node.text and node.text.strip(WHITE):
        name = field or etree.QName(node).localname
        raise InvalidInput("wrong-type", name, "elements", f"text {quoted(node.text)}")


@dataclass(frozen=True)
class ArrayReader:
    """Reads `item` elements into a list, or into a numpy array of dtype.

    parse_all turns the texts of plain items into values at once, raising ValueError.
    """

    type_name: str
    tag: str
    item: Reader
    dtype: np.dtype[Any] | None = None
    parse_all: Callable[[list[str]], list[Any]] | None = None

    def read(self, node: etree._Element, field: str, beside: Beside) -> Any:
        """Return the items; see `Reader`."""
        check_declared_type(node, self.type_name, field)
        children = list(node)
        _check_no_text(node, children, field)
        values = self._run(children, beside) if beside.runs else None
        if values is None:
            values = self._all_at_once(node, children)
        if values is None:
            values = [self._read_item(child, f"{field}[{index}]", beside) for index, child in enumerate(children)]
        return values if self.dtype is None else np.array(values, dtype=self.dtype)

    def _run(self, children: Sequence[etree._Element], beside: Beside) -> list[Any] | None:
        """Return the values of a run that one item stands for, None when there is no such item or a value is wrong."""
        if self.parse_all is None or len(children) != 1 or children[0].tag != self.tag or children[0].attrib:
            return None
        run = beside.runs.pop(children[0].text or "", None)
        if run is None:
            return None
        try:
            assert isinstance(self.item, LeafReader)
            return parse_numbers(run, self.item.parse)
        except ValueError:
            return self._parsed(run.decode("ascii").split("\x00"))

    def _all_at_once(self, node: etree._Element, children: Sequence[etree._Element]) -> list[Any] | None:
        """Return the values, None when the items are not plain or one is wrong: reading each by itself names it."""
        if self.parse_all is None or not _PLAIN_ITEMS(node) or any(child.tag != self.tag for child in children):
            return None
        return self._parsed([child.text or "" for child in children])

    def _parsed(self, texts: list[str]) -> list[Any] | None:
        assert self.parse_all is not None
        try:
            return self.parse_all(texts)
        except ValueError:
            return None

    def _read_item(self, node: etree._Element, field: str, beside: Beside) -> Any:
        if node.tag != self.tag:
            raise _unexpected(node, f"{field}.")
        if node.get(_NIL) is not None:
            raise InvalidInput("missing", field, "a value", "xsi:nil")
        return self.item.read(node, field, beside)


def _array_reader(cls: Type, item: Type) -> ArrayReader:
    name, tag = cls.get_type_name(), f"{{{cls.get_namespace()}}}item"
    reader = compile_reader(item)
    if not isinstance(reader, LeafReader):
        return ArrayReader(name, tag, reader)
    parse = reader.parse
    parse_all = parse_doubles if parse is parse_double else lambda texts: [parse(text) for text in texts]
    return ArrayReader(name, tag, reader, reader.dtype, parse_all)
