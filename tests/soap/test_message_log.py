"""What stands in the log of messages, and what faults say of elements that are sensitive."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
import yaml

from soapsvc.model.source import VersionFolder
from soapsvc.soap.call import Call
from soapsvc.soap.message_log import MAX_ITEMS, MAX_TEXT, MessageLog
from soapsvc.soap.mtom import Package
from soapsvc.soap.ns import SoapVersion
from tests.kinds import MANIFEST
from tests.soap.conftest import ContentType, Service, envelope
from tests.soap.messages import INFERENCE, NS, PNG, detail, predict, tensor
from tests.soap.test_mutations import SEEDS, mutated

SOAP11 = SoapVersion.SOAP11
PLAIN = ContentType("text/xml", None, "")


@pytest.fixture(scope="module")
def discreet(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service whose note, pair and grid are sensitive, and its answer's note."""
    manifest = yaml.safe_load(MANIFEST)
    for side, names in (("inputs", ("note", "pair", "grid")), ("outputs", ("note",))):
        for name in names:
            manifest["contract"][side].setdefault(name, {})["sensitive"] = True
    path: Path = tmp_path_factory.mktemp("discreet") / "kinds" / "1"
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return Service(VersionFolder("kinds", 1, path))


def logged(service: Service, content: bytes, caplog: pytest.LogCaptureFixture, model: str = "kinds") -> list[str]:
    """Answer a message and return what is logged of it and of its answer."""
    endpoint, call = service.endpoint(model), Call("the-id")
    reply = endpoint.answer(content, PLAIN, call)
    with caplog.at_level(logging.INFO, "soapsvc.messages"):
        caplog.clear()
        package = Package(content, PLAIN)
        MessageLog("all").write(call, SOAP11, len(content), package, reply, endpoint.disclosure())
    return [record.getMessage() for record in caplog.records]


def test_contract_is_the_same_with_sensitive_elements(discreet: Service, service: Service) -> None:
    for soap in SoapVersion:
        assert discreet.endpoint(soap=soap).wsdl_at("x") == service.endpoint(soap=soap).wsdl_at("x")


def test_only_what_is_sensitive_is_hidden(discreet: Service, caplog: pytest.LogCaptureFixture) -> None:
    request, answer = logged(discreet, envelope(predict(note="PSSST", left="0.0815")), caplog)
    assert request.startswith("request=the-id received=")
    assert answer.startswith("request=the-id answered=")
    assert "<note>***</note><left>***</left><right>***</right>" in request
    assert "<grid>***</grid>" in request
    assert "<series><item>1.5</item><item>2.5</item></series>" in request
    assert f"<picture>[binary, {len(PNG) * 3 // 4 - 2} bytes]</picture>" in request
    assert "<note>***</note>" in answer
    assert "<content>[binary, 12 bytes]</content>" in answer
    assert "<modelVersion>2</modelVersion>" in answer
    assert "PSSST" not in request + answer
    assert PNG[:20] not in request + answer


def test_without_sensitive_elements_all_is_told(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    request, answer = logged(service, envelope(predict(note="told").replace("note>", "nota>")), caplog)
    assert "<nota>told</nota>" in request
    assert "<received>element {urn:soapsvc:kinds:v1}nota</received>" in answer


@pytest.mark.parametrize(
    "body",
    [
        predict(note="PSSST").replace("note>", "nota>"),
        predict().replace("<note>", "PSSST<note>"),
        predict().replace("<note>", "<note PSSST='PSSST'>").replace("PSSST='", "a='"),
        predict(ratio="<note>PSSST</note>"),
        predict(ratio="<item><noot>PSSST</noot></item>"),
        predict(left="PSSST"),
        predict(note="PSSST", flag="maybe"),
        f'<predict xmlns="{NS}">PSSST</predict>',
        f'<predictBatch xmlns="{NS}"><instances><item>PSSST</item></instances></predictBatch>',
        f'<predictBatch xmlns="{NS}"><instances><item><note>PSSST</note></item></instances></predictBatch>',
        f'<other xmlns="{NS}"><message>PSSST</message><received>PSSST</received></other>',
        predict(grid=tensor("float32", "2 3", "<doubles><item>PSSST</item></doubles>")),
        predict(grid=tensor("PSSST", "2 3", "<doubles/>")),
    ],
)
def test_secret_in_a_bad_message_is_in_no_log_and_no_fault(
    discreet: Service, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    content = envelope(body)
    assert b"PSSST" in content
    assert b"PSSST" not in discreet.post(content).body
    lines = logged(discreet, content, caplog)
    assert len(lines) == 2
    assert "PSSST" not in "".join(lines)


@pytest.mark.parametrize("carrier", ["<strings><item>PSSST</item></strings>", "<doubles><item>PSSST</item></doubles>"])
def test_generic_service_tells_no_tensor_where_a_model_has_secrets(
    discreet: Service, service: Service, caplog: pytest.LogCaptureFixture, carrier: str
) -> None:
    given = f"<inputs><item><name>note</name><tensor>{tensor('string', '1', carrier)}</tensor></item></inputs>"
    content = envelope(f'<predict xmlns="{INFERENCE}"><modelName>kinds</modelName>{given}</predict>')
    assert b"PSSST" not in discreet.post(content, "inference").body
    request, answer = logged(discreet, content, caplog, "inference")
    assert "<modelName>kinds</modelName>" in request
    assert "<name>note</name><tensor>***</tensor>" in request
    assert "PSSST" not in request + answer
    assert "PSSST" in logged(service, content, caplog, "inference")[0]


def test_fault_tells_what_came_in_an_element_that_is_not_sensitive(discreet: Service) -> None:
    assert detail(discreet.post(envelope(predict(ratio="much"))))["received"] == "'much'"
    assert detail(discreet.post(envelope(predict(left="much"))))["received"] == "***"
    assert detail(discreet.post(envelope(predict(left="much"))))["message"].endswith("received ***")


SECURITY = """<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<w:UsernameToken Id="PSSST"><w:Username>PSSST</w:Username><w:Password Type="PSSST">PSSST</w:Password></w:UsernameToken>
PSSST</w:Security><t:Token xmlns:t="urn:x" secret="PSSST">PSSST</t:Token>"""
ADDRESSING = """<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:told</a:MessageID>
<a:From xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>urn:told-too</a:Address>
<a:ReferenceParameters><key>PSSST</key></a:ReferenceParameters></a:From>"""


def test_headers_but_addressing_are_hidden_without_any_mark(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    request, answer = logged(service, envelope(predict(), header=SECURITY + ADDRESSING), caplog)
    assert "PSSST" not in request + answer
    assert "urn:told</a:MessageID>" in request
    assert "urn:told-too</a:Address>" in request
    assert "urn:told</wsa:RelatesTo>" in answer


def test_what_is_no_message_is_told_by_its_length(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    content = b"<s:Envelope>PSSST"
    request, answer = logged(service, content, caplog)
    assert request == "request=the-id received=17"
    assert "not well-formed" in answer


def test_long_texts_and_arrays_are_cut(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    items = "<item>7</item>" * (MAX_ITEMS + 23)
    request, _ = logged(service, envelope(predict(note="n" * (MAX_TEXT + 5), codes=items)), caplog)
    assert f"<note>{'n' * MAX_TEXT}[5 more]</note>" in request
    assert f"<codes>{'<item>7</item>' * MAX_ITEMS}[23 more]</codes>" in request


@pytest.mark.parametrize("text", ["a&#10;b", "a&#13;b", "a\u2028b", "a\u0085b", "a\u202eb", "a\\nb", "a\tb"])
def test_text_breaks_no_line(service: Service, caplog: pytest.LogCaptureFixture, text: str) -> None:
    request, answer = logged(service, envelope(predict(note=text)), caplog)
    for line in (request, answer):
        assert len(line.splitlines()) == 1
        assert line.isprintable()
    assert "a\\u00" in request or "a\\u20" in request or "a&#13;b" in request


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_broken_messages_by_the_hundred_are_each_written_on_two_lines(
    service: Service, caplog: pytest.LogCaptureFixture, seed: bytes
) -> None:
    chance = random.Random(len(seed))
    for _ in range(200):
        lines = logged(service, mutated(seed, chance), caplog)
        assert [line.count("\n") for line in lines] == [0, 0]


@pytest.mark.parametrize(
    ("wanted", "outcome", "wants"),
    [("off", "InternalError", False), ("faults", "ok", False), ("faults", "http-415", True), ("all", "ok", True)],
)
def test_only_wanted_calls_are_written(wanted: str, outcome: str, wants: bool) -> None:
    call = Call("x")
    call.outcome = outcome
    assert MessageLog(wanted).wants(call) is wants  # type: ignore[arg-type]
