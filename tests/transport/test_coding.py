"""gzip: what is inflated and what is not, and who gets a compressed answer."""

from __future__ import annotations

import gzip
import zlib

import pytest

from soapsvc.transport.coding import MAX_RATIO, NotInflated, deflate, inflate, takes_gzip, takes_packages

TEXT = b"".join(b"<item>%d</item>" % (number * 7919) for number in range(1000))


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP "])
def test_gzip_is_inflated(coding: str) -> None:
    assert inflate(gzip.compress(TEXT), coding, 100_000) == TEXT


def test_answer_deflated_is_inflated_again() -> None:
    assert gzip.decompress(deflate(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("content", "coding", "status"),
    [
        (gzip.compress(TEXT), "br", 415),
        (gzip.compress(TEXT), "gzip, gzip", 415),
        (zlib.compress(TEXT), "deflate", 415),
        (TEXT, "gzip", 400),
        (gzip.compress(TEXT)[:-9], "gzip", 400),
        (gzip.compress(TEXT) + gzip.compress(TEXT), "gzip", 400),
        (b"", "gzip", 400),
    ],
)
def test_what_can_not_be_inflated_is_refused(content: bytes, coding: str, status: int) -> None:
    with pytest.raises(NotInflated) as caught:
        inflate(content, coding, 100_000)
    assert caught.value.status == status


def test_message_that_inflates_over_the_limit_is_refused() -> None:
    assert inflate(gzip.compress(TEXT), "gzip", len(TEXT)) == TEXT
    with pytest.raises(NotInflated) as caught:
        inflate(gzip.compress(TEXT), "gzip", len(TEXT) - 1)
    assert caught.value.status == 413


def test_bomb_is_stopped_at_the_ratio_not_at_the_size() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) * MAX_RATIO < 10_000_000
    with pytest.raises(NotInflated, match=f"{MAX_RATIO} times"):
        inflate(bomb, "gzip", 10**9)


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("gzip, deflate", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("identity", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("x-gzip", True),
        ("br;q=1.0, *;q=0.1", True),
        ("gzip;nonsense", False),
    ],
)
def test_accept_encoding_is_read_as_http_says(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("multipart/related", True), ("text/xml, multipart/related, text/html, image/gif, *; q=.2, */*; q=.2", True),
        ("application/xop+xml, Multipart/Related;q=0.5", True),
        ('text/xml, multipart/related; type="application/xop+xml"', True),
        ('multipart/related ; type="application/xop+xml"; q=0.0', False), ("multipart/related;q=x", False),
        ("text/xml, multipart/related;q=0", False),
        ("", False), ("*/*", False), ("application/xop+xml", False),
        ("application/soap+xml, application/dime, multipart/related, text/*", False),  # Axis 1.4's
    ],
)  # fmt: skip
def test_who_takes_packages(accept: str, taken: bool) -> None:
    assert takes_packages(accept) == taken
