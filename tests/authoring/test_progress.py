"""Progress shows on a terminal only, and never where the output goes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tensorflow as tf

from soapsvc.authoring import progress
from soapsvc.authoring.progress import steps, track
from soapsvc.cli import main
from tests.conftest import ROOT

END = b"<end>"


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Make stderr a terminal, and lend what returns the text new on it, without control sequences."""
    seen, own = pty.openpty()

    def shown() -> str:
        os.write(own, END)  # what was written comes in pieces, and not at once
        printed = b""
        while not printed.endswith(END):
            printed += os.read(seen, 4096)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.removesuffix(END).decode())

    with monkeypatch.context() as patch, open(own, "w") as stderr:
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stderr", stderr)
        yield shown
    os.close(seen)


def test_step_is_shown_on_a_terminal_and_lines_still_go_to_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal(monkeypatch) as shown:
        with steps() as step:
            step("reading [a]")
            sys.stdout.write("a line\n")
        assert "reading [a]" in shown()
    assert capsys.readouterr().out == "a line\n"


def test_step_without_a_name_leaves_the_terminal_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as shown, steps() as step:
        step("reading")
        step("")
        assert "reading" in shown()
        sys.stderr.write("Go on? ")
        sys.stderr.flush()
        assert shown() == "Go on? "
        step("writing")
        assert "writing" in shown()


def test_bar_counts_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DELAY_S", 0)
    with terminal(monkeypatch) as shown:
        assert list(track(["a", "b", "c"], "reading tensors")) == ["a", "b", "c"]
        printed = shown()
    assert "reading tensors" in printed
    assert "3/3" in printed


def test_bar_is_not_shown_for_what_is_done_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DELAY_S", 1e9)
    with terminal(monkeypatch) as shown:
        assert list(track([1, 2], "reading tensors")) == [1, 2]
        sys.stderr.write("end")
        sys.stderr.flush()
        assert shown() == "end"


def test_without_a_terminal_nothing_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "DELAY_S", 0)
    with steps() as step:
        step("reading")
    assert list(track([1, 2], "reading tensors")) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_inspect_shows_how_many_tensors_it_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DELAY_S", 0)
    with terminal(monkeypatch) as shown:
        assert main(["inspect", str(ROOT / "models" / "iris" / "1"), "--tensors"]) == 0
        assert "reading tensors" in shown()


def test_freeze_on_a_terminal_shows_its_steps_and_keeps_its_output_clean(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        tf.negative(tf.compat.v1.placeholder(tf.float32, [None], "x"), name="y")
    (tmp_path / "less.pb").write_bytes(graph.as_graph_def().SerializeToString())
    seen, own = pty.openpty()
    command = [sys.executable, "-m", "soapsvc", "freeze", str(tmp_path / "less.pb"), "--to", str(tmp_path / "less/1")]
    environment = os.environ | {"TERM": "xterm", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=own, env=environment) as process:
        os.close(own)
        printed = b""
        try:
            while part := os.read(seen, 4096):
                printed += part
        except OSError:  # what Linux tells when the other end is closed
            os.close(seen)
        assert process.stdout is not None
        output = process.stdout.read().decode()
    assert process.returncode == 0, printed
    assert b"starting TensorFlow" in printed
    assert "\x1b" not in output
    assert output.splitlines()[0].startswith("reading the frozen graph")
