"""What headers say is kept for the next request that has the same ones, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import ClassVar

import pytest
from waitress.adjustments import Adjustments

from soapsvc.soap.mtom import MULTIPART
from soapsvc.transport.waitress_parser import SoapParser

PLAIN, ATTACHED = Adjustments(max_request_body_size=1_000), Adjustments(max_request_body_size=2_000)
HEADERS = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"


class Parser(SoapParser):
    adjustments: ClassVar[Mapping[bool, Adjustments]] = {False: PLAIN, True: ATTACHED}
    is_full = staticmethod(lambda wanted: False)


def parsed(headers: bytes, body: bytes = b"") -> Parser:
    parser = Parser(copy(PLAIN))
    assert parser.received(headers + b"\r\n") == len(headers) + 2
    if body:
        assert parser.received(body) == len(body)
    assert parser.completed
    return parser


def test_bodies_and_headers_of_requests_with_the_same_headers_are_their_own() -> None:
    headers = HEADERS + b"Content-Length: 3\r\n"
    first, second = parsed(headers, b"one"), parsed(headers, b"two")
    first.headers["HOST"] = "changed"
    assert (second.headers["HOST"], second.path, second.command) == ("a", "/soap/iris/v1", "POST")
    assert [parser.get_body_stream().getvalue() for parser in (first, second)] == [b"one", b"two"]


def test_chunked_bodies_of_requests_with_the_same_headers_are_their_own() -> None:
    headers = HEADERS + b"Transfer-Encoding: chunked\r\n"
    for content in (b"one", b"two"):
        parser = parsed(headers, b"3\r\n" + content + b"\r\n0\r\n\r\n")
        assert parser.get_body_stream().read() == content
        assert parser.headers["CONTENT_LENGTH"] == "3"


def test_limit_is_that_of_the_media_type() -> None:
    attached = HEADERS.replace(b"text/xml", MULTIPART.encode())
    for headers, limits in ((HEADERS, PLAIN), (attached, ATTACHED), (HEADERS, PLAIN)):
        assert parsed(headers + b"Content-Length: 1\r\n", b"x").adj is limits


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (HEADERS + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "beside Transfer-Encoding"),
        (HEADERS + b"Content-Length: -1\r\n", "Content-Length is invalid"),
        (HEADERS + b"Transfer-Encoding: gzip\r\n", "not supported"),
    ],
)
def test_headers_that_are_refused_are_refused_every_time_in_their_version(headers: bytes, reason: str) -> None:
    for _ in range(2):
        parser = parsed(headers)
        assert parser.error.code == (501 if "gzip" in str(headers) else 400)
        assert reason in str(parser.error.body)
        assert (parser.version, parser.path, parser.headers["HOST"]) == ("1.1", "/soap/iris/v1", "a")


def test_header_that_is_none_is_refused() -> None:
    assert "Invalid header" in str(parsed(HEADERS + b"no header\r\n").error.body)


def test_long_headers_are_read_but_not_kept() -> None:
    headers = HEADERS + b"X-Long: " + b"x" * 5_000 + b"\r\nContent-Length: 1\r\n"
    assert len(parsed(headers, b"y").headers["X_LONG"]) == 5_000
