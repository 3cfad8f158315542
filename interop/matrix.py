"""The whole run: models, one server, the clients, two at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from interop.client import Client, Column, Workplace, try_client
from interop.features import FEATURES
from interop.models import MODELS, ROOT, build_models
from interop.picture import PICTURE, SCENE
from interop.tools import CannotRun

_AT_ONCE = 2  # one is built while another calls
Report = Callable[[str], None]


def run_matrix(clients: Sequence[Client], folder: Path, report: Report) -> list[Column]:
    """Return a column for each client. folder: what is built, kept for the next run. Raises CannotRun."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / "picture.png"
    picture.write_bytes(PICTURE)
    records = folder / "records.jsonl"
    records.unlink(missing_ok=True)
    with _serving(build_models(folder / "models"), records, folder / "server.log") as url:
        wsdls = _fetch_wsdls(url, folder / "wsdl")

        def attempt(client: Client) -> Column:
            started = time.monotonic()
            column = try_client(client, Workplace(folder / client.key, url, wsdls, picture, SCENE), url, records)
            words = " ".join(column.cells[feature.key].verdict.value for feature in FEATURES)
            report(f"{client.title:<22} {time.monotonic() - started:5.1f} s  {words}")
            return column

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(attempt, clients))


@contextmanager
def _serving(models: Path, records: Path, log: Path) -> Iterator[str]:
    """Run the server until the block ends; yield its URL. Raises CannotRun."""
    arguments = ["--models", models, "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOAPSVC_")}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "interop.server", records, *arguments], cwd=ROOT, text=True,
            env=environment,
            stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        found = next(filter(None, (re.match(r"soapsvc is ready: (\S+)/", line) for line in process.stdout)), None)
        if found is None:
            raise CannotRun(f"the server stopped: {log.read_text()[-2000:]}")
        yield found[1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def _fetch_wsdls(url: str, folder: Path) -> Path:
    """Write `<model>.wsdl` and `<model>.soap12.wsdl` of every model, and return the folder."""
    folder.mkdir(exist_ok=True)
    for model in MODELS:
        for path, ending in (("soap", ".wsdl"), ("soap12", ".soap12.wsdl")):
            with urllib.request.urlopen(f"{url}/{path}/{model}/v1?wsdl") as answer:
                (folder / f"{model}{ending}").write_bytes(answer.read())
    return folder
