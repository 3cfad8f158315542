"""Freezing graphs by their tensors' names: frozen ones from elsewhere, meta graphs with their checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from soapsvc.authoring.inspect_readers import inspect_source
from soapsvc.authoring.source import SourceError, find_source
from tests.authoring.test_freeze_command import answers, freeze, left_behind, manifest

v1 = tf.compat.v1
ROWS = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)


def write_graph(path: Path, graph: tf.Graph) -> Path:
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


# Frozen graphs


@pytest.fixture(scope="session")
def two_ends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """x float32 (any, 4) -> tower/double and tower/total, with a default shift and a stray branch."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        shift = v1.placeholder_with_default(np.float32(1.0), [], "shift")
        doubled = tf.multiply(x, 2.0, name="tower/double")
        tf.reduce_sum(tf.identity(doubled, "tower/middle") + shift, axis=1, name="tower/total")
        tf.square(doubled, name="tower/square")
        tf.sqrt(v1.placeholder(tf.float32, [], "unrelated"), name="tower/root")
    return write_graph(tmp_path_factory.mktemp("ends") / "ends.pb", graph)


def test_suggested_inputs_and_outputs_are_printed(
    two_ends: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    freeze(two_ends, tmp_path / "ends" / "1", "--constant", "unrelated=4.0", "--constant", "shift=1.0")

    printed = capsys.readouterr().out
    assert "suggested input x:0: Placeholder; needed by tower/total, tower/square\n" in printed
    outputs = [line for line in printed.splitlines() if line.startswith("suggested output")]
    assert outputs == [f"suggested output tower/{name}:0: nobody consumes it" for name in ("total", "square", "root")]


def test_suggestions_are_those_of_inspect(two_ends: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    freeze(two_ends, tmp_path / "ends" / "1")
    printed = capsys.readouterr().out

    inspected = inspect_source(find_source(two_ends)).summary
    for side, tensors in (("input", inspected.inputs), ("output", inspected.outputs)):
        assert tensors
        for each in tensors:
            assert f"suggested {side} {each.tensor}: {each.why}\n" in printed


def test_named_outputs_prune_the_rest(two_ends: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "ends" / "1"
    freeze(two_ends, to, "--outputs", "tower/square,tower/double:0", "--output-names", "squared,double")

    answered = answers(to, x=ROWS)
    np.testing.assert_allclose(answered["squared"], 4 * ROWS**2, rtol=1e-6)
    np.testing.assert_allclose(answered["double"], 2 * ROWS, rtol=1e-6)
    nodes = {node.name for node in v1.GraphDef.FromString((to / "model.pb").read_bytes()).node}
    assert nodes == {"x", "tower/double", "tower/double/y", "tower/square"}


def test_default_placeholder_becomes_an_optional_input(two_ends: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "ends" / "1"
    freeze(two_ends, to, "--outputs", "tower/total")

    assert manifest(to)["signatures"]["predict"]["inputs"]["shift"]["optional"] is True
    np.testing.assert_allclose(answers(to, x=ROWS)["total"], (2 * ROWS + 1).sum(axis=1), rtol=1e-5)


def test_input_inside_the_graph_cuts_off_what_stands_before(two_ends: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "ends" / "1"
    freeze(two_ends, to, "--inputs", "tower/middle", "--outputs", "tower/total", "--constant", "shift=3.0")

    np.testing.assert_allclose(answers(to, middle=ROWS)["total"], (ROWS + 3).sum(axis=1), rtol=1e-5)
    assert "x" not in {node.name for node in v1.GraphDef.FromString((to / "model.pb").read_bytes()).node}


def test_text_graph_and_while_loop_keep_their_answers(tmp_path: Path) -> None:
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None], "x")
            v1.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2), [0, x], name="loop")
            name = next(
                op.name for op in graph.get_operations() if op.type == "Exit" and op.outputs[0].dtype == tf.float32
            )
    finally:
        v1.enable_control_flow_v2()
    tf.io.write_graph(graph.as_graph_def(), str(tmp_path), "loop.pbtxt")
    to = tmp_path / "models" / "loop" / "1"
    freeze(tmp_path / "loop.pbtxt", to, "--outputs", name, "--output-names", "eight")

    assert answers(to, x=np.array([1.0, 2.0], np.float32))["eight"].tolist() == [8.0, 16.0]


def test_output_without_batch_makes_the_signature_unbatched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default() as graph:
        tf.reduce_mean(v1.placeholder(tf.float32, [None, 4], "x"), name="mean")
    to = tmp_path / "models" / "mean" / "1"
    freeze(write_graph(tmp_path / "mean.pb", graph), to)

    assert manifest(to)["signatures"]["predict"]["inputs"]["x"]["shape"] == [None, 4]
    assert "not batches: see the first dimension of mean\n" in capsys.readouterr().out
    assert answers(to, x=ROWS)["mean"] == pytest.approx(ROWS.mean(), rel=1e-5)


def test_unknown_rank_is_left_to_the_client_and_answers(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        tf.negative(v1.placeholder(tf.float32, None, "x"), name="less")
    to = tmp_path / "models" / "any" / "1"
    freeze(write_graph(tmp_path / "any.pb", graph), to)

    assert answers(to, x=ROWS)["less"].tolist() == (-ROWS).tolist()


def test_lost_resource_is_refused(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        table = v1.placeholder(tf.resource, [], "table")
        tf.raw_ops.LookupTableFindV2(
            table_handle=table, keys=v1.placeholder(tf.string, [None], "words"), default_value=np.int64(0), name="ids"
        )
    with pytest.raises(SourceError, match="an earlier freeze lost"):
        freeze(write_graph(tmp_path / "lost.pb", graph), tmp_path / "models" / "lost" / "1")


def test_unknown_op_is_refused(tmp_path: Path) -> None:
    graph_def = v1.GraphDef()
    graph_def.node.add(name="x", op="MyOwnOp")
    (tmp_path / "own.pb").write_bytes(graph_def.SerializeToString())
    with pytest.raises(SourceError, match=r"MyOwnOp.*--op-library"):
        freeze(tmp_path / "own.pb", tmp_path / "models" / "own" / "1")


@pytest.mark.parametrize("content", [b"nonsense", b""])
def test_file_that_is_no_graph_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.pb").write_bytes(content)
    with pytest.raises(SourceError, match="GraphDef"):
        freeze(tmp_path / "bad.pb", tmp_path / "models" / "bad" / "1")
    assert left_behind(tmp_path) == ["bad.pb"]


def test_op_that_reads_files_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("content")
    with tf.Graph().as_default() as graph:
        tf.strings.join([tf.io.read_file(str(tmp_path / "secret")), v1.placeholder(tf.string, [], "x")], name="y")
    with pytest.raises(SourceError, match="ReadFile is not allowed"):
        freeze(write_graph(tmp_path / "read.pb", graph), tmp_path / "models" / "read" / "1")
    assert left_behind(tmp_path) == ["read.pb", "secret"]


def test_random_graph_fails_the_comparison(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        tf.nn.dropout(x, rate=0.5, name="y")
    with pytest.raises(SourceError, match="RandomUniform"):
        freeze(write_graph(tmp_path / "random.pb", graph), tmp_path / "models" / "random" / "1")


def test_functions_that_nobody_calls_are_left_out(tmp_path: Path) -> None:
    called = tf.function(lambda x: x + 1.0, [tf.TensorSpec([None], tf.float32)])
    idle = tf.function(lambda x: tf.io.read_file(x), [tf.TensorSpec([], tf.string)])
    with tf.Graph().as_default() as graph:
        tf.identity(called(v1.placeholder(tf.float32, [None], "x")), "more")
        idle(v1.placeholder(tf.string, [], "path"))
    to = tmp_path / "models" / "more" / "1"
    freeze(write_graph(tmp_path / "more.pb", graph), to, "--outputs", "more")

    assert answers(to, x=np.array([1.0], np.float32))["more"].tolist() == [2.0]


# Meta graphs


@pytest.fixture(scope="session", params=[True, False], ids=["resource", "ref"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A TF1 training graph's checkpoint, and the scores of ROWS without dropout."""
    prefix = tmp_path_factory.mktemp("tf1") / "net-100"
    with tf.Graph().as_default() as graph, tf.device("/gpu:7"):
        x = v1.placeholder(tf.float32, [None, 4], "x")
        label = v1.placeholder(tf.int32, [None], "label")
        keep = v1.placeholder(tf.float32, [], "keep_prob")
        weight = v1.get_variable(
            "weight", [4, 3], initializer=v1.random_normal_initializer(seed=1), use_resource=request.param
        )
        scores = tf.nn.softmax(tf.matmul(v1.nn.dropout(x, keep_prob=keep), weight), name="net/scores")
        v1.add_to_collection("served", scores)
        loss = tf.reduce_mean(v1.losses.sparse_softmax_cross_entropy(label, scores), name="loss")
        v1.train.AdamOptimizer(0.1).minimize(loss)
        saver = v1.train.Saver()
        start = v1.global_variables_initializer()
    options = v1.ConfigProto(allow_soft_placement=True)
    with v1.Session(graph=graph, config=options) as session:
        session.run(start)
        saver.save(session, str(prefix))
        wanted = session.run(scores, {x: ROWS, keep: 1.0})
    return prefix, wanted


@pytest.mark.parametrize("choice", [["--outputs", "net/scores"], ["--collection", "served"]])
def test_checkpoint_answers_as_its_session(choice: list[str], trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    prefix, wanted = trained
    to = tmp_path / "models" / "net" / "1"
    freeze(prefix, to, *choice, "--constant", "keep_prob=1.0")

    np.testing.assert_allclose(answers(to, x=ROWS)["scores"], wanted, rtol=1e-5, atol=1e-6)
    assert list(manifest(to)["signatures"]["predict"]["inputs"]) == ["x"]


def test_old_inconsistent_output_shapes_are_dropped(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    prefix, wanted = trained
    meta = v1.MetaGraphDef.FromString(prefix.with_name("net-100.meta").read_bytes())
    scores = next(node for node in meta.graph_def.node if node.name == "net/scores")
    del scores.attr["_output_shapes"].list.shape[:]
    scores.attr["_output_shapes"].list.shape.add().dim.add(size=77)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="_output_shapes"):
        v1.train.import_meta_graph(v1.MetaGraphDef.FromString(meta.SerializeToString()), clear_devices=True)
    for file in prefix.parent.glob("net-100.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "net-100.meta").write_bytes(meta.SerializeToString())
    to = tmp_path / "models" / "net" / "1"
    freeze(tmp_path / "net-100.meta", to, "--outputs", "net/scores", "--constant", "keep_prob=1.0")

    np.testing.assert_allclose(answers(to, x=ROWS)["scores"], wanted, rtol=1e-5, atol=1e-6)


def test_forgotten_feed_is_named_with_the_option(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"--constant keep_prob=VALUE \(float32\)"):
        freeze(trained[0], tmp_path / "models" / "net" / "1", "--inputs", "x", "--outputs", "net/scores")


def test_several_ends_must_be_chosen_from(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="several ends"):
        freeze(trained[0], tmp_path / "models" / "net" / "1", "--constant", "keep_prob=1.0")


def test_unknown_collection_lists_those_there_are(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="served"):
        freeze(trained[0], tmp_path / "models" / "net" / "1", "--collection", "nothing")


def test_variable_that_the_checkpoint_lacks_is_named(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None], "x")
        kept, lost = v1.get_variable("kept", [], tf.float32), v1.get_variable("lost", [], tf.float32)
        tf.add(x * kept, lost, name="y")
        saver = v1.train.Saver([kept])
        start = v1.global_variables_initializer()
    with v1.Session(graph=graph) as session:
        session.run(start)
        saver.save(session, str(tmp_path / "part"))
    with pytest.raises(SourceError, match="lacks the variable lost"):
        freeze(tmp_path / "part", tmp_path / "models" / "part" / "1", "--outputs", "y")
    assert not (tmp_path / "models").exists()


def test_damaged_checkpoint_is_refused(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    for file in trained[0].parent.glob("net-100.*"):
        content = bytearray(file.read_bytes())
        if ".data-" in file.name:
            content = bytearray(byte ^ 0xFF for byte in content)
        (tmp_path / file.name).write_bytes(content)
    with pytest.raises(SourceError, match="can't be restored"):
        freeze(
            tmp_path / "net-100",
            tmp_path / "models" / "net" / "1",
            "--outputs",
            "net/scores",
            "--constant",
            "keep_prob=1",
        )


def test_table_of_a_meta_graph_is_kept(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        words = v1.placeholder(tf.string, [None], "words")
        content = tf.lookup.KeyValueTensorInitializer(["a", "größe"], np.array([3, 7], np.int64))
        ids = tf.lookup.StaticHashTable(content, -1).lookup(words)
        bonus = v1.get_variable("bonus", [], tf.int64, initializer=v1.constant_initializer(100))
        tf.add(ids, bonus, name="ids")
        saver = v1.train.Saver()
        start: Any = v1.global_variables_initializer()
    with v1.Session(graph=graph) as session:
        session.run(start)
        saver.save(session, str(tmp_path / "table"))
    to = tmp_path / "models" / "table" / "1"
    freeze(tmp_path / "table", to, "--outputs", "ids", "--output-names", "code")

    asked = np.array(["größe".encode(), b"a", b"b"], dtype=object)
    assert answers(to, words=asked)["code"].tolist() == [107, 103, 99]


def test_checkpoint_without_its_graph_is_refused(trained: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    for file in trained[0].parent.glob("net-100.[!m]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(SourceError, match=r"without a graph.*--build net:build"):
        freeze(tmp_path / "net-100", tmp_path / "models" / "net" / "1")


def test_data_pipeline_is_cut_off_before_the_tensor_that_outputs_need(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tf.Graph().as_default() as graph:
        rows = tf.data.Dataset.from_tensor_slices((np.array([1, 0]), ROWS[:2])).batch(2)
        label, features = v1.data.make_one_shot_iterator(rows).get_next()
        weight = v1.get_variable("weight", [4, 2], initializer=v1.ones_initializer())
        scores = tf.matmul(features, weight, name="scores")
        tf.reduce_mean(v1.losses.sparse_softmax_cross_entropy(label, scores), name="loss")
        saver, start = v1.train.Saver(), v1.global_variables_initializer()
    with v1.Session(graph=graph) as session:
        session.run(start)
        saver.save(session, str(tmp_path / "fed"))
    to = tmp_path / "models" / "fed" / "1"
    freeze(tmp_path / "fed", to, "--outputs", "scores", "--input-names", "features")

    assert "suggested input IteratorGetNext:1: comes from a tf.data iterator" in capsys.readouterr().out
    np.testing.assert_allclose(answers(to, features=ROWS)["scores"], ROWS @ np.ones((4, 2)), rtol=1e-5, atol=1e-6)


def test_devices_and_colocation_with_what_is_pruned_are_dropped(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None], "x")
        other = tf.constant(1.0, name="other")
        with tf.device("/gpu:3"), v1.colocate_with(other, ignore_existing=True):
            tf.negative(x, name="less")
        with tf.device("/gpu:3"):
            tf.square(x, name="square")
    to = tmp_path / "models" / "less" / "1"
    freeze(write_graph(tmp_path / "less.pb", graph), to, "--outputs", "less,square")

    assert answers(to, x=np.array([2.0], np.float32))["less"].tolist() == [-2.0]
    written = v1.GraphDef.FromString((to / "model.pb").read_bytes())
    assert {(node.device, "_class" in node.attr) for node in written.node} == {("", False)}
