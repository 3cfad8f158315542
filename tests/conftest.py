"""What tests of the whole server share: one real server process with the bundled models and `kinds`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.redis_server import RedisServer

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Server:
    """A running server. url: without a slash at its end; log: the file that holds all it printed."""

    url: str
    log: Path
    process: subprocess.Popen[str]

    def logged(self) -> str:
        """Return its log, with the line of each call that was answered: it may come a moment after the answer."""
        mark, until = uuid4().hex, time.monotonic() + 10
        with suppress(requests.RequestException):  # it has stopped: all is written
            requests.get(f"{self.url}/soap/none/v1", headers={"X-Request-Id": mark}, timeout=60)
            while mark not in self.log.read_text() and self.process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
        return self.log.read_text()


def until(holds: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until something holds; fail when it never does."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


@contextmanager
def serving(models: Path, log: Path, *arguments: str, under: Sequence[str] = ()) -> Iterator[Server]:
    """Run serve.py on a free port until the block ends. under: a command that runs the command which follows it."""
    command = [*under, sys.executable, "serve.py", "--models", str(models), "--port", "0", *arguments]
    with started(command, ROOT, log) as server:
        yield server


@contextmanager
def started(
    command: Sequence[str], folder: Path, log: Path, variables: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Server]:
    """Run a command that starts a server in a folder until the block ends. options: of Popen."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOAPSVC_")}
    environment |= variables or {}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=output, text=True, env=environment, **options
        )
    assert process.stdout is not None
    try:
        banner = []
        for line in process.stdout:
            banner.append(line)
            if found := re.match(r"soapsvc is .*: (https?://\S+)/", line):
                yield Server(found[1], log, process)
                return
        pytest.fail(f"{' '.join(command)} stopped: {''.join(banner)}{log.read_text()}")
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled models and `kinds`, which a process of its own builds with TensorFlow."""
    folder = tmp_path_factory.mktemp("all") / "models"
    shutil.copytree(ROOT / "models", folder)
    subprocess.run([sys.executable, "tests/kinds.py", str(folder / "kinds" / "1")], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with all models."""
    with serving(models, tmp_path_factory.mktemp("log") / "server.log") as running:
        yield running


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates: those of a server and a client of the authority ca.pem, and a stranger's."""
    from tests.certificates import write_certificates  # needs a package that tests of other Pythons do without

    folder = tmp_path_factory.mktemp("pem")
    write_certificates(folder)
    return folder


@pytest.fixture(scope="session")
def faces_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder that examples/faces.py writes: the pipeline and the nets that it runs."""
    from tests.real_models.packages import PackagesMissing, add_packages  # tests that need no such model do without

    try:
        add_packages()
    except PackagesMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    folder = tmp_path_factory.mktemp("faces") / "models"
    subprocess.run([sys.executable, "examples/faces.py", "--to", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def faces_server(models: Path, faces_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with all models and faces."""
    folder = tmp_path_factory.mktemp("all-and-faces") / "models"
    shutil.copytree(models, folder)
    shutil.copytree(faces_models, folder, dirs_exist_ok=True)
    log = tmp_path_factory.mktemp("faces-log") / "server.log"
    with serving(folder, log, "--pipeline-code", "faces") as running:
        yield running


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of these tests alone."""
    from tests.redis_server import RedisServer  # needs a package that tests of other Pythons do without

    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of a run: Playwright can't be started twice in a thread."""
    from tests.browser import running_chromium  # needs a package that tests of other Pythons do without

    with running_chromium() as browser:
        yield browser
