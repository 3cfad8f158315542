"""Freezing what is hard in a graph: variables inside loops and branches, old control flow, Keras 2's SavedModels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from soapsvc.authoring.freeze import op_types
from soapsvc.authoring.source import SourceError
from tests.authoring.test_freeze_command import answers, freeze
from tests.authoring.test_freeze_graphs import write_graph

v1 = tf.compat.v1
ROWS = np.random.default_rng(2).normal(size=(3, 5, 2)).astype(np.float32)


@pytest.fixture(params=[True, False], ids=["functions", "switches"])
def control_flow_v2(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Loops and branches as functions, and as TF1 had them: Switch, Merge, Enter, Exit."""
    if not request.param:
        v1.disable_control_flow_v2()
    yield request.param
    v1.enable_control_flow_v2()


@pytest.mark.parametrize("resource", [True, False], ids=["resource", "ref"])
def test_variables_inside_loops_and_branches_get_the_checkpoints_values(
    resource: bool, control_flow_v2: bool, tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        weight = v1.get_variable(
            "weight", [2, 2], initializer=v1.random_normal_initializer(seed=3), use_resource=resource
        )
        bias = v1.get_variable("bias", [2], initializer=v1.constant_initializer(0.5), use_resource=resource)

        def body(step: Any, state: Any) -> Any:
            return step + 1, tf.matmul(state, weight) + bias

        _, last = tf.while_loop(lambda step, _: step < 3, body, [0, x])
        doubled = tf.cond(tf.reduce_sum(x) > 0, lambda: last * weight[0, 0], lambda: last + bias)
        tf.identity(doubled, "y")
        saver = v1.train.Saver()
        start = v1.global_variables_initializer()
    assert ("Enter" in op_types(graph.as_graph_def())) is not control_flow_v2
    with v1.Session(graph=graph) as session:
        session.run(start)
        saver.save(session, str(tmp_path / "loop"))
        rows = ROWS[:, 0]
        wanted = [session.run("y:0", {"x:0": sign * rows}) for sign in (1, -1)]
    to = tmp_path / "models" / "loop" / "1"
    freeze(tmp_path / "loop", to, "--outputs", "y")

    for sign, expected in zip((1, -1), wanted, strict=True):
        np.testing.assert_allclose(answers(to, x=sign * rows)["y"], expected, rtol=1e-5, atol=1e-6)


def test_frozen_graph_with_old_control_flow_keeps_both_branches(tmp_path: Path) -> None:
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None], "x")
            _, last = tf.while_loop(lambda step, _: step < 2, lambda step, y: (step + 1, y * 3), [0, x])
            tf.identity(tf.cond(tf.reduce_sum(x) > 0, lambda: last + 1, lambda: last - 1), "y")
    finally:
        v1.enable_control_flow_v2()
    to = tmp_path / "models" / "branch" / "1"
    freeze(write_graph(tmp_path / "branch.pb", graph), to, "--outputs", "y")

    assert answers(to, x=np.array([1.0, 2.0], np.float32))["y"].tolist() == [10.0, 19.0]
    assert answers(to, x=np.array([-1.0, -2.0], np.float32))["y"].tolist() == [-10.0, -19.0]
    written = v1.GraphDef.FromString((to / "model.pb").read_bytes())
    assert op_types(written) >= {"Enter", "Exit", "NextIteration", "Switch", "Merge"}


@pytest.fixture(scope="session")
def keras2_saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A SavedModel as Keras 2 writes it, of a recurrent model with two outputs."""
    tf_keras.utils.set_random_seed(4)
    given = tf_keras.Input((None, 2), name="series")
    body = tf_keras.layers.Bidirectional(tf_keras.layers.GRU(3))(given)
    body = tf_keras.layers.BatchNormalization()(tf_keras.layers.Dropout(0.5)(body))
    outputs = [tf_keras.layers.Dense(2, "softmax", name="mood")(body), tf_keras.layers.Dense(1, name="age")(body)]
    model = tf_keras.Model(given, outputs)
    folder = tmp_path_factory.mktemp("keras2") / "saved"
    model.save(str(folder), save_format="tf")
    return folder, model


def test_saved_model_of_keras_2_answers_as_its_model(keras2_saved: tuple[Path, Any], tmp_path: Path) -> None:
    folder, model = keras2_saved
    to = tmp_path / "models" / "mood" / "1"
    freeze(folder, to)

    answered = answers(to, series=ROWS)
    for name, wanted in zip(("mood", "age"), model(ROWS, training=False), strict=True):
        np.testing.assert_allclose(answered[name], wanted, rtol=1e-5, atol=1e-6)


def test_saved_model_of_keras_2_hides_an_input(tmp_path: Path) -> None:
    left, right = tf_keras.Input((2,), name="left"), tf_keras.Input((2,), name="right")
    model = tf_keras.Model([left, right], tf_keras.layers.Add(name="sum")([left, right]))
    model.save(str(tmp_path / "saved"), save_format="tf")
    to = tmp_path / "models" / "sum" / "1"
    freeze(tmp_path / "saved", to, "--constant", "right=[10, 20]")

    assert answers(to, left=np.array([[1, 2], [3, 4]], np.float32))["sum"].tolist() == [[11.0, 22.0], [13.0, 24.0]]


class Loop(tf.Module):
    """Two signatures over one variable, one of them a loop of unknown length."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec([], tf.int32, "times")])
    def power(self, x: Any, times: Any) -> dict[str, Any]:
        for _ in tf.range(times):
            x = x * self.factor
        return {"y": x}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def plus(self, x: Any) -> dict[str, Any]:
        return {"z": x + self.factor}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--signature", "power", "--constant", "times=3"], {"y": [8.0, 16.0]}),
        (["--signature", "plus"], {"z": [3.0, 4.0]}),
    ],
)
def test_each_signature_of_a_saved_model_is_frozen(options: list[str], wanted: dict[str, Any], tmp_path: Path) -> None:
    module = Loop()
    tf.saved_model.save(module, str(tmp_path / "s"), signatures={"power": module.power, "plus": module.plus})
    to = tmp_path / "models" / "loop" / "1"
    with pytest.raises(SourceError, match="the SavedModel has plus, power"):
        freeze(tmp_path / "s", to)

    freeze(tmp_path / "s", to, *options)

    answered = answers(to, x=np.array([1.0, 2.0], np.float32))
    assert {name: value.tolist() for name, value in answered.items()} == wanted
