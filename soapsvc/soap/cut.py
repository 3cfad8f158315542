"""Messages cut at their tags, without looking at what these mean: for `outline`.

A batch of many instances is shown as what it would be with one: programs send batches of any length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from soapsvc.soap.beside import MOST_ITEMS
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments, Content, content_id_of

MOST_TAGS = 512  # of a message, or of what stands before, in and after the first instance of a batch
REFERENCE = re.compile(rb"""(href\s*=\s*["'])(cid:[^"'<>&]*)""")

Tags = tuple[bytes, ...]
Texts = Sequence[Content]  # what stands after each tag; then what each reference to an attachment stands for
_SPARSE = 1024  # bytes of a message to a tag from which on tags are looked for one by one
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"<>")


@dataclass(frozen=True)
class Single:
    """A message of few tags. texts: see `Texts`."""

    tags: Tags
    texts: Texts


@dataclass(frozen=True)
class Batch:
    """A long batch. tags: those that it would have with one instance, which takes `length` of them from `start`."""

    tags: Tags
    start: int
    length: int
    content: bytes

    def columns(self) -> tuple[Texts, list[Texts], Texts]:
        """Return the texts before the instances, those at each place in them, and those after them.

        Raises ValueError unless all instances have the same tags.
        """
        tags, texts = _all_pieces(self.content)
        tail = self.tags[self.start + self.length :]
        end = len(tags) - len(tail)
        count = (end - self.start) // self.length
        instance = self.tags[self.start : self.start + self.length]
        if count > MOST_ITEMS or tags != [*self.tags[: self.start], *instance * count, *tail]:
            raise ValueError("instances of different tags")
        columns: list[Texts] = [texts[at : end : self.length] for at in range(self.start, self.start + self.length)]
        return texts[: self.start], columns, texts[end:]


def in_utf8(sent_as: ContentType) -> bool:
    """Whether the transport leaves no doubt that a message is in UTF-8."""
    return sent_as.charset is None or sent_as.charset.lower() == "utf-8"


def cut(content: bytes, sent_as: ContentType, attachments: Attachments | None) -> Single | Batch | None:
    """Return a message cut at its tags; None for one that has too many, or is not surely whole and in UTF-8."""
    if not content.startswith(b"<") or not in_utf8(sent_as):
        return None
    try:
        tags, pieces = _sparse_pieces(content) or _pieces(content, MOST_TAGS + 1)
        texts: list[Content] = [*pieces]
        if len(tags) > MOST_TAGS:
            return None if attachments else _batch(content, tags)
        for place, tag in enumerate(tags) if b"cid:" in b"".join(tags) else ():
            if reference := REFERENCE.search(tag):
                tags[place] = tag[: reference.start(2)] + b"cid:" + tag[reference.end(2) :]
                texts.append(attached(attachments, reference[2]))
    except ValueError:
        return None
    return Single(tuple(tags), texts)


def attached(attachments: Attachments | None, reference: bytes) -> Content:
    """Return what a reference stands for. Raises ValueError when nothing of that name came."""
    content = (attachments or {}).get(content_id_of(reference.decode()) or "")
    if content is None:
        raise ValueError("a reference to nothing")
    return content


def _all_pieces(content: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Do as `_pieces` does, at a third of the price where no > stands but at the end of a tag."""
    brackets = content.translate(None, _NO_BRACKETS)
    if brackets != b"<>" * (len(brackets) // 2):
        return _pieces(content, -1)
    pieces = content.replace(b">", b"<").split(b"<")
    return pieces[1::2], pieces[2::2]


def _pieces(content: bytes, most: int) -> tuple[list[bytes], list[bytes]]:
    """Return tags and texts, at most so many from the beginning. Raises ValueError at a tag that does not end."""
    pieces = [piece.partition(b">") for piece in content.split(b"<", most)[1:]]
    if not all([end for _, end, _ in pieces]):  # noqa: C419  (a list is faster)
        raise ValueError("a tag without an end")
    return [tag for tag, _, _ in pieces], [text for _, _, text in pieces]


def _sparse_pieces(content: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """Do as `_pieces` does, at a tenth of the price where long texts stand between tags; None where they do not.

    (bytes.split looks at one byte after the other, bytes.find at many at once.)
    """
    tags: list[bytes] = []
    texts: list[bytes] = []
    start = content.find(b"<")
    while start >= 0:
        if len(tags) * _SPARSE > len(content) or len(tags) > MOST_TAGS:
            return None
        end, after = content.find(b">", start), content.find(b"<", start + 1)
        stop = len(content) if after < 0 else after
        if not 0 <= end < stop:
            raise ValueError("a tag without an end")
        tags.append(content[start + 1 : end])
        texts.append(content[end + 1 : stop])
        start = after
    return tags, texts


def _batch(content: bytes, first: Sequence[bytes]) -> Batch | None:
    """Return a message as a batch, if it looks like one. first: its tags, as far as they were cut."""
    start = next((place for place, tag in enumerate(first) if tag == b"item" or tag.endswith(b":item")), None)
    length = 0 if start is None else _length(first[start:])
    if start is None or length < 3:  # items of text only are for `beside`
        return None
    close = b"/" + first[start]
    last = [piece.partition(b">")[0] for piece in content.rsplit(b"<", MOST_TAGS)[1:]]
    if close not in last:
        return None
    tail = last[len(last) - last[::-1].index(close) :]
    return Batch((*first[: start + length], *tail), start, length, content)


def _length(tags: Sequence[bytes]) -> int:
    """Return how many tags the element takes that begins with the first of them, 0 when it does not end."""
    name = tags[0]
    depth = 0
    for count, tag in enumerate(tags, 1):
        if tag == b"/" + name:
            depth -= 1
        elif tag.split(maxsplit=1)[:1] == [name] and not tag.endswith(b"/"):
            depth += 1
        if not depth:
            return count
    return 0
