"""Optimising frozen graphs: what goes, what must stay, and what happens when it does not work out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from soapsvc.authoring import freeze_job
from soapsvc.authoring.freeze import count_nodes, op_types
from soapsvc.authoring.freeze_optimise import OptimiseError
from soapsvc.authoring.freeze_result import Frozen
from tests.authoring.test_freeze_command import answers, freeze, manifest
from tests.authoring.test_freeze_graphs import write_graph

v1 = tf.compat.v1
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

ROWS = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)


def written(folder: Path) -> Any:
    return v1.GraphDef.FromString((folder / "model.pb").read_bytes())


def frozen_both_ways(source: Path, folder: Path, *options: str) -> tuple[Path, Path]:
    """Freeze a source optimised as version 1, and as it is as version 2."""
    freeze(source, folder / "1", *options)
    freeze(source, folder / "2", *options, "--no-optimise")
    return folder / "1", folder / "2"


def test_batch_normalisation_goes_into_the_convolution(tmp_path: Path) -> None:
    x = keras.Input((8, 8, 3), name="x")
    body = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, use_bias=False)(x))
    model = keras.Model(x, keras.layers.Dropout(0.5, name="y")(keras.layers.ReLU()(body)))
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.1, 0.9, weight.shape) for weight in model.get_weights()])
    model.save(tmp_path / "net.keras")
    small, plain = frozen_both_ways(tmp_path / "net.keras", tmp_path / "models" / "net")

    pictures = random.normal(size=(3, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(answers(small, x=pictures)["y"], model(pictures), rtol=1e-4, atol=1e-5)
    assert count_nodes(written(small)) < count_nodes(written(plain)) / 2
    assert written(small).ByteSize() < written(plain).ByteSize()
    scaling = {"Mul", "FusedBatchNormV3", "Rsqrt"}
    assert op_types(written(small)) & scaling == set()
    assert op_types(written(plain)) & scaling


def test_loops_stay_functions(tmp_path: Path) -> None:
    series = keras.Input((None, 3), name="x")
    model = keras.Model(series, keras.layers.LSTM(4, name="y")(series))
    model.save(tmp_path / "loop.keras")
    small, plain = frozen_both_ways(tmp_path / "loop.keras", tmp_path / "models" / "loop")

    given = np.random.default_rng(3).normal(size=(2, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(answers(small, x=given)["y"], model(given), rtol=1e-5, atol=1e-6)
    assert op_types(written(small)) & {"While", "StatelessWhile"}
    assert not op_types(written(small)) & {"Enter", "Switch", "Merge"}
    assert count_nodes(written(small)) < count_nodes(written(plain))


@pytest.fixture(scope="session")
def old_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with a default, a keep_prob, checks that training left, and constants to fold: x, words -> y, ids."""
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None, 4], "x")
            factor = v1.placeholder_with_default(np.float32(2), [], "factor")
            keep = v1.placeholder(tf.float32, [], "keep_prob")
            checked = tf.debugging.check_numerics(tf.identity(x), "x")
            with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(checked > -1e9), [checked])]):
                checked = tf.stop_gradient(tf.identity(checked))
            tf.multiply(checked * factor, tf.sqrt(tf.constant(16.0)) * keep, name="y")
    finally:
        v1.enable_control_flow_v2()
    return write_graph(tmp_path_factory.mktemp("old") / "old.pb", graph)


def test_default_and_constant_survive_and_checks_go(old_graph: Path, tmp_path: Path) -> None:
    small, plain = frozen_both_ways(
        old_graph, tmp_path / "models" / "old", "--outputs", "y", "--constant", "keep_prob=0.5"
    )

    signature = manifest(small)["signatures"]["predict"]
    assert signature["constants"] == {"keep_prob:0": 0.5}
    assert signature["inputs"]["factor"]["optional"] is True
    np.testing.assert_allclose(answers(small, x=ROWS)["y"], 4 * ROWS, rtol=1e-6)
    np.testing.assert_allclose(answers(small, x=ROWS, factor=np.float32(3))["y"], 6 * ROWS, rtol=1e-6)
    gone = {"Assert", "CheckNumerics", "StopGradient", "Sqrt"}
    assert op_types(written(small)) & gone == set()
    assert op_types(written(plain)) >= gone


def test_table_survives_with_its_filler(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        words = v1.placeholder(tf.string, [None], "words")
        content = tf.lookup.KeyValueTensorInitializer(["a", "b"], np.array([3, 7], np.int64))
        ids = tf.identity(tf.lookup.StaticHashTable(content, -1).lookup(tf.identity(words)))
        tf.add(ids, tf.constant(2, tf.int64) * 5, name="ids")
    to = tmp_path / "models" / "table" / "1"
    freeze(write_graph(tmp_path / "table.pb", graph), to, "--outputs", "ids")

    assert answers(to, words=np.array([b"b", b"x"], object))["ids"].tolist() == [17, 9]
    assert "Identity" not in op_types(written(to))


@pytest.mark.parametrize("side", [20, 120])
def test_folding_that_makes_the_file_large_is_left_out(side: int, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        row = tf.constant(np.arange(side, dtype=np.float32)[None])
        tiled = tf.tile(row, [side, 1], name="tiled")
        tf.matmul(v1.placeholder(tf.float32, [None, side], "x"), tiled, name="y")
    to = tmp_path / "models" / "tiled" / "1"
    freeze(write_graph(tmp_path / "tiled.pb", graph), to)

    assert ("Tile" in op_types(written(to))) is (side == 120)  # 58 KB; 20 makes 1.6 KB
    given = np.ones((2, side), np.float32)
    np.testing.assert_allclose(answers(to, x=given)["y"], np.tile(np.arange(side) * side, (2, 1)), rtol=1e-6)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fails", "some reason"),
        ("lies", "the optimised graph answers otherwise"),
        ("does not load", "the frozen graph can't be loaded"),
    ],
)
def test_graph_that_cannot_be_optimised_serves_as_it_is(
    fault: str,
    reason: str,
    old_graph: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(frozen: Frozen) -> Frozen:
        if fault == "fails":
            raise OptimiseError("some reason")
        copy = v1.GraphDef()
        copy.CopyFrom(frozen.graph_def)
        node = next(node for node in copy.node if node.name == "y")
        node.op = "AddV2" if fault == "lies" else "NoSuchOp"
        return Frozen(**{**vars(frozen), "graph_def": copy})

    monkeypatch.setattr(freeze_job, "optimised", broken)
    to = tmp_path / "models" / "old" / "1"
    freeze(old_graph, to, "--outputs", "y", "--constant", "keep_prob=1.0")

    np.testing.assert_allclose(answers(to, x=ROWS)["y"], 8 * ROWS, rtol=1e-6)
    assert f"not optimised: {reason}" in capsys.readouterr().out
