"""The try-it page without JavaScript: forms of every kind of model, sent as they stand and with mistakes in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from lxml import html

from tests.conftest import ROOT, Server

SCENE = ROOT / "clients/csharp/scene.jpg"
FORMS = [
    (path.name, operation) for path in sorted((ROOT / "models").iterdir()) for operation in ("predict", "predictBatch")
]
Fields = dict[str, Any]


class Form:
    """The form of a page, as a browser without JavaScript would send it."""

    def __init__(self, server: Server, path: str) -> None:
        self.url = server.url + path
        self.page = html.fromstring(requests.get(self.url, timeout=60).content)

    @property
    def fields(self) -> Fields:
        (form,) = self.page.xpath("//form[@id='call']")
        hidden = self.page.xpath("//input[@type='hidden'][@form='call']")
        written = {
            each.name: (each.text or "").removeprefix("\n") for each in form.xpath(".//textarea")
        }  # HTML 13.2.6.4.7
        return dict(form.form_values()) | written | {each.get("name"): each.get("value") for each in hidden}

    def send(self, changes: Fields | None = None, files: dict[str, Path] | None = None) -> html.HtmlElement:
        """Press Send, or the button that the changes name, and return the page that comes."""
        (form,) = self.page.xpath("//form[@id='call']")
        parts: dict[str, Any] = {name: (None, value) for name, value in (self.fields | (changes or {})).items()}
        parts |= dict.fromkeys(form.xpath(".//input[@type='file']/@name"), ("", b""))
        parts |= {name: (path.name, path.read_bytes()) for name, path in (files or {}).items()}
        response = requests.post(urljoin(self.url, form.get("action")), files=parts, timeout=60)
        assert response.status_code == 200, response.text
        self.page = html.fromstring(response.content)
        return self.page


def answer(page: html.HtmlElement) -> str:
    return " ".join(page.get_element_by_id("answer").text_content().split())


def faults(page: html.HtmlElement) -> list[str]:
    return [each.text_content() for each in page.xpath("//*[@id='answer']//*[@role='alert']/p[1]")]


@pytest.mark.parametrize(
    ("model", "operation"), [*FORMS, ("kinds", "predict"), ("kinds", "predictBatch"), ("chat", "reply")]
)
@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_form_sent_as_it_stands_is_answered(server: Server, model: str, operation: str, soap: str) -> None:
    page = Form(server, f"/models/{model}/try?operation={operation}").send({"soap": soap})
    assert faults(page) == []
    assert "version 1, HTTP 200" in answer(page)


def test_form_holds_what_the_author_tried_with_its_units(server: Server) -> None:
    form = Form(server, "/models/iris/try")
    assert [form.fields[f"0.{name}"] for name in ("sepalLength", "petalWidth")] == ["5.1", "0.2"]
    (label,) = form.page.xpath("//label[@for='f0-petalWidth']")
    assert label.text_content() == "petalWidth centimetres"


def test_answer_is_bars_with_both_messages_beside_it(server: Server) -> None:
    page = Form(server, "/models/iris/try").send({"0.petalLength": "4.9", "0.petalWidth": "1.6"})
    assert page.xpath("//ul[@class='bars']/li/span[@class='label']/text()")[0] == "versicolor"
    request, answered = page.xpath("//*[@id='answer']//pre/text()")
    assert "<petalWidth>1.6</petalWidth>" in request
    assert "<label>versicolor</label>" in answered


def test_text_in_a_number_is_a_sentence_and_marks_its_field(server: Server) -> None:
    page = Form(server, "/models/iris/try").send({"0.petalWidth": "<wide>"})
    assert faults(page) == ["petalWidth: expected a number, NaN, INF or -INF, received '<wide>'."]
    assert page.xpath("//*[@aria-invalid='true']/@name") == ["0.petalWidth"]
    assert page.get_element_by_id("f0-petalWidth").get("value") == "<wide>"


def test_empty_number_is_a_sentence(server: Server) -> None:
    page = Form(server, "/models/iris/try").send({"0.petalWidth": ""})
    assert faults(page) == ["petalWidth: expected a number, NaN, INF or -INF, received ''."]


def test_optional_element_is_left_out_when_it_is_empty(server: Server) -> None:
    page = Form(server, "/models/kinds/try").send({"0.offset": ""})
    assert faults(page) == []
    assert "<offset>" not in page.xpath("//*[@id='answer']//pre/text()")[0]


def test_rows_of_a_batch_are_added_removed_and_answered_in_their_order(server: Server) -> None:
    form = Form(server, "/models/iris/try?operation=predictBatch")
    form.send({"add": "row"})
    assert form.page.xpath("//tr[@data-row]/@data-row") == ["0", "1", "2"]
    form.send({"remove": "0", "1.petalLength": "4.9", "1.petalWidth": "1.6"})
    assert form.page.xpath("//tr[@data-row]/@data-row") == ["1", "2"]
    page = form.send()
    best = page.xpath("//table[@class='batch']/tbody/tr/td/ul/li[1]/span[@class='label']/text()")
    assert best == ["versicolor", "setosa"]


def test_mistake_in_a_row_marks_the_field_of_that_row(server: Server) -> None:
    page = Form(server, "/models/iris/try?operation=predictBatch").send({"1.petalWidth": "wide"})
    assert page.xpath("//*[@aria-invalid='true']/@name") == ["1.petalWidth"]


def test_picture_that_is_sent_comes_back_with_a_box_for_each_digit(server: Server) -> None:
    page = Form(server, "/models/digit-reader/try").send(files={"0.image": SCENE})
    (picture,) = page.xpath("//figure[@class='picture']/svg")
    assert picture.find("image").get("href").startswith("data:image/jpeg;base64,")
    assert picture.xpath("./g/text/text()") == list(page.xpath("//p[@class='told']/text()")[0])
    assert "… (" in page.xpath("//*[@id='answer']//pre/text()")[0], "the picture in the request is cut"


def test_file_that_is_no_picture_is_a_sentence(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    path.write_text("no picture")
    page = Form(server, "/models/digits/try").send(files={"0.image": path})
    assert faults(page)[0].startswith("image: expected the bytes of a PNG or JPEG")


def test_conversation_goes_on_with_what_was_said(server: Server) -> None:
    form = Form(server, "/models/chat/try")
    for question in ("<script>", "My name is Ada", "What is my name?"):
        page = form.send({"0.question": question})
    assert page.xpath("//p[@class='said']/text()") == ["<script>", "My name is Ada", "What is my name?"]
    assert page.xpath("//p[@class='answered']/text()")[-1] == "Your name is Ada."


def test_version_that_is_chosen_answers(server: Server) -> None:
    page = Form(server, "/models/iris/try").send({"pin": "/versions/1"})
    assert "version 1, HTTP 200" in answer(page)
    page = Form(server, "/models/iris/try").send({"pin": "/../inference/v1"})
    assert "version 1, HTTP 200" in answer(page), "what the form does not offer counts as nothing"


def test_call_of_a_form_is_counted_and_logged_like_any(server: Server) -> None:
    def counted() -> float:
        text = requests.get(server.url + "/metrics", timeout=60).text
        found = re.search(r'calls_total\{model="language",operation="predict",outcome="ok",version="1"\} (\S+)', text)
        return float(found[1]) if found else 0.0

    before = counted()
    form = Form(server, "/models/language/try")
    (action,) = form.page.xpath("//form[@id='call']/@action")
    requests.post(
        urljoin(form.url, action),
        files={"0.text": (None, "Guten Tag")},
        headers={"X-Request-Id": "by-form"},
        timeout=60,
    )
    assert counted() == before + 1
    (line,) = re.findall(r"request=by-form .*", server.logged())
    assert "model=language version=1 operation=predict outcome=ok" in line


def test_form_that_is_too_large_is_refused_on_a_page(server: Server) -> None:
    large = {"0.image": ("large.png", b"\x00" * (16 * 1024**2 + 100_000))}
    response = requests.post(f"{server.url}/models/digits/try", files=large, timeout=60)
    assert response.status_code == 413
    assert "The form could not be taken: the message is larger than 16777216 bytes." in response.text
    assert response.headers["Content-Type"].startswith("text/html")


def test_picture_that_is_too_large_once_it_is_in_a_message_is_a_fault(server: Server) -> None:
    large = {"0.image": ("large.png", b"\x00" * (14 * 1024**2))}
    response = requests.post(f"{server.url}/models/digits/try", files=large, timeout=60)
    assert response.status_code == 200
    assert faults(html.fromstring(response.content)) == ["The message is larger than 16777216 bytes."]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        ("multipart/form-data; boundary=x",
         b'--x\r\nContent-Disposition: form-data; name="0.text"\r\n\r\n\xff\r\n--x--\r\n'),
        ("text/xml", b"<a/>"),
    ],
)  # fmt: skip
def test_form_that_is_none_calls_nobody(server: Server, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type, "X-Request-Id": "no-form"}
    response = requests.post(f"{server.url}/models/language/try", body, headers=headers, timeout=60)
    assert response.status_code == 400
    assert "no-form" not in server.logged()


@pytest.mark.parametrize(("model", "status"), [("none", 404), ("inference", 200)])
def test_model_without_a_form_is_told_so(server: Server, model: str, status: int) -> None:
    response = requests.get(f"{server.url}/models/{model}/try", timeout=60)
    assert response.status_code == status
    assert b'<form id="call"' not in response.content


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"answer": "no XML"}, "the message is not well-formed XML (line 1, column 1)"),
        ({"answer": "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"}, "a DOCTYPE is not allowed"),
        ({"answer": ""}, "expected a SOAP envelope"),
        ({"answer": "<a>" * 100_000 + "</a>" * 100_000}, "the message is not well-formed XML"),
    ],
)
def test_answer_that_is_none_is_not_drawn(server: Server, told: dict[str, str], sentence: str) -> None:
    files = {name: (None, value) for name, value in told.items()}
    response = requests.post(f"{server.url}/models/iris/try/drawn", files=files, timeout=60)
    assert response.status_code == 200
    assert sentence in response.text
    assert "root:" not in response.text


def test_answer_is_drawn_up_to_a_size(server: Server) -> None:
    files = {"answer": (None, "x" * (4 * 1024**2 + 1))}
    response = requests.post(f"{server.url}/models/iris/try/drawn", files=files, timeout=60)
    assert response.status_code == 413


def test_what_was_said_is_given_back_as_text(server: Server) -> None:
    files = {"turns": (None, json.dumps([["<img src=x>", "</ol>", "&"]])), "answer": (None, "<a/>")}
    response = requests.post(f"{server.url}/models/chat/try/drawn", files=files, timeout=60)
    page = html.fromstring(response.content)
    assert page.xpath("//p[@class='said']/text()") == ["<img src=x>"]
    assert page.xpath("//img") == []
