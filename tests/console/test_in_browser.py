"""The console as a person uses it with Chromium: with and without JavaScript, by keyboard, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.conftest import Server
from tests.console.conftest import TOKEN

PATHS = ["/", "/models/iris", "/models/iris?contract=1", "/models/language", "/models/inference", "/models/none",
         "/actions/sign-in"]  # fmt: skip
NARROW, WIDE = {"width": 360, "height": 800}, {"width": 1280, "height": 800}


@pytest.fixture
def context(chromium: Browser, admin_server: Server) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=admin_server.url, viewport=WIDE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, admin_server: Server) -> Iterator[Page]:
    """A page that must neither complain in its console nor ask another host."""
    complaints: list[str] = []
    hosts: set[str] = set()
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    assert [text for text in complaints if "responded with a status of 40" not in text] == []
    assert hosts == {urlsplit(admin_server.url).netloc}


def signed_in(page: Page) -> None:
    page.goto("/actions/sign-in")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def faults(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds that is serious or critical, in the page's own words."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_page_has_no_serious_fault_of_accessibility(
    chromium: Browser, admin_server: Server, axe: str, path: str, scheme: Any
) -> None:
    context = chromium.new_context(base_url=admin_server.url, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(path)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert faults(page, axe) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_an_administrator_have_no_serious_fault_of_accessibility(
    chromium: Browser, admin_server: Server, axe: str, scheme: Any
) -> None:
    context = chromium.new_context(base_url=admin_server.url, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    signed_in(page)
    for path in ("/?done=reload", "/models/iris?done=label"):
        page.goto(path)
        assert faults(page, axe) == []
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_page_is_no_wider_than_a_small_screen(page: Page, path: str) -> None:
    page.set_viewport_size(NARROW)
    page.goto(path)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_page_without_javascript_shows_all_there_is(chromium: Browser, admin_server: Server) -> None:
    context = chromium.new_context(base_url=admin_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/models/iris")
    page.locator("summary", has_text="Java (wsimport)").click()
    assert page.get_by_text("BindingProvider.ENDPOINT_ADDRESS_PROPERTY").first.is_visible()
    assert page.get_by_role("button", name="Copy").count() == 0
    context.close()


def test_keyboard_alone_leads_to_a_program(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    focused = page.locator(":focus")
    for _ in range(10):
        page.keyboard.press("Tab")
        if focused.inner_text() == "iris":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/iris")
    summary = page.locator("summary", has_text="Python (zeep)")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("from zeep import Client").is_visible()


def test_link_to_a_guide_opens_it(page: Page) -> None:
    page.goto("/models/iris")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="PHP").click()
    assert page.get_by_text("new SoapClient(").is_visible()


def test_copy_takes_the_text_of_a_block(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/models/iris")
    block = page.get_by_role("region", name="request of predict", exact=True)
    page.get_by_role("button", name="Copy request of predict", exact=True).click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == block.inner_text()


def test_administrator_moves_a_label_and_reloads_by_forms(page: Page) -> None:
    signed_in(page)
    page.get_by_role("button", name="Reload the models folder").click()
    assert page.get_by_role("status").inner_text() == "Every worker looks at the models folder now."
    page.goto("/models/iris")
    page.get_by_label("Label", exact=True).fill("canary")
    page.get_by_label("Version", exact=True).select_option("1")
    page.get_by_role("button", name="Move").click()
    assert page.get_by_role("status").inner_text().startswith("The label is set")
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("status").inner_text() == "You are signed out."


def test_wrong_token_is_told_beside_the_field(page: Page) -> None:
    page.goto("/actions/sign-in")
    page.get_by_label("Admin token").fill("not the token at all")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text() == "This is not the admin token of this server."
