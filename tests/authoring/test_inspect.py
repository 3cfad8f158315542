"""`inspect` tells what every kind of source holds, runs none of it, and names what is damaged."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from soapsvc.authoring.inspect_command import add_inspect_parser
from soapsvc.authoring.inspect_readers import inspect_source
from soapsvc.authoring.inspect_report import statistics
from soapsvc.authoring.inspect_summary import Inspected, Summary
from soapsvc.authoring.source import SourceError, find_source
from tests.conftest import ROOT

t = tf.compat.v1
KERNEL = np.array([[1, 2], [0, 4], [5, 0]], np.float32)
pytestmark = [  # Keras's own, while it writes the sources
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one source of each kind."""
    folder = tmp_path_factory.mktemp("sources")
    _make_tf1(folder)
    model = keras.Sequential(
        [
            keras.Input((4,), name="features"),
            keras.layers.Dense(3, name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(2, name="scores"),
        ]
    )
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    model.save(folder / "m.keras")
    model.save(folder / "m.h5")
    model.save_weights(folder / "only.weights.h5")
    model.export(folder / "keras_export", verbose=False)
    module = tf.Module()
    module.w = tf.Variable(KERNEL, name="kernel")
    call = tf.function(lambda x: {"scores": x @ module.w}, [tf.TensorSpec([None, 3], tf.float32, "x")])
    tf.saved_model.save(module, str(folder / "tf2"), {"score": call.get_concrete_function()})
    return folder


def _make_tf1(folder: Path) -> None:
    """A trained classifier as checkpoint with and without graph, SavedModel, frozen graph and text graph."""
    with tf.Graph().as_default() as graph, t.Session() as session:
        x = t.placeholder(tf.float32, [None, 3], "x")
        keep = t.placeholder_with_default(1.0, [], "keep_prob")
        labels = t.placeholder(tf.int32, [None], "labels")
        kernel = t.get_variable("dense/w", initializer=KERNEL)
        step = t.train.get_or_create_global_step()
        logits = tf.matmul(x, kernel) * keep
        probs = tf.nn.softmax(logits, name="probs")
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
        t.train.AdamOptimizer().minimize(loss, step)
        t.add_to_collection("outputs", probs)
        session.run(t.global_variables_initializer())
        t.train.Saver().save(session, str(folder / "meta" / "model"), global_step=7)
        t.train.Saver().save(session, str(folder / "bare" / "model"), write_meta_graph=False)
        t.saved_model.simple_save(session, str(folder / "tf1"), {"x": x}, {"probs": probs})
        frozen = t.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["probs"])
    tf.io.write_graph(frozen, str(folder), "frozen.pb", as_text=False)
    tf.io.write_graph(frozen, str(folder), "frozen.pbtxt", as_text=True)


def opened(path: Path) -> Inspected:
    return inspect_source(find_source(path))


def summary(path: Path) -> Summary:
    return opened(path).summary


def reasons(tensors: Any) -> dict[str, str]:
    return {each.tensor: each.why for each in tensors}


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_inspect_parser(parser.add_subparsers())
    options = parser.parse_args(["inspect", *map(str, arguments)])
    code: int = options.run(options)
    return code


# What each kind of source is


def test_meta_graph_suggests_by_collection_and_passes_over_training(made: Path) -> None:
    found = summary(made / "meta" / "model-7.meta")
    assert found.what == "TF1 meta graph with its checkpoint"
    assert found.written_by == (f"TensorFlow {tf.__version__}",)
    assert "took the checkpoint" in found.taken
    assert reasons(found.outputs) == {
        "probs:0": "listed in the collection 'outputs'; nobody consumes it",
        "loss:0": "nobody consumes it",
    }
    assert reasons(found.inputs) == {
        "x:0": "Placeholder; needed by probs, loss",
        "keep_prob:0": "Placeholder with a default, so it is optional; needed by probs, loss",
        "labels:0": "Placeholder; needed by loss",
    }
    assert (found.inputs[0].dtype, found.inputs[0].shape) == ("float32", (None, 3))
    assert (found.outputs[0].dtype, found.outputs[0].shape) == ("float32", (None, 2))


def test_meta_graph_tells_weights_from_slots(made: Path) -> None:
    found = summary(made / "meta" / "model-7")
    assert found.parameters == KERNEL.size
    assert {each.name: (each.role, each.trainable) for each in found.tensors} == {
        "beta1_power": ("optimizer", False),
        "beta2_power": ("optimizer", False),
        "dense/w": ("weight", True),
        "dense/w/Adam": ("optimizer", False),
        "dense/w/Adam_1": ("optimizer", False),
        "global_step": ("bookkeeping", None),
    }
    assert found.size_bytes == sum(path.stat().st_size for path in (made / "meta").glob("model-7.*"))


def test_old_meta_graph_with_wrong_output_shapes_is_read(made: Path, tmp_path: Path) -> None:
    for path in (made / "meta").glob("model-7.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    meta = t.MetaGraphDef.FromString((made / "meta" / "model-7.meta").read_bytes())
    probs = next(node for node in meta.graph_def.node if node.name == "probs")
    del probs.attr["_output_shapes"].list.shape[:]
    wrong = probs.attr["_output_shapes"].list.shape.add()
    wrong.dim.add(size=77)  # importing this fails: it is a matrix
    (tmp_path / "model-7.meta").write_bytes(meta.SerializeToString())
    with tf.Graph().as_default(), pytest.raises(ValueError, match="_output_shapes"):
        tf.graph_util.import_graph_def(meta.graph_def, name="")
    found = opened(tmp_path / "model-7.meta")
    assert found.summary.notes == ()
    assert found.summary.outputs[0].shape == (None, 2)
    assert not any("_output_shapes" in node.attr for node in found.graph_def.node)


@pytest.mark.parametrize("name", ["model", "model.index", "model.data-00000-of-00001"])
def test_any_file_of_a_checkpoint_will_do(made: Path, name: str) -> None:
    found = opened(made / "bare" / name)
    assert found.summary.what == "TF1 checkpoint without a graph"
    assert bool(found.summary.taken) == (name != "model")
    np.testing.assert_array_equal(found.read("dense/w"), KERNEL)
    assert "needs the code that builds the graph" in found.summary.notes[0]


def test_saved_model_of_tf1_shows_its_signature(made: Path) -> None:
    found = summary(made / "tf1")
    assert (found.what, found.parameters) == ("SavedModel of TF1", KERNEL.size)
    assert [each.name for each in found.signatures] == ["serving_default"]
    assert reasons(found.outputs) == {"probs:0": "named by the signature 'serving_default'"}
    assert found.outputs[0].shape == (None, 2)


def test_saved_model_of_tf2_shows_tensor_names_and_variables(made: Path) -> None:
    found = summary(made / "tf2" / "saved_model.pb")
    assert (found.what, found.parameters) == ("SavedModel of TF2", KERNEL.size)
    assert "schema version 1" in found.written_by
    (signature,) = found.signatures
    assert (signature.inputs[0].tensor, signature.inputs[0].shape) == ("score_x:0", (None, 3))
    assert [each.name for each in signature.outputs] == ["scores"]
    (weight,) = found.weights
    assert (weight.variable, weight.trainable) == ("kernel", True)


def test_saved_model_of_tf2_without_a_signature_says_so(tmp_path: Path) -> None:
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    tf.saved_model.save(module, str(tmp_path / "unsigned"))
    found = summary(tmp_path / "unsigned")
    assert (found.inputs, found.outputs) == ((), ())
    assert "save it again with signatures=" in found.notes[0]


def test_keras_export_counts_each_variable_once(made: Path) -> None:
    found = summary(made / "keras_export")
    assert found.parameters == 4 * 3 + 3 + 4 * 3 + 3 * 2 + 2
    assert sum(each.elements for each in found.weights if each.trainable) == found.parameters - 2 * 3


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_keras_file_tells_layers_ends_and_parameters(made: Path, name: str) -> None:
    found = summary(made / name)
    assert "Sequential model" in found.what
    assert f"Keras {keras.__version__}" in found.written_by
    assert [each.type for each in found.operations] == ["InputLayer", "Dense", "BatchNormalization", "Dense"]
    assert [(each.tensor, each.dtype, each.shape) for each in found.inputs] == [("features", "float32", (None, 4))]
    assert [(each.tensor, each.dtype, each.shape) for each in found.outputs] == [("scores", "float32", (None, 2))]
    assert found.parameters == 35
    assert sum(each.elements for each in found.weights if each.trainable) == 29


def test_keras_functional_model_with_two_outputs_names_both(tmp_path: Path) -> None:
    x = keras.Input((4, 2), dtype="int32", name="x")
    flat = keras.layers.Flatten()(x)
    model = keras.Model(x, {"b": keras.layers.Dense(5, name="b")(flat), "a": keras.layers.Dropout(0.1, name="a")(x)})
    model.save(tmp_path / "two.keras")
    model.save(tmp_path / "two.h5")
    for name in ("two.keras", "two.h5"):
        found = summary(tmp_path / name)
        assert [(each.name, each.dtype, each.shape) for each in found.inputs] == [("x", "int32", (None, 4, 2))]
        assert {each.name: each.shape for each in found.outputs} == {"b": (None, 5), "a": (None, 4, 2)}


def test_weights_only_file_says_that_code_is_needed(made: Path) -> None:
    found = summary(made / "only.weights.h5")
    assert found.what == "Keras HDF5 file, weights only"
    assert found.parameters == 35
    assert "needs the code that builds the model" in found.notes[0]


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_lambda_layer_is_told_and_not_run(tmp_path: Path, suffix: str) -> None:
    mark = tmp_path / "ran"
    code = keras.layers.Lambda(lambda x: x, name="sly")
    path = tmp_path / f"lambda.{suffix}"
    keras.Sequential([keras.Input((1,)), code]).save(path)
    evil = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    if suffix == "keras":  # whatever the configuration names is text to inspect
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(files["config.json"])
        config["config"]["layers"][1]["config"]["function"] = {"class_name": "__lambda__", "config": {"code": evil}}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (files | {"config.json": json.dumps(config)}).items():
                archive.writestr(name, content)
    found = summary(path)
    assert "hold code that runs when Keras loads this file: sly" in found.notes[0]
    assert not mark.exists()


@pytest.mark.parametrize("name", ["frozen.pb", "frozen.pbtxt"])
def test_frozen_graph_suggests_ends_and_counts_constants(made: Path, name: str) -> None:
    found = summary(made / name)
    assert reasons(found.outputs) == {"probs:0": "nobody consumes it"}
    assert [each.tensor for each in found.inputs] == ["x:0", "keep_prob:0"]
    assert (found.parameters, found.variables) == (KERNEL.size, False)
    assert "GraphDef version" in found.written_by[0]


def test_softmax_that_feeds_a_loss_is_suggested(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        probs = tf.nn.softmax(t.placeholder(tf.float32, [None, 3]), name="probs")
        tf.reduce_mean(probs**2, name="loss")
    (tmp_path / "g.pb").write_bytes(graph.as_graph_def().SerializeToString())
    assert reasons(summary(tmp_path / "g.pb").outputs) == {
        "probs:0": "Softmax with no layer after it",
        "loss:0": "nobody consumes it",
    }


def test_loop_of_tf1_is_no_end(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        t.disable_control_flow_v2()
        try:
            x = t.placeholder(tf.float32, [None, 2], "x")
            doubled = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2), [0, x])[1]
        finally:
            t.enable_control_flow_v2()
        tf.math.top_k(doubled, 1, name="top")
    (tmp_path / "loop.pb").write_bytes(graph.as_graph_def().SerializeToString())
    found = summary(tmp_path / "loop.pb")
    assert [each.tensor for each in found.outputs] == ["top:0", "top:1"]
    assert reasons(found.inputs) == {"x:0": "Placeholder; needed by top"}


def test_moving_averages_and_branches_of_tf1_are_no_ends(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        t.disable_control_flow_v2()
        try:
            x = t.placeholder(tf.float32, [None, 2], "x")
            training = t.placeholder(tf.bool, [], "training")
            tf.multiply(x, 0.1, "norm/AssignMovingAvg/mul")
            t.cond(training, lambda: x * 2, lambda: x, name="norm/cond")
        finally:
            t.enable_control_flow_v2()
        tf.identity(x, "kept")
        tf.sigmoid(graph.get_tensor_by_name("norm/cond/Merge:0"), "tags")
    (tmp_path / "norm.pb").write_bytes(graph.as_graph_def().SerializeToString())
    found = summary(tmp_path / "norm.pb")
    assert [each.tensor for each in found.outputs] == ["tags:0", "kept:0"], "the probability first"


def test_input_names_a_few_of_many_that_need_it(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None], "x")
        for number in range(6):
            tf.identity(x, f"y{number}")
    (tmp_path / "many.pb").write_bytes(graph.as_graph_def().SerializeToString())
    assert reasons(summary(tmp_path / "many.pb").inputs) == {"x:0": "Placeholder; needed by y0, y1, y2, y3 and 2 more"}


def test_tf2_checkpoint_tells_weights_from_the_optimizer(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0)
    saved = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(tmp_path / "ck")
    found = summary(Path(saved))
    assert found.what == "TF2 checkpoint without a graph"
    assert found.parameters == 3 * 2 + 2
    assert sum(each.role == "optimizer" for each in found.tensors) == 6


def test_operations_of_kerass_own_are_no_custom_objects(tmp_path: Path) -> None:
    given = keras.Input((None, 3))
    masked = keras.layers.LSTM(2)(keras.layers.Masking()(given))  # the mask is a NotEqual and an Any
    keras.Model(given, masked).save(tmp_path / "masked.keras")
    assert summary(tmp_path / "masked.keras").notes == ()


def test_recurrent_keras_model_knows_its_trainable_weights(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Bidirectional(keras.layers.LSTM(4))])
    model.save(tmp_path / "b.keras")
    found = summary(tmp_path / "b.keras")
    assert {each.trainable for each in found.weights} == {True}
    assert found.outputs[0].why.endswith("its shape is not recorded")


def test_graph_with_unknown_op_is_inspected_without_shapes(made: Path, tmp_path: Path) -> None:
    graph_def = t.GraphDef.FromString((made / "frozen.pb").read_bytes())
    graph_def.node.add(name="odd", op="NobodyHasThisOp", input=["probs"])
    (tmp_path / "odd.pb").write_bytes(graph_def.SerializeToString())
    found = summary(tmp_path / "odd.pb")
    assert [each.tensor for each in found.outputs] == ["probs:0", "odd:0"]
    assert [(each.dtype, each.shape) for each in found.inputs] == [("float32", (None, 3)), ("float32", ())]
    assert "NobodyHasThisOp" in found.notes[0]


def test_model_folder_shows_manifest_and_constants() -> None:
    found = summary(ROOT / "models" / "iris" / "1")
    assert found.what.startswith("model folder: iris, Species")
    assert [(each.tensor, each.shape) for each in found.inputs] == [("features:0", ("batch", 4))]
    assert found.parameters > 100
    assert found.notes == ()


def test_model_folder_with_another_graph_is_told(made: Path, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_bytes((ROOT / "models" / "iris" / "1" / "model.yaml").read_bytes())
    (tmp_path / "model.pb").write_bytes((made / "frozen.pb").read_bytes())
    assert any("sha256 of model.pb" in note for note in summary(tmp_path).notes)


# Options


def test_lists_and_values_are_printed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made / "meta" / "model-7", "--trainable", "--tensors", "--operations") == 0
    shown = capsys.readouterr().out
    assert "trainable (1):" in shown
    line = next(line for line in shown.splitlines() if line.startswith("  dense/w ") and "33.3%" in line)
    assert line.split() == ["dense/w", "float32", "[3,", "2]", "yes", "weight", "0", "2", "5", "33.3%"]
    assert "MatMul" in shown
    run(made / "meta" / "model-7", "--tensor", "dense/w:0")
    assert capsys.readouterr().out == "[[1. 2.]\n [0. 4.]\n [5. 0.]]\n"


def test_json_holds_summary_and_sections(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(made / "tf2", "--json", "--variables", "--tensor", "kernel", "--tensors")
    found = json.loads(capsys.readouterr().out)
    assert found["what"] == "SavedModel of TF2"
    assert found["tensor"] == {"name": "kernel", "values": KERNEL.tolist()}
    (weight,) = [row for row in found["tensors"] if row["role"] == "weight"]
    assert (weight["mean"], weight["zeros"]) == (2.0, pytest.approx(1 / 3))
    assert found["inputs"][0]["shape"] == [None, 3]


def test_statistics_of_odd_tensors_are_json() -> None:
    assert statistics(np.array([np.nan, 0])) == {"min": None, "mean": None, "max": None, "zeros": 0.5}
    assert set(statistics(np.zeros((0, 3))).values()) == {None}
    assert set(statistics(np.array([b"a"], object)).values()) == {None}


@pytest.mark.parametrize("source", ["meta/model-7", "tf2", "frozen.pb", "m.keras", "m.h5"])
def test_saved_npz_holds_every_number(made: Path, source: str, tmp_path: Path) -> None:
    run(made / source, "--save", tmp_path / "all.npz")
    found = opened(made / source)
    with np.load(tmp_path / "all.npz") as arrays:
        assert set(arrays) == {each.name for each in found.summary.tensors if each.dtype != "string"}
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], found.read(name))
    assert [path.name for path in tmp_path.iterdir()] == ["all.npz"]


def test_text_graph_reads_back(made: Path, tmp_path: Path) -> None:
    run(made / "frozen.pb", "--text-graph", tmp_path / "g.pbtxt")
    assert opened(tmp_path / "g.pbtxt").graph_def == opened(made / "frozen.pb").graph_def


# Errors


def damage(path: Path, value: bytes) -> None:
    content = path.read_bytes()
    assert content.count(value) == 1
    path.write_bytes(content.replace(value, bytes(len(value))))


def test_damaged_checkpoint_names_the_tensor(made: Path, tmp_path: Path) -> None:
    for path in (made / "bare").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damage(tmp_path / "model.data-00000-of-00001", KERNEL.tobytes())
    with pytest.raises(SourceError, match="tensor dense/w: Checksum does not match") as raised:
        run(tmp_path / "model")
    assert "\n" not in str(raised.value)


def test_checkpoint_cut_short_names_the_tensor(made: Path, tmp_path: Path) -> None:
    for path in (made / "bare").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    os.truncate(tmp_path / "model.data-00000-of-00001", 8)
    with pytest.raises(SourceError, match="tensor dense/w: "):
        run(tmp_path / "model")


def test_failed_save_leaves_the_old_file(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "all.npz").write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(SourceError, match=r"all\.npz: can't be written: No space left"):
        run(made / "frozen.pb", "--save", tmp_path / "all.npz")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("name", ["frozen.pb", "frozen.pbtxt", "m.keras", "m.h5", "tf1/saved_model.pb"])
def test_file_cut_short_is_one_clear_line(made: Path, name: str, tmp_path: Path) -> None:
    content = (made / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(SourceError, match="damaged") as raised:
        run(path)
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_constant_cut_short_is_named(made: Path, tmp_path: Path) -> None:
    graph_def = t.GraphDef.FromString((made / "frozen.pb").read_bytes())
    kernel = next(node for node in graph_def.node if node.name == "dense/w").attr["value"].tensor
    kernel.tensor_content = kernel.tensor_content[:-4]
    (tmp_path / "g.pb").write_bytes(graph_def.SerializeToString())
    with pytest.raises(SourceError, match="tensor dense/w is damaged"):
        run(tmp_path / "g.pb", "--tensors")


def test_dataset_in_another_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8))
    with h5py.File(tmp_path / "sly.h5", "w") as file:
        file.create_dataset("w", (2,), "f4", external=[(str(tmp_path / "secret"), 0, 8)])
    with pytest.raises(SourceError, match="tensor w is stored in another file"):
        run(tmp_path / "sly.h5")


@pytest.mark.parametrize("config", ["[1, 2]", "{}", '{"class_name": "Sequential", "config": 3}', "null", "{"])
def test_h5_with_an_odd_configuration_is_one_clear_line(tmp_path: Path, config: str) -> None:
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.attrs["model_config"] = config
    if config == "null":
        assert summary(tmp_path / "odd.h5").what.endswith("weights only")
    else:
        with pytest.raises(SourceError, match="damaged"):
            run(tmp_path / "odd.h5")


def test_unknown_tensor_is_answered_with_near_names(made: Path) -> None:
    with pytest.raises(SourceError, match="no stored tensor dense/v; there are 6, as dense/w"):
        run(made / "meta" / "model-7", "--tensor", "dense/v")


def test_trainable_of_a_bare_checkpoint_says_what_is_missing(made: Path) -> None:
    with pytest.raises(SourceError, match="recorded in the graph, which is missing"):
        run(made / "bare" / "model", "--trainable")


def test_text_graph_of_a_keras_file_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no graph in a Keras file"):
        run(made / "m.keras", "--text-graph", tmp_path / "g.pbtxt")
    assert list(tmp_path.iterdir()) == []


def test_adding_the_command_imports_no_tensorflow() -> None:
    code = (
        "import argparse, sys; from soapsvc.authoring.inspect_command import add_inspect_parser as add;"
        "add(argparse.ArgumentParser().add_subparsers());"
        "print({'tensorflow', 'keras', 'h5py'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
    assert done.stdout == "set()\n"
