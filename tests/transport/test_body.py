"""A body is whole however it arrives, and holds no more memory than what came of it gives reason for."""

from __future__ import annotations

import random

import pytest

from soapsvc.transport.body import Body

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
