"""What of a request is not parsed with its envelope: attached bytes, and long runs of items in an array.

A parser makes an object of each element, which for an array of 150,000 numbers takes half a second. So a run of plain
items is taken out of the message before it is parsed, and one item whose text is a name stands for it. The array's
reader puts the values in its place. A message that was read with a fault is read again as it came.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from soapsvc.soap.media_type import ContentType
from soapsvc.soap.mtom import Attachments

LEAST_BYTES, LEAST_ITEMS, MOST_ITEMS = 2048, 64, 1_000_000  # of a message, of a run
_BETWEEN = re.compile(rb"</((?:[A-Za-z_][A-Za-z0-9._-]*:)?item)><\1>")
_RUN = re.compile(rb"<([^<>]*)>([^<>]*\x00[^<>]*)<([^<>]*)")
_PLAIN = b"0123456789+-.eE\x00 \t\nINFa"  # of numbers; nothing that XML could read in another way
_SECRET = secrets.token_hex(16)  # so that no caller's text is the name of a run


@dataclass(frozen=True)
class Beside:
    """attachments: by Content-ID; None when the message can't hold any.

    runs: name of a run -> the texts of its items, with a zero byte between them; who reads a run takes it out.
    """

    attachments: Attachments | None = None
    runs: dict[str, bytes] = field(default_factory=dict)


def take_runs(content: bytes, sent_as: ContentType) -> tuple[bytes, dict[str, bytes]]:
    """Return a message with a name in place of each long run of items, and the runs; none where it is not sure.

    A comment, CDATA or DOCTYPE could make something else of an item; so could a charset that is not UTF-8.
    """
    if len(content) < LEAST_BYTES or not content.startswith(b"<") or (sent_as.charset or "utf-8").lower() != "utf-8":
        return content, {}
    between = _BETWEEN.search(content)
    if between is None or b"<!" in content or b"\x00" in content:
        return content, {}
    short = content.replace(between[0], b"\x00")
    count = (len(content) - len(short)) // (len(between[0]) - 1)
    if not LEAST_ITEMS <= count < MOST_ITEMS:
        return content, {}
    runs: dict[str, bytes] = {}
    item, unsure = between[1], []

    def named(found: re.Match[bytes]) -> bytes:
        start, texts, end = found.groups()
        if start != item or end != b"/" + item or texts.translate(None, _PLAIN):
            unsure.append(found)
        name = f"{_SECRET}-{len(runs)}"
        runs[name] = texts
        return b"<%b>%b<%b" % (start, name.encode(), end)

    short = _RUN.sub(named, short)
    return (content, {}) if unsure else (short, runs)
