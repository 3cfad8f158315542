"""Freezing with --build: checkpoints of TF1 and TF2 without a graph, Keras files that hold weights only."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from soapsvc.authoring.source import SourceError
from tests.authoring.test_freeze_command import answers, freeze, left_behind, manifest

v1 = tf.compat.v1
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

ROWS = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)


@pytest.fixture
def code(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a module of the author's into the current directory and return its name, another one each time."""
    place = tmp_path_factory.mktemp("code")
    monkeypatch.chdir(place)

    def write(text: str) -> str:
        name = f"{place.name}_net"
        (place / f"{name}.py").write_text(textwrap.dedent(text))
        return name

    return write


# Checkpoints of TF1

NET = """
import tensorflow as tf
v1 = tf.compat.v1

def net(weight="weight"):
    x = v1.placeholder(tf.float32, [None, 4], "x")
    w = v1.get_variable("net/" + weight, [4, 3])
    return tf.nn.softmax(tf.matmul(x, w), name="scores"), tf.matmul(x, w, name="raw")

def quiet():
    net()

def one():
    return net()[0]

def several():
    scores, raw = net()
    return {"chances": scores, "raw": raw}

def wrong():
    return net("wieght")

def number():
    return 3

def outside():
    return tf.constant(1.0)

def broken():
    raise ValueError("no data folder")
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A TF1 checkpoint with its training graph, and the weight in it."""
    prefix = tmp_path_factory.mktemp("tf1") / "net-7"
    with tf.Graph().as_default():
        weight = v1.get_variable("net/weight", [4, 3], initializer=v1.random_normal_initializer(seed=1))
        other = v1.placeholder(tf.float32, [None, 4], "train_x")
        loss = tf.reduce_sum(tf.matmul(other, weight), name="loss")
        v1.train.AdamOptimizer(0.1).minimize(loss)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, str(prefix))
            value = session.run(weight)
    return prefix, value


@pytest.fixture(params=[True, False], ids=["with-meta", "values-only"])
def prefix(request: pytest.FixtureRequest, trained: tuple[Path, np.ndarray], tmp_path: Path) -> Path:
    """The checkpoint in a folder of its own, with and without its meta graph."""
    for file in trained[0].parent.glob("net-7.*" if request.param else "net-7.[!m]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / "net-7"


@pytest.mark.parametrize(
    ("function", "options", "outputs"),
    [
        ("quiet", ["--outputs", "scores"], ["scores"]),
        ("one", [], ["scores"]),
        ("several", [], ["chances", "raw"]),
        ("several", ["--output-names", "a,b"], ["a", "b"]),
        ("one", ["--outputs", "raw"], ["raw"]),
    ],
)
def test_graph_that_is_built_takes_the_checkpoints_values(
    function: str, options: list[str], outputs: list[str], code: Any, prefix: Path, trained: Any, tmp_path: Path
) -> None:
    to = tmp_path / "models" / "net" / "1"
    freeze(prefix, to, "--build", f"{code(NET)}:{function}", *options)

    answered = answers(to, x=ROWS)
    assert sorted(answered) == outputs
    raw = ROWS @ trained[1]
    is_raw = outputs == ["raw"]
    np.testing.assert_allclose(answered[outputs[0]], raw if is_raw else tf.nn.softmax(raw), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("{}:wrong", "lacks the variable net/wieght.*most alike are net/weight"),
        ("{}:number", "received int; a TF1 checkpoint goes with a graph"),
        ("{}:broken", "the function fails: ValueError: no data folder"),
        ("{}:nothing", "has no function nothing; it has .*quiet"),
        ("{}:quiet", "several ends: .*scores:0.*raw:0"),
        ("{}", "expected MODULE:FUNCTION"),
        ("no_such_net:build", "can't import no_such_net.*the current directory is"),
    ],
)
def test_build_that_does_not_fit_is_refused(
    function: str, words: str, code: Any, trained: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=words):
        freeze(trained[0], tmp_path / "models" / "net" / "1", "--build", function.format(code(NET)))
    assert left_behind(tmp_path) == []


def test_build_for_a_source_with_its_graph_is_refused(code: Any, tmp_path: Path) -> None:
    (tmp_path / "x.pb").write_bytes(b"")
    with pytest.raises(SourceError, match=r"--build: .* is a frozen graph, which holds its graph; leave it out"):
        freeze(tmp_path / "x.pb", tmp_path / "models" / "net" / "1", "--build", f"{code(NET)}:one")


# Checkpoints of TF2

MODULE = """
import tensorflow as tf

class Net(tf.Module):
    def __init__(self, more):
        super().__init__()
        self.weight = tf.Variable(tf.zeros([4, 3]), name="weight")
        self.more = tf.Variable(0.0, name="more") if more else 0.0

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "features")])
    def __call__(self, x):
        return {"sum": tf.reduce_sum(x @ self.weight + self.more, -1), "raw": x @ self.weight}

def build():
    return Net(False)

def larger():
    return Net(True)

def plain():
    return tf.Module()
"""


@pytest.mark.parametrize("child", ["", "model", "net"])
def test_module_takes_the_values_of_a_tf2_checkpoint(
    child: str, code: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tf.Module()
    saved.weight = tf.Variable(np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32))
    step = tf.Variable(7)
    checkpoint = tf.train.Checkpoint(**{child: saved}, step=step) if child else tf.train.Checkpoint(saved)
    prefix = Path(checkpoint.write(str(tmp_path / "values")))
    to = tmp_path / "models" / "net" / "1"
    freeze(prefix, to, "--build", f"{code(MODULE)}:build")

    answered = answers(to, features=ROWS)
    np.testing.assert_allclose(answered["raw"], ROWS @ saved.weight.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answered["sum"], (ROWS @ saved.weight.numpy()).sum(-1), rtol=1e-5, atol=1e-5)
    assert f"the checkpoint's {f'object {child}' if child else 'root'}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "words"),
    [("larger", "no value for more; it has weight"), ("plain", "expected a Keras model, or a tf.Module")],
)
def test_module_that_needs_more_than_the_checkpoint_has_is_refused(
    function: str, words: str, code: Any, tmp_path: Path
) -> None:
    saved = tf.Module()
    saved.weight = tf.Variable(tf.zeros([4, 3]))
    tf.train.Checkpoint(saved).write(str(tmp_path / "values"))
    with pytest.raises(SourceError, match=words):
        freeze(tmp_path / "values", tmp_path / "models" / "net" / "1", "--build", f"{code(MODULE)}:{function}")


KERAS = """
import {keras} as keras

def build(units=3, layers=2, width=4):
    x = keras.Input((width,), name="features")
    body = x
    for _ in range(layers):
        body = keras.layers.BatchNormalization()(keras.layers.Dense(units, "relu")(body))
    return keras.Model(x, keras.layers.Dense(2, name="scores")(keras.layers.Dropout(0.5)(body)))

def wider():
    return build(units=5)

def deeper():
    return build(layers=3)

def shallower():
    return build(layers=1)

def nothing():
    return None
"""


def keras_model(library: Any) -> Any:
    """The model that KERAS builds, its weights set by hand."""
    library.utils.set_random_seed(8)
    scope: dict[str, Any] = {}
    exec(KERAS.format(keras=library.__name__), scope)
    model = scope["build"]()
    random = np.random.default_rng(4)
    model.set_weights([random.uniform(0.1, 0.9, weight.shape) for weight in model.get_weights()])
    return model


def scores(model: Any) -> np.ndarray:
    return np.asarray(model(ROWS, training=False))


@pytest.mark.parametrize("library", [keras, tf_keras])
def test_keras_model_takes_the_values_of_a_tf2_checkpoint(library: Any, code: Any, tmp_path: Path) -> None:
    model = keras_model(library)
    prefix = tf.train.Checkpoint(model=model).save(str(tmp_path / "values"))
    to = tmp_path / "models" / "net" / "1"
    module = code(KERAS.format(keras=library.__name__))
    freeze(Path(prefix), to, "--build", f"{module}:build")

    np.testing.assert_allclose(answers(to, features=ROWS)["scores"], scores(model), rtol=1e-5, atol=1e-5)
    with pytest.raises(SourceError, match=r"does not have what .*:deeper builds: (no value for|.*incompatible)"):
        freeze(Path(prefix), tmp_path / "models" / "net" / "2", "--build", f"{module}:deeper")


def test_weights_that_keras_2_saved_as_a_checkpoint_are_taken(code: Any, tmp_path: Path) -> None:
    model = keras_model(tf_keras)
    model.save_weights(str(tmp_path / "weights"))
    to = tmp_path / "models" / "net" / "1"
    freeze(tmp_path / "weights", to, "--build", f"{code(KERAS.format(keras='tf_keras'))}:build")

    np.testing.assert_allclose(answers(to, features=ROWS)["scores"], scores(model), rtol=1e-5, atol=1e-5)


# Weights of Keras


WEIGHTS = [
    (keras, "new.weights.h5"),
    (tf_keras, "new.weights.h5"),
    (tf_keras, "old.h5"),
    (tf_keras, "old.hdf5"),
    (keras, "whole.keras"),
]


def saved_weights(library: Any, name: str, folder: Path) -> tuple[Path, Any]:
    model = keras_model(library)
    model.save(folder / name) if name == "whole.keras" else model.save_weights(folder / name)
    return folder / name, model


@pytest.mark.parametrize(("library", "name"), WEIGHTS)
def test_weights_go_into_the_model_that_is_built(library: Any, name: str, code: Any, tmp_path: Path) -> None:
    path, model = saved_weights(library, name, tmp_path)
    to = tmp_path / "models" / "net" / "1"
    freeze(path, to, "--build", f"{code(KERAS.format(keras=library.__name__))}:build")

    np.testing.assert_allclose(answers(to, features=ROWS)["scores"], scores(model), rtol=1e-5, atol=1e-5)
    assert manifest(to)["signatures"]["predict"]["inputs"]["features"]["shape"] == ["batch", 4]


@pytest.mark.parametrize(("library", "name"), WEIGHTS)
@pytest.mark.parametrize("function", ["wider", "deeper", "shallower", "nothing"])
def test_weights_that_do_not_fit_are_refused(function: str, library: Any, name: str, code: Any, tmp_path: Path) -> None:
    path, _ = saved_weights(library, name, tmp_path)
    by_order = name.startswith("old")
    words = {
        "wider": "do not fit.*shape" if by_order else "in another shape layers/.*dense/vars/0",
        "deeper": "of 7 layers.*the file has those of 5" if by_order else "it lacks layers/batch_normalization_2/vars",
        "shallower": "of 3 layers.*has those of 5" if by_order else "has besides layers/batch_normalization_1/vars",
        "nothing": "expected a Keras model, received NoneType",
    }
    build = f"{code(KERAS.format(keras=library.__name__))}:{function}"
    with pytest.raises(SourceError, match=words[function]):
        freeze(path, tmp_path / "models" / "net" / "1", "--build", build)
    assert left_behind(tmp_path) == [name]


def test_weights_alone_ask_for_build(tmp_path: Path) -> None:
    path, _ = saved_weights(keras, "new.weights.h5", tmp_path)
    with pytest.raises(SourceError, match=r"weights only; .*--build"):
        freeze(path, tmp_path / "models" / "net" / "1")
