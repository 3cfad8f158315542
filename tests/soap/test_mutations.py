"""Ten thousand broken messages, made from good ones: each is answered in SOAP, and none finds a defect inside."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from soapsvc.soap.call import Call
from soapsvc.soap.faults import SoapFault
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import unpack
from soapsvc.soap.ns import SoapVersion
from tests.soap.conftest import Service, envelope
from tests.soap.messages import INFERENCE, MEMBERS, NS, PNG, check_answer, predict, tensor
from tests.soap.packages import Part, content_type, include, package, root

COUNT = 10_000  # plain messages; a quarter as many packages
GRID = tensor("float32", "2 3", "<content>" + "AAAA" * 8 + "</content>")
SEEDS = [
    envelope(predict()),
    envelope(predict(note=None, grid=GRID)),
    envelope(f'<predictBatch xmlns="{NS}"><instances><item>'
             + "".join(f"<{name}>{text}</{name}>" for name, text in MEMBERS.items())
             + "</item></instances></predictBatch>"),
    envelope(f'<getModelInfo xmlns="{NS}"/>'),
    envelope(f'<getModel xmlns="{INFERENCE}"><modelName>kinds</modelName></getModel>'),
]  # fmt: skip
PIECES = [
    b"", b"<", b">", b"&", b"&lt;", b"]]>", b"<![CDATA[", b"<!--", b"<!DOCTYPE a>", b"\x00", b"\xff\xfe", b"'", b'"',
    b"xsi:nil='true'", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1"', b"NaN", b"-INF", b"1e999",
    b"<item/>", b"<item>1</item>", b"</item>", b"9" * 400, b"-", b"\xf0\x9f\x98\x80", b"<a:b/>", b"s:", b"item",
    b"\r\n--", b"cid:", b"text/xml", b"Content-ID: <a>\r\n",
]  # fmt: skip


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Return a message with up to four pieces cut, put in, doubled or changed."""
    content = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice((0, 1, 1, 5, 40)))
        way = chance.randrange(4)
        if way == 0:
            content[start:end] = chance.choice(PIECES)
        elif way == 1:
            content[start:start] = content[start:end]
        elif way == 2:
            content[start:end] = bytes(chance.randrange(256) for _ in range(end - start))
        else:
            del content[start:end]
    return bytes(content)


@pytest.fixture(params=list(SoapVersion))
def soap(request: pytest.FixtureRequest) -> SoapVersion:
    version: SoapVersion = request.param
    return version


def many(count: int, seeds: list[bytes], number: int, each: Callable[[bytes], None]) -> None:
    chance = random.Random(number)
    for index in range(count):
        message = mutated(seeds[index % len(seeds)], chance)
        try:
            each(message)
        except Exception as err:
            raise AssertionError(f"message {index}: {message!r}") from err


def test_broken_messages_are_answered_in_soap(service: Service, soap: SoapVersion) -> None:
    seeds = [seed.replace(SoapVersion.SOAP11.envelope.encode(), soap.envelope.encode()) for seed in SEEDS]

    def each(message: bytes) -> None:
        for model in ("kinds", "inference"):
            check_answer(service.post(message, model, soap))

    many(COUNT // 2, seeds, 1, each)


def test_broken_packages_are_answered_in_soap(service: Service, soap: SoapVersion) -> None:
    body = envelope(predict(picture=include("picture")), soap)
    seed = package([root(body, soap), Part("picture", PNG.encode()), Part("other", b"\r\n" * 40)])
    media_type, parameters = parse_content_type(content_type(soap))
    sent_as = ContentType(media_type, None, "", parameters)
    endpoint = service.endpoint("kinds", soap)

    def each(message: bytes) -> None:
        call = Call("test-request", takes_attachments=True)
        try:
            opened = unpack(message, sent_as, soap, 100_000)
        except SoapFault as err:
            check_answer(endpoint.fault(err, call))
        else:
            check_answer(endpoint.answer(opened.envelope, opened.sent_as, call, opened.attachments))

    many(COUNT // 8, [seed], 2, each)
