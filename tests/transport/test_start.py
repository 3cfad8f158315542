"""Starting a server: a bad model beside good ones, a port in use, a folder that is missing, what it prints."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from soapsvc.settings import Settings
from soapsvc.transport.run import banner, load_models
from tests.conftest import ROOT, serving


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Versions 1 (good) and 2 (bad) of iris, and a folder that claims its name."""
    folder = tmp_path / "models"
    for name, version in (("iris", 1), ("iris", 2), ("flower", 1)):
        shutil.copytree(ROOT / "models/iris/1", folder / name / str(version))
    graph = folder / "iris/2/model.pb"
    graph.write_bytes(graph.read_bytes()[:-100])
    return folder


def test_bad_models_stand_in_the_status_and_the_good_serve(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log") as server:
        page = requests.get(server.url + "/", timeout=60).text
        assert requests.get(server.url + "/health/ready", timeout=60).status_code == 200
        logged = server.logged()
    assert "iris/2/model.pb: graph.sha256 is" in page
    assert "two folders claim the name iris" in page
    assert page.count('<span class="badge good">available</span>') == 1
    assert "iris version 2 is not served" in logged
    assert "Traceback" not in logged


def test_server_without_a_good_model_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with serving(tmp_path / "models", tmp_path / "server.log") as server:
        assert requests.get(server.url + "/health/ready", timeout=60).status_code == 503
        assert requests.get(server.url + "/health/live", timeout=60).status_code == 200
        assert requests.get(server.url + "/", timeout=60).status_code == 200


def failing(*arguments: str) -> str:
    """Return what serve.py says when it can't start."""
    done = subprocess.run(
        [sys.executable, "serve.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_port_in_use_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = failing("--port", port)
    assert f"can't listen on 127.0.0.1 port {port}" in message
    assert "--port" in message


def test_missing_models_folder_says_what_was_expected(tmp_path: Path) -> None:
    message = failing("--port", "0", "--models", str(tmp_path / "none"))
    assert "<name>/<version>/model.yaml" in message


def test_missing_contracts_folder_is_told(tmp_path: Path) -> None:
    message = failing("--port", "0", "--contracts", str(tmp_path / "none"))
    assert "contracts: there is no folder" in message


def test_wrong_setting_is_named() -> None:
    assert "port: " in failing("--port", "http")


def test_public_url_stands_in_the_banner(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with serving(tmp_path / "models", tmp_path / "server.log", "--public-url", "https://ml.example.org/") as server:
        assert server.url == "https://ml.example.org"


def test_server_for_every_interface_without_public_url_gives_a_hint(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    settings = Settings(host="0.0.0.0", models=tmp_path / "models")
    manager, contracts, _ = load_models(settings)
    lines = list(banner(settings, manager, contracts))
    assert any("--public-url" in line for line in lines)
    settings = settings.model_copy(update={"public_url": "http://ml.example.org"})
    assert not any("--public-url" in line for line in banner(settings, manager, contracts))
