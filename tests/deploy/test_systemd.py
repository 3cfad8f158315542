"""The units: systemd takes them, they run what the wheel installs, and they agree with the settings."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from soapsvc.settings import Settings
from soapsvc.transport.supervisor import _GRACE_S
from tests.conftest import ROOT
from tests.deploy.conftest import Installed

UNITS = ROOT / "deploy/systemd"


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((UNITS / name).read_text())
    return parser


@pytest.fixture
def placed(installed: Installed, tmp_path: Path) -> list[str]:
    """The units with the commands where the wheel was installed."""
    for name in ("soapsvc.service", "soapsvc.socket"):
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/soapsvc/bin", str(installed.bin)))
    return [str(path) for path in sorted(tmp_path.iterdir())]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "no systemd-analyze; install it: apt-get install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_systemd_finds_nothing_wrong_with_the_units(placed: list[str]) -> None:
    done = analyze("verify", *placed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_service_is_as_closed_as_it_was(placed: list[str]) -> None:
    (service,) = [path for path in placed if path.endswith(".service")]
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=20", service)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["ExecStart", "ExecReload"])
def test_command_of_the_service_takes_its_arguments(installed: Installed, tmp_path: Path, name: str) -> None:
    installed.run("init", str(tmp_path / "srv"))
    _, *arguments = unit("soapsvc.service")["Service"][name].split()
    done = installed.run(*arguments, "--help", cwd=tmp_path / "srv")
    assert done.returncode == 0
    assert [each for each in arguments if each.startswith("--") and each not in done.stdout] == []


def test_stop_is_given_the_time_that_a_drain_takes() -> None:
    seconds = re.fullmatch(r"(\d+)s", unit("soapsvc.service")["Service"]["TimeoutStopSec"])
    assert seconds
    fields = Settings.model_fields
    assert int(seconds[1]) > fields["drain_delay_s"].default + fields["drain_timeout_s"].default + _GRACE_S


def test_reload_asks_where_the_socket_listens() -> None:
    address = unit("soapsvc.socket")["Socket"]["ListenStream"]
    assert unit("soapsvc.service")["Service"]["ExecReload"].endswith(f"--url http://{address}")
    assert f"server {address};" in (ROOT / "deploy/nginx/upstream.conf").read_text()


def test_code_may_be_written_at_run_time() -> None:
    assert "MemoryDenyWriteExecute" not in unit("soapsvc.service")["Service"]
