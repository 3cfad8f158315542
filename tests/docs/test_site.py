"""The site that `make docs` builds: nothing is amiss, every link leads somewhere, pages show nothing from elsewhere."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from lxml import html
from playwright.sync_api import Browser, Page

from docsite.sources import READMES, page_of, resolved, rewritten
from tests.conftest import ROOT

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def ids(page: Path) -> set[str]:
    return {str(value) for value in html.parse(str(page)).xpath("//@id | //a/@name")}


def test_every_page_of_docs_is_built(site: Path) -> None:
    named = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"README"} | {"index"}
    assert {name for name in named if not (site / f"{name}.html").is_file()} == set()
    assert {page for page in READMES.values() if not (site / page).with_suffix(".html").is_file()} == set()


def test_every_link_of_the_site_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    known = {page: ids(page) for page in pages(site)}
    dead = []
    for page in known.keys() - {site / "404.html"}:
        for address in html.parse(str(page)).xpath("//a/@href | //img/@src | //link/@href | //script/@src"):
            if urlsplit(address).scheme:
                continue
            path, place = urldefrag(unquote(str(address)))
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (place and place not in known.get(target, {place})):
                dead.append(f"{page.relative_to(site)}: {address}")
    assert dead == []


def test_link_out_of_docs_leads_to_the_page_that_stands_for_the_file() -> None:
    assert rewritten("[a](../clients/java/README.md#x)", "docs/faults.md", "faults.md") == "[a](clients/java.md#x)"
    assert rewritten("[a](../../wsdl)", "clients/java/README.md", "clients/java.md") == "[a](../files/wsdl/index.md)"
    assert rewritten("```\nx[0](../wsdl)\n```", "docs/a.md", "a.md") == "```\nx[0](../wsdl)\n```"
    assert page_of(resolved("docs/a.md", "../examples/chat.py")) == "files/examples/chat.py.md"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
def test_no_page_asks_another_host_complains_or_is_wider_than_the_screen(
    site: Path, address: str, chromium: Browser, size: dict[str, int], scheme: str
) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page, amiss = context.new_page(), []
    page.on("console", lambda message: amiss.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: amiss.append(f"{page.url}: {error}"))
    page.on("response", lambda answer: answer.status < 400 or amiss.append(f"{answer.url}: {answer.status}"))
    page.on("request", lambda request: request.url.startswith((address, "data:")) or amiss.append(request.url))
    for path in [path for path in pages(site) if "files" not in path.parts]:
        page.goto(f"{address}/{path.relative_to(site)}")
        amiss += [f"{page.url} is {wide} pixels wide" for wide in [width(page)] if wide > size["width"]]
    context.close()
    assert amiss == []


def width(page: Page) -> int:
    return int(page.evaluate("document.scrollingElement.scrollWidth"))


def test_search_finds_a_setting(address: str, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESK)
    page.goto(f"{address}/index.html")
    page.get_by_role("textbox", name="Search").first.fill("max_mtom_bytes")
    page.locator(".md-search-result__link").first.wait_for()
    assert "settings.html" in [urlsplit(link).path.rsplit("/")[-1] for link in page.eval_on_selector_all(
        ".md-search-result__link", "links => links.map(link => link.href)")]  # fmt: skip
    page.close()
