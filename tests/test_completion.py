"""`soapsvc completion`: what an interactive bash makes of its script when somebody presses Tab."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import shtab

from soapsvc.cli import main
from tests.conftest import ROOT


class Terminal:
    """A bash on a terminal of its own."""

    def __init__(self, startup: Path) -> None:
        self._own, other = pty.openpty()
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--rcfile", str(startup), "-i"], cwd=ROOT, stdin=other, stdout=other, stderr=other,
            env=os.environ | {"TERM": "dumb", "INPUTRC": os.devnull, "HISTFILE": os.devnull}, start_new_session=True,
        )  # fmt: skip
        os.close(other)
        self._screen = ""
        self.wait_for("ready> ")

    def type(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def wait_for(self, text: str) -> None:
        """Return once the screen shows a text that it did not show before."""
        until = time.monotonic() + 60
        while text not in self._screen:
            readable, _, _ = select.select([self._own], [], [], max(0.0, until - time.monotonic()))
            assert readable, self._screen
            self._screen += os.read(self._own, 4096).decode(errors="replace")
        self._screen = self._screen.partition(text)[2]

    def close(self) -> None:
        self._bash.kill()
        self._bash.wait()
        os.close(self._own)


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What bash reads when it starts: the script, and a prompt to wait for."""
    path = tmp_path_factory.mktemp("completion") / "bashrc"
    with pytest.MonkeyPatch.context() as patch, path.open("w") as file:
        patch.setattr("sys.stdout", file)
        assert main(["completion", "bash"]) == 0
        file.write("\nbind 'set enable-bracketed-paste off'\nbind 'set bell-style none'\nPS1='ready> '\n")
    return path


@pytest.fixture
def terminal(startup: Path) -> Iterator[Terminal]:
    terminal = Terminal(startup)
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("soapsvc stat", "soapsvc status "),
        ("soapsvc serve --max-mt", "soapsvc serve --max-mtom-bytes "),
        ("soapsvc serve --server gra", "soapsvc serve --server granian "),
        ("soapsvc serve --models model", "soapsvc serve --models models/"),
        ("soapsvc check models/ir", "soapsvc check models/iris/"),
        ("soapsvc predict models/ir", "soapsvc predict models/iris/"),
        ("soapsvc completion ba", "soapsvc completion bash "),
    ],
)
def test_tab_completes_what_is_typed(terminal: Terminal, typed: str, shown: str) -> None:
    terminal.type(f"{typed}\t")
    terminal.wait_for(shown)


@pytest.mark.parametrize("shell", shtab.SUPPORTED_SHELLS)
def test_script_of_every_shell_names_all_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [command for command in ("init", "serve", "freeze", "status") if command not in script] == []
    assert "max-mtom-bytes" in script
