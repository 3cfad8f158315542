"""A place where the documentation's commands run as they stand there: the repository as a reader has it, and a server.

/srv, /etc and /run are folders of this place, and http://localhost:8080 is the server that runs.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import requests

from soapsvc.settings import Settings, read_settings
from tests.conftest import ROOT

LINKED = ("Makefile", "pyproject.toml", "requirements.txt", "serve.py", "soapsvc", "examples", "wsdl", "bench")
URL = "http://localhost:8080"


class World:
    """The place, and the one server in it.

    printed: what the last block wrote to standard output.  is_published: whether the server serves /srv/models.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.printed, self.is_published = folder, "", False
        self._server: subprocess.Popen[str] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        for name in ("srv", "etc", "run", "docs/images"):
            (folder / name).mkdir(parents=True)
        for models in ("models", "srv/models"):
            shutil.copytree(ROOT / "models", folder / models)
        shutil.copytree(ROOT / "models/iris/1", folder / "iris-new/iris/2")
        self._first = {path.name for path in folder.iterdir()}

    def here(self, text: str) -> str:
        """Return text with this place's folders and the server's address."""
        text = re.sub(r"(?<![\w.])/(srv|etc|run)/", rf"{self.folder}/\1/", text)
        return text.replace(URL, f"http://localhost:{self.port}")

    def environment(self) -> dict[str, str]:
        """Return the variables that a reader who follows the README has: not those of the make that runs the tests."""
        others = ("SOAPSVC_", "MAKE", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return kept | {"PATH": f"{self.folder}/.venv/bin:{kept['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(self, command: str) -> None:
        """Run a command in a shell; it must succeed. What it prints is added to `printed`."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(command)],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.printed += done.stdout

    def run_python(self, text: str) -> None:
        """Run a block of Python; it must succeed."""
        script = self.folder / "block.py"
        script.write_text(text)
        self.run(f"{shlex.quote(sys.executable)} {script}")

    def serve(self, command: str) -> None:
        """Start a server in the place of the one that runs, and wait until it is ready."""
        self.stop()
        self._server = subprocess.Popen(
            shlex.split(self.here(command)), cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._server.stdout is not None
        printed = []
        for line in self._server.stdout:
            printed.append(line)
            if line.startswith("soapsvc is ready"):
                return
        raise AssertionError(f"{command}\n{''.join(printed)}")

    def serve_make(self, command: str) -> None:
        """Do so by `make serve`, without installing anything."""
        self.serve(command.replace("make serve", f"make -o .venv/serve.stamp serve PORT={self.port}"))

    def serve_published(self) -> None:
        """Serve /srv/models, as an operator does."""
        settings = f"--models /srv/models --contracts wsdl --pid-file /run/soapsvc.pid --port {self.port}"
        self.serve(f".venv/bin/python serve.py {settings}")
        self.is_published = True

    def stop(self) -> None:
        """Stop the server that runs."""
        if self._server is not None:
            self._server.terminate()  # make hands it on
            self._server.wait(timeout=60)
            assert self._server.stdout is not None
            self._server.stdout.close()
        self._server, self.is_published = None, False

    def tidy(self) -> None:
        """Remove what a page made, and put back what it changed in /srv/models; the server that had it is stopped."""
        for path in self.folder.iterdir():
            if path.name not in self._first:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        published = self.folder / "srv/models"
        if names(published) != names(ROOT / "models"):
            self.stop()
            shutil.rmtree(published)
            shutil.copytree(ROOT / "models", published)

    def read_settings(self, command: str) -> Settings:
        """Return the settings that a `serve.py` command gives, with the variables before it."""
        words = shlex.split(self.here(command))
        at = next(n for n, word in enumerate(words) if word.endswith("serve.py"))
        given = dict(word.split("=", 1) for word in words[:at] if re.match(r"SOAPSVC_\w+=", word))
        with patch.dict(os.environ, given):
            return read_settings(words[at + 1 :])

    def post(self, model: str, body: str) -> str:
        """Return what the server answers to the content of a Body."""
        envelope = (
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'
        )
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return requests.post(self.here(f"{URL}/soap/{model}/v1"), envelope.encode(), headers=headers, timeout=60).text


def names(folder: Path) -> set[Path]:
    """Return what is in a folder, at any depth."""
    return {path.relative_to(folder) for path in folder.rglob("*")}
