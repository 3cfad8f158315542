"""A body is whole however it arrives, and holds no more memory than what came of it gives reason for."""

from __future__ import annotations

import random

import numpy as np
import pytest

from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import unpack
from soapsvc.soap.ns import SoapVersion
from soapsvc.transport.body import Body
from soapsvc.transport.http import body_of, read_body
from tests.soap.packages import Part, content_type, package, root

FIRST = 65536


@pytest.mark.parametrize("length", [1, 2, FIRST - 1, FIRST, FIRST + 1, FIRST * 16, FIRST * 16 + 1, 3_000_000])
def test_body_is_whole_however_it_arrives(length: int) -> None:
    content, body, draw = random.Random(length).randbytes(length), Body(length), random.Random(1)
    while not body.completed:
        piece = content[len(body) : len(body) + draw.choice([1, 1000, 70_000])]
        if draw.random() < 0.5:
            piece = piece[: len(body.room)]
            body.room[: len(piece)] = piece
            assert body.received(range(len(piece))) == len(piece)
        else:
            assert body.received(piece) == len(piece)
    assert body.getfile().getvalue() == content
    assert body.held_bytes == length


def test_what_follows_a_body_is_left() -> None:
    body = Body(3)
    assert body.received(b"abcdef") == 3
    assert body.completed
    assert body.getfile().getvalue() == b"abc"


def test_memory_follows_what_came_and_not_what_was_promised() -> None:
    body = Body(50_000_000)
    assert body.held_bytes == FIRST
    body.received(bytes(FIRST - 1))
    assert body.held_bytes == FIRST
    body.received(b"x")
    assert body.held_bytes == FIRST * 16


@pytest.mark.parametrize("envelope_bytes", [*range(1_000, 1_064, 7), 20_000, 100_000])
@pytest.mark.parametrize("attached", [70_000, FIRST * 16 * 2])
@pytest.mark.parametrize("piece", [100, 8192, FIRST * 4])
def test_first_attachment_begins_where_tensorflow_takes_it_without_a_copy(
    envelope_bytes: int, attached: int, piece: int
) -> None:
    content = np.random.default_rng(1).bytes(attached)
    parts = [root(b"<" + b"x" * (envelope_bytes - 2) + b">"), Part("tensor", content), Part("more", b"more")]
    message, header = package(parts), content_type()
    body = body_of(len(message), header, "")
    for start in range(0, len(message), piece):
        body.received(message[start : start + piece])
    environ = {"CONTENT_LENGTH": str(len(message)), "wsgi.input": body.getfile()}
    assert body.held_bytes == len(message)

    whole = read_body(environ, len(message))

    assert whole.strip(b" \r\n") == message
    media_type, parameters = parse_content_type(header)
    opened = unpack(whole, ContentType(media_type, parameters=parameters), SoapVersion.SOAP11, len(message))
    assert opened.envelope == parts[0].content
    assert opened.attachments == {"tensor": content, "more": b"more"}
    if envelope_bytes < 16_000:  # a larger one ends behind what is looked at
        assert np.frombuffer(opened.attachments["tensor"], np.uint8).ctypes.data % 64 == 0


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("text/xml", ""),
        (content_type(), "gzip"),
        ("multipart/related", ""),
        ('multipart/related; boundary="other"', ""),
    ],
)
def test_any_other_body_stands_alone_in_its_memory(header: str, coding: str) -> None:
    message = package([root(b"<x/>"), Part("tensor", bytes(100_000))])
    body = body_of(len(message), header, coding)
    body.received(message)
    assert body.getfile().getvalue() == message
