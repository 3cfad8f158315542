"""Freezing SavedModels of TF2 and TF1: signatures, strings, lookup tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from soapsvc.authoring.source import SourceError
from tests.authoring.test_freeze_command import answers, freeze, left_behind, manifest

v1 = tf.compat.v1


class Shop(tf.Module):
    """Two signatures over a variable; one with a table of strings and a map inside a function."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([[2.0], [3.0]])
        content = tf.lookup.KeyValueTensorInitializer(["tea", "größe"], np.array([4, 9], np.int64))
        self.codes = tf.lookup.StaticHashTable(content, -1)
        names = tf.lookup.KeyValueTensorInitializer(np.array([4, 9], np.int64), ["Tea", "Size"])
        self.names = tf.lookup.StaticHashTable(names, "?")

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "z"), tf.TensorSpec([None, 1], tf.float32, "b")])
    def price(self, z: Any, b: Any) -> dict[str, Any]:
        return {"sum": z @ self.weight + b, "less": z @ self.weight - b}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words")])
    def code(self, words: Any) -> dict[str, Any]:
        codes = self.codes.lookup(tf.strings.lower(words))
        return {"code": codes, "name": self._named(codes)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "words"),
            tf.TensorSpec([], tf.int64, "factor"),
            tf.TensorSpec([], tf.string, "unit"),
        ]
    )
    def scaled(self, words: Any, factor: Any, unit: Any) -> dict[str, Any]:
        return {"text": tf.strings.as_string(self.codes.lookup(words) * factor) + " " + unit}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words"), tf.TensorSpec([None, 1], name="more")])
    def offer(self, words: Any, more: Any) -> dict[str, Any]:
        codes = tf.cast(self.codes.lookup(words), tf.float32)[:, None]
        return {"total": codes + more + tf.reduce_mean(self.weight) - 0.5}

    @tf.function
    def _named(self, codes: Any) -> Any:
        return self.names.lookup(codes)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "shop"
    module = Shop()
    others = {"code": module.code, "scaled": module.scaled, "offer": module.offer}
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.price, **others})
    return folder


def test_default_signature_keeps_names_and_answers(shop: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "shop" / "1"
    freeze(shop, to)

    answered = answers(to, z=np.array([[1, 10]], np.float32), b=np.array([[0.5]], np.float32))
    assert {name: value.item() for name, value in answered.items()} == {"sum": 32.5, "less": 31.5}
    assert list(manifest(to)["signatures"]["predict"]["outputs"]) == ["less", "sum"]


def test_constant_of_the_whole_shape_is_always_fed(shop: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "shop" / "1"
    freeze(shop, to, "--signature", "scaled", "--constant", "factor=3", "--constant", "unit=kg")

    signature = manifest(to)["signatures"]["predict"]
    assert (list(signature["inputs"]), signature["constants"]) == (["words"], {"factor:0": 3, "unit:0": "kg"})
    assert answers(to, words=np.array([b"tea", b"x"], object))["text"].tolist() == [b"12 kg", b"-3 kg"]


def test_constant_for_every_instance_goes_with_a_table_and_a_variable(shop: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "shop" / "1"
    freeze(shop, to, "--signature", "offer", "--constant", "more=[5]")

    assert answers(to, words=np.array([b"tea"], object))["total"].tolist() == [[11.0]]


def test_constant_for_every_input_is_refused(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="hides every input"):
        freeze(shop, tmp_path / "models" / "shop" / "1", "--signature", "code", "--constant", "words=tea")


def test_tables_are_rebuilt_also_inside_functions(shop: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "shop" / "1"
    freeze(shop, to, "--signature", "code")

    answered = answers(to, words=np.array([b"TEA", "größe".encode(), b"none"], object))
    assert answered["code"].tolist() == [4, 9, -1]
    assert answered["name"].tolist() == [b"Tea", b"Size", b"?"]
    assert len(manifest(to)["init_ops"]) == 2
    assert '"words": ["a", "some words"]' in (to / "warmup.jsonl").read_text()


def test_unknown_signature_lists_those_there_are(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="code, offer, scaled, serving_default"):
        freeze(shop, tmp_path / "models" / "shop" / "1", "--signature", "nothing")
    assert left_behind(tmp_path) == []


def test_keras_text_vectorization_is_kept(tmp_path: Path) -> None:
    keras.utils.set_random_seed(4)
    vectorise = keras.layers.TextVectorization(output_mode="int", output_sequence_length=5)
    vectorise.adapt(["good tea", "bad coffee", "good coffee"])
    text = keras.Input((), dtype="string", name="text")
    body = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(10, 4)(vectorise(text)))
    model = keras.Model(text, keras.layers.Dense(2, "softmax", name="mood")(body))
    model.export(str(tmp_path / "mood"), verbose=False)
    to = tmp_path / "models" / "mood" / "1"
    freeze(tmp_path / "mood", to, "--output-names", "mood")

    asked = ["good coffee", "bad tea and something"]
    wanted = model(tf.constant(asked)).numpy()
    assert abs(wanted[0] - wanted[1]).max() > 1e-3
    answered = answers(to, text=np.array([word.encode() for word in asked], object))
    np.testing.assert_allclose(answered["mood"], wanted, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF1 SavedModel: a table read from a vocabulary file, a variable, a keep_prob."""
    place = tmp_path_factory.mktemp("old")
    (place / "vocabulary.txt").write_text("zero\none\ntwo\n")
    with tf.Graph().as_default() as graph:
        words = v1.placeholder(tf.string, [None], "words")
        keep = v1.placeholder(tf.float32, [], "keep_prob")
        content = tf.lookup.TextFileInitializer(
            str(place / "vocabulary.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        ids = tf.lookup.StaticHashTable(content, 3).lookup(words)
        weights = v1.get_variable("w", [4], initializer=v1.constant_initializer([5.0, 6.0, 7.0, 8.0]))
        score = tf.gather(weights, ids) * keep
        start = v1.global_variables_initializer()
    with v1.Session(graph=graph) as session:
        session.run([start, graph.get_collection("table_initializer")])
        builder = v1.saved_model.Builder(str(place / "saved"))
        info = v1.saved_model.build_tensor_info
        signature = v1.saved_model.build_signature_def({"word": info(words)}, {"score": info(score)}, "predict")
        with graph.as_default():
            builder.add_meta_graph_and_variables(
                session, ["serve"], {"serving_default": signature}, main_op=v1.tables_initializer()
            )
        builder.save()
    return place / "saved"


def test_saved_model_of_tf1_keeps_table_variable_and_constant(old: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "old" / "1"
    freeze(old, to, "--constant", "keep_prob=1.0")

    assert answers(to, word=np.array([b"two", b"zero", b"x"], object))["score"].tolist() == [7.0, 5.0, 8.0]


def test_saved_model_of_tf1_names_the_feed_it_needs(old: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--constant keep_prob=VALUE"):
        freeze(old, tmp_path / "models" / "old" / "1")


def test_model_without_a_signature_is_refused_with_the_cure(tmp_path: Path) -> None:
    tf.saved_model.save(Shop(), str(tmp_path / "unsigned"))
    with pytest.raises(SourceError, match="has none: save it again with signatures="):
        freeze(tmp_path / "unsigned", tmp_path / "models" / "shop" / "1")


def test_original_that_fails_is_told_in_tensorflows_words(shop: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", z=np.zeros((2, 2), np.float32), b=np.zeros((3, 1), np.float32))
    with pytest.raises(SourceError, match=r"refuses the inputs it was tried on: [Ii]ncompatible shapes: \[2,1\]"):
        freeze(shop, tmp_path / "models" / "shop" / "1", "--golden", str(tmp_path / "odd.npz"))
