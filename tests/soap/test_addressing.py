"""WS-Addressing header blocks: understood, answered, and refused where they ask for what is not done."""

from __future__ import annotations

import pytest
from lxml import etree

from soapsvc.soap.application import Reply
from soapsvc.soap.ns import SoapVersion
from tests.soap.conftest import Service, envelope
from tests.soap.messages import fault_code, predict

W3C, SUBMISSION = "http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS = {W3C: f"{W3C}/anonymous", SUBMISSION: f"{SUBMISSION}/role/anonymous"}
NAMESPACES = pytest.mark.parametrize("namespace", [W3C, SUBMISSION])
VERSIONS = pytest.mark.parametrize("soap", list(SoapVersion))
NS = "urn:soapsvc:kinds:v1"


def blocks(namespace: str, soap: SoapVersion, **texts: str) -> str:
    """Return header blocks as CXF writes them: each must be understood."""
    must = f'xmlns:s="{soap.envelope}" s:mustUnderstand="{"1" if soap is SoapVersion.SOAP11 else "true"}"'
    return "".join(f'<{name} xmlns="{namespace}" {must}>{text}</{name}>' for name, text in texts.items())


def post(service: Service, soap: SoapVersion, header: str, body: str = "") -> Reply:
    return service.post(envelope(body or predict(), soap, header), soap=soap)


def answered(reply: Reply, soap: SoapVersion, namespace: str) -> dict[str, str | None]:
    """Return the addressing blocks of an answer."""
    header = etree.fromstring(reply.body).find(f"{{{soap.envelope}}}Header")
    assert header is not None, reply.body.decode()
    assert {etree.QName(block).namespace for block in header} == {namespace}
    return {etree.QName(block).localname: block.text for block in header}


@VERSIONS
@NAMESPACES
def test_answer_relates_to_the_request(service: Service, soap: SoapVersion, namespace: str) -> None:
    reply_to = f"<Address>{ANONYMOUS[namespace]}</Address>"
    header = blocks(
        namespace, soap, Action=f"{NS}:predict", MessageID="urn:uuid:7&lt;", To="http://x/", ReplyTo=reply_to
    )
    reply = post(service, soap, header)
    assert reply.status == 200
    told = answered(reply, soap, namespace)
    assert told["RelatesTo"] == "urn:uuid:7<"
    assert told["Action"] == f"{NS}:Kinds:predictResponse"
    assert str(told["MessageID"]).startswith("urn:uuid:")


@NAMESPACES
def test_typed_fault_names_itself_in_the_action(service: Service, namespace: str) -> None:
    header = blocks(namespace, SoapVersion.SOAP11, Action=f"{NS}:predict", MessageID="urn:1")
    reply = post(service, SoapVersion.SOAP11, header, predict(count="many"))
    told = answered(reply, SoapVersion.SOAP11, namespace)
    assert told["Action"] == f"{NS}:Kinds:predict:Fault:InvalidInput"
    assert told["RelatesTo"] == "urn:1"


def test_other_fault_has_the_action_for_faults(service: Service) -> None:
    header = blocks(W3C, SoapVersion.SOAP11, MessageID="urn:1")
    reply = post(service, SoapVersion.SOAP11, header, '<unknown xmlns="urn:x"/>')
    assert answered(reply, SoapVersion.SOAP11, W3C)["Action"] == f"{W3C}/soap/fault"


def test_action_that_wsdl_derives_is_taken_too(service: Service) -> None:
    header = blocks(W3C, SoapVersion.SOAP11, Action=f"{NS}:Kinds:predictRequest")
    assert post(service, SoapVersion.SOAP11, header).status == 200


def test_answer_without_addressing_has_no_header(service: Service) -> None:
    assert b"Header" not in post(service, SoapVersion.SOAP11, "").body


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"Action": f"{NS}:predictBatch"}, "wsa:Action does not name the operation predict"),
        ({"ReplyTo": "<Address>http://example.com/</Address>"}, "wsa:ReplyTo names another address"),
        ({"FaultTo": "<Address>http://example.com/</Address>"}, "wsa:FaultTo names another address"),
        ({"ReplyTo": ""}, "wsa:ReplyTo names another address"),
        ({"MessageID": "x" * 2000}, "wsa:MessageID is longer than 1024 characters"),
    ],
)
def test_what_is_not_done_is_a_client_fault(service: Service, texts: dict[str, str], told: str) -> None:
    reply = post(service, SoapVersion.SOAP11, blocks(W3C, SoapVersion.SOAP11, **texts))
    assert fault_code(reply)[0] == "Client"
    assert told in reply.body.decode()


def test_block_that_comes_twice_is_a_client_fault(service: Service) -> None:
    header = blocks(W3C, SoapVersion.SOAP11, Action=f"{NS}:predict") * 2
    assert "expected wsa:Action once" in post(service, SoapVersion.SOAP11, header).body.decode()


def test_other_header_still_must_be_understood(service: Service) -> None:
    header = blocks("urn:other", SoapVersion.SOAP11, Action="x")
    assert fault_code(post(service, SoapVersion.SOAP11, header))[0] == "MustUnderstand"
