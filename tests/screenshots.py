"""Makes docs/images/console-*.png anew: `make screenshots`. Serves the bundled models and one that can't be loaded."""

from __future__ import annotations

import shutil
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser

from tests.browser import running_chromium
from tests.conftest import ROOT, Server, serving

IMAGES = ROOT / "docs/images"
MOST_BYTES = 150_000
SHOTS: list[tuple[str, str, Any, int, int]] = [  # name, address, scheme, width and height
    ("overview", "/", "light", 1100, 860),
    ("overview-dark", "/", "dark", 1100, 860),
    ("model", "/models/iris", "light", 1100, 1100),
    ("java", "/models/iris#java-ri", "dark", 1100, 900),
    ("not-loaded", "/models/broken", "light", 1100, 620),
    ("try", "/models/iris/try", "light", 1100, 900),
    ("performance", "/models/iris/performance", "light", 1100, 900),
]


def shoot(browser: Browser, server: Server) -> None:
    """Write every picture. Raises ValueError at one that is too large for the documentation."""
    for name, address, scheme, width, height in SHOTS:
        context = browser.new_context(
            base_url=server.url, color_scheme=scheme, viewport={"width": width, "height": height}
        )
        page = context.new_page()
        page.goto(address)
        if name == "try":
            page.get_by_role("button", name="Send").click()
            page.get_by_text("setosa").first.wait_for()
        small = BytesIO()
        with Image.open(BytesIO(page.screenshot())) as picture:
            picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        context.close()
        if small.tell() > MOST_BYTES:
            raise ValueError(f"console-{name}.png has {small.tell()} bytes; expected {MOST_BYTES} at most")
        (IMAGES / f"console-{name}.png").write_bytes(small.getvalue())


def main() -> None:
    """Serve, call a little, so that there is something to see, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        shutil.copytree(ROOT / "models", models)
        shutil.copytree(ROOT / "models/iris/1", models / "broken/1")
        with serving(models, Path(folder) / "server.log", "--port", "18080") as server, running_chromium() as browser:
            _call_for_a_while(server)
            shoot(browser, server)


def _call_for_a_while(server: Server) -> None:
    """Call some models now and then, until a whole minute has been seen."""
    samples = {
        model: requests.get(f"{server.url}/models/{model}/samples/predict.xml", timeout=60).content
        for model in ("iris", "language", "digits")
    }
    until = time.monotonic() + 100
    while time.monotonic() < until:
        for model in ("iris", "iris", "iris", "language", "digits"):
            if _post(server, model, samples[model]) != 200:
                raise ValueError(f"{model} refuses its sample: {server.logged()[-4000:]}")
        _post(server, "language", samples["iris"])  # a fault
        time.sleep(0.1)


def _post(server: Server, model: str, request: bytes) -> int:
    headers = {"Content-Type": "text/xml"}
    return requests.post(f"{server.url}/soap/{model}/v1", request, headers=headers, timeout=60).status_code


if __name__ == "__main__":
    main()
