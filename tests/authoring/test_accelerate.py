"""The command `accelerate`: what it keeps, and what it refuses with the folder left as it was."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from soapsvc.authoring import accelerate as job
from soapsvc.authoring.accelerate_convert import MISSING
from soapsvc.authoring.accelerate_inputs import trials
from soapsvc.authoring.accelerate_time import Timing
from soapsvc.cli import main
from soapsvc.model.loader import load
from soapsvc.model.source import version_folder
from tests.conftest import ROOT
from tests.model.folders import DOUBLE, GOLDEN, changed, double_graph, graph_bytes, jsonl, write_version

WARM = changed(DOUBLE, "warmup", {})
Built = Callable[..., Path]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """Return a function that writes the folder double/1 of a graph."""

    def built(build: Callable[[Any], None] = double_graph, manifest: Any = WARM, golden: Any = GOLDEN) -> Path:
        return write_version(tmp_path / "models", manifest, graph_bytes(build), warmup=jsonl(golden)).path

    return built


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Return a function that sets what the two runners' times are taken for."""
    return lambda before, after: monkeypatch.setattr(job, "timings", lambda *_: (Timing(1, before, after),))


def test_graph_that_is_alike_and_faster_is_kept_and_serves(
    tmp_path: Path, times: Callable[[float, float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "iris" / "1"
    shutil.copytree(ROOT / "models/iris/1", folder)
    manifest = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(f"# by hand\n{manifest}")
    times(30.0, 20.0)
    assert main(["accelerate", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "answers alike in 31 calls" in output
    assert "1          30 us       20 us        1.5" in output
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    entry = f"runner: {{kind: onnx, file: model.onnx, sha256: {sha256}}}\n"
    assert (folder / "model.yaml").read_text() == f"# by hand\n{manifest}{entry}"
    assert main(["check", str(folder)]) == 0
    assert "it runs on onnxruntime (model.onnx)" in capsys.readouterr().out


def test_dry_run_measures_and_writes_nothing(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built()
    before = content(folder)
    assert main(["accelerate", str(folder), "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert [line.split()[0] for line in output.splitlines()[3:6]] == ["instances", "1", "32"]
    assert content(folder) == before


def test_graph_that_is_no_faster_is_kept_only_if_asked(
    built: Built, times: Callable[[float, float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built()
    before = content(folder)
    times(10.0, 10.0)
    assert main(["accelerate", str(folder)]) == 1
    assert "takes no less time; --keep-slower keeps it" in capsys.readouterr().out
    assert content(folder) == before
    assert main(["accelerate", str(folder), "--keep-slower"]) == 0
    assert yaml.safe_load((folder / "model.yaml").read_text())["runner"]["kind"] == "onnx"


def test_runner_that_is_there_is_replaced_only_if_asked(
    built: Built, times: Callable[[float, float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built()
    times(2.0, 1.0)
    assert main(["accelerate", str(folder)]) == 0
    (folder / "model.onnx").write_bytes(b"damaged")
    before = content(folder)
    assert main(["accelerate", str(folder)]) == 1
    assert "there is a runner already; replace it with --force" in capsys.readouterr().err
    assert content(folder) == before
    assert main(["accelerate", str(folder), "--force"]) == 0
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert yaml.safe_load((folder / "model.yaml").read_text())["runner"]["sha256"] == sha256


def random_graph(v1: Any) -> None:
    v1.add(v1.placeholder("float32", [None, 2], name="x"), v1.random.uniform([2]), name="y")


def table_graph(v1: Any) -> None:
    import tensorflow as tf

    initialiser = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2], tf.int64), tf.constant([1.0, 2.0]))
    table = v1.lookup.StaticHashTable(initialiser, 0.0)
    keys = v1.cast(v1.placeholder("float32", [None, 2], name="x"), "int64")
    v1.identity(table.lookup(keys), name="y")
    v1.group(table.initializer, name="init")


def matrix_graph(v1: Any) -> None:
    """Build singular values, which ONNX has no operator for."""
    x = v1.placeholder("float32", [None, 2], name="x")
    v1.identity(v1.linalg.svd(x[:, :, None] * v1.ones([2, 2]), compute_uv=False), name="y")


@pytest.mark.parametrize(
    ("build", "manifest", "reason"),
    [
        (matrix_graph, WARM, "these ops don't convert: Svd; the model stays with TensorFlow"),
        (table_graph, changed(WARM, "init_ops", ["init"]), "convert"),
        (random_graph, WARM, "onnxruntime does not answer as TensorFlow does; nothing is kept:\n  "),
        (double_graph, DOUBLE, "double/1/model.yaml: no warmup"),
    ],
)
def test_graph_that_will_not_do_leaves_the_folder_as_it_was(
    built: Built, build: Callable[[Any], None], manifest: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = {"inputs": GOLDEN["inputs"]}
    folder = built(build, manifest, golden)
    before = content(folder)
    assert main(["accelerate", str(folder), "--keep-slower"]) == 1
    assert reason in capsys.readouterr().err
    assert content(folder) == before


def test_strings_are_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accelerate", str(ROOT / "models/language/1"), "--dry-run"]) == 1
    assert "strings don't convert: text; the model stays with TensorFlow" in capsys.readouterr().err


def test_negative_index_that_only_onnxruntime_answers_is_a_difference(
    built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(v1: Any) -> None:
        v1.gather(v1.range(20.0), v1.placeholder("int32", [None], name="x"), name="y")

    manifest = changed(WARM, "signatures.predict.inputs.x", {"tensor": "x:0", "dtype": "int32", "shape": ["batch"]})
    manifest = changed(manifest, "signatures.predict.outputs.y.shape", ["batch"])
    folder = built(build, manifest, {"inputs": {"x": [1]}, "outputs": {"y": [1.0]}})
    assert main(["accelerate", str(folder)]) == 1
    errors = capsys.readouterr().err
    assert "minus ones, batch of 1: TensorFlow refuses it (" in errors
    assert "onnxruntime answers" in errors


def test_converter_that_is_not_installed_is_named(
    built: Built, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    assert main(["accelerate", str(built())]) == 1
    assert MISSING in capsys.readouterr().err


def test_trials_keep_what_the_contract_allows() -> None:
    servable = load(version_folder(ROOT / "models/iris/1"))
    try:
        found = list(trials(servable, 0))
    finally:
        servable.graph.close()
    assert {len(each.inputs["features"]) for each in found} == {1, 2, 7}
    assert len(found) == 27
    assert all(abs(each.inputs["features"]).max() < float("inf") for each in found), "iris takes finite numbers only"
