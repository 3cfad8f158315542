"""The command `tune`: what it measures, what it recommends of what it measured, and what it writes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from soapsvc.authoring.source import SourceError
from soapsvc.cli import main
from soapsvc.model.servable import Batching
from soapsvc.model.source import VersionFolder, version_folder
from soapsvc.tuning import command
from soapsvc.tuning.choice import Setting, batching_pays, best_threads, thread_settings
from soapsvc.tuning.measure import CONCURRENCY, Load, Round, Subject
from tests.conftest import ROOT


def loads(*rates: float) -> Round:
    return tuple(Load(callers, rate, 1.0) for callers, rate in zip(CONCURRENCY, rates, strict=True))


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    folder = tmp_path / "iris" / "1"
    shutil.copytree(ROOT / "models/iris/1", folder)
    (folder / "model.yaml").write_text("# by hand\n" + (folder / "model.yaml").read_text())
    return folder


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Return a function that sets the rates by intra_op, and whether calls are joined; it returns what was loaded."""

    def measured(rates: dict[tuple[int, bool], Round]) -> list[Path]:
        seen: list[Path] = []

        class Told:
            def __init__(self, folder: VersionFolder, op_libraries: tuple[str, ...], seconds: float) -> None:
                keys = yaml.safe_load(folder.file("model.yaml").read_text())
                self._key = (keys["threads"]["intra_op"], keys.get("batching") is not None)
                seen.append(folder.path)

            def round(self) -> Round:
                return rates[self._key]

            def close(self) -> None:
                """Hold nothing."""

        monkeypatch.setattr(command, "Subject", Told)
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        return seen

    return measured


def test_threads_tried_are_each_once_the_usual_first() -> None:
    assert thread_settings(2) == [Setting(1, -1), Setting(2, -1), Setting(1, 2), Setting(2, 2)]
    assert len(thread_settings(8)) == 6


def test_threads_that_gain_little_are_not_recommended() -> None:
    usual, other = Setting(1, -1), Setting(2, -1)
    assert best_threads({usual: [loads(10, 10, 10)], other: [loads(10.5, 10.5, 10.5)]}) == usual
    assert best_threads({usual: [loads(10, 10, 10)], other: [loads(12, 12, 12)]}) == other


def test_one_round_out_of_line_decides_nothing() -> None:
    usual, other = Setting(1, -1), Setting(2, -1)
    busy = [loads(10, 10, 10), loads(1, 1, 1), loads(10, 10, 10)]
    assert best_threads({usual: busy, other: [loads(10, 10, 10)] * 3}) == usual


@pytest.mark.parametrize(
    ("joined", "pays"),
    [
        (loads(10, 20, 20), True),
        (loads(9.5, 12, 12), True),
        (loads(5, 20, 20), False),  # a lone caller pays for it
        (loads(10, 10, 10), False),
    ],
)
def test_batching_pays_if_several_gain_and_a_lone_caller_does_not_lose(joined: Round, pays: bool) -> None:
    assert batching_pays([loads(10, 10, 10)], [joined]) is pays


def test_recommendation_is_printed_and_nothing_written(
    iris: Path, measured: Callable[..., list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (iris / "model.yaml").read_bytes()
    plain, fast = loads(10, 10, 10), loads(10, 30, 90)
    seen = measured({(1, False): plain, (2, False): plain, (1, True): fast})
    assert main(["tune", str(iris)]) == 0
    output = capsys.readouterr().out
    assert "  threads: {intra_op: 1, inter_op: -1}\n  batching: {max_size: 32, max_wait_us: 500}\n" in output
    assert "10/s 1 ms   30/s 1 ms   90/s 1 ms" in output
    assert (iris / "model.yaml").read_bytes() == before
    assert len(seen) == 5
    assert not any(path.exists() for path in seen), "the copies are gone"


def test_recommendation_is_written_if_asked_and_the_file_kept(
    iris: Path, measured: Callable[..., list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (iris / "model.yaml").read_text()
    measured({(1, False): loads(9, 9, 9), (2, False): loads(20, 20, 20), (2, True): loads(20, 50, 50)})
    assert main(["tune", str(iris), "--write"]) == 0
    assert "wrote them into iris/1/model.yaml" in capsys.readouterr().out
    after = (iris / "model.yaml").read_text()
    assert after == (f"{before}threads: {{intra_op: 2, inter_op: -1}}\nbatching: {{max_size: 32, max_wait_us: 500}}\n")
    measured({(1, False): loads(20, 20, 20), (2, False): loads(20, 20, 20), (1, True): loads(20, 20, 20)})
    assert main(["tune", str(iris), "--write"]) == 0
    assert (iris / "model.yaml").read_text() == f"{before}threads: {{intra_op: 1, inter_op: -1}}\nbatching: null\n"


def test_model_without_golden_calls_is_refused(iris: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = iris / "model.yaml"
    manifest.write_text(manifest.read_text().replace("warmup: {file: warmup.jsonl, rtol: 0.001, atol: 1.0e-05}", ""))
    assert main(["tune", str(iris)]) == 1
    assert "iris/1/model.yaml: no warmup; a model is measured on a golden call" in capsys.readouterr().err


def test_folder_is_measured_in_a_process_with_joined_runs(iris: Path) -> None:
    command.write(version_folder(iris), Setting(batching=Batching(8, 500)))
    subject = Subject(version_folder(iris), (), 0.05)
    try:
        found = subject.round()
    finally:
        subject.close()
    assert [load.callers for load in found] == list(CONCURRENCY)
    assert all(load.calls_per_s > 0 and load.p99_ms > 0 for load in found)


def test_folder_that_does_not_load_is_told_with_the_reason(iris: Path) -> None:
    (iris / "model.pb").write_bytes(b"")
    with pytest.raises(SourceError, match=r"iris/1 can't be measured: .*iris/1/model.pb"):
        Subject(version_folder(iris), (), 0.05)
