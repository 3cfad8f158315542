"""Outlines: the tags of a message, without the text between them.

A program sends one message over and over with other values in it. The first of an outline is parsed, guarded and read
like any other, and the place of each value among its texts is kept; later ones are only cut at their tags. Whatever
tags can get wrong was found out then; whatever text can get wrong is looked at each time. A message that leaves any
doubt goes the long way, which words the faults, too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lxml import etree

from soapsvc.soap.lexical import WHITE
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.ns import XSI
from soapsvc.soap.reader import ArrayReader, LeafReader, Reader, RecordReader

MOST_OUTLINES, MOST_TAGS, MOST_TAG_BYTES = 64, 512, 32_768  # of one endpoint; of one outline
_NIL = f"{{{XSI}}}nil"
_WHITE = WHITE.encode()
_DECLARATION = re.compile(rb"""\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?[^"'&]*\?""")
_TAG = re.compile(rb"""/?[^\s<>/"'=&!?]+(\s+[^\s<>/"'=&]+\s*=\s*("[^"<>&]*"|'[^'<>&]*'))*\s*/?""")
_NOT_PLAIN = re.compile("[\x00-\x08\x0b-\x1f&>\ufffe\uffff]")  # illegal in XML, or not what it stands for, as \r

Texts = Sequence[bytes]  # what stands after each tag
Build = Callable[[Texts], Any]  # raises ValueError at a text that is no value of its type


class _NotPlain(Exception):
    """An outline can't tell all that matters of a message."""


@dataclass(frozen=True)
class Outline:
    """Where an operation's parameters stand in the messages of an outline. blank: places where only space may stand."""

    operation: str
    build: Build
    blank: tuple[int, ...]

    def values(self, texts: Texts) -> tuple[Any, ...]:
        """Return the parameters as the operation's reader would. Raises ValueError at what needs a closer look."""
        if b"".join([texts[place] for place in self.blank]).strip(_WHITE):
            raise ValueError("text between elements")
        values: tuple[Any, ...] = self.build(texts)
        return values


class Outlines:
    """The outlines that one endpoint has seen, the newest of them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards changes
        self._known: dict[tuple[bytes, ...], Outline] = {}

    def read(self, content: bytes, sent_as: ContentType) -> tuple[str, tuple[Any, ...]] | None:
        """Return operation and parameters of a message whose outline is known, None when it has to be parsed."""
        cut = _cut(content, sent_as)
        outline = self._known.get(cut[0]) if cut else None
        if cut is None or outline is None:
            return None
        try:
            return outline.operation, outline.values(cut[1])
        except ValueError:
            return None

    def learn(
        self, content: bytes, sent_as: ContentType, envelope: etree._Element, operation: str, reader: RecordReader
    ) -> None:
        """Keep the outline of a message that was read without a fault, if it tells all that matters."""
        cut = _cut(content, sent_as)
        if cut is None:
            return
        tags, texts = cut
        try:
            outline = _outline(tags, envelope, operation, reader)
            outline.values(texts)
        except (_NotPlain, ValueError):
            return
        with self._lock:
            known = dict(self._known)
            if len(known) >= MOST_OUTLINES:
                del known[next(iter(known))]
            known[tags] = outline
            self._known = known


def _cut(content: bytes, sent_as: ContentType) -> tuple[tuple[bytes, ...], Texts] | None:
    """Return a message's tags and the text after each; None for one that is too long, or not surely in UTF-8."""
    count = content.count(b"<")
    if count > MOST_TAGS or content.count(b">") != count or not content.startswith(b"<"):
        return None
    if sent_as.charset is not None and sent_as.charset.lower() != "utf-8":
        return None
    pieces = [piece.partition(b">") for piece in content.split(b"<")[1:]]
    return tuple([tag for tag, _, _ in pieces]), [text for _, _, text in pieces]


def _outline(tags: Sequence[bytes], envelope: etree._Element, operation: str, reader: RecordReader) -> Outline:
    """Return the outline of a message that was parsed and read."""
    if sum(map(len, tags)) > MOST_TAG_BYTES:
        raise _NotPlain
    if len(envelope) > 1 and len(envelope[0]):  # header blocks are acted upon
        raise _NotPlain
    declared = tags[0].startswith(b"?")
    if declared and not _DECLARATION.fullmatch(tags[0]):
        raise _NotPlain
    if not all(map(_TAG.fullmatch, tags[declared:])):  # no comment, CDATA or `>` in an attribute shifts a place
        raise _NotPlain
    starts = [place for place in range(declared, len(tags)) if not tags[place].startswith(b"/")]
    places = dict(zip(envelope.iter(), starts, strict=True))
    open_places = {node: place for node, place in places.items() if not tags[place].endswith(b"/")}
    body = envelope[-1][0]
    taken: list[int] = []
    build = _record(reader, body, open_places, taken)
    return Outline(operation, build, tuple(place for place in range(len(tags)) if place not in set(taken)))


def _build(reader: Reader, node: etree._Element, places: Mapping[etree._Element, int], taken: list[int]) -> Build:
    """Return what makes a node's value. places: of the text after each start tag; taken: those that hold a value."""
    if isinstance(reader, RecordReader):
        return _record(reader, node, places, taken)
    if isinstance(reader, ArrayReader):
        items = [_build(reader.item, child, places, taken) for child in node]
        dtype = reader.dtype
        if dtype is None:
            return lambda texts: [item(texts) for item in items]
        return lambda texts: np.array([item(texts) for item in items], dtype)
    if not isinstance(reader, LeafReader) or len(node) or node not in places:
        raise _NotPlain
    place, parse = places[node], _plain_text if reader.parse is str else reader.parse
    taken.append(place)
    return lambda texts: parse(texts[place].decode())


def _record(
    reader: RecordReader, node: etree._Element, places: Mapping[etree._Element, int], taken: list[int]
) -> Build:
    if not reader.members and node in places:  # where not even a blank may stand
        raise _NotPlain
    children = {child.tag: child for child in node}
    builds = [_member(member.reader, children.get(member.tag), places, taken) for member in reader.members]
    return lambda texts: tuple([build(texts) for build in builds])


def _member(
    reader: Reader, node: etree._Element | None, places: Mapping[etree._Element, int], taken: list[int]
) -> Build:
    if node is None:
        return lambda texts: None
    nil = node.get(_NIL)
    if nil is None:
        return _build(reader, node, places, taken)
    if nil not in ("true", "1") or node in places:
        raise _NotPlain
    return lambda texts: None


def _plain_text(text: str) -> str:
    if _NOT_PLAIN.search(text):
        raise ValueError("text that a parser has to look at")
    return text
