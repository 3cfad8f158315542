"""The container's files: their commands run on the wheel, as their user, who can write nowhere but in /tmp."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from soapsvc import __version__
from soapsvc.settings import Settings
from soapsvc.transport.supervisor import _GRACE_S
from tests.conftest import ROOT, Server, started
from tests.deploy.conftest import SOURCES, Installed
from tests.transport.test_overload import HEADERS, IRIS

TEXT = (ROOT / "deploy/Dockerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in re.sub(r"\\\n\s*", "", TEXT).splitlines() if line and not line.startswith("#")
]
COMPOSE_FILES = (ROOT / "deploy/compose.yaml", ROOT / "soapsvc/starter/templates/compose.yaml")


def instruction(name: str) -> str:
    """Return the arguments of the last instruction of that name."""
    return [arguments for keyword, arguments in INSTRUCTIONS if keyword == name][-1]


def services(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text().replace("{{ release }}", __version__))["services"])


class Container:
    """What the image would run, and in what surroundings."""

    def __init__(self, installed: Installed, scratch: Path) -> None:
        user, group = instruction("USER").split(":")
        assert user.isdecimal()
        assert user != "0"
        # He may read all, for a checkout may be where only its owner comes, and write what is his: the scratch folder
        right = "-all,+dac_read_search"
        self._as_user = [
            "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", f"--inh-caps={right}",
            f"--ambient-caps={right}", f"--bounding-set={right}",
        ]  # fmt: skip
        os.chown(scratch, int(user), int(group))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.variables = dict([instruction("ENV").split("=", 1)]) | {
            "SOAPSVC_PORT": str(port), "PATH": f"{installed.bin}:/usr/bin:/bin", "TMPDIR": str(scratch), "HOME": "/",
        }  # fmt: skip

    @contextmanager
    def serving(self, folder: Path, log: Path, **variables: str) -> Iterator[Server]:
        command = [*self._as_user, *json.loads(instruction("CMD"))]
        with started(command, folder, log, self.variables | variables) as server:
            yield server

    def healthy(self) -> bool:
        command = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
        done = subprocess.run(
            [*self._as_user, *command], cwd="/", env=self.variables, capture_output=True, timeout=60, check=False
        )
        return done.returncode == 0


@pytest.fixture
def folder(installed: Installed, tmp_path: Path) -> Path:
    """A folder that init made, and that the container's user may not write to."""
    assert installed.run("init", str(tmp_path / "srv")).returncode == 0
    return tmp_path / "srv"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_commands_of_the_image_work_on_the_wheel_without_a_place_to_write(
    installed: Installed, folder: Path, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "scratch").mkdir()
    container = Container(installed, tmp_path / "scratch")
    assert not container.healthy()
    settings = services(folder / "compose.yaml")["soapsvc"]["environment"]
    with container.serving(folder, tmp_path / "log", SOAPSVC_WORKERS=workers, **settings) as server:
        owner = Path(f"/proc/{server.process.pid}").stat().st_uid
        assert f"{owner}:{owner}" == instruction("USER")
        answer = requests.post(f"{server.url}/soap/iris/v1", IRIS, headers=HEADERS, timeout=60)
        assert "setosa" in answer.text
        assert container.healthy()
        server.process.send_signal(signal.Signals[instruction("STOPSIGNAL")])
        assert server.process.wait(60) == 0
    assert not container.healthy()
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert [path for path in (tmp_path / "srv").rglob("*") if path.stat().st_uid == owner] == []
    assert list((tmp_path / "scratch").glob("soapsvc-*")) == []


def test_linter_finds_nothing_wrong_with_the_dockerfile() -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([linter, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_image_is_built_of_what_the_wheel_is_built_of() -> None:
    copied = [arguments.split()[:-1] for keyword, arguments in INSTRUCTIONS if keyword == "COPY"]
    sources = [name for names in copied for name in names if not names[0].startswith("--from")]
    assert {*SOURCES, "requirements.txt"} == set(sources)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(sources)


def test_settings_of_the_image_are_settings() -> None:
    name, _, _ = instruction("ENV").partition("=")
    assert name.removeprefix("SOAPSVC_").lower() in Settings.model_fields
    assert int(instruction("EXPOSE")) == Settings.model_fields["port"].default


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.parent.name)
def test_compose_file_runs_this_release_closed(path: Path) -> None:
    assert services(path)["soapsvc"]["image"] == f"soapsvc:{__version__}"
    assert f"--tag soapsvc:{__version__} " in TEXT
    for service in services(path).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.parent.name)
def test_compose_file_gives_a_stop_the_time_that_a_drain_takes(path: Path) -> None:
    fields = Settings.model_fields
    seconds = int(services(path)["soapsvc"]["stop_grace_period"].removesuffix("s"))
    assert seconds > fields["drain_delay_s"].default + fields["drain_timeout_s"].default + _GRACE_S


def test_addresses_of_proxy_and_server_agree() -> None:
    parts = services(ROOT / "deploy/compose.yaml")
    address = {name: parts[name]["networks"]["inner"]["ipv4_address"] for name in parts}
    upstreams = {
        name: (ROOT / "deploy/nginx" / name).read_text() for name in ("upstream.conf", "upstream-compose.conf")
    }
    assert json.loads(parts["soapsvc"]["environment"]["SOAPSVC_TRUSTED_PROXIES"]) == [address["nginx"]]
    assert f"server {address['soapsvc']}:8080;" in upstreams["upstream-compose.conf"]
    bare = [re.sub(r"#.*|server \S+;|\s", "", text) for text in upstreams.values()]
    assert bare[0] == bare[1]


def test_files_that_nginx_is_given_are_there() -> None:
    for volume in services(ROOT / "deploy/compose.yaml")["nginx"]["volumes"]:
        if volume.startswith("./"):
            assert (ROOT / "deploy" / volume.split(":")[0]).is_file()
