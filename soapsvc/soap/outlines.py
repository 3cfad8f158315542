"""The outlines that an endpoint knows: a message of one of them is read without being parsed; see `outline`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any, TypeVar

from lxml import etree

from soapsvc.soap.cut import Batch, cut, in_utf8
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments
from soapsvc.soap.outline import NotPlain, Outline, outline_of
from soapsvc.soap.reader import RecordReader

MOST_OUTLINES = 64  # of one endpoint
_MOST_FITTED = 8192  # bytes of a message up to which it is quicker to fit it to a pattern than to cut it

T = TypeVar("T")


class Outlines:
    """The outlines that one endpoint has seen, the newest of them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards changes
        self._known: dict[tuple[bytes, ...], Outline] = {}
        self._latest: Outline | None = None  # of the message before: the next one most often has it, too

    def read(
        self, content: bytes, sent_as: ContentType, attachments: Attachments | None
    ) -> tuple[str, tuple[Any, ...]] | None:
        """Return operation and parameters of a message whose outline is known, None when it has to be parsed."""
        outline = self._latest
        short = len(content) <= _MOST_FITTED
        pattern = outline.pattern if outline is not None and short and in_utf8(sent_as) else None
        if outline is not None and pattern is not None and (fits := pattern.fullmatch(content)):
            return _read(outline.operation, partial(outline.fitting, attachments=attachments), fits.groups())
        message = cut(content, sent_as, attachments)
        outline = self._known.get(message.tags) if message else None
        if message is None or outline is None:
            return None
        if isinstance(message, Batch):
            return _read(outline.operation, outline.batch, message)
        self._latest = outline
        return _read(outline.operation, outline.values, message.texts)

    def learn(
        self, content: bytes, sent_as: ContentType, attachments: Attachments | None,
        envelope: etree._Element, operation: str, reader: RecordReader,
    ) -> None:  # fmt: skip
        """Keep the outline of a message that was read without a fault, if it tells all that matters."""
        message = cut(content, sent_as, attachments)
        if message is None:
            return
        try:
            if isinstance(message, Batch):
                message.columns()
                envelope = _of_one(envelope)
            outline = outline_of(message.tags, envelope, operation, reader)
        except (NotPlain, ValueError):
            return
        with self._lock:
            known = dict(self._known)
            if len(known) >= MOST_OUTLINES:
                del known[next(iter(known))]
            known[message.tags] = outline
            self._known = known


def _read(operation: str, values: Callable[[T], tuple[Any, ...]], found: T) -> tuple[str, tuple[Any, ...]] | None:
    """Return an operation and what `values` makes of its message, None for a message that needs a closer look."""
    try:
        return operation, values(found)
    except ValueError:
        return None


def _of_one(envelope: etree._Element) -> etree._Element:
    """Return a batch's message with its first instance only."""
    shortened = deepcopy(envelope)
    for batch in shortened[-1][0]:
        del batch[1:]
    return shortened
