"""Writers: from plain values to the XML of an operation's answer; the way back from `reader`.

A writer is compiled once from a Spyne type. It takes what a reader of the type gives: a record's members as a
tuple, numbers as Python or numpy numbers, arrays as numpy arrays or lists.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from spyne import Boolean, ByteArray, Double, Int, Long
from spyne.model import ComplexModelBase

from soapsvc.soap.ns import XSI
from soapsvc.soap.text import escape, number, numbers
from soapsvc.soap.types import Type

Writer = Callable[[Any], str]  # value -> XML of an element's content
_NUMBERS = (Double, Long, Int, Boolean)


def compile_writer(cls: Type) -> Writer:
    """Return the writer of a Spyne type."""
    if issubclass(cls, ComplexModelBase):
        members = cls.get_flat_type_info(cls)
        if list(members) == ["item"]:
            return _array_writer(members["item"])
        return _record_writer([(name, member) for name, member in members.items()])
    if issubclass(cls, ByteArray):
        return lambda value: base64.b64encode(value).decode("ascii")
    return number if issubclass(cls, _NUMBERS) else escape


def _record_writer(members: Sequence[tuple[str, Type]]) -> Writer:
    parts = [(name, compile_writer(member), _when_absent(name, member)) for name, member in members]

    def write(values: Sequence[Any]) -> str:
        return "".join(
            absent if value is None else f"<{name}>{content(value)}</{name}>"
            for (name, content, absent), value in zip(parts, values, strict=True)
        )

    return write


def _when_absent(name: str, member: Type) -> str:
    return f'<{name} xsi:nil="true" xmlns:xsi="{XSI}"/>' if member.Attributes.nillable else ""


def _array_writer(item: Type) -> Writer:
    if issubclass(item, _NUMBERS):
        return lambda values: _items(numbers(np.asarray(values)))
    content = compile_writer(item)
    return lambda values: _items([content(value) for value in values])


def _items(contents: Sequence[str]) -> str:
    return f"<item>{'</item><item>'.join(contents)}</item>" if contents else ""
