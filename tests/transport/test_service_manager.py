"""A socket that systemd hands over, and what it is told: real ones, and a restart under load."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import ROOT, Server, started
from tests.transport.test_overload import HEADERS, IRIS

SERVE = [sys.executable, "serve.py"]
FORMS = [("waitress", "1"), ("waitress", "2"), ("granian", "2")]


@pytest.fixture(scope="module")
def iris_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("activated") / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    return models


def call(url: str) -> str:
    """Call iris on a connection of its own, and return the answer."""
    return requests.post(f"{url}/soap/iris/v1", IRIS, headers={**HEADERS, "Connection": "close"}, timeout=120).text


def wait_for(words: str, log: Path) -> None:
    """Return once a log holds the words."""
    until = time.monotonic() + 60
    while not (log.exists() and words in log.read_text()):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.01)


@contextmanager
def handed(listener: socket.socket, models: Path, log: Path, *arguments: str) -> Iterator[Server]:
    """Run serve.py on a listening socket, given to it as systemd does."""
    shell = f'exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    command = ["bash", "-c", shell, "-", *SERVE, "--models", str(models), *arguments]
    with started(command, ROOT, log, pass_fds=(listener.fileno(),)) as server:
        yield server


@pytest.mark.parametrize(("server", "workers"), FORMS)
def test_connection_made_before_the_server_is_up_waits_and_is_answered(
    iris_models: Path, tmp_path: Path, server: str, workers: str
) -> None:
    program = shutil.which("systemd-socket-activate")
    assert program, "no systemd-socket-activate; install it: apt-get install systemd"
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://localhost:{free.getsockname()[1]}"
    log = tmp_path / "server.log"
    command = [program, "--listen", f"127.0.0.1:{urlsplit(url).port}", *SERVE]

    def first() -> str:
        wait_for("Listening on", log)
        return call(url)

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(first)  # systemd-socket-activate starts the server when this connects
        with started(
            [*command, "--models", str(iris_models), "--server", server, "--workers", workers], ROOT, log
        ) as running:
            assert urlsplit(running.url).port == urlsplit(url).port
            assert "setosa" in answer.result(120)
            assert [each for each in (call(url) for _ in range(20)) if "setosa" not in each] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_restart_loses_no_connection(iris_models: Path, tmp_path: Path, workers: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    url, stop = f"http://localhost:{listener.getsockname()[1]}", threading.Event()
    counts = {"before": 0, "after": 0}

    def calls() -> None:
        while not stop.is_set():
            assert "setosa" in call(url)
            counts["after" if restarted.is_set() else "before"] += 1

    restarted = threading.Event()
    with listener, ThreadPoolExecutor(4) as threads:
        with handed(listener, iris_models, tmp_path / "first.log", "--workers", workers):
            running = [threads.submit(calls) for _ in range(4)]
            call(url)
        try:
            with handed(listener, iris_models, tmp_path / "second.log", "--workers", workers):
                restarted.set()
                call(url)
                stop.set()
                assert [each.result(120) for each in running] == [None] * 4
        finally:
            stop.set()
    assert min(counts.values()) > 0


def test_stop_waits_for_the_first_request_of_a_connection(iris_models: Path, tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, handed(listener, iris_models, tmp_path / "server.log") as server:
        address = ("127.0.0.1", urlsplit(server.url).port or 0)
        with socket.create_connection(address, timeout=60) as early:
            assert "setosa" in call(server.url)  # came later, so the other is accepted too
            server.process.terminate()
            wait_for("not ready any more", server.log)
            early.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert early.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert server.process.wait(60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_service_manager_is_told_when_it_is_ready_and_when_it_stops(
    iris_models: Path, tmp_path: Path, workers: str
) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(address))
        notices.settimeout(60)
        command = [*SERVE, "--models", str(iris_models), "--port", "0", "--workers", workers]
        with started(command, ROOT, tmp_path / "server.log", {"NOTIFY_SOCKET": str(address)}) as server:
            assert notices.recv(4096) == b"READY=1"
            assert "setosa" in call(server.url)
            server.process.terminate()
            assert notices.recv(4096) == b"STOPPING=1"
            assert server.process.wait(60) == 0
        notices.setblocking(False)
        with pytest.raises(BlockingIOError):
            notices.recv(4096)


def given_descriptor_3(kind: str, count: str = "1") -> str:
    """Return what serve.py says of a socket of some kind that it is handed."""
    made = {
        "unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "bound": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "file": lambda: open(os.devnull, "rb"),  # noqa: SIM115  # closed below
    }[kind]()
    with made:
        shell = f'exec 3<&{made.fileno()}; LISTEN_FDS={count} LISTEN_PID=$$ exec "$@"'
        done = subprocess.run(
            ["bash", "-c", shell, "-", *SERVE], cwd=ROOT, capture_output=True, text=True, timeout=120,
            pass_fds=(made.fileno(),), check=False,
        )  # fmt: skip
    assert done.returncode == 2
    return done.stderr


@pytest.mark.parametrize(
    ("kind", "count", "said"),
    [
        ("unix", "1", "expected a TCP socket that listens"),
        ("datagram", "1", "expected a TCP socket that listens"),
        ("bound", "1", "expected a TCP socket that listens"),
        ("file", "1", "descriptor 3 is no socket"),
        ("bound", "2", "expected 1 socket, received 2"),
    ],
)
def test_socket_that_can_not_be_served_is_told(kind: str, count: str, said: str) -> None:
    assert f"serve.py: LISTEN_FDS: {said}" in given_descriptor_3(kind, count)


def test_server_starts_with_a_socket_of_another_process_and_a_service_manager_that_is_gone(
    iris_models: Path, tmp_path: Path
) -> None:
    command = [*SERVE, "--models", str(iris_models), "--port", "0"]
    variables = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(tmp_path / "gone")}
    with started(command, ROOT, tmp_path / "server.log", variables) as server:
        assert "setosa" in call(server.url)
        assert re.search(r"WARNING .* the service manager at \S+ can't be told READY=1", server.logged())
