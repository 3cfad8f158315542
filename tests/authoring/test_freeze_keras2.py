"""Freezing files that Keras 2 wrote, loaded by tf_keras: layers, several ends, code in files, custom objects."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from soapsvc.authoring.source import SourceError
from tests.authoring.test_freeze_command import answers, freeze, left_behind, manifest

layers = tf_keras.layers

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")

SERIES = np.random.default_rng(6).normal(size=(3, 5, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    tf_keras.utils.set_random_seed(4)


def trained(model: Any) -> Any:
    """Give moving averages and weights values of their own."""
    for weight in model.weights:
        weight.assign(np.random.default_rng(len(weight.shape)).uniform(0.1, 0.9, weight.shape))
    return model


def dense() -> Any:
    return tf_keras.Sequential([layers.Dense(4, "relu", input_shape=(5, 2)), layers.BatchNormalization()])


def recurrent() -> Any:
    two_ways = layers.Bidirectional(layers.GRU(3, return_sequences=True), input_shape=(None, 2))
    return tf_keras.Sequential([two_ways, layers.LSTM(4), layers.Dropout(0.5), layers.Dense(2)])


@pytest.mark.parametrize("suffix", ["h5", "hdf5", "keras"])
@pytest.mark.parametrize("build", [dense, recurrent])
def test_file_of_keras_2_answers_as_its_model(
    build: Callable[[], Any], suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained(build())
    path = tmp_path / f"model.{suffix}"
    model.save(path, save_format="keras" if suffix == "keras" else "h5")
    to = tmp_path / "models" / "old" / "1"
    freeze(path, to, "--input-names", "series", "--output-names", "scores")

    wanted = model(SERIES, training=False).numpy()
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(answers(to, series=SERIES)["scores"], wanted, rtol=1e-5, atol=1e-6)
    assert f"loaded by tf_keras {tf_keras.__version__}" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_several_inputs_and_outputs_keep_keras_names(suffix: str, tmp_path: Path) -> None:
    wide, deep = tf_keras.Input((2,), name="wide"), tf_keras.Input((3,), name="deep")
    total = layers.Dense(1, name="total")(layers.Concatenate()([wide, deep]))
    model = trained(tf_keras.Model({"wide": wide, "deep": deep}, [total, layers.Dense(2, name="parts")(deep)]))
    model.save(tmp_path / f"two.{suffix}")
    to = tmp_path / "models" / "two" / "1"
    freeze(tmp_path / f"two.{suffix}", to)

    rows = {"wide": SERIES[:, 0], "deep": np.arange(9, dtype=np.float32).reshape(3, 3)}
    answered = answers(to, **rows)
    for name, wanted in zip(("total", "parts"), model(rows), strict=True):
        np.testing.assert_allclose(answered[name], wanted, rtol=1e-5, atol=1e-6)
    assert manifest(to)["signatures"]["predict"]["inputs"]["wide"]["shape"] == ["batch", 2]


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_code_in_a_file_of_keras_2_runs_only_when_unsafe(wrapped: bool, suffix: str, tmp_path: Path) -> None:
    more = layers.Lambda(lambda x: x + 1, name="more")
    model = tf_keras.Sequential([layers.TimeDistributed(more, input_shape=(5, 2)) if wrapped else more])
    model.build((None, 5, 2))
    model.save(tmp_path / f"code.{suffix}")
    to = tmp_path / "models" / "code" / "1"
    with pytest.raises(SourceError, match=r"runs Python code: more\n.*--unsafe"):
        freeze(tmp_path / f"code.{suffix}", to)
    assert left_behind(tmp_path) == [f"code.{suffix}"]

    freeze(tmp_path / f"code.{suffix}", to, "--unsafe", "--input-names", "x", "--output-names", "y")

    np.testing.assert_allclose(answers(to, x=SERIES)["y"], SERIES + 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        ({"module": "os", "class_name": "function", "config": "system"}, r"os\.system"),
        ({"module": "builtins", "class_name": "__lambda__", "config": {"value": ["", None, None]}}, "a lambda"),
    ],
)
def test_module_or_lambda_hidden_in_a_configuration_is_code(activation: Any, named: str, tmp_path: Path) -> None:
    dense().save(tmp_path / "plain.keras", save_format="keras")
    with zipfile.ZipFile(tmp_path / "plain.keras") as plain, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in plain.namelist():
            content = plain.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1]["config"]["activation"] = activation
                content = json.dumps(config).encode()
            bad.writestr(name, content)
    with pytest.raises(SourceError, match=f"runs Python code: {named}"):
        freeze(tmp_path / "bad.keras", tmp_path / "models" / "bad" / "1")


SCALE = """
import tf_keras

class Scale(tf_keras.layers.Layer):
    def __init__(self, by=1.0, **rest):
        super().__init__(**rest)
        self.by = by

    def call(self, x):
        return x * self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}
"""


@pytest.mark.parametrize("saved_in", ["my_old_layers", "__main__"])
@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_custom_objects_of_keras_2_come_from_the_module_named(
    suffix: str, saved_in: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_old_layers.py").write_text(SCALE)
    monkeypatch.syspath_prepend(tmp_path)
    import my_old_layers

    my_old_layers.Scale.__module__ = saved_in
    to = tmp_path / "models" / "custom" / "1"
    hidden = tf_keras.Sequential([layers.Lambda(lambda x: x, name="Scale", input_shape=(2,))])
    hidden.save(tmp_path / f"hidden.{suffix}")
    with pytest.raises(SourceError, match="runs Python code: Scale"):
        freeze(tmp_path / f"hidden.{suffix}", to, "--custom-objects", "my_old_layers")
    model = tf_keras.Sequential([my_old_layers.Scale(by=3.0, name="scaled", input_shape=(2,))])
    model.save(tmp_path / f"custom.{suffix}")
    with pytest.raises(SourceError, match="--custom-objects MODULE"):
        freeze(tmp_path / f"custom.{suffix}", to)

    freeze(tmp_path / f"custom.{suffix}", to, "--custom-objects", "my_old_layers", "--input-names", "x")

    assert answers(to, x=np.ones((1, 2), np.float32))["scaled"].tolist() == [[3.0, 3.0]]
    monkeypatch.delitem(sys.modules, "my_old_layers")


def without_tf_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf_keras", None)


def test_keras_3_tries_where_tf_keras_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tf_keras.Input((5, 2), name="x")
    model = trained(tf_keras.Model(given, layers.Conv1D(3, 2, name="y")(given)))
    model.save(tmp_path / "old.h5")
    to = tmp_path / "models" / "old" / "1"
    without_tf_keras(monkeypatch)
    freeze(tmp_path / "old.h5", to)

    np.testing.assert_allclose(answers(to, x=SERIES)["y"], model(SERIES), rtol=1e-5, atol=1e-6)
    assert "loaded by Keras 3, as tf_keras is not installed (pip install 'soapsvc[keras2]')" in capsys.readouterr().out


def test_what_keras_3_cannot_load_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tf_keras.Input((2,), name="x")
    tf_keras.Model(given, given * 2.0 + 1.0).save(tmp_path / "ops.h5")  # operators of Keras 2 are layers of their own
    to = tmp_path / "models" / "ops" / "1"
    freeze(tmp_path / "ops.h5", to, "--output-names", "y")
    assert answers(to, x=np.ones((1, 2), np.float32))["y"].tolist() == [[3.0, 3.0]]

    without_tf_keras(monkeypatch)
    with pytest.raises(SourceError, match=r"pip install 'soapsvc\[keras2\]'"):
        freeze(tmp_path / "ops.h5", tmp_path / "models" / "ops" / "2")
