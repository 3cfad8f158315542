"""The wheel, installed elsewhere: it holds all it needs, and its command does what a checkout does."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest
import requests

from soapsvc import __version__
from tests.conftest import ROOT, started
from tests.deploy.conftest import Installed
from tests.transport.test_overload import HEADERS, IRIS


def test_wheel_holds_every_file_of_the_package(installed: Installed) -> None:
    tracked = subprocess.run(["git", "ls-files", "soapsvc"], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(installed.wheel) as wheel:
        assert set(tracked.stdout.splitlines()) <= set(wheel.namelist())
        assert [name for name in wheel.namelist() if not name.startswith(("soapsvc/", "soapsvc-"))] == []


@pytest.mark.parametrize(
    ("command", "program"), [(["soapsvc"], "soapsvc"), (["python", "-m", "soapsvc"], "python -m soapsvc")]
)
def test_help_names_the_program_as_it_was_called(installed: Installed, command: list[str], program: str) -> None:
    command = [str(installed.bin / command[0]), *command[1:]]
    for arguments, usage in (([], f"usage: {program} [-h]"), (["serve"], f"usage: {program} serve [-h]")):
        done = subprocess.run([*command, *arguments, "--help"], cwd="/", capture_output=True, text=True, check=True)
        assert done.stdout.startswith(usage)


def test_start_that_fails_names_the_command(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("serve", "--port", "0", "--models", str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.rstrip().splitlines()[-1].startswith("soapsvc serve: the models folder")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_folder_that_init_makes_serves(installed: Installed, tmp_path: Path, workers: str) -> None:
    folder = tmp_path / "service"
    done = installed.run("init", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    command = [str(installed.bin / "soapsvc"), "serve", "--settings", "soapsvc.toml", "--port", "0"]
    with started([*command, "--workers", workers], folder, tmp_path / "log") as server:
        answer = requests.post(f"{server.url}/soap/iris/v1", IRIS, headers=HEADERS, timeout=60)
        assert "setosa" in answer.text
        assert f"soapsvc {__version__}" in requests.get(f"{server.url}/", timeout=60).text
        status = installed.run("status", server.url)
        assert (status.returncode, status.stdout) == (0, "iris version 1: AVAILABLE\n")
