"""A model's page: what it tells, and that what it gives works when pasted."""

from __future__ import annotations

import pytest
import requests
from lxml import etree, html

from tests.conftest import Server

MODELS = ["chat", "digit-areas", "digit-classes", "digit-cuts", "digit-reader", "digits", "inference", "iris", "kinds",
          "language"]  # fmt: skip


def page(server: Server, address: str) -> html.HtmlElement:
    response = requests.get(f"{server.url}/models/{address}", timeout=60)
    assert response.status_code == 200
    return html.fromstring(response.content)


def samples(root: html.HtmlElement) -> list[html.HtmlElement]:
    return [each for each in root.findall(".//details") if each.find(".//h4") is not None]


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("model", MODELS)
def test_every_sample_works_when_pasted(server: Server, model: str, soap: str) -> None:
    root = page(server, f"{model}?soap={soap}")
    found = samples(root)
    assert len(found) == (4 if model == "chat" else 3)
    url, content_type = root.xpath("//h2[@id='samples']/following::p[1]/code/text()")[:2]
    for sample in found:
        operation, action = sample.findtext("summary/h3/code"), sample.findtext(".//code[@class='action']")
        request = requests.get(f"{server.url}/models/{model}/samples/{operation}.xml?soap={soap}", timeout=60).text
        shown = sample.find(".//pre").text_content()
        assert shown == request or (len(request) > 16_000 and shown == request[:2000] + "\n…")
        headers = {"Content-Type": content_type.removeprefix("Content-Type: ")}
        if soap == "1.1":
            headers["SOAPAction"] = f'"{action}"'
        response = requests.post(url, request.encode(), headers=headers, timeout=60)
        assert response.status_code == 200, response.text


def test_shown_answer_is_the_one_that_comes(server: Server) -> None:
    sample = samples(page(server, "iris"))[0]
    request, answer = (each.text_content() for each in sample.findall(".//pre"))
    got = requests.post(f"{server.url}/soap/iris/v1", request, headers={"Content-Type": "text/xml"}, timeout=60)
    assert canonical(answer.encode()) == canonical(got.content)


def canonical(xml: bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml, etree.XMLParser(remove_blank_text=True)), method="c14n")


def test_every_wsdl_link_gives_a_wsdl(server: Server) -> None:
    links = [link for link in page(server, "iris").xpath("//a/@href") if link.endswith("?wsdl")]
    assert len(links) == 2
    for link in links:
        assert b"definitions" in requests.get(link, timeout=60).content


def test_operations_are_told_with_the_type_of_each_field(server: Server) -> None:
    text = " ".join(" ".join(page(server, "iris").itertext()).split())
    assert "petalWidth number centimetres" in text
    assert "probabilities list; each item: ScoredLabel label text score number" in text
    assert "modelVersion whole number (64 bits) Version of the model that answered." in text


def test_addresses_are_those_under_which_the_page_was_asked_for(server: Server) -> None:
    url = server.url.replace("localhost", "127.0.0.1")
    response = requests.get(f"{url}/models/iris", timeout=60)
    assert f"{url}/soap/iris/v1?wsdl" in response.text
    assert "operator sets" in " ".join(html.fromstring(response.content).find_class("warn")[0].text_content().split())


def test_host_that_is_none_is_not_repeated(server: Server) -> None:
    response = requests.get(f"{server.url}/models/iris", headers={"Host": "x';touch y;'"}, timeout=60)
    assert "touch" not in response.text
    assert f"{server.url}/soap/iris/v1?wsdl" in response.text


def test_soapui_project_names_this_server(server: Server) -> None:
    response = requests.get(f"{server.url}/models/iris/soapui.xml", timeout=60)
    assert 'filename="iris-soapui-project.xml"' in response.headers["Content-Disposition"]
    project = etree.fromstring(response.content)
    values = project.xpath("con:properties/con:property/con:value/text()", namespaces={"con": project.nsmap["con"]})
    assert values == [f"{server.url}/soap/iris/v1"]


def test_history_tells_contracts_what_changed_and_what_was_refused(admin_server: Server) -> None:
    text = " ".join(page(admin_server, "iris").text_content().split())
    assert "Contract v2 Published and frozen" in text
    assert "Prediction.probabilities was ArrayOfScoredLabel, is missing" in text
    assert "Prediction.species is new" in text
    assert "Version 3 was not loaded breaks the published contract v1 of iris" in text
    assert "Keeps contract v2, before v1" in text


def test_older_contract_can_be_chosen(admin_server: Server) -> None:
    assert "urn:soapsvc:iris:v2" in samples(page(admin_server, "iris"))[0].find(".//pre").text_content()
    assert "urn:soapsvc:iris:v1" in samples(page(admin_server, "iris?contract=1"))[0].find(".//pre").text_content()


def test_model_without_a_version_that_answers_tells_why(admin_server: Server) -> None:
    text = page(admin_server, "language").text_content()
    assert "Version 1 was not loaded" in text
    assert "Sample messages" not in text
