"""The guard: every broken message gets a fault of the right version with the right code."""

from __future__ import annotations

import codecs

import pytest
from lxml import etree

from soapsvc.soap.envelope import MAX_DEPTH
from soapsvc.soap.ns import SoapVersion
from tests.soap.conftest import Service, envelope
from tests.soap.messages import NS, detail, fault_code, find, predict

SOAP = list(SoapVersion)
INFO = f'<getModelInfo xmlns="{NS}"/>'


def declared(encoding: str, soap: SoapVersion) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + envelope(INFO, soap)


def broken(soap: SoapVersion) -> dict[str, bytes]:
    """Return messages that are no SOAP messages, or not one of ours, by what is wrong with them."""
    uri = soap.envelope
    start, end = f'<s:Envelope xmlns:s="{uri}">', "</s:Envelope>"
    return {
        "empty post": b"",
        "only whitespace": b" \r\n ",
        "not xml": b"hello",
        "json": b'{"predict": {}}',
        "cut short": envelope(INFO, soap)[:-9],
        "invalid utf-8": envelope(INFO, soap).replace(b"Info", b"In\xfffo"),
        "unknown charset declared": declared("x-unknown", soap),
        "refused charset declared": declared("utf-7", soap),
        "utf-16 declared but not meant": declared("utf-16", soap).replace(b"Info", b"Infox"),
        "doctype": b"<!DOCTYPE x>" + envelope(INFO, soap),
        "doctype after comment": b"<?xml version='1.0'?><!-- x --><?pi x?>\n<!DOCTYPE x>" + envelope(INFO, soap),
        "entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + envelope(predict(note="&e;"), soap),
        "undeclared entity": envelope(predict(note="&e;"), soap),
        "two roots": envelope(INFO, soap) * 2,
        "another root": b"<predict/>",
        "no body": f"{start}{end}".encode(),
        "empty body": envelope("", soap),
        "text in body": envelope("text", soap),
        "two body children": envelope(INFO + INFO, soap),
        "two bodies": f"{start}<s:Body>{INFO}</s:Body><s:Body>{INFO}</s:Body>{end}".encode(),
        "header after body": f"{start}<s:Body>{INFO}</s:Body><s:Header/>{end}".encode(),
        "element beside body": f"{start}<x/><s:Body>{INFO}</s:Body>{end}".encode(),
        "unknown operation": envelope(f'<destroy xmlns="{NS}"/>', soap),
        "operation of another namespace": envelope('<getModelInfo xmlns="urn:other"/>', soap),
        "operation without namespace": envelope("<getModelInfo/>", soap),
        "too deep": envelope("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH, soap),
    }


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("name", broken(SoapVersion.SOAP11))
def test_broken_message_gets_a_client_fault(service: Service, soap: SoapVersion, name: str) -> None:
    reply = service.post(broken(soap)[name], soap=soap)
    assert fault_code(reply) == ("Client" if soap is SoapVersion.SOAP11 else "Sender", soap)
    assert reply.status == 500
    assert reply.content_type == soap.content_type
    assert find(reply, "detail") is None, "no operation was reached, so nothing typed is promised"


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
def test_message_in_a_usual_charset_is_read(service: Service, soap: SoapVersion, encoding: str) -> None:
    charset = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    content = f"<?xml version='1.0' encoding='{charset}'?>".encode() + envelope(predict(note="Grüße"), soap)
    encoded = content.decode().encode(encoding)
    assert find(service.post(encoded, soap=soap), "note") == "Grüße", "by the document's own word"
    assert find(service.post(encoded, soap=soap, charset=charset), "note") == "Grüße", "by the Content-Type"


def test_charset_of_the_content_type_wins_over_the_declaration(service: Service) -> None:
    content = b"<?xml version='1.0' encoding='iso-8859-1'?>" + envelope(predict(note="Grüße"))
    assert find(service.post(content, charset="UTF-8"), "note") == "Grüße"


@pytest.mark.parametrize("charset", ["x-unknown", "utf-7", "zip", "\x00"])
def test_unknown_charset_gets_a_client_fault(service: Service, charset: str) -> None:
    assert fault_code(service.post(envelope(INFO), charset=charset))[0] == "Client"


def test_utf16_with_half_a_character_gets_a_client_fault(service: Service) -> None:
    content = codecs.BOM_UTF16_LE + envelope(INFO).decode().encode("utf-16-le") + b"\x00"
    assert fault_code(service.post(content))[0] == "Client"


def test_doctype_inside_text_is_only_text(service: Service) -> None:
    reply = service.post(envelope(predict(note="<![CDATA[<!DOCTYPE x>]]>")))
    assert find(reply, "note") == "<!DOCTYPE x>"


def test_comments_and_instructions_do_not_cut_text(service: Service) -> None:
    assert find(service.post(envelope(predict(note="one<!-- x -->two<?pi x?>three"))), "note") == "onetwothree"


def test_soap11_envelope_at_the_soap12_address_is_answered_in_soap11(service: Service) -> None:
    content = envelope(INFO, SoapVersion.SOAP11)
    reply = service.post(content, soap=SoapVersion.SOAP12, media_type="text/xml")
    assert fault_code(reply) == ("VersionMismatch", SoapVersion.SOAP11)
    assert reply.content_type == SoapVersion.SOAP11.content_type
    upgrade = etree.fromstring(reply.body).find(f".//{{{SoapVersion.SOAP12.envelope}}}SupportedEnvelope")
    assert upgrade is not None
    assert upgrade.nsmap["e"] == SoapVersion.SOAP12.envelope


def test_soap12_envelope_at_the_soap11_address_is_a_version_mismatch(service: Service) -> None:
    reply = service.post(envelope(INFO, SoapVersion.SOAP12), media_type="application/soap+xml")
    assert fault_code(reply) == ("VersionMismatch", SoapVersion.SOAP11)


@pytest.mark.parametrize("soap", SOAP)
def test_envelope_of_an_unknown_namespace_is_a_version_mismatch(service: Service, soap: SoapVersion) -> None:
    content = envelope(INFO, soap).replace(soap.envelope.encode(), b"urn:unknown")
    assert fault_code(service.post(content, soap=soap)) == ("VersionMismatch", soap)


@pytest.mark.parametrize("soap", SOAP)
def test_envelope_with_the_other_media_type_is_refused(service: Service, soap: SoapVersion) -> None:
    other = next(version for version in SOAP if version is not soap)
    reply = service.post(envelope(INFO, soap), soap=soap, media_type=other.mime_type)
    assert reply.status == 415
    assert fault_code(reply)[1] is soap


HEADER = '<x:Security xmlns:x="urn:x" {attributes}/>'


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("value", ["1", "true"])
def test_unknown_header_that_must_be_understood_is_a_fault(service: Service, soap: SoapVersion, value: str) -> None:
    header = HEADER.format(attributes=f's:mustUnderstand="{value}"')
    reply = service.post(envelope(INFO, soap, header), soap=soap)
    assert fault_code(reply) == ("MustUnderstand", soap)
    named = etree.fromstring(reply.body).find(f"{{{soap.envelope}}}Header/{{{soap.envelope}}}NotUnderstood")
    assert (named is not None) == (soap is SoapVersion.SOAP12)


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("attributes", ["", 's:mustUnderstand="0"', 's:mustUnderstand="1" s:{role}="urn:other"'])
def test_header_that_need_not_be_understood_is_ignored(service: Service, soap: SoapVersion, attributes: str) -> None:
    role = "actor" if soap is SoapVersion.SOAP11 else "role"
    header = HEADER.format(attributes=attributes.format(role=role))
    assert service.post(envelope(INFO, soap, header), soap=soap).status == 200


@pytest.mark.parametrize("action", ["", f"{NS}:getModelInfo"])
def test_action_of_the_operation_or_none_is_accepted(service: Service, action: str) -> None:
    assert service.post(envelope(INFO), action=action).status == 200


@pytest.mark.parametrize("action", [f"{NS}:predict", "getModelInfo", "urn:other"])
def test_action_that_names_another_operation_gets_a_client_fault(service: Service, action: str) -> None:
    assert fault_code(service.post(envelope(INFO), action=action))[0] == "Client"


def test_fault_repeats_nothing_that_could_be_markup(service: Service) -> None:
    reply = service.post(envelope(predict(ratio="&lt;script&gt;")))
    assert b"<script>" not in reply.body
    assert detail(reply)["received"] == "'<script>'"
