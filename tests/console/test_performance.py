"""The page of the last hour, of a real server with two workers: what it tells is what was called, whoever answers."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from lxml import html
from playwright.sync_api import Browser

from tests.conftest import ROOT, Server, serving, until
from tests.soap.conftest import envelope

CLOSE = {"Content-Type": "text/xml; charset=utf-8", "Connection": "close"}
FLOWER = (
    '<predict xmlns="urn:soapsvc:iris:v1"><sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth>'
    "<petalLength>1.4</petalLength><petalWidth>%s</petalWidth></predict>"
)
SCENE = base64.b64encode((ROOT / "clients/csharp/scene.jpg").read_bytes()).decode()
GOOD, BAD, SCENES = 12, 4, 3


def call(server: Server, model: str, body: str) -> int:
    return requests.post(f"{server.url}/soap/{model}/v1", envelope(body), headers=CLOSE, timeout=60).status_code


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that answered some calls of iris and digit-reader."""
    with serving(Path("models"), tmp_path_factory.mktemp("log") / "server.log", "--workers", "2") as server:
        assert [call(server, "iris", FLOWER % "0.2") for _ in range(GOOD)] == [200] * GOOD
        assert [call(server, "iris", FLOWER % "wide") for _ in range(BAD)] == [500] * BAD
        scene = f'<predict xmlns="urn:soapsvc:digit-reader:v1"><image>{SCENE}</image></predict>'
        assert [call(server, "digit-reader", scene) for _ in range(SCENES)] == [200] * SCENES
        until(lambda: figure(page(server, "iris"), "Calls") == str(GOOD + BAD))
        until(lambda: figure(page(server, "digit-reader"), "Calls") == str(SCENES))
        yield server


def page(server: Server, model: str, query: str = "") -> html.HtmlElement:
    response = requests.get(
        f"{server.url}/models/{model}/performance{query}", headers={"Connection": "close"}, timeout=60
    )
    assert response.status_code == 200
    return html.fromstring(response.content)


def figure(page: html.HtmlElement, name: str) -> str:
    (found,) = page.xpath("//dl[@class='figures']//dt[.=$name]/following-sibling::dd[1]/text()", name=name)
    return str(found)


def table(page: html.HtmlElement, title: str) -> list[list[str]]:
    """Return the rows of the table beside a chart."""
    rows = page.xpath("//figure[.//h2=$title]//details//tbody/tr", title=title)
    return [[cell.text_content() for cell in row] for row in rows]


def test_page_tells_calls_and_faults_by_their_names(called: Server) -> None:
    found = page(called, "iris")
    assert figure(found, "Faults") == str(BAD)
    assert f"InvalidInput {BAD}" in found.text_content()
    minutes = table(found, "Calls a minute")
    assert [sum(int(row[place]) for row in minutes) for place in (1, 2)] == [GOOD, BAD]


def test_histogram_has_every_call_once(called: Server) -> None:
    assert sum(int(count) for _, count in table(page(called, "iris"), "Time to answer")) == GOOD + BAD


def test_version_has_the_calls_that_it_answered(called: Server) -> None:
    found = page(called, "iris", "?version=1")
    assert (figure(found, "Calls"), figure(found, "Faults")) == (str(GOOD), "0")
    assert figure(page(called, "iris", "?version=77"), "Calls") == str(GOOD + BAD), "there is no such version"


def test_steps_of_a_pipeline_have_their_times(called: Server) -> None:
    found = page(called, "digit-reader")
    names = found.xpath("//table[@class='steps']/tbody/tr/th/text()")
    assert {"decode", "find", "recognise", "text"} <= set(names)
    shares = [float(text.removesuffix("%")) for text in found.xpath("//table[@class='steps']/tbody/tr/td[3]/text()")]
    assert sum(shares) == pytest.approx(100, abs=2)
    assert shares == sorted(shares, reverse=True)
    assert page(called, "iris").xpath("//table[@class='steps']") == []


def test_each_chart_says_what_it_shows(called: Server) -> None:
    charts = page(called, "digit-reader").xpath("//svg[@role='img']")
    assert len(charts) == 5
    for chart in charts:
        named = [chart.xpath(f"./*[@id='{name}']")[0].text_content() for name in chart.get("aria-labelledby").split()]
        assert all(named)


def test_model_that_nobody_called_says_so(called: Server) -> None:
    assert "Nobody called this model in the last hour." in page(called, "language").text_content()
    assert requests.get(f"{called.url}/models/none/performance", timeout=60).status_code == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("model", ["digit-reader", "language"])
def test_axe_finds_nothing_wrong_and_the_page_fits_a_narrow_window(
    chromium: Browser, called: Server, axe: str, model: str, scheme: str
) -> None:
    context = chromium.new_context(base_url=called.url, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    shown = context.new_page()
    complaints: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.goto(f"/models/{model}/performance")
    shown.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    shown.evaluate(axe)
    found = shown.evaluate("axe.run()")["violations"]
    assert [(each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"]) for each in found] == []
    shown.set_viewport_size({"width": 360, "height": 740})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
    assert complaints == []


def test_worker_that_is_killed_takes_nothing_along(called: Server) -> None:
    def pids() -> list[int | None]:
        workers = requests.get(f"{called.url}/health/models", headers={"Connection": "close"}, timeout=60).json()[
            "workers"
        ]
        return [worker["pid"] for worker in workers]

    for killed in pids():
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda killed=killed: None not in pids() and killed not in pids())  # type: ignore[misc]
    assert {figure(page(called, "iris"), "Calls") for _ in range(10)} == {str(GOOD + BAD)}
