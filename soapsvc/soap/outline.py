"""Outlines: the tags of a message, without the text between them.

A program sends one message over and over with other values in it. The first of an outline is parsed, guarded and read
like any other, and the place of each value among its texts is kept; later ones are only cut at their tags. Whatever
tags can get wrong was found out then; whatever text can get wrong is looked at each time. A message that leaves any
doubt goes the long way, which words the faults, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from lxml import etree

from soapsvc.soap.cut import REFERENCE, Batch, Texts, attached
from soapsvc.soap.leaf_reader import BytesReader, LeafReader
from soapsvc.soap.lexical import WHITE, parse_base64, parse_bytes, parse_numbers
from soapsvc.soap.mtom import Attachments, Content
from soapsvc.soap.ns import XSI
from soapsvc.soap.reader import ArrayReader, Reader, RecordReader

MOST_TAG_BYTES = 32_768  # of one outline
MOST_PATTERN_BYTES = 2_048  # of the tags of an outline that gets a pattern
_NIL = f"{{{XSI}}}nil"
_WHITE = WHITE.encode()
_DECLARATION = re.compile(rb"""\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?[^"'&]*\?""")
_TAG = re.compile(rb"""/?[^\s<>/"'=&!?]+(\s+[^\s<>/"'=&]+\s*=\s*("[^"<>&]*"|'[^'<>&]*'))*\s*/?""")
_NOT_PLAIN = re.compile("[\x00-\x08\x0b-\x1f&>\ufffe\uffff]")  # illegal in XML, or not what it stands for, as \r

Build = Callable[[Texts], Any]  # raises ValueError at a text that is no value of its type


class NotPlain(Exception):
    """An outline can't tell all that matters of a message."""


@dataclass(frozen=True)
class Field:
    """A member of an instance that is one value. place: of its text, None when it is absent."""

    place: int | None
    reader: LeafReader

    def values(self, texts: Texts) -> Sequence[Any]:
        """Return the values of several instances. Raises ValueError at a text that is none."""
        try:
            return parse_numbers(b"\x00".join(texts), self.reader.parse)
        except ValueError:
            parse = _parse_of(self.reader)
            return [parse(str(text, "utf-8")) for text in texts]


@dataclass(frozen=True)
class Outline:
    """Where an operation's parameters stand in the messages of an outline.

    blank: places where only space may stand.  repeats: of a batch of one, which parameter it is, and the place of its
    instance.  fields: of that instance, if it holds single values only and the batch is the one parameter.
    tags: of its messages where all have the same, and few, else empty.  references: places among them of those that
    refer to an attachment.
    """

    operation: str
    build: Build
    blank: tuple[int, ...]
    repeats: tuple[int, int] | None = None
    fields: tuple[Field, ...] | None = None
    tags: tuple[bytes, ...] = ()
    references: tuple[int, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[bytes] | None:
        """What fits the messages that `cut` cuts into these tags and no others.

        It has a group for each reference and one for each text, in their order in the message. It is made when it is
        first asked for, as that takes milliseconds: not for an outline that never comes again.
        """
        return re.compile(b"".join([b"<%b>([^<]*)" % _fitting(tag) for tag in self.tags])) if self.tags else None

    def fitting(self, found: Sequence[bytes], attachments: Attachments | None) -> tuple[Any, ...]:
        """Return the parameters of a message that fits the pattern, as `values`. found: its groups."""
        if not self.references:
            return self.values(found)
        texts: list[Content] = [*found]
        references = [found[place + before] for before, place in enumerate(self.references)]
        for place in self.references:
            del texts[place]
        return self.values([*texts, *[attached(attachments, reference) for reference in references]])

    def values(self, texts: Texts) -> tuple[Any, ...]:
        """Return the parameters as the operation's reader would. Raises ValueError at what needs a closer look."""
        if b"".join([texts[place] for place in self.blank]).strip(_WHITE):
            raise ValueError("text between elements")
        values: tuple[Any, ...] = self.build(texts)
        return values

    def batch(self, batch: Batch) -> tuple[Any, ...]:
        """Return the parameters of a batch of any length, as `values`."""
        if self.repeats is None or self.repeats[1] != batch.start:
            raise ValueError("another array")
        head, columns, tail = batch.columns()
        if self.fields is not None:
            return (self._rows(self.fields, batch.start, head, columns, tail),)
        calls = [self.values([*head, *row, *tail]) for row in zip(*columns, strict=True)]
        place = self.repeats[0]
        return tuple(
            [value[0] for value in each] if number == place else each[0]
            for number, each in enumerate(zip(*calls, strict=True))
        )

    def _rows(
        self, fields: Sequence[Field], start: int, head: Texts, columns: Sequence[Texts], tail: Texts
    ) -> list[tuple[Any, ...]]:
        """Return a batch's instances, read column by column."""
        around = [*head, *[b""] * len(columns), *tail]
        between = [text for place in self.blank if 0 <= place - start < len(columns) for text in columns[place - start]]
        if b"".join([*[around[place] for place in self.blank], *between]).strip(_WHITE):
            raise ValueError("text between elements")
        absent = [None] * len(columns[0])
        return list(
            zip(
                *[absent if each.place is None else each.values(columns[each.place - start]) for each in fields],
                strict=True,
            )
        )


def _fitting(tag: bytes) -> bytes:
    """Return the pattern of a tag, with a group for the attachment that it refers to."""
    reference = REFERENCE.search(tag)
    if reference is None:
        return re.escape(tag)
    return re.escape(tag[: reference.start(2)]) + b"(cid:[^\"'<>&]*)" + re.escape(tag[reference.end(2) :])


def outline_of(tags: Sequence[bytes], envelope: etree._Element, operation: str, reader: RecordReader) -> Outline:
    """Return the outline of a message that was parsed and read. Raises NotPlain."""
    if sum(map(len, tags)) > MOST_TAG_BYTES:
        raise NotPlain
    if len(envelope) > 1 and len(envelope[0]):  # header blocks are acted upon
        raise NotPlain
    declared = tags[0].startswith(b"?")
    if declared and not _DECLARATION.fullmatch(tags[0]):
        raise NotPlain
    if not all(map(_TAG.fullmatch, tags[declared:])):  # no comment, CDATA or `>` in an attribute shifts a place
        raise NotPlain
    starts = [place for place in range(declared, len(tags)) if not tags[place].startswith(b"/")]
    nodes = dict(zip(envelope.iter(), starts, strict=True))
    references = [place for place in starts if REFERENCE.search(tags[place])]
    places = _Places(
        {node: place for node, place in nodes.items() if not tags[place].endswith(b"/")},
        {node: len(tags) + references.index(place) for node, place in nodes.items() if place in references},
    )
    body = envelope[-1][0]
    build = _record(reader, body, places)
    blank = tuple(place for place in range(len(tags)) if place not in places.taken)
    repeats = _batch_of_one(reader, body, nodes)
    fields = _fields(reader.members[0].reader, body[0], places) if repeats and len(reader.members) == 1 else None
    few = sum(map(len, tags)) <= MOST_PATTERN_BYTES
    return Outline(operation, build, blank, repeats, fields, tuple(tags) if few else (), tuple(references))


def _fields(batch: Reader, node: etree._Element, places: _Places) -> tuple[Field, ...] | None:
    """Return the members of a batch's one instance, None when they are not all single values."""
    record = batch.item if isinstance(batch, ArrayReader) else None
    if not isinstance(record, RecordReader):
        return None
    children = {child.tag: child for child in node[0] if child.get(_NIL) is None}
    fields = []
    for member in record.members:
        child = children.get(member.tag)
        if not isinstance(member.reader, LeafReader) or (child is not None and len(child)):
            return None
        fields.append(Field(None if child is None else places.text[child], member.reader))
    return tuple(fields)


def _batch_of_one(
    reader: RecordReader, body: etree._Element, nodes: Mapping[etree._Element, int]
) -> tuple[int, int] | None:
    """Return which parameter is a batch of one instance, and where that stands; None when none or several are."""
    found = [
        (number, nodes[batch[0]])
        for number, member in enumerate(reader.members)
        for batch in body.iterchildren(member.tag)
        if isinstance(member.reader, ArrayReader) and member.reader.dtype is None and len(batch) == 1
    ]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class _Places:
    """Where the text of an element stands among the texts. taken: those that hold a value."""

    text: Mapping[etree._Element, int]
    attached: Mapping[etree._Element, int]
    taken: set[int] = field(default_factory=set)

    def take(self, node: etree._Element) -> int:
        """Return the place of the one text in an element, and that it holds a value."""
        if len(node) or node not in self.text:
            raise NotPlain
        self.taken.add(self.text[node])
        return self.text[node]


def _build(reader: Reader, node: etree._Element, places: _Places) -> Build:
    """Return what makes a node's value."""
    if isinstance(reader, RecordReader):
        return _record(reader, node, places)
    if isinstance(reader, ArrayReader):
        items = [_build(reader.item, child, places) for child in node]
        dtype = reader.dtype
        if dtype is None:
            return lambda texts: [item(texts) for item in items]
        return lambda texts: np.array([item(texts) for item in items], dtype)
    if not isinstance(reader, LeafReader):
        raise NotPlain
    if len(node) == 1 and node[0] in places.attached and isinstance(reader, BytesReader):
        attached, taken = places.attached[node[0]], reader.taken
        return lambda texts: taken(texts[attached])
    place, parse = places.take(node), _parse_of(reader)
    if parse is parse_bytes:
        return lambda texts: parse_base64(bytes(texts[place]))
    return lambda texts: parse(str(texts[place], "utf-8"))


def _parse_of(reader: LeafReader) -> Callable[[str], Any]:
    return _plain_text if reader.parse is str else reader.parse


def _record(reader: RecordReader, node: etree._Element, places: _Places) -> Build:
    if not reader.members and node in places.text:  # where not even a blank may stand
        raise NotPlain
    children = {child.tag: child for child in node}
    builds = [_member(member.reader, children.get(member.tag), places) for member in reader.members]
    return lambda texts: tuple([build(texts) for build in builds])


def _member(reader: Reader, node: etree._Element | None, places: _Places) -> Build:
    if node is None:
        return lambda texts: None
    nil = node.get(_NIL)
    if nil is None:
        return _build(reader, node, places)
    if nil not in ("true", "1") or node in places.text:
        raise NotPlain
    return lambda texts: None


def _plain_text(text: str) -> str:
    if _NOT_PLAIN.search(text):
        raise ValueError("text that a parser has to look at")
    return text
