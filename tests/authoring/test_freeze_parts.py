"""Freezing several parts into one graph: the tutorial's several checkpoints, wires, and what a wiring may not be."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from pydantic import BaseModel

from soapsvc.authoring.freeze_command import add_freeze_parser
from soapsvc.authoring.source import SourceError
from soapsvc.authoring.wiring import PartEntry, Wiring
from soapsvc.cli import main
from tests.authoring.test_freeze_command import answers, left_behind, manifest
from tests.authoring.test_freeze_graphs import write_graph
from tests.conftest import ROOT
from tests.test_docs import section

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
v1 = tf.compat.v1
ROWS = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)


def freeze(to: Path, *options: str) -> None:
    """Run the command in this process, without a SOURCE."""
    parser = argparse.ArgumentParser()
    add_freeze_parser(parser.add_subparsers())
    arguments = parser.parse_args(["freeze", "--to", str(to), *options])
    assert arguments.run(arguments) == 0


def wiring(folder: Path, **content: Any) -> str:
    path = folder / "wiring.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def nodes(folder: Path) -> dict[str, Any]:
    graph_def = v1.GraphDef.FromString((folder / "model.pb").read_bytes())
    return {node.name: node for node in graph_def.node}


# Checkpoints


def dense(scope: str, seed: int) -> tuple[Any, Any]:
    """Build x (any, 4) -> scores (any, 3) over the variable dense/kernel, all under a scope; "" is none."""
    with v1.variable_scope(scope) if scope else tf.name_scope(""):
        x = v1.placeholder(tf.float32, [None, 4], "x")
        start = v1.random_normal_initializer(seed=seed)
        return x, tf.matmul(x, v1.get_variable("dense/kernel", [4, 3], initializer=start), name="scores")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """Two models of one session, s1 and s10, each in a checkpoint of its own, and both together in `all`."""
    folder = tmp_path_factory.mktemp("session")
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        built = {scope: dense(scope, seed) for seed, scope in enumerate(("s1", "s10"))}
        session.run(v1.global_variables_initializer())
        for scope in built:
            v1.train.Saver(v1.global_variables(f"{scope}/")).save(session, str(folder / scope))
        v1.train.Saver().save(session, str(folder / "all"))
        wanted = {scope: session.run(scores, {x: ROWS}) for scope, (x, scores) in built.items()}
    assert not np.allclose(wanted["s1"], wanted["s10"])
    return folder, wanted


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """The same two, trained apart: neither graph nor checkpoint has a scope."""
    folder = tmp_path_factory.mktemp("apart")
    wanted = {}
    for seed, name in enumerate(("s1", "s10")):
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            x, scores = dense("", seed)
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, str(folder / name))
            wanted[name] = session.run(scores, {x: ROWS})
    return folder, wanted


@pytest.mark.parametrize("trained", ["session", "apart"])
def test_two_checkpoints_answer_each_under_its_scope(
    trained: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder, wanted = request.getfixturevalue(trained)
    to = tmp_path / "models" / "both" / "1"
    freeze(to, "--part", f"s1={folder / 's1'}", "--part", f"s10={folder / 's10'}")

    answered = answers(to, s1_x=ROWS, s10_x=2 * ROWS)
    np.testing.assert_allclose(answered["s1_scores"], wanted["s1"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answered["s10_scores"], 2 * wanted["s10"], rtol=1e-5, atol=1e-6)
    assert {"s1/dense/kernel", "s10/dense/kernel"} <= nodes(to).keys()
    assert {name.split("/")[0] for name in nodes(to)} == {"s1", "s10"}


def test_one_checkpoint_of_both_gives_each_part_its_own(
    session: tuple[Path, dict[str, np.ndarray]], tmp_path: Path
) -> None:
    folder, wanted = session
    to = tmp_path / "models" / "both" / "1"
    file = wiring(tmp_path, inputs={"x": ["s1.x", "s10.x"]})
    freeze(to, "--part", f"s1={folder / 'all'}", "--part", f"s10={folder / 'all'}", "--wiring", file)

    answered = answers(to, x=ROWS)
    np.testing.assert_allclose(answered["s1_scores"], wanted["s1"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answered["s10_scores"], wanted["s10"], rtol=1e-5, atol=1e-6)
    assert manifest(to)["signatures"]["predict"]["inputs"]["x"]["shape"] == ["batch", 4]


@pytest.mark.parametrize("saved_as", ["s1/dense/kernel", "dense/kernel"])
@pytest.mark.parametrize("scope", ["s1", ""])
def test_checkpoint_and_graph_need_not_agree_about_the_scope(saved_as: str, scope: str, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x, scores = dense(scope, 7)
        session.run(v1.global_variables_initializer())
        v1.train.Saver({saved_as: v1.global_variables()[0]}).save(session, str(tmp_path / "net"))
        wanted = session.run(scores, {x: ROWS})
    to = tmp_path / "models" / "net" / "1"
    freeze(to, "--part", f"s1={tmp_path / 'net'}")

    np.testing.assert_allclose(answers(to, s1_x=ROWS)["s1_scores"], wanted, rtol=1e-5, atol=1e-6)
    assert "s1/dense/kernel" in nodes(to)


# Wires


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graphs: find.pb image -> boxes, score; read.pb image, boxes, times keep -> labels; whole.pb int32; wide.pb 9."""
    folder = tmp_path_factory.mktemp("parts")
    with tf.Graph().as_default() as graph:
        image = v1.placeholder(tf.float32, [None, 4], "image")
        tf.multiply(image, 3.0, name="net/boxes")
        tf.reduce_sum(image, axis=1, name="net/score")
    write_graph(folder / "find.pb", graph)
    with tf.Graph().as_default() as graph:
        image, boxes = v1.placeholder(tf.float32, [None, None], "image"), v1.placeholder(tf.float32, [None, 4], "boxes")
        keep = v1.placeholder(tf.float32, [], "keep")
        with tf.control_dependencies([boxes]):
            tf.add(image * keep, boxes * 10.0, name="labels")
    write_graph(folder / "read.pb", graph)
    for name, dtype, size in (("whole", tf.int32, 4), ("wide", tf.float32, 9)):
        with tf.Graph().as_default() as graph:
            tf.negative(v1.placeholder(dtype, [None, size], "boxes"), name="labels")
        write_graph(folder / f"{name}.pb", graph)
    return folder


WIRED = {
    "parts": {"find": {"path": "find.pb"}, "read": {"path": "read.pb", "constants": {"keep": 1.0}}},
    "inputs": {"image": ["find.image", "read.image"]},
    "wires": {"read.boxes": "find.boxes"},
    "outputs": {"digits": "read.labels", "score": "find.net/score"},
}


def test_wired_parts_answer_as_one_after_the_other(parts: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "chain" / "1"
    freeze(to, "--wiring", wiring(parts, **WIRED))

    answered = answers(to, image=ROWS)
    np.testing.assert_allclose(answered["digits"], 31 * ROWS, rtol=1e-5)
    np.testing.assert_allclose(answered["score"], ROWS.sum(axis=1), rtol=1e-5)
    signature = manifest(to)["signatures"]["predict"]
    assert signature["inputs"] == {"image": {"tensor": "find/image:0", "dtype": "float32", "shape": ["batch", 4]}}
    assert list(signature["outputs"]) == ["digits", "score"]
    assert signature["constants"] == {"read/keep:0": 1.0}
    assert not {"read/image", "read/boxes"} & nodes(to).keys()


def test_example_in_the_page_freezes(parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section((ROOT / "docs" / "freezing.md").read_text(), "Several parts")
    command = re.findall(r"^python -m soapsvc (freeze --part .*)$", text, re.MULTILINE)
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(command) == 1
    for name in ("find.pb", "read.pb"):
        (tmp_path / name).write_bytes((parts / name).read_bytes())
    (tmp_path / "wiring.yaml").write_text(example)
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command[0])) == 0

    answered = answers(tmp_path / "models" / "house-number" / "1", image=ROWS)
    np.testing.assert_allclose(answered["digits"], 31 * ROWS, rtol=1e-5)


@pytest.mark.parametrize("model", [Wiring, PartEntry])
def test_keys_of_a_wiring_stand_in_the_page(model: type[BaseModel]) -> None:
    text = section((ROOT / "docs" / "freezing.md").read_text(), "Several parts")
    assert [name for name in model.model_fields if f"`{name}`" not in text] == []


def test_path_on_the_command_line_joins_options_in_the_file(parts: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "chain" / "1"
    content = WIRED | {"parts": {"read": {"constants": {"keep": 2.0}}}}
    freeze(
        to, "--part", f"find={parts / 'find.pb'}", "--part", f"read={parts / 'read.pb'}",
        "--wiring", wiring(tmp_path, **content),
    )  # fmt: skip

    np.testing.assert_allclose(answers(to, image=ROWS)["digits"], 32 * ROWS, rtol=1e-5)


def test_file_without_inputs_and_outputs_takes_what_no_wire_does(parts: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "chain" / "1"
    freeze(to, "--wiring", wiring(parts, parts=WIRED["parts"], wires=WIRED["wires"]), "--free-size", "4")

    signature = manifest(to)["signatures"]["predict"]
    assert list(signature["inputs"]) == ["find_image", "read_image"]
    assert list(signature["outputs"]) == ["find_score", "read_labels"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"outputs": {"digits": "raed.labels"}}, "outputs.digits: there is no part raed; there are find, read"),
        ({"outputs": {"digits": "read.label"}}, "outputs.digits: the part read has no output label; there is labels"),
        ({"wires": {"read.box": "find.boxes"}}, "wires.read.box: the part read has no input box; there is boxes"),
        ({"wires": {}}, "nobody feeds read.boxes (float32 [any, 4])"),
        ({"wires": {"read.boxes": "find.boxes", "find.image": "read.labels"}}, "circle: find -> read -> find"),
        ({"wires": {"read.boxes": "find.boxes", "read.image": "find.boxes"}}, "read.image is fed twice"),
        ({"wires": {"read.boxes": "find.score"}}, "wires.read.boxes: the shapes [any] and [any, 4] do not fit"),
        ({"parts": WIRED["parts"] | {"read": {"path": "read.pb"}}}, "nobody feeds read.keep"),
        ({"parts": WIRED["parts"] | {"other": {"path": "wide.pb"}}}, "nobody feeds other.boxes"),
        ({"outputs": {"score": "find.score"}}, "no output needs the part read"),
        ({"outputs": {"image": "read.labels"}}, "image is an input and an output"),
        ({"outputs": {}}, "no outputs"),
        ({"inputs": {"image": []}}, "inputs.image"),
        ({"output": {"digits": "read.labels"}}, "output: unknown key; docs/freezing.md lists"),
        ({"outputs": {"digits": "labels"}}, "outputs.digits: expected PART.NAME"),
        ({"parts": {"find": {"path": "find.pb", "lable": 1}}}, "parts.find.lable: unknown key"),
        ({"parts": {"find": {"path": "find.pb"}, "read": {}}}, "parts.read has no path"),
        ({"parts": {}}, "there are no parts"),
        ({"parts": {"find": {"path": "find.pb", "outputs": ["net/box"]}}, "wires": {}}, "no part read"),
        (
            {"parts": {"find": {"path": "find.pb", "outputs": ["net/box"]}, "read": WIRED["parts"]["read"]}},
            "part find: the graph has no tensor net/box:0",
        ),
        (
            {"parts": {"find": {"path": "find.pb"}, "read": {"path": "read.pb", "inputs": ["image", "boxes"]}}},
            "options of a part stand in the --wiring file under parts.read",
        ),
    ],
)
def test_wiring_that_does_not_fit_is_refused(changed: dict[str, Any], words: str, parts: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=re.escape(words)):
        freeze(tmp_path / "models" / "chain" / "1", "--wiring", wiring(parts, **(WIRED | changed)))
    assert left_behind(tmp_path) == []


def test_wire_between_dtypes_is_refused(parts: Path, tmp_path: Path) -> None:
    content = {
        "parts": {"find": {"path": "find.pb"}, "read": {"path": "whole.pb"}},
        "wires": {"read.boxes": "find.boxes"},
    }
    with pytest.raises(SourceError, match=r"wires\.read\.boxes: float32 and int32"):
        freeze(tmp_path / "models" / "chain" / "1", "--wiring", wiring(parts, **content))


def test_input_shared_by_shapes_that_differ_is_refused(parts: Path, tmp_path: Path) -> None:
    content = {
        "parts": {"find": {"path": "find.pb"}, "read": {"path": "wide.pb"}},
        "inputs": {"x": ["find.image", "read.boxes"]},
    }
    with pytest.raises(SourceError, match=re.escape("inputs.x: find.image and read.boxes: the shapes [any, 4]")):
        freeze(tmp_path / "models" / "chain" / "1", "--wiring", wiring(parts, **content))


@pytest.mark.parametrize(("text", "words"), [("parts: [", "not YAML"), ("wires: {a.b: c.d, a.b: c.e}", "stands twice")])
def test_file_that_is_no_yaml_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "wiring.yaml").write_text(text)
    with pytest.raises(SourceError, match=words):
        freeze(tmp_path / "models" / "chain" / "1", "--wiring", str(tmp_path / "wiring.yaml"))


def test_scope_that_stands_twice_is_refused(parts: Path, tmp_path: Path) -> None:
    find = str(parts / "find.pb")
    with pytest.raises(SourceError, match="the scope a stands twice"):
        freeze(tmp_path / "models" / "chain" / "1", "--part", f"a={find}", "--part", f"a={find}")
    file = wiring(tmp_path, parts={"a": {"path": find}})
    with pytest.raises(SourceError, match="the scope a stands twice"):
        freeze(tmp_path / "models" / "chain" / "1", "--part", f"a={find}", "--wiring", file)


@pytest.mark.parametrize("options", [[], ["SOURCE", "--part", "a=b"]])
def test_source_and_parts_exclude_each_other(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="either a SOURCE, or parts"):
        freeze(tmp_path / "models" / "chain" / "1", *options)


def test_option_for_one_source_is_refused_with_parts(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"--constant.*parts\.a\.constants"):
        freeze(tmp_path / "models" / "chain" / "1", "--part", "a=b", "--constant", "keep=1.0")


def test_default_holds_where_nobody_feeds_and_no_longer_where_somebody_does(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        tf.add(x, v1.placeholder_with_default(np.float32(1.0), [], "shift"), name="y")
    write_graph(tmp_path / "add.pb", graph)
    each = {"path": "add.pb", "inputs": ["x", "shift"], "outputs": ["y", "shift"]}
    file = wiring(
        tmp_path,
        parts={"a": each, "b": each, "c": each},
        inputs={"x": "a.x", "shift": ["a.shift", "c.shift"]},
        wires={"b.x": "a.y", "c.x": "b.y"},
        outputs={"sum": "c.y", "default": "b.shift_1"},
    )
    to = tmp_path / "models" / "add" / "1"
    freeze(to, "--wiring", file)

    answered = answers(to, x=ROWS, shift=np.float32(10))
    np.testing.assert_allclose(answered["sum"], ROWS + 21, rtol=1e-5)
    assert answered["default"] == 1
    assert "optional" not in manifest(to)["signatures"]["predict"]["inputs"]["shift"]


# What a graph has in common


def test_same_file_twice_keeps_its_tables_apart(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        words = v1.placeholder(tf.string, [None], "words")
        content = tf.lookup.KeyValueTensorInitializer(["a", "b"], np.array([3, 7], np.int64))
        bonus = v1.get_variable("bonus", [], tf.int64, initializer=v1.constant_initializer(100))
        tf.add(tf.lookup.StaticHashTable(content, -1).lookup(words), bonus, name="ids")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "table"))
    to = tmp_path / "models" / "table" / "1"
    freeze(to, "--part", f"s1={tmp_path / 'table'}", "--part", f"s10={tmp_path / 'table'}")

    answered = answers(to, s1_words=np.array([b"a"], object), s10_words=np.array([b"b"], object))
    assert {name: value.tolist() for name, value in answered.items()} == {"s1_ids": [103], "s10_ids": [107]}
    tables = [node for node in nodes(to).values() if node.op == "HashTableV2"]
    assert len({node.attr["shared_name"].s for node in tables}) == len(tables) == 2
    assert len(manifest(to)["init_ops"]) == 2


def test_tables_of_one_name_and_other_content_do_not_mix(tmp_path: Path) -> None:
    for name, value in (("one", 3), ("two", 7)):
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            words = v1.placeholder(tf.string, [None], "words")
            content = tf.lookup.KeyValueTensorInitializer(["a"], np.array([value], np.int64))
            tf.identity(tf.lookup.StaticHashTable(content, -1, name="codes").lookup(words), name="ids")
            v1.get_variable("unused", [])
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, str(tmp_path / name))
    to = tmp_path / "models" / "table" / "1"
    file = wiring(tmp_path, inputs={"words": ["one.words", "two.words"]})
    freeze(to, "--part", f"one={tmp_path / 'one'}", "--part", f"two={tmp_path / 'two'}", "--wiring", file)

    answered = answers(to, words=np.array([b"a", b"b"], object))
    assert {name: value.tolist() for name, value in answered.items()} == {"one_ids": [3, -1], "two_ids": [7, -1]}


def test_loops_of_one_frame_turn_on_their_own(tmp_path: Path) -> None:
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [], "x")
            v1.while_loop(lambda y: y < 100.0, lambda y: y * 2.0, [x], name="loop")
            end = next(op.name for op in graph.get_operations() if op.type == "Exit")
    finally:
        v1.enable_control_flow_v2()
    write_graph(tmp_path / "loop.pb", graph)
    each = {"path": "loop.pb", "outputs": [end], "output_names": ["y"]}
    to = tmp_path / "models" / "loop" / "1"
    freeze(to, "--wiring", wiring(tmp_path, parts={"a": each, "b": each}))

    answered = answers(to, a_x=np.float32(3), b_x=np.float32(70))
    assert {name: float(value) for name, value in answered.items()} == {"a_y": 192.0, "b_y": 140.0}
    frames = {node.attr["frame_name"].s for node in nodes(to).values() if node.op == "Enter"}
    assert frames == {b"a/loop/while_context", b"b/loop/while_context"}


def test_functions_of_one_name_stay_two(tmp_path: Path) -> None:
    for name, by in (("twice", 2.0), ("thrice", 3.0)):
        grow = tf.function(lambda x, by=by: x * by, [tf.TensorSpec([None], tf.float32)])
        with tf.Graph().as_default() as graph:
            tf.identity(grow(v1.placeholder(tf.float32, [None], "x")), "y")
        graph_def = graph.as_graph_def()
        (function,) = graph_def.library.function
        called = next(node for node in graph_def.node if node.attr["f"].func.name == function.signature.name)
        function.signature.name = called.attr["f"].func.name = "grow"
        (tmp_path / f"{name}.pb").write_bytes(graph_def.SerializeToString())
    to = tmp_path / "models" / "grow" / "1"
    file = wiring(tmp_path, wires={"b.x": "a.y"}, outputs={"y": "b.y"})
    freeze(to, "--part", f"a={tmp_path / 'twice.pb'}", "--part", f"b={tmp_path / 'thrice.pb'}", "--wiring", file)

    assert answers(to, a_x=np.array([1.0, 5.0], np.float32))["y"].tolist() == [6.0, 30.0]


def test_keras_file_feeds_a_saved_model(tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    body = keras.Sequential([keras.Input((None, 2), name="steps"), keras.layers.LSTM(4, name="state")])
    body.save(tmp_path / "body.keras")
    head = tf.Module()
    head.weight = tf.Variable(np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32))
    spec = tf.TensorSpec([None, 4], tf.float32, "state")
    score = tf.function(lambda state: {"scores": tf.nn.softmax(state @ head.weight)}, [spec])
    tf.saved_model.save(head, str(tmp_path / "head"), {"score": score.get_concrete_function()})
    to = tmp_path / "models" / "pipeline" / "1"
    file = wiring(
        tmp_path,
        parts={"body": {"path": "body.keras"}, "head": {"path": "head", "signature": "score"}},
        inputs={"steps": "body.steps"},
        wires={"head.state": "body.state"},
        outputs={"scores": "head.scores"},
    )
    freeze(to, "--wiring", file)

    steps = np.random.default_rng(4).normal(size=(3, 6, 2)).astype(np.float32)
    wanted = tf.nn.softmax(body(steps) @ head.weight)
    np.testing.assert_allclose(answers(to, steps=steps)["scores"], wanted, rtol=1e-5, atol=1e-6)
