"""The page at /: what it lists, and that each sample on it works when pasted."""

from __future__ import annotations

import requests
from lxml import html

from tests.conftest import Server


def page(server: Server) -> html.HtmlElement:
    response = requests.get(server.url + "/", timeout=60)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return html.fromstring(response.content)


def test_every_sample_works_when_pasted(server: Server) -> None:
    samples = page(server).findall(".//details")
    operations = (9 + 1) * 3 + 1  # nine models and the generic service, three each; chat has one more
    assert len(samples) == operations * 2, "in two SOAP versions"
    for sample in samples:
        url, content_type, action = (code.text_content() for code in sample.findall("p/code"))
        headers = {"Content-Type": content_type.removeprefix("Content-Type: ")}
        if "text/xml" in content_type:
            headers["SOAPAction"] = f'"{action}"'
        response = requests.post(url, sample.findtext("pre").encode(), headers=headers, timeout=60)
        assert response.status_code == 200, response.text


def test_every_wsdl_link_gives_a_wsdl(server: Server) -> None:
    links = [link for link in page(server).xpath("//a/@href") if link.endswith("?wsdl")]
    assert len(links) == 10 * 2
    for link in links:
        assert b"definitions" in requests.get(link, timeout=60).content


def test_state_of_each_model_is_shown(server: Server) -> None:
    states = [cell.text_content() for cell in page(server).findall(".//td[@class='AVAILABLE']")]
    assert len(states) == 9


def test_each_model_tells_what_it_does(server: Server) -> None:
    assert "Species of an iris flower from four measurements." in page(server).text_content()


def test_page_allows_no_script(server: Server) -> None:
    policy = requests.get(server.url + "/", timeout=60).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
