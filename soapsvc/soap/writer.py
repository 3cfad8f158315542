"""Writers: from plain values to the XML of an operation's answer; the way back from `reader`.

A writer is compiled once from a Spyne type. It takes what a reader of the type gives: a record's members as a
tuple, numbers as Python or numpy numbers, arrays as numpy arrays or lists. Bytes become base64, or go to `attach`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
import pybase64
from spyne import Boolean, ByteArray, Double, Int, Long
from spyne.model import ComplexModelBase

from soapsvc.soap.mtom import Content
from soapsvc.soap.ns import XSI
from soapsvc.soap.text import escape, number, numbers
from soapsvc.soap.types import Type, is_optional

Attach = Callable[[Content], str]  # bytes -> XML that stands for them in the envelope

Writer = Callable[[Any, Attach | None], str]  # value -> XML of an element's content; attach None: bytes as base64
Column = Callable[[Sequence[Any], Attach | None], list[str]]  # the same for many values
_NUMBERS = (Double, Long, Int, Boolean)
_APART = "\0"  # stands in no XML


def compile_writer(cls: Type) -> Writer:
    """Return the writer of a Spyne type."""
    if issubclass(cls, ComplexModelBase):
        members = _members(cls)
        return _array_writer(members[0][1]) if _is_array(members) else _record_writer(members)
    if issubclass(cls, ByteArray):
        return _write_bytes
    return _leaf_writer(_leaf_text(cls))


def _members(cls: Type) -> list[tuple[str, Type]]:
    return list(cls.get_flat_type_info(cls).items())


def _is_array(members: Sequence[tuple[str, Type]]) -> bool:
    return [name for name, _ in members] == ["item"]


def _leaf_text(cls: Type) -> Callable[[Any], str]:
    return number if issubclass(cls, _NUMBERS) else escape


def _leaf_texts(cls: Type) -> Callable[[Sequence[Any]], list[str]]:
    """Return what makes text of many values."""
    return _numbers if issubclass(cls, _NUMBERS) else _escaped


def _numbers(values: Sequence[Any]) -> list[str]:
    kinds = set(map(type, values))
    if kinds == {str}:  # spelled by `numbers`
        return list(values)
    return list(map(str if kinds == {int} else number, values))


def _escaped(values: Sequence[str]) -> list[str]:
    """Return texts fit for an element; of labels the same few come again and again."""
    known = {value: escape(value) for value in set(values)}
    return [known[value] for value in values]


def _leaf_writer(text: Callable[[Any], str]) -> Writer:
    return lambda value, attach: text(value)


def _write_bytes(value: Content, attach: Attach | None) -> str:
    return attach(value) if attach else pybase64.b64encode_as_string(value)


def _record_writer(members: Sequence[tuple[str, Type]]) -> Writer:
    if _is_plain(members):
        return _plain_writer(members)
    parts = [(f"<{name}>", f"</{name}>", compile_writer(cls), _when_absent(name, cls)) for name, cls in members]

    def write(values: Sequence[Any], attach: Attach | None) -> str:
        pieces: list[str] = []
        for (start, end, content, absent), value in zip(parts, values, strict=True):
            pieces += (absent,) if value is None else (start, content(value, attach), end)
        return "".join(pieces)

    return write


def _is_plain(members: Sequence[tuple[str, Type]]) -> bool:
    """Whether a record always has all its members, each of them text."""
    return not any(issubclass(cls, (ComplexModelBase, ByteArray)) or is_optional(cls) for _, cls in members)


def _plain_writer(members: Sequence[tuple[str, Type]], around: str = "%s", many: bool = False) -> Writer:
    """Return the writer of a plain record, or of many of them at once. around: the template of what stands around."""
    template = around % "".join(f"<{name}>%s</{name}>" for name, _ in members)
    texts = [_leaf_text(cls) for _, cls in members]
    if many:
        return lambda records, attach: (
            (template * len(records))
            % tuple([text(value) for values in records for text, value in zip(texts, values, strict=True)])
        )
    return lambda values, attach: template % tuple([text(value) for text, value in zip(texts, values, strict=True)])


def _when_absent(name: str, member: Type) -> str:
    return f'<{name} xsi:nil="true" xmlns:xsi="{XSI}"/>' if member.Attributes.nillable else ""


def _array_writer(item: Type) -> Writer:
    if issubclass(item, _NUMBERS):
        return _leaf_writer(lambda values: _items(numbers(np.asarray(values))))
    if issubclass(item, ComplexModelBase) and not _is_array(members := _members(item)) and _is_plain(members):
        return _plain_writer(members, "<item>%s</item>", many=True)
    contents = _compile_column(item)
    return lambda values, attach: _items(contents(values, attach))


def _compile_column(cls: Type) -> Column:
    """Return the writer of many values of a type: member by member, not value by value, which takes half the time."""
    if issubclass(cls, ComplexModelBase):
        members = _members(cls)
        if not _is_array(members):
            return _record_column(members)
        if not issubclass(item := members[0][1], _NUMBERS):
            return _array_column(item)
    elif not issubclass(cls, ByteArray):
        texts = _leaf_texts(cls)
        return lambda values, attach: texts(values)
    write = compile_writer(cls)
    return lambda values, attach: [write(value, attach) for value in values]


def _record_column(members: Sequence[tuple[str, Type]]) -> Column:
    if _is_plain(members):
        return _plain_column(members)
    elements = [_element_column(name, cls) for name, cls in members]

    def write(records: Sequence[Sequence[Any]], attach: Attach | None) -> list[str]:
        columns = zip(*records, strict=True)
        texts = [element(values, attach) for element, values in zip(elements, columns, strict=bool(records))]
        return list(map("".join, zip(*texts, strict=True)))

    return write


def _plain_column(members: Sequence[tuple[str, Type]]) -> Column:
    """Return the writer of many plain records: one template for all, which is parted afterwards."""
    template = "".join(f"<{name}>%s</{name}>" for name, _ in members) + _APART
    texts = [_leaf_texts(cls) for _, cls in members]

    def write(records: Sequence[Sequence[Any]], attach: Attach | None) -> list[str]:
        columns = zip(*records, strict=True)
        values = zip(*[text(column) for text, column in zip(texts, columns, strict=bool(records))], strict=True)
        return (template * len(records) % tuple(chain.from_iterable(values))).split(_APART)[:-1]

    return write


def _element_column(name: str, cls: Type) -> Column:
    contents, absent = _compile_column(cls), _when_absent(name, cls)

    def write(values: Sequence[Any], attach: Attach | None) -> list[str]:
        texts = iter(contents([value for value in values if value is not None], attach))
        return [absent if value is None else f"<{name}>{next(texts)}</{name}>" for value in values]

    return write


def _array_column(item: Type) -> Column:
    contents = _compile_column(item)

    def write(arrays: Sequence[Sequence[Any]], attach: Attach | None) -> list[str]:
        texts = iter(contents([value for values in arrays for value in values], attach))
        return [_items(list(islice(texts, len(values)))) for values in arrays]

    return write


def _items(contents: Sequence[str]) -> str:
    return f"<item>{'</item><item>'.join(contents)}</item>" if contents else ""
