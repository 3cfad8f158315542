"""The try-it page as a person uses it: keyboard, files that are dropped, conversations, mistakes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from lxml import etree
from playwright.sync_api import Browser, Page, Route

from tests.conftest import ROOT, Server
from tests.console.test_try import FORMS, Form

SCENE = ROOT / "clients/csharp/scene.jpg"
STATUS = "Failed to load resource: the server responded with a status of 500"  # Chromium tells of every fault


@contextmanager
def opened(chromium: Browser, server: Server, **options: object) -> Iterator[Page]:
    """A page that must neither complain in its console, nor ask another host."""
    complaints: list[str] = []
    hosts: set[str] = set()
    context = chromium.new_context(base_url=server.url, **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    context.close()
    assert [text for text in complaints if not text.startswith(STATUS)] == []
    assert hosts - {""} == {urlsplit(server.url).netloc}


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    with opened(chromium, server) as page:
        yield page


@pytest.fixture
def plain(chromium: Browser, server: Server) -> Iterator[Page]:
    """A page without JavaScript."""
    with opened(chromium, server, java_script_enabled=False) as page:
        yield page


def send(page: Page) -> None:
    page.get_by_role("button", name="Send").click()
    page.locator(".measured").wait_for()


def labels(page: Page) -> list[str]:
    return page.locator(".bars .label").all_inner_texts()


def digit() -> bytes:
    """Return the PNG of the digits model's first warm-up call."""
    first = (ROOT / "models/digits/1/warmup.jsonl").read_text().splitlines()[0]
    return base64.b64decode(json.loads(first)["inputs"]["images"][0]["b64"])


def drop(page: Page, name: str, kind: str, content: bytes) -> None:
    """Drop a file on the place for pictures."""
    page.locator("[data-drop]").evaluate(
        """(place, [name, type, content]) => {
          const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          place.dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, cancelable: true, bubbles: true }));
          place.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true, bubbles: true }));
        }""",
        [name, kind, base64.b64encode(content).decode()],
    )


def test_flower_is_classified_by_keyboard_alone(page: Page) -> None:
    page.goto("/models/iris/try")
    page.locator("body").click(position={"x": 2, "y": 2})
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator("#f0-sepalLength:focus").count():
            break
    for value in ("5.9", "3.0", "4.2", "1.5"):
        page.keyboard.press("Control+A")
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".measured").wait_for()
    assert labels(page)[0] == "versicolor"


def test_page_sends_a_soap_message_to_the_service(page: Page) -> None:
    page.goto("/models/language/try")
    text = "Wie spät ist es? <b>&amp;</b> ]]> 🎈"
    page.get_by_label("text").fill(text)
    with page.expect_request("**/soap/language/v1") as sent:
        send(page)
    request = sent.value
    assert request.method == "POST"
    assert request.headers["content-type"] == "text/xml; charset=utf-8"
    assert request.headers["soapaction"] == '"urn:soapsvc:language:v1:predict"'
    envelope = etree.fromstring(request.post_data_buffer or b"")
    assert envelope.findtext(".//{urn:soapsvc:language:v1}text") == text
    assert labels(page)[0] == "de"
    assert text in page.locator("textarea").input_value()


def test_other_version_of_soap_and_a_pinned_version_are_sent_where_they_belong(page: Page) -> None:
    page.goto("/models/iris/try")
    page.get_by_label("Message").select_option("SOAP 1.2")
    page.get_by_label("Answered by").select_option("version 1")
    with page.expect_request("**/soap12/iris/v1/versions/1") as sent:
        send(page)
    assert sent.value.headers["content-type"].startswith("application/soap+xml")
    assert labels(page)[0] == "setosa"


@pytest.mark.parametrize(("model", "operation"), [*FORMS, ("kinds", "predict"), ("kinds", "predictBatch")])
def test_message_is_the_same_with_and_without_javascript(
    page: Page, server: Server, model: str, operation: str
) -> None:
    path = f"/models/{model}/try?operation={operation}"
    page.goto(path)
    send(page)
    assert page.get_by_role("alert").count() == 0
    with_script = page.locator("#answer pre").first.text_content()
    assert with_script == Form(server, path).send().xpath("//*[@id='answer']//pre/text()")[0]


def test_dropped_digit_is_classified(page: Page) -> None:
    page.goto("/models/digits/try")
    drop(page, "one.png", "image/png", digit())
    send(page)
    assert labels(page)[0] == "1"


def test_dropped_text_is_no_picture(page: Page) -> None:
    page.goto("/models/digits/try")
    drop(page, "one.png", "image/png", b"no picture")
    send(page)
    assert page.get_by_role("alert").inner_text().count("image: expected the bytes of a PNG or JPEG") == 1


@pytest.mark.parametrize("which", ["page", "plain"])
def test_digits_of_a_photograph_have_a_box_each(request: pytest.FixtureRequest, which: str) -> None:
    page: Page = request.getfixturevalue(which)
    page.goto("/models/digit-reader/try")
    page.get_by_label("image").set_input_files(SCENE)
    send(page)
    read = page.locator(".told").inner_text()
    assert read.isdecimal()
    assert page.locator(".box text").all_text_contents() == list(read)
    picture = page.locator(".picture image").bounding_box()
    assert picture is not None
    for box in page.locator(".box rect").all():
        place = box.bounding_box()
        assert place is not None
        assert place["width"] > 5
        assert picture["x"] <= place["x"] + 1 < place["x"] + place["width"] <= picture["x"] + picture["width"] + 1
    assert page.locator(".picture image").get_attribute("href", timeout=1000)


@pytest.mark.parametrize("which", ["page", "plain"])
def test_conversation_over_three_turns(request: pytest.FixtureRequest, which: str) -> None:
    page: Page = request.getfixturevalue(which)
    page.goto("/models/chat/try")
    for number, question in enumerate(("My name is <b>Ada</b>", "My name is Ada", "What is my name?")):
        page.get_by_label("question").fill(question)
        page.keyboard.press("Enter")
        page.locator(".turns li").nth(number).wait_for()
    assert page.locator(".said").last.inner_text().endswith("What is my name?")
    assert page.locator(".answered").last.inner_text().endswith("Your name is Ada.")
    page.get_by_role("link", name="Start anew").click()
    page.get_by_text("Say something").wait_for()


def test_batch_of_rows_that_are_added_and_removed(page: Page) -> None:
    page.goto("/models/iris/try?operation=predictBatch")
    page.get_by_role("button", name="Add a row").click()
    third = page.locator("tr[data-row]").nth(2)
    third.get_by_label("petalLength").fill("4.9")
    third.get_by_label("petalWidth").fill("1.6")
    page.get_by_role("button", name="Remove row 1").click()
    send(page)
    best = page.locator("table.batch tbody tr td li:first-child .label").all_inner_texts()
    assert best == ["setosa", "versicolor"]
    page.get_by_role("button", name="Remove row 2").click()
    assert page.get_by_role("button", name="Remove row 1").is_disabled()


@pytest.mark.parametrize("value", ["wide", ""])
def test_mistake_is_told_in_a_sentence_and_its_field_has_the_focus(page: Page, value: str) -> None:
    page.goto("/models/iris/try")
    page.get_by_label("petalWidth").fill(value)
    send(page)
    assert (
        f"petalWidth: expected a number, NaN, INF or -INF, received '{value}'."
        in page.get_by_role("alert").inner_text()
    )
    assert page.locator("[aria-invalid]:focus").get_attribute("name") == "0.petalWidth"
    page.keyboard.type("0.2")
    page.get_by_label("petalWidth").fill("0.2")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for(state="detached")
    assert page.locator("[aria-invalid]").count() == 0


def test_mistake_in_a_batch_has_the_focus_in_its_row(page: Page) -> None:
    page.goto("/models/iris/try?operation=predictBatch")
    page.locator("tr[data-row]").nth(1).get_by_label("sepalWidth").fill("x")
    send(page)
    assert page.locator("[aria-invalid]:focus").get_attribute("name") == "1.sepalWidth"


def test_server_that_is_gone_is_told_in_a_sentence(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/models/iris/try")

    def gone(route: Route) -> None:
        route.abort("connectionrefused")

    page.route("**/soap/**", gone)
    page.get_by_role("button", name="Send").click()
    assert "The server did not answer" in page.get_by_role("alert").inner_text()
    context.close()


@pytest.mark.parametrize("path", ["iris/try", "iris/try?operation=predictBatch", "digit-reader/try", "chat/try",
                                  "kinds/try", "kinds/try?operation=predictBatch"])  # fmt: skip
def test_narrow_page_does_not_scroll_sideways(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/models/{path}")
    if "chat" not in path:
        send(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["iris/try", "iris/try?operation=predictBatch", "digit-reader/try", "chat/try",
                                  "kinds/try"])  # fmt: skip
def test_axe_finds_nothing_wrong(chromium: Browser, server: Server, axe: str, path: str, scheme: str) -> None:
    context = chromium.new_context(base_url=server.url, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"/models/{path}")
    send(page)
    if path == "iris/try":
        page.get_by_label("petalWidth").fill("wide")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("alert").wait_for()
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"]) for each in found] == []
    context.close()
