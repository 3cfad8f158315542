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
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lxml import etree

from soapsvc.soap.leaf_reader import LeafReader
from soapsvc.soap.lexical import WHITE
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments, Content, content_id_of
from soapsvc.soap.ns import XSI
from soapsvc.soap.reader import ArrayReader, Reader, RecordReader

MOST_OUTLINES, MOST_TAGS, MOST_TAG_BYTES = 64, 512, 32_768  # of one endpoint; of one outline
_NIL = f"{{{XSI}}}nil"
_WHITE = WHITE.encode()
_DECLARATION = re.compile(rb"""\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?[^"'&]*\?""")
_TAG = re.compile(rb"""/?[^\s<>/"'=&!?]+(\s+[^\s<>/"'=&]+\s*=\s*("[^"<>&]*"|'[^'<>&]*'))*\s*/?""")
_NOT_PLAIN = re.compile("[\x00-\x08\x0b-\x1f&>\ufffe\uffff]")  # illegal in XML, or not what it stands for, as \r

_REFERENCE = re.compile(rb"""(href\s*=\s*["'])(cid:[^"'<>&]*)""")

Texts = Sequence[Content]  # what stands after each tag; then what each reference to an attachment stands for
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

    def read(
        self, content: bytes, sent_as: ContentType, attachments: Attachments | None
    ) -> tuple[str, tuple[Any, ...]] | None:
        """Return operation and parameters of a message whose outline is known, None when it has to be parsed."""
        cut = _cut(content, sent_as, attachments)
        outline = self._known.get(cut[0]) if cut else None
        if cut is None or outline is None:
            return None
        try:
            return outline.operation, outline.values(cut[1])
        except ValueError:
            return None

    def learn(
        self, content: bytes, sent_as: ContentType, attachments: Attachments | None,
        envelope: etree._Element, operation: str, reader: RecordReader,
    ) -> None:  # fmt: skip
        """Keep the outline of a message that was read without a fault, if it tells all that matters."""
        cut = _cut(content, sent_as, attachments)
        if cut is None:
            return
        tags, _ = cut
        try:
            outline = _outline(tags, envelope, operation, reader)
        except (_NotPlain, ValueError):
            return
        with self._lock:
            known = dict(self._known)
            if len(known) >= MOST_OUTLINES:
                del known[next(iter(known))]
            known[tags] = outline
            self._known = known


def _cut(
    content: bytes, sent_as: ContentType, attachments: Attachments | None
) -> tuple[tuple[bytes, ...], Texts] | None:
    """Return a message's tags, and the texts; None for one that has too many, or is not surely whole and in UTF-8."""
    if not content.startswith(b"<") or (sent_as.charset is not None and sent_as.charset.lower() != "utf-8"):
        return None
    pieces = [piece.partition(b">") for piece in content.split(b"<", MOST_TAGS + 1)[1:]]
    if len(pieces) > MOST_TAGS or not all(end for _, end, _ in pieces):
        return None
    tags = [tag for tag, _, _ in pieces]
    texts: list[Content] = [text for _, _, text in pieces]
    try:
        for place, tag in enumerate(tags) if attachments else ():
            if reference := _REFERENCE.search(tag):
                tags[place] = tag[: reference.start(2)] + b"cid:" + tag[reference.end(2) :]
                texts.append((attachments or {})[content_id_of(reference[2].decode()) or ""])
    except (KeyError, ValueError):
        return None
    return tuple(tags), texts


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
    nodes = dict(zip(envelope.iter(), starts, strict=True))
    references = [place for place in starts if _REFERENCE.search(tags[place])]
    places = _Places(
        {node: place for node, place in nodes.items() if not tags[place].endswith(b"/")},
        {node: len(tags) + references.index(place) for node, place in nodes.items() if place in references},
    )
    build = _record(reader, envelope[-1][0], places)
    return Outline(operation, build, tuple(place for place in range(len(tags)) if place not in places.taken))


@dataclass(frozen=True)
class _Places:
    """Where the text of an element stands among the texts. taken: those that hold a value."""

    text: Mapping[etree._Element, int]
    attached: Mapping[etree._Element, int]
    taken: set[int] = field(default_factory=set)

    def take(self, node: etree._Element) -> int:
        """Return the place of the one text in an element, and that it holds a value."""
        if len(node) or node not in self.text:
            raise _NotPlain
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
        raise _NotPlain
    if len(node) == 1 and node[0] in places.attached:
        attached = places.attached[node[0]]
        return lambda texts: texts[attached]
    place, parse = places.take(node), _plain_text if reader.parse is str else reader.parse
    return lambda texts: parse(str(texts[place], "utf-8"))


def _record(reader: RecordReader, node: etree._Element, places: _Places) -> Build:
    if not reader.members and node in places.text:  # where not even a blank may stand
        raise _NotPlain
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
        raise _NotPlain
    return lambda texts: None


def _plain_text(text: str) -> str:
    if _NOT_PLAIN.search(text):
        raise ValueError("text that a parser has to look at")
    return text
