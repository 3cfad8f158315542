"""Ctrl-C during `freeze`: before the folder is written it leaves nothing behind, after that it comes too late."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soapsvc.authoring import freeze_job
from tests.authoring.test_freeze_command import freeze, left_behind, scores_pb
from tests.conftest import ROOT

__all__ = ["scores_pb"]  # a fixture


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    """Let this process take SIGINT too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupted_run_says_so_and_leaves_nothing(scores_pb: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.npz")  # nobody writes it, so the run waits here for good
    command = [
        sys.executable, "-m", "soapsvc", "freeze", str(scores_pb), "--to", str(tmp_path / "models" / "scores" / "1"),
        "--constant", "keep_prob=1.0", "--golden", str(tmp_path / "rows.npz"),
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=_listen,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("suggested input"):  # the last line before the golden file is opened
                break
            assert not line.startswith("largest"), "the run did not wait for the golden file"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors.splitlines()[-1] == "soapsvc: interrupted; nothing was written"
    assert "Traceback" not in errors
    assert left_behind(tmp_path) == ["rows.npz"]


def test_interrupt_during_the_proof_leaves_nothing(
    scores_pb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(freeze_job, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        freeze(scores_pb, tmp_path / "models" / "scores" / "1", "--constant", "keep_prob=1.0")
    assert left_behind(tmp_path) == []


def test_interrupt_while_the_folder_is_written_is_too_late(
    scores_pb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "models" / "scores" / "1"
    write = freeze_job.write_folder

    def write_folder(folder: Path, **content: Any) -> None:
        if folder == to:
            signal.raise_signal(signal.SIGINT)
        write(folder, **content)

    monkeypatch.setattr(freeze_job, "write_folder", write_folder)
    freeze(scores_pb, to, "--constant", "keep_prob=1.0")

    assert (to / "model.pb").is_file()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
