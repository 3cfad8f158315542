"""The pages of the Java web application, used by a person with Chromium."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FloatRect, Page

from tests.conftest import ROOT

SETOSA = {"Sepal length": "5.1", "Sepal width": "3.5", "Petal length": "1.4", "Petal width": "0.2"}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(chromium: Browser, web: str) -> Iterator[Page]:
    """A page that must neither complain in its console nor ask another host."""
    yield from watched(chromium, web, "light")


@pytest.fixture
def page_with_faces(chromium: Browser, faces_web: str, scheme: str) -> Iterator[Page]:
    yield from watched(chromium, faces_web, scheme)


@pytest.fixture
def page_in_scheme(chromium: Browser, web: str, scheme: str) -> Iterator[Page]:
    yield from watched(chromium, web, scheme)


def watched(chromium: Browser, web: str, scheme: str) -> Iterator[Page]:
    complaints: list[str] = []
    hosts: set[str] = set()
    context = chromium.new_context(base_url=f"{web}/", color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    context.close()
    answered = [text for text in complaints if not re.search("the server responded with a status of (400|502)", text)]
    assert answered == []
    assert hosts - {""} == {urlsplit(web).netloc}


def fill(page: Page, measurements: dict[str, str]) -> None:
    page.goto("iris")
    for label, value in measurements.items():
        page.get_by_label(label).fill(value)


def labels(page: Page) -> list[str]:
    return page.locator("table.bars tbody th").all_inner_texts()


def sample_of_one(folder: Path) -> Path:
    """Write the PNG of the digits model's first warm-up call to a file."""
    first = (ROOT / "models/digits/1/warmup.jsonl").read_text().splitlines()[0]
    path = folder / "one.png"
    path.write_bytes(base64.b64decode(json.loads(first)["inputs"]["images"][0]["b64"]))
    return path


def test_index_leads_by_keyboard_to_a_page(page: Page) -> None:
    page.goto("")
    assert page.get_by_text("Answers, version 1").count() == 5
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/iris")


def test_iris_filled_in_by_keyboard_shows_bars_and_keeps_the_numbers(page: Page) -> None:
    page.goto("iris")
    page.get_by_label("Sepal length").focus()
    for value in SETOSA.values():
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("table").wait_for()
    assert labels(page) == ["setosa", "versicolor", "virginica"]
    assert {label: page.get_by_label(label).input_value() for label in SETOSA} == SETOSA


def test_longest_bar_is_the_likeliest(page: Page) -> None:
    fill(page, {**SETOSA, "Petal length": "4.9", "Petal width": "1.6"})
    page.get_by_role("button", name="Classify").click()
    bars = page.locator("svg.bar .value")
    bars.first.wait_for()
    widths = [box["width"] for box in (bar.bounding_box() for bar in bars.all()) if box]
    shares = [float(text.removesuffix("%")) for text in page.locator(".percent").all_inner_texts()]
    track = page.locator("svg.bar .track").first.bounding_box()
    assert track is not None
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / track["width"] == pytest.approx(shares[0] / 100, abs=0.02)


def test_empty_iris_form_is_held_back_by_the_browser(page: Page) -> None:
    fill(page, {**SETOSA, "Petal width": ""})
    page.get_by_role("button", name="Classify").click()
    assert page.locator(":invalid:focus").get_attribute("name") == "petalWidth"
    assert labels(page) == []


def test_fault_of_the_service_is_a_sentence_that_names_the_field(page: Page) -> None:
    fill(page, {**SETOSA, "Sepal width": "1e300"})
    page.get_by_role("button", name="Classify").click()
    sentence = page.get_by_role("alert").inner_text()
    assert sentence.startswith("Sepal width: expected ")
    assert "1e+300" in sentence or "1e300" in sentence or "1.0E300" in sentence
    assert page.get_by_label("Sepal width").get_attribute("aria-invalid") == "true"


def test_uploaded_picture_is_classified_and_shown(page: Page, tmp_path: Path) -> None:
    page.goto("digits")
    page.get_by_label("Picture of one digit").set_input_files(sample_of_one(tmp_path))
    page.get_by_role("button", name="Classify picture").click()
    picture = page.get_by_alt_text("The picture that was sent")
    picture.wait_for()
    assert labels(page)[0] == "1"
    assert picture.evaluate("image => image.naturalWidth") == 8


def test_digits_of_a_photograph_have_a_box_each(page: Page) -> None:
    page.goto("digit-reader")
    page.get_by_label("Photograph with a row").set_input_files(ROOT / "clients/csharp/scene.jpg")
    page.get_by_role("button", name="Read").click()
    picture = page.get_by_role("img", name="The picture that was sent")
    picture.wait_for()
    read = page.locator(".best").inner_text()
    assert read.isdecimal()
    assert "".join(labels(page)) == read
    sent, boxes = picture.bounding_box(), [each.bounding_box() for each in picture.locator("rect").all()]
    assert len(boxes) == len(read)
    assert sent is not None
    assert all(box is not None and is_in(box, sent) for box in boxes)


def find_faces(page: Page) -> None:
    page.goto("faces")
    page.get_by_label("Photograph with faces").set_input_files(ROOT / "examples/astronaut.jpg")
    page.get_by_role("button", name="Find faces").click()


def test_face_in_a_photograph_has_a_box_points_and_an_emotion_in_it(page_with_faces: Page, tmp_path: Path) -> None:
    page = page_with_faces
    find_faces(page)
    picture = page.get_by_role("img", name="The picture that was sent")
    picture.wait_for()
    assert page.screenshot(path=tmp_path / "faces.png", full_page=True)
    assert page.locator(".best").inner_text() == "1 face was found."
    assert labels(page) == picture.locator("text").all_text_contents() == ["1 happy"]
    sent, face = picture.bounding_box(), picture.locator("rect").bounding_box()
    assert sent is not None
    assert face is not None
    assert is_in(face, sent)
    points = [point.bounding_box() for point in picture.locator("circle").all()]
    assert len(points) == 5
    assert all(point is not None and is_in(point, face) for point in points)
    left, right = (face["x"] - sent["x"]) / sent["width"], (face["x"] + face["width"] - sent["x"]) / sent["width"]
    assert (left, right) == pytest.approx((92 / 260, 177 / 260), abs=0.03)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def is_in(inner: FloatRect, outer: FloatRect) -> bool:
    return (
        outer["x"] <= inner["x"] + 1 < inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
        and outer["y"] <= inner["y"] + 1 < inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1
    )


def test_faces_that_are_not_served_are_a_sentence_that_tells_how_to_make_them(page: Page) -> None:
    find_faces(page)
    sentence = page.get_by_role("alert").inner_text()
    assert sentence.startswith("This server does not serve faces")
    assert "make example-faces" in sentence
    page.goto("")
    assert page.locator(".silent").all_inner_texts() == [sentence]


def test_conversation_goes_on_until_it_is_begun_anew(page: Page) -> None:
    page.goto("chat")
    for question in ("My name is <b>Ada</b>", "My name is Ada", "What is my name?"):
        page.locator("#question:focus").wait_for()  # given while the page is drawn, which may be after it loaded
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        page.get_by_text(question, exact=True).wait_for()
    assert page.locator(".sentence").last.inner_text() == "Your name is Ada."
    page.get_by_role("button", name="Start anew").click()
    page.wait_for_function("!document.querySelector('.turns')")


def test_file_that_is_no_picture_is_a_sentence(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    path.write_text("no picture")
    page.goto("digits")
    page.get_by_label("Picture of one digit").set_input_files(path)
    page.get_by_role("button", name="Classify picture").click()
    assert page.get_by_role("alert").inner_text().startswith("Picture: expected the bytes of a PNG or JPEG")


def draw(page: Page, *points: tuple[int, int]) -> None:
    """Draw one line through points of the canvas with the mouse."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


ZERO = [(120, 35), (80, 60), (65, 120), (80, 180), (120, 205), (160, 180), (175, 120), (160, 60), (120, 35)]


def test_digit_drawn_with_the_mouse_is_classified_and_stays(page: Page) -> None:
    page.goto("digits")
    draw(page, *ZERO)
    page.get_by_role("button", name="Classify drawing").click()
    page.get_by_role("table").wait_for()
    assert labels(page)[0] == "0"
    page.wait_for_function("document.querySelector('canvas').getContext('2d').getImageData(120, 35, 1, 1).data[0] < 99")


def test_cleared_drawing_is_a_sentence(page: Page) -> None:
    page.goto("digits")
    draw(page, *ZERO)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Classify drawing").click()
    assert page.get_by_role("alert").inner_text().endswith("received nothing.")


def test_text_with_markup_is_classified_and_stays_text(page: Page) -> None:
    text = "</textarea><script>alert(1)</script> Wie spät ist es, bitte?"
    page.goto("language")
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Classify").click()
    page.get_by_role("table").wait_for()
    assert len(labels(page)) == 3
    assert page.get_by_label("Text").input_value() == text


def test_text_can_be_read_on_its_ground_in_light_and_dark(page_in_scheme: Page, scheme: str, tmp_path: Path) -> None:
    page = page_in_scheme
    fill(page, SETOSA)
    page.get_by_role("button", name="Classify").click()
    page.get_by_role("table").wait_for()
    assert page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
    color, ground = (
        page.locator(where).evaluate(f"element => getComputedStyle(element).{what}")
        for where, what in ((".version", "color"), (".answer", "backgroundColor"))
    )
    assert (luminance(ground) > 0.5) == (scheme == "light")
    assert contrast(color, ground) >= 4.5  # WCAG 2.2, 1.4.3


def luminance(color: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["", "iris", "digits", "language", "chat", "digit-reader", "faces"])
def test_narrow_page_does_not_scroll_sideways(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
