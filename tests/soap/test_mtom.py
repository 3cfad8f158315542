"""MTOM: packages taken apart and made, references followed, and every way in which they can be broken."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Mapping

import numpy as np
import pytest

from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature
from soapsvc.soap.application import Reply
from soapsvc.soap.call import Call
from soapsvc.soap.faults import SoapFault
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import MAX_HEADER_BYTES, MAX_PARTS, Enclosure, unpack
from soapsvc.soap.ns import SoapVersion
from tests.soap.conftest import Service, envelope
from tests.soap.messages import MEMBERS, PNG, detail, predict, tensor
from tests.soap.packages import BOUNDARY, Part, content_type, include, opened, package, root

SOAP11, SOAP12 = SoapVersion.SOAP11, SoapVersion.SOAP12
PICTURE = base64.b64decode(PNG)
GRID = np.arange(6, dtype="<f4").tobytes()
WITH_PICTURE = predict(picture=include("picture%40client"))


def sent(header: str, action: str = "") -> ContentType:
    media_type, parameters = parse_content_type(header)
    return ContentType(media_type, None, action, parameters)


def answered(
    service: Service, parts: list[Part], soap: SoapVersion = SOAP11, header: str | None = None, model: str = "kinds",
    takes_attachments: bool = False,
) -> Reply:  # fmt: skip
    """Return the answer to a package, as the transport would hand it on."""
    endpoint = service.endpoint(model, soap)
    opened = unpack(package(parts), sent(header or content_type(soap)), soap, 1_000_000)
    call = Call("test-request", takes_attachments=takes_attachments)
    return endpoint.answer(opened.envelope, opened.sent_as, call, opened.attachments)


def refused(parts: list[Part], header: str | None = None, body: bytes | None = None) -> SoapFault:
    with pytest.raises(SoapFault) as caught:
        unpack(package(parts) if body is None else body, sent(header or content_type()), SOAP11, 1_000_000)
    return caught.value


@pytest.mark.parametrize("soap", list(SoapVersion))
def test_attached_bytes_give_the_answer_that_base64_gives(service: Service, soap: SoapVersion) -> None:
    parts = [root(envelope(WITH_PICTURE, soap), soap), Part("picture@client", PICTURE)]
    reply = answered(service, parts, soap)
    assert reply.body == service.post(envelope(predict(), soap), soap=soap).body
    assert reply.content_type == soap.content_type


def test_root_part_may_stand_last_and_have_a_declaration(service: Service) -> None:
    declared = b'<?xml version="1.0" encoding="UTF-8"?>\n' + envelope(WITH_PICTURE)
    reply = answered(service, [Part("picture@client", PICTURE), root(declared)])
    assert reply.status == 200


def test_first_part_is_the_root_without_start(service: Service) -> None:
    header = re.sub('start="[^"]*"; ', "", content_type())
    assert answered(service, [root(envelope(WITH_PICTURE)), Part("picture@client", PICTURE)], header=header)


def test_tensor_content_is_read_without_a_copy() -> None:
    body = package([root(b"<x/>"), Part("grid", GRID)])
    attachments = unpack(body, sent(content_type()), SOAP11, 1_000_000).attachments
    assert attachments is not None
    assert attachments["grid"].obj is body
    assert attachments["grid"] == GRID


def test_picture_is_let_go_of_before_the_graph_runs(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    body = package([root(envelope(WITH_PICTURE)), Part("picture@client", PICTURE)])
    held: list[int] = []
    run = Servable.run

    def counted(servable: Servable, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        held.append(sys.getrefcount(body))
        return run(servable, signature, inputs)

    monkeypatch.setattr(Servable, "run", counted)
    alone = sys.getrefcount(body)
    opened = unpack(body, sent(content_type()), SOAP11, 1_000_000)
    reply = service.endpoint("kinds", SOAP11).answer(opened.envelope, opened.sent_as, Call("x"), opened.attachments)
    assert reply.status == 200
    assert held == [alone]


def as_base64(content: bytes) -> str:
    return tensor("float32", "2 3", f"<content>{base64.b64encode(content).decode()}</content>")


ATTACHED_GRID = predict(grid=tensor("float32", "2 3", f"<content>{include('grid')}</content>"))


def test_attached_tensor_gives_the_answer_that_base64_gives(service: Service) -> None:
    reply = answered(service, [root(envelope(ATTACHED_GRID)), Part("grid", GRID)])
    assert reply.body == service.post(envelope(predict(grid=as_base64(GRID)))).body


def test_one_attachment_may_be_meant_twice(service: Service) -> None:
    instance = "<item>" + "".join(
        f"<{name}>{include('p') if name == 'picture' else text}</{name}>" for name, text in MEMBERS.items()
    ) + "</item>"  # fmt: skip
    body = f'<predictBatch xmlns="urn:soapsvc:kinds:v1"><instances>{instance * 2}</instances></predictBatch>'
    reply = answered(service, [root(envelope(body)), Part("p", PICTURE)])
    assert reply.status == 200


@pytest.mark.parametrize("soap", list(SoapVersion))
def test_answer_attaches_bytes_for_who_takes_them(service: Service, soap: SoapVersion) -> None:
    parts = [root(envelope(ATTACHED_GRID, soap), soap), Part("grid", GRID)]
    plain = answered(service, parts, soap)
    packed = answered(service, parts, soap, takes_attachments=True)
    contents = opened(packed.content_type, packed.body)
    inline = re.sub(
        rb'<xop:Include xmlns:xop="[^"]*" href="cid:([^"]*)"/>',
        lambda found: base64.b64encode(contents[found[1].decode()]),
        contents.pop(""),
    )
    assert contents
    assert inline == plain.body


def test_answer_without_bytes_is_no_package(service: Service) -> None:
    body = '<getModelInfo xmlns="urn:soapsvc:kinds:v1"/>'
    assert answered(service, [root(envelope(body))], takes_attachments=True).content_type == SOAP11.content_type


def test_enclosure_is_read_back_by_another_parser() -> None:
    enclosure = Enclosure()
    contents = [b"", b"\r\n--x\r\n" * 3, memoryview(bytes(range(256)))]
    marks = [enclosure.attach(content) for content in contents]
    header, body = enclosure.pack(b"<e/>", SOAP12)
    parts = opened(header, body)
    assert parts.pop("") == b"<e/>"
    ids = [re.search('href="cid:([^"]*)"', mark) for mark in marks]
    assert [parts[found[1]] for found in ids if found] == [bytes(content) for content in contents]
    assert 'start-info="application/soap+xml"' in header


def test_enclosure_is_read_back_by_unpack() -> None:
    enclosure = Enclosure()
    enclosure.attach(PICTURE)
    header, body = enclosure.pack(b"<e/>", SOAP11)
    again = unpack(body, sent(header), SOAP11, 1000)
    assert (again.envelope, again.sent_as.media_type) == (b"<e/>", "text/xml")
    assert again.attachments is not None
    assert list(again.attachments.values()) == [PICTURE]


# References


@pytest.mark.parametrize(
    ("picture", "expected", "received"),
    [
        (include("none"), "an attachment", "the name 'none', which no part has"),
        (
            include("a").replace("cid:a", "http://example.com/a"),
            "an xop:Include whose href starts with cid:",
            "another",
        ),
        (include("a").replace("cid:a", "cid:"), "an xop:Include whose href starts with cid:", "another"),
        (include("a").replace("/>", ">text</xop:Include>"), "an empty xop:Include", "one with content"),
        (include("a") * 2, "base64", None),
        (f"AAAA{include('a')}", "elements only", "text beside elements"),
        (include("a").replace(' href="cid:a"', ""), "an xop:Include whose href starts with cid:", "another"),
        (include("a").replace("href", "id='x' href"), "no attributes", "an attribute"),
    ],
)
def test_broken_reference_is_told_with_its_field(
    service: Service, picture: str, expected: str, received: str | None
) -> None:
    reply = answered(service, [root(envelope(predict(picture=picture))), Part("a", PICTURE)])
    fields = detail(reply)
    assert fields["expected"] == expected
    assert received is None or fields["received"] == received


def test_reference_in_a_plain_message_is_refused(service: Service) -> None:
    fields = detail(service.post(envelope(WITH_PICTURE)))
    assert fields["expected"] == "no attributes"


def test_reference_where_no_bytes_belong_is_refused(service: Service) -> None:
    reply = answered(service, [root(envelope(predict(note=include("a")))), Part("a", b"text")])
    assert detail(reply)["field"] == "note"


def test_attached_picture_that_is_none_is_told(service: Service) -> None:
    reply = answered(service, [root(envelope(predict(picture=include("a")))), Part("a", b"no picture")])
    assert detail(reply)["code"] == "bad-image"


# Packages


def test_package_without_its_end_is_refused() -> None:
    body = package([root(envelope(predict()))])[:-4]
    assert "ends before its last boundary" in refused([], body=body).text


@pytest.mark.parametrize("body", [b"", b"--", b"text", f"--{BOUNDARY}--".encode()])
def test_package_of_nothing_is_refused(body: bytes) -> None:
    assert refused([], body=body).text


def test_preamble_and_epilogue_are_passed_over() -> None:
    body = b"This is a MIME message.\r\n" + b"\r\n" + package([root(b"<e/>")]) + b"\r\nand more"
    assert unpack(body, sent(content_type()), SOAP11, 1000).envelope == b"<e/>"


def test_more_parts_than_allowed_are_refused() -> None:
    many = [Part(str(number), b"") for number in range(MAX_PARTS)]
    assert unpack(package([root(b"<e/>"), *many]), sent(content_type()), SOAP11, 1000)
    assert f"more than {MAX_PARTS}" in refused([root(b"<e/>"), *many, Part("last", b"")]).text


def test_headers_without_end_are_refused() -> None:
    long = Part("a", b"", headers=f"X: {'x' * MAX_HEADER_BYTES}\r\n")
    assert str(MAX_HEADER_BYTES) in refused([root(b"<e/>"), long]).text


def test_two_parts_of_one_name_are_refused() -> None:
    assert "same Content-ID" in refused([root(b"<e/>"), Part("a", b"1"), Part("a", b"2")]).text


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-unknown"])
def test_encoded_part_is_refused(encoding: str) -> None:
    part = Part("a", b"", headers=f"Content-Transfer-Encoding: {encoding}\r\n")
    assert "expected binary" in refused([root(b"<e/>"), part]).text


def test_start_that_no_part_has_is_refused() -> None:
    assert "`start`" in refused([root(b"<e/>")], content_type(start="<other>")).text


@pytest.mark.parametrize(
    "header",
    [
        content_type().replace("application/xop+xml", "text/xml"),
        content_type().replace('type="application/xop+xml"; ', ""),
    ],
)
def test_multipart_that_is_no_xop_is_refused_as_a_media_type(header: str) -> None:
    assert refused([root(b"<e/>")], header).status == 415


@pytest.mark.parametrize("kind", ["text/xml", "application/octet-stream", None])
def test_root_that_is_no_xop_is_refused_as_a_media_type(kind: str | None) -> None:
    assert refused([Part("root@client", b"<e/>", kind)]).status == 415


@pytest.mark.parametrize("boundary", ["", "x" * 300, "ü", "ends in blank "])
def test_boundary_that_is_none_is_refused(boundary: str) -> None:
    header = content_type().replace(f'boundary="{BOUNDARY}"', f'boundary="{boundary}"')
    assert "boundary" in refused([root(b"<e/>")], header).text


def test_envelope_larger_than_its_limit_is_413() -> None:
    assert refused([root(b"x" * 1_000_001)]).status == 413


def test_soap12_action_is_found_in_start_info() -> None:
    header = content_type(SOAP12).replace(
        'start-info="application/soap+xml"', r'start-info="application/soap+xml; action=\"urn:a\""'
    )
    opened = unpack(package([root(b"<e/>", SOAP12)]), sent(header), SOAP12, 1000)
    assert opened.sent_as == ContentType("application/soap+xml", "utf-8", "urn:a")


def test_soap11_envelope_at_the_soap12_address_is_refused(service: Service) -> None:
    reply = answered(service, [root(envelope(predict(), SOAP11), SOAP11)], SOAP12, content_type(SOAP11))
    assert b"VersionMismatch" in reply.body


def test_boundary_like_text_in_an_attachment_stays() -> None:
    content = f"x--{BOUNDARY}\n\n--{BOUNDARY}--".encode()
    attachments = unpack(package([root(b"<e/>"), Part("a", content)]), sent(content_type()), SOAP11, 1000).attachments
    assert attachments is not None
    assert attachments["a"] == content
