"""The converted graph of a manifest's `runner` serves only beside a TensorFlow graph that it agrees with."""

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.authoring.accelerate_convert import convert
from soapsvc.errors import InvalidInput
from soapsvc.model.loader import load
from soapsvc.model.manager import ModelManager
from soapsvc.model.manifest import TensorEntry
from soapsvc.model.onnx_runner import MISSING, OnnxGraph
from soapsvc.model.servable import TENSORFLOW, Servable
from soapsvc.model.signature import Signature
from soapsvc.model.source import VersionFolder
from tests.model.folders import DOUBLE, GOLDEN, changed, double_graph, graph_bytes, graph_def, jsonl, write_version

WARM = changed(DOUBLE, "warmup", {})


def signature_of(manifest: dict[str, Any]) -> Signature:
    entry = manifest["signatures"]["predict"]
    sides = [
        {name: TensorEntry(**given).spec(name) for name, given in entry[side].items()} for side in ("inputs", "outputs")
    ]
    constants = {name: np.asarray(value, np.float32) for name, value in entry.get("constants", {}).items()}
    return Signature(sides[0], sides[1], constants)


def converted(build: Callable[[Any], None], manifest: dict[str, Any] = DOUBLE) -> bytes:
    return convert(graph_def(build), signature_of(manifest))


def triple_graph(v1: Any) -> None:
    v1.multiply(v1.placeholder("float32", [None, 2], name="x"), 3.0, name="y")


@pytest.fixture(scope="session")
def double_onnx() -> bytes:
    return converted(double_graph)


@pytest.fixture
def loaded(models: Path) -> Iterator[Callable[..., Servable]]:
    """Return a function that loads a folder with a graph, a converted one and a golden call."""
    servables = []

    def loaded(graph: bytes, onnx: bytes, manifest: dict[str, Any] = WARM, golden: Any = GOLDEN) -> Servable:
        sha256 = hashlib.sha256(onnx).hexdigest()
        manifest = (
            changed(manifest, "runner", {"kind": "onnx", "sha256": sha256}) if "runner" not in manifest else manifest
        )
        folder = write_version(models, manifest, graph, warmup=jsonl(golden))
        (folder.path / "model.onnx").write_bytes(onnx)
        servables.append(load(folder))
        return servables[-1]

    yield loaded
    for servable in servables:
        servable.graph.close()


def run(servable: Servable, **inputs: Any) -> Any:
    return servable.run(servable.find_signature(None), {name: np.float32(x) for name, x in inputs.items()})[
        "y"
    ].tolist()


def test_runner_that_agrees_serves(loaded: Callable[..., Servable], double: bytes, double_onnx: bytes) -> None:
    servable = loaded(double, double_onnx)
    assert isinstance(servable.graph, OnnxGraph)
    assert servable.runner == "onnxruntime (model.onnx)"
    assert run(servable, x=[[1, 2], [3, 4]]) == [[2, 4], [6, 8]]
    (converted_answer,) = servable.graph.run_converted({"x:0": np.float32([[5, 6]])}) or ()
    assert converted_answer.tolist() == [[10, 12]]


def test_answer_that_is_not_finite_is_tensorflows_to_give(
    loaded: Callable[..., Servable], double: bytes, double_onnx: bytes
) -> None:
    servable = loaded(double, double_onnx)
    assert isinstance(servable.graph, OnnxGraph)
    assert servable.graph.run_converted({"x:0": np.float32([[np.nan, 1]])}) is None
    assert str(run(servable, x=[[np.nan, 1], [np.inf, 2]])) == "[[nan, 2.0], [inf, 4.0]]"


def test_golden_answer_that_only_the_graph_gives_leaves_the_model_with_tensorflow(
    loaded: Callable[..., Servable], double: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    servable = loaded(double, converted(triple_graph))
    reason = (
        "double/1/model.onnx: double/1/warmup.jsonl:1: output y is not the golden one: "
        "the largest difference is 2, allowed are rtol 0.001 and atol 1e-05"
    )
    assert servable.runner == f"{TENSORFLOW}: {reason}"
    assert run(servable, x=[[1, 2]]) == [[2, 4]]
    assert caplog.record_tuples == [
        ("soapsvc.model.runner", logging.WARNING, f"double version 1 runs on TensorFlow: {reason}")
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 64}, "double/1/model.onnx: runner.sha256 is 0000"),
        ({"file": "other.onnx", "sha256": "0" * 64}, "double/1/other.onnx: can't be read: No such file or directory"),
    ],
)
def test_file_that_is_not_the_one_meant_leaves_the_model_with_tensorflow(
    loaded: Callable[..., Servable], double: bytes, double_onnx: bytes, change: dict[str, str], reason: str
) -> None:
    servable = loaded(double, double_onnx, changed(WARM, "runner", {"kind": "onnx", **change}))
    assert servable.runner.startswith(f"{TENSORFLOW}: {reason}")
    assert run(servable, x=[[1, 2]]) == [[2, 4]]


def test_file_that_is_no_onnx_leaves_the_model_with_tensorflow(loaded: Callable[..., Servable], double: bytes) -> None:
    servable = loaded(double, b"no model")
    assert servable.runner.startswith(f"{TENSORFLOW}: double/1/model.onnx: onnxruntime can't run it: ")


def test_model_without_golden_calls_stays_with_tensorflow(
    loaded: Callable[..., Servable], double: bytes, double_onnx: bytes
) -> None:
    servable = loaded(double, double_onnx, DOUBLE)
    assert servable.runner == (
        f"{TENSORFLOW}: double/1/model.onnx: there is no warmup, so nothing shows that it answers alike"
    )


def test_onnxruntime_that_is_not_installed_leaves_the_model_with_tensorflow(
    loaded: Callable[..., Servable], double: bytes, double_onnx: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as Python marks a module that it must not find
    servable = loaded(double, double_onnx)
    assert servable.runner == f"{TENSORFLOW}: double/1/model.onnx: {MISSING}"
    assert run(servable, x=[[1, 2]]) == [[2, 4]]


def test_input_that_onnxruntime_refuses_is_tensorflows_to_answer(
    loaded: Callable[..., Servable], caplog: pytest.LogCaptureFixture
) -> None:
    """Index 9 is out of the table: onnxruntime fails, and TensorFlow's refusal is what the caller gets."""

    def build(v1: Any) -> None:
        v1.gather(v1.constant([[1.0], [2.0]]), v1.placeholder("int32", [None], name="x"), name="y")

    manifest = changed(WARM, "signatures.predict.inputs.x", {"tensor": "x:0", "dtype": "int32", "shape": ["batch"]})
    manifest = changed(manifest, "signatures.predict.outputs.y.shape", ["batch", 1])
    golden = {"inputs": {"x": [1]}, "outputs": {"y": [[2.0]]}}
    servable = loaded(graph_bytes(build), converted(build, manifest), manifest, golden)
    assert isinstance(servable.graph, OnnxGraph)
    with pytest.raises(InvalidInput, match="one it can't"), caplog.at_level(logging.INFO):
        servable.run(servable.find_signature(None), {"x": np.int32([9])})
    assert "onnxruntime refused an input, TensorFlow takes it" in caplog.text


def shifted_graph(v1: Any) -> None:
    """Build y = x * factor + shift, where shift may be left out."""
    x = v1.placeholder("float32", [None, 2], name="x")
    factor = v1.placeholder("float32", [], name="factor")
    shift = v1.placeholder_with_default(v1.constant([[1.0, 1.0]]), [None, 2], name="shift")
    v1.add(x * factor, shift, name="y")


SHIFTED = changed(
    changed(WARM, "signatures.predict.constants", {"factor:0": 10.0}),
    "signatures.predict.inputs.shift",
    {"tensor": "shift:0", "dtype": "float32", "shape": ["batch", 2], "optional": True},
)


def test_optional_input_left_out_and_constants_give_the_graphs_answers(loaded: Callable[..., Servable]) -> None:
    golden = {"inputs": {"x": [[1, 2]], "shift": [[5, 6]]}, "outputs": {"y": [[15, 26]]}}
    servable = loaded(graph_bytes(shifted_graph), converted(shifted_graph, SHIFTED), SHIFTED, golden)
    assert servable.runner == "onnxruntime (model.onnx)"
    assert run(servable, x=[[1, 2]], shift=[[0, 1]]) == [[10, 21]]
    assert run(servable, x=[[1, 2]]) == [[11, 21]]


def test_golden_calls_that_all_leave_an_input_out_prove_nothing(loaded: Callable[..., Servable]) -> None:
    golden = {"inputs": {"x": [[1, 2]]}, "outputs": {"y": [[11, 21]]}}
    servable = loaded(graph_bytes(shifted_graph), converted(shifted_graph, SHIFTED), SHIFTED, golden)
    assert "no golden call has every input" in servable.runner


def test_status_tells_the_runner_while_the_version_is_available(
    models: Path, double: bytes, double_onnx: bytes
) -> None:
    manifest = changed(WARM, "runner", {"kind": "onnx", "sha256": hashlib.sha256(double_onnx).hexdigest()})
    folder: VersionFolder = write_version(models, manifest, double, warmup=jsonl(GOLDEN))
    (folder.path / "model.onnx").write_bytes(double_onnx)
    manager = ModelManager(load)
    assert manager.load(folder, lambda servable: None)
    assert [status.runner for status in manager.status()] == ["onnxruntime (model.onnx)"]
    manager.unload("double", 1)
    assert [status.runner for status in manager.status()] == [""]
