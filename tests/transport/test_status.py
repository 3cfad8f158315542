"""`python -m soapsvc status URL` against a server whose newest version does not load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, serving


def status(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "soapsvc", "status", url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_status_tells_what_is_served_and_what_is_not(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    with serving(models, tmp_path / "server.log") as server:
        done = status(f"{server.url}/")
        assert (done.returncode, done.stdout, done.stderr) == (0, "iris version 1: AVAILABLE\n", "")
    shutil.copytree(models / "iris/1", models / "iris/2")
    (models / "iris/2/model.pb").write_bytes(b"cut")
    with serving(models, tmp_path / "server.log") as server:
        done = status(server.url)
    assert done.returncode == 1
    assert "iris version 1: AVAILABLE\n" in done.stdout
    assert "iris version 2: END: iris/2/model.pb: " in done.stdout


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "expected the status of a running server"),
        ("ftp://127.0.0.1", "expected http:// or https://"),
    ],
)
def test_status_of_no_server_says_what_was_expected(url: str, said: str) -> None:
    done = status(url)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
