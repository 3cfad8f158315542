"""The page at /: what it lists, what it says of what is amiss, and how it is served."""

from __future__ import annotations

import re

import pytest
import requests
from lxml import html

from tests.conftest import Server


def page(server: Server, path: str = "/") -> html.HtmlElement:
    response = requests.get(server.url + path, timeout=60)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return html.fromstring(response.content)


def row(server: Server, model: str) -> html.HtmlElement:
    (found,) = (each for each in page(server).findall(".//tbody/tr") if each.findtext("th/a") == model)
    return found


def test_each_model_is_listed_with_state_and_purpose(server: Server) -> None:
    rows = page(server).findall(".//table/tbody/tr")
    assert len(rows) == 9 + 1, "nine models and the generic service"
    assert {each.find("td/span").text for each in rows} == {"available"}
    assert "Species of an iris flower from four measurements." in row(server, "iris").text_content()


def test_each_model_leads_to_its_page(server: Server) -> None:
    for link in page(server).xpath("//tbody//th/a/@href"):
        assert page(server, "/" + link).findtext(".//h1") == link.removeprefix("./").removeprefix("models/")


def test_model_that_did_not_load_shows_why_in_words(admin_server: Server) -> None:
    language, iris = row(admin_server, "language"), row(admin_server, "iris")
    assert language.findtext("td/span") == "not available"
    assert "sha256" in language.text_content()
    assert iris.findtext("td/span") == "in part"
    assert "breaks the published contract v1 of iris" in iris.text_content()


def test_workers_are_listed_where_there_are_several(admin_server: Server, server: Server) -> None:
    workers = page(admin_server).xpath("//h2[.='Workers']/following::table[1]/tbody/tr/th/text()")
    assert workers == ["1", "2"]
    assert "Workers" not in [each.text for each in page(server).findall(".//h2")]


@pytest.mark.parametrize("path", ["/", "/models/iris", "/models/none", "/console/console.css"])
def test_every_answer_has_the_security_headers(server: Server, path: str) -> None:
    headers = requests.get(server.url + path, timeout=60).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/models/iris"])
def test_page_names_no_other_host_and_no_inline_code(server: Server, path: str) -> None:
    root = page(server, path)
    loaded = root.xpath("//script/@src | //link/@href | //img/@src")
    assert loaded
    assert [address for address in loaded if re.match(r"[a-z]+:|//", address)] == []
    assert root.xpath("//style | //@style | //script[not(@src)] | //@*[starts-with(name(), 'on')]") == []


def test_assets_are_kept_by_their_name_and_asked_for_by_their_tag(server: Server) -> None:
    (address,) = page(server).xpath("//link[@rel='stylesheet']/@href")
    named = requests.get(f"{server.url}/{address}", timeout=60)
    assert "immutable" in named.headers["Cache-Control"]
    plain = requests.get(f"{server.url}/console/console.css", timeout=60)
    assert plain.headers["Cache-Control"] == "no-cache"
    again = requests.get(plain.url, headers={"If-None-Match": plain.headers["ETag"]}, timeout=60)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.get(f"{server.url}/console/none.css", timeout=60).status_code == 404


def test_page_under_a_prefix_links_by_relative_addresses(server: Server) -> None:
    addresses = page(server, "/models/iris").xpath("//a/@href | //link/@href | //script/@src")
    own = [each for each in addresses if not each.startswith(("#", server.url))]
    assert own
    assert [each for each in own if not each.startswith("../")] == []


def test_address_that_is_none_is_told_in_words(server: Server) -> None:
    response = requests.get(server.url + "/models/none", timeout=60)
    assert response.status_code == 404
    assert "Nothing stands at this address." in response.text


def test_page_takes_no_other_method(server: Server) -> None:
    response = requests.post(server.url + "/", timeout=60)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
