"""A sample's values as literals of a language: what the languages have in common, and the ways in which they differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from soapsvc.soap.plain_words import Field, Value

MANY = 40  # items: a longer list stands in a program as its first one, so many times
LARGE = 1500  # base64 characters: larger content is read from a file that the console gives


class Language(Protocol):
    """How one language writes values."""

    nothing: str

    def number(self, value: float) -> str:
        """Return a double, which may be infinite or none; Python's repr of a finite one is right in each language."""

    def whole(self, text: str, kind: str) -> str:
        """Return an int or a long. kind: which."""

    def truth(self, value: bool) -> str:
        """Return a boolean."""

    def text(self, value: str) -> str:
        """Return a string."""

    def content(self, base64: str) -> str:
        """Return bytes, given as base64."""

    def file(self, name: str) -> str:
        """Return what reads bytes from a file."""

    def choice(self, field: Field, value: str) -> str:
        """Return one of a list of allowed values."""

    def many(self, field: Field, items: Sequence[str]) -> str:
        """Return a list. items: literals."""

    def same(self, field: Field, item: str, count: int) -> str:
        """Return a list of so many equal items."""

    def record(self, field: Field, members: Sequence[tuple[str, str]]) -> str:
        """Return a record. members: their elements' names and literals."""


def literal(language: Language, value: Value | None) -> str:
    """Return a value as a literal; None is one that is left out."""
    if value is None or (value.text is None and not value.field.members):
        return language.nothing
    field = value.field
    if field.item is not None:
        return _list(language, field, value)
    if field.members:
        return language.record(field, [(each.field.name, literal(language, each)) for each in value.values])
    return _simple(language, field, value.text or "")


def arguments(language: Language, fields: Sequence[Field], values: Sequence[Value]) -> list[tuple[str, str]]:
    """Return the name and the literal of each of an operation's fields, also of those that the sample leaves out."""
    given = {each.field.name: each for each in values}
    return [(field.name, literal(language, given.get(field.name))) for field in fields]


def files(values: Sequence[Value]) -> list[Value]:
    """Return the values among a sample's that are too large to stand in a program."""
    return [each for each in values if each.field.type == "base64Binary" and is_large(each)]


def is_large(value: Value) -> bool:
    """Whether a value of bytes comes from a file."""
    return len(value.text or "") > LARGE


def quoted(text: str) -> str:
    """Return a string in double quotes with escapes, as C and its descendants read it."""
    return json.dumps(text, ensure_ascii=False)


def _list(language: Language, field: Field, value: Value) -> str:
    items = value.values
    if len(items) > MANY and not items[0].field.members:
        return language.same(field, literal(language, items[0]), len(items))
    return language.many(field, [literal(language, each) for each in items])


def _simple(language: Language, field: Field, text: str) -> str:
    if field.values:
        return language.choice(field, text)
    if field.type == "double":
        return language.number(float(text))
    if field.type in ("int", "long"):
        return language.whole(text, field.type)
    if field.type == "boolean":
        return language.truth(text in ("true", "1"))
    if field.type == "base64Binary":
        return language.file(field.name) if len(text) > LARGE else language.content(text)
    return language.text(text)
