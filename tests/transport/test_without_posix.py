"""What the server needs of its system: it starts, answers and takes a new version in with no more than Windows has.

Not on Windows: its own modules see what they would see there (`without_posix`), the libraries see Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT, started
from tests.transport.test_overload import HEADERS, IRIS

NARROWED = {"PYTHONPATH": str(ROOT / "tests/transport/without_posix")}


def say(*arguments: str) -> str:
    """Return what a command says that can't be done."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | NARROWED, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_server_answers_and_takes_a_new_version_in(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    command = [sys.executable, "serve.py", "--models", str(models), "--port", "0", "--watch-interval-s", "0.2"]
    with started(command, ROOT, tmp_path / "log", NARROWED) as server:
        assert "setosa" in requests.post(f"{server.url}/soap/iris/v1", IRIS, headers=HEADERS, timeout=60).text
        shutil.copytree(models / "iris/1", models / "iris/2")
        until, found = time.monotonic() + 120, {"state": "", "reason": ""}
        while found["state"] != "AVAILABLE":
            assert time.monotonic() < until, found
            assert found["state"] != "END", found
            time.sleep(0.1)
            versions = requests.get(f"{server.url}/health/models", timeout=60).json()["versions"]
            found = next((each for each in versions if each["version"] == 2), found)
        assert requests.get(f"{server.url}/metrics", timeout=60).status_code == 200
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "2"], "workers: Windows has no sockets that processes inherit; expected 1"),
        (["--server", "granian"], "server: granian is handed a socket, which Windows can't do; choose waitress"),
        (["--pid-file", "soapsvc.pid"], "pid_file: it is for `reload`, which Windows has no signal for"),
    ],
)
def test_what_windows_can_not_do_is_told(arguments: list[str], said: str) -> None:
    assert f"serve.py: {said}" in say("serve.py", "--port", "0", *arguments)


def test_reload_tells_that_it_can_not_be_done(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("1\n")
    assert "which Windows has no signal for" in say("-m", "soapsvc", "reload", "--pid-file", str(tmp_path / "pid"))
