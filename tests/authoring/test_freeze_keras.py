"""Freezing Keras files: several inputs and outputs, their names, custom objects, safe mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from soapsvc.authoring.source import SourceError
from tests.authoring.test_freeze_command import answers, freeze, left_behind, manifest

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

CUSTOM = """
import keras

class Scale(keras.layers.Layer):
    def __init__(self, by=1.0, **rest):
        super().__init__(**rest)
        self.by = by

    def call(self, x):
        return x * self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}
"""


@pytest.fixture(scope="session")
def two_headed() -> Any:
    """Inputs wide (batch, 4) and deep (batch, time, 2) -> mood (batch, 3) and age (batch, 1); dropout and LSTM."""
    keras.utils.set_random_seed(3)
    wide, deep = keras.Input((4,), name="wide"), keras.Input((None, 2), name="deep")
    body = keras.layers.Concatenate()([keras.layers.Dense(5, "relu")(wide), keras.layers.LSTM(3)(deep)])
    body = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(body))
    mood, age = keras.layers.Dense(3, "softmax", name="mood")(body), keras.layers.Dense(1, name="age")(body)
    model = keras.Model([wide, deep], [mood, age])
    model.compile("adam", ["mse", "mse"])
    return model


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    return {
        "wide": random.normal(size=(4, 4)).astype(np.float32),
        "deep": random.normal(size=(4, 6, 2)).astype(np.float32),
    }


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_keras_file_answers_as_the_model_by_keras_output_names(
    suffix: str, two_headed: Any, rows: dict[str, np.ndarray], tmp_path: Path
) -> None:
    two_headed.save(tmp_path / f"two.{suffix}")
    to = tmp_path / "models" / "two" / "1"
    freeze(tmp_path / f"two.{suffix}", to)

    mood, age = two_headed([rows["wide"], rows["deep"]], training=False)
    answered = answers(to, **rows)
    np.testing.assert_allclose(answered["mood"], mood, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answered["age"], age, rtol=1e-5, atol=1e-6)
    signature = manifest(to)["signatures"]["predict"]
    assert signature["inputs"]["deep"] == {"tensor": "deep:0", "dtype": "float32", "shape": ["batch", None, 2]}
    assert signature["outputs"]["mood"] == {"tensor": "mood:0", "dtype": "float32", "shape": ["batch", 3]}


def test_output_names_are_the_users(two_headed: Any, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    two_headed.save(tmp_path / "two.keras")
    to = tmp_path / "models" / "two" / "1"
    freeze(tmp_path / "two.keras", to, "--output-names", "feeling,years")

    answered = answers(to, **rows)
    assert answered["feeling"].shape == (4, 3)
    np.testing.assert_allclose(answered["years"], two_headed([rows["wide"], rows["deep"]])[1], rtol=1e-5, atol=1e-6)


def test_dictionaries_of_inputs_and_outputs_keep_their_keys(tmp_path: Path) -> None:
    b, a = keras.Input((1,), name="b"), keras.Input((1,), name="a")
    model = keras.Model({"b": b, "a": a}, {"plus": b + 2 * a, "minus": b - 2 * a})
    model.save(tmp_path / "dict.keras")
    to = tmp_path / "models" / "dict" / "1"
    freeze(tmp_path / "dict.keras", to)

    answered = answers(to, a=np.ones((1, 1), np.float32), b=np.full((1, 1), 5, np.float32))
    assert {name: value.item() for name, value in answered.items()} == {"plus": 7.0, "minus": 3.0}


def test_sequential_of_whole_numbers_serves(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Embedding(10, 4, mask_zero=True), keras.layers.GRU(3), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((None,), dtype="int32", name="tokens"), *layers])
    model.save(tmp_path / "words.keras")
    to = tmp_path / "models" / "words" / "1"
    freeze(tmp_path / "words.keras", to, "--output-names", "class_scores")

    tokens = np.array([[1, 2, 0], [9, 0, 0]], np.int32)
    np.testing.assert_allclose(answers(to, tokens=tokens)["class_scores"], model(tokens), rtol=1e-5, atol=1e-6)


def test_custom_objects_come_from_the_module_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_frozen_layers.py").write_text(CUSTOM)
    monkeypatch.syspath_prepend(tmp_path)
    import my_frozen_layers

    model = keras.Sequential([keras.Input((2,), name="x"), my_frozen_layers.Scale(by=3.0, name="scaled")])
    model.save(tmp_path / "custom.keras")
    to = tmp_path / "models" / "custom" / "1"
    freeze(tmp_path / "custom.keras", to, "--custom-objects", "my_frozen_layers")

    assert answers(to, x=np.ones((1, 2), np.float32))["scaled"].tolist() == [[3.0, 3.0]]
    monkeypatch.delitem(__import__("sys").modules, "my_frozen_layers")
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if entry != str(tmp_path)])
    with pytest.raises(SourceError, match="--custom-objects MODULE"):
        freeze(tmp_path / "custom.keras", tmp_path / "models" / "custom" / "2")


def test_python_code_in_a_file_runs_only_when_unsafe(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,), name="x"), keras.layers.Lambda(lambda x: x + 1, name="more")]).save(
        tmp_path / "code.keras"
    )
    with pytest.raises(SourceError, match="--unsafe"):
        freeze(tmp_path / "code.keras", tmp_path / "models" / "code" / "1")
    assert left_behind(tmp_path) == ["code.keras"]

    freeze(tmp_path / "code.keras", tmp_path / "models" / "code" / "1", "--unsafe")

    assert answers(tmp_path / "models" / "code" / "1", x=np.zeros((1, 2), np.float32))["more"].tolist() == [[1.0, 1.0]]


def test_file_that_is_no_keras_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(b"nonsense")
    with pytest.raises(SourceError, match="damaged or another file"):
        freeze(tmp_path / "bad.keras", tmp_path / "models" / "bad" / "1")


def test_vocabulary_in_a_keras_file_is_kept(tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    word = keras.Input((), dtype="string", name="word")
    codes = keras.layers.StringLookup(vocabulary=["tea", "milk"], output_mode="one_hot")(word)
    model = keras.Model(word, keras.layers.Dense(2, name="price")(codes))
    model.save(tmp_path / "words.keras")
    to = tmp_path / "models" / "words" / "1"
    freeze(tmp_path / "words.keras", to)

    asked = ["milk", "tea", "neither"]
    wanted = model(np.array(asked)).numpy()
    assert len({tuple(row) for row in wanted.tolist()}) == 3
    answered = answers(to, word=np.array([each.encode() for each in asked], object))
    np.testing.assert_allclose(answered["price"], wanted, rtol=1e-5, atol=1e-6)


def test_stateful_layer_is_refused_with_the_cure(tmp_path: Path) -> None:
    given = keras.Input(batch_shape=(4, None, 3))
    keras.Model(given, keras.layers.GRU(2, stateful=True)(given)).save(tmp_path / "stateful.keras")
    with pytest.raises(SourceError, match=r"changes variables when it runs.*stateful=False"):
        freeze(tmp_path / "stateful.keras", tmp_path / "models" / "stateful" / "1")


def test_constant_hides_an_input_and_is_repeated_for_every_instance(
    two_headed: Any, rows: dict[str, np.ndarray], tmp_path: Path
) -> None:
    two_headed.save(tmp_path / "two.keras")
    to = tmp_path / "models" / "two" / "1"
    freeze(tmp_path / "two.keras", to, "--constant", "wide=[1, 2, 3, 4]")

    assert list(manifest(to)["signatures"]["predict"]["inputs"]) == ["deep"]
    wide = np.tile(np.array([1, 2, 3, 4], np.float32), (4, 1))
    mood, _ = two_headed([wide, rows["deep"]], training=False)
    np.testing.assert_allclose(answers(to, deep=rows["deep"])["mood"], mood, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("wide=[1, 2]", r"expected the shape \[any, 4\], or \[4\] for every instance, received \[2\]"),
        ("wide=[a, b, c, d]", "is no float32"),
        ("broad=1", "there is no such input; the inputs are wide, deep"),
    ],
)
def test_constant_that_fits_no_input_is_refused(value: str, words: str, two_headed: Any, tmp_path: Path) -> None:
    two_headed.save(tmp_path / "two.keras")
    with pytest.raises(SourceError, match=words):
        freeze(tmp_path / "two.keras", tmp_path / "models" / "two" / "1", "--constant", value)
    assert left_behind(tmp_path) == ["two.keras"]
